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
	const event =
		link?.host &&
		(link.hasAttribute("download") || FILE.test(link.pathname)
			? "download"
			: link.host !== location.host && "outbound");
	if (event) capture(event, { url: link.href });
};
