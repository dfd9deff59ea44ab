/**
 * Clicks on marked elements, on links to other websites, and on files.
 */
import { capture } from "./pages";
import { FILE } from "./text";

export const click = ({ target }: { target: Element }): void => {
	const name = target.closest("[data-trackflow-click]")?.getAttribute("data-trackflow-click");
	const link = target.closest("a");
	if (name) capture("click", { name });
	// Without a host: mailto, tel and the like, and links in an SVG, whose address is no text. Without a link: an exception,
	// which ends here as it would anyway.
	capture(
		link!.host
			? link!.hasAttribute("download") || FILE.test(link!.pathname)
				? "download"
				: link!.host === location.host
					? ""
					: "outbound"
			: "",
		{ url: link!.href },
	);
};
