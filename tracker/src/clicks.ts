/**
 * Clicks on marked elements, on links to other websites, and on files.
 */
import { capture } from "./pages";
import { FILE } from "./text";

export const click = ({ target }: { target: Element }): void => {
	const name = target.closest<HTMLElement>("[data-trackflow-click]")?.dataset.trackflowClick;
	const link = target.closest("a");
	if (name) capture("click", { name });
	// Without a host: mailto, tel and the like.
	if (link?.host) {
		const isDownload = link.hasAttribute("download") || FILE.test(link.pathname);
		if (isDownload || link.host !== location.host) capture(isDownload ? "download" : "outbound", { url: link.href });
	}
};
