/** What the browser calls the page, in tabs, history and bookmarks. */
export function setTitle(title: string): void {
	document.title = `${title} · TrackFlow`;
}
