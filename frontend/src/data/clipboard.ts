/** Put a text into the clipboard; tells whether it is there. */
export async function copy(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		// Only pages that came by https, or from this machine, may do it that way.
		return copyFromPage(text);
	}
}

function copyFromPage(text: string): boolean {
	const before = document.activeElement as HTMLElement | null;
	const area = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
	area.style.cssText = "position: fixed; opacity: 0";
	// Where a dialog keeps the focus inside, it has to be in there.
	(before?.closest("[role=dialog]") ?? document.body).append(area);
	area.select();
	try {
		return document.execCommand("copy");
	} finally {
		area.remove();
		before?.focus();
	}
}
