/**
 * Pages, those of single-page applications included: the view of each, how long and how far it was looked at, and the
 * page's part of every other event.
 *
 * The address is looked at with all that happens, every second at least, rather than the page's history being patched: so
 * nothing of the page is touched, and an address that a router only passes through is no view.
 */
import { fillForms } from "./forms";
import { record } from "./outbox";
import { off } from "./tag";

let page = "";
/** What was captured on this page: the same again is no news (EVT-4). */
let seen: string;
/** Seconds that the page was looked at since that was last told, and how far down, in percent. */
let seconds = 0;
let scroll: number;

/** Record what the visitor did, unless it has no name, the tag says not to, or they did just that on this page before. */
export const capture = (...event: Parameters<typeof record>): void => {
	const content = JSON.stringify(event);
	if (seen.includes(content) || off.includes(event[0])) return;
	seen += content;
	record(...event);
};

/** Record the view of the page at this address, unless that is done. */
export const view = (next: string): void => {
	if (page === next) return;
	endLook();
	scroll = 0;
	seen = "";
	if (!off.includes("page"))
		record("", 0, {
			type: "PAGE_VIEW",
			viewport: innerWidth + "x" + innerHeight,
			screen: screen.width + "x" + screen.height,
			referrer: page || document.referrer,
			title: document.title,
		});
	page = next;
	fillForms();
};

/** Called when the visitor scrolls, and every second without an event. */
export const look = (event?: Event): void => {
	if (!event) seconds += document.hasFocus() as unknown as number;
	scroll = Math.max(scroll, (((scrollY + innerHeight) * 100) / document.documentElement.scrollHeight) | 0);
};

/** Tell how long a page was looked at. With its time it is never the same again. */
export const endLook = (): void => {
	if (seconds)
		capture(
			"engagement",
			// What is spread is nothing where scrolling is switched off.
			{ seconds, ...((off.includes("scroll") || { scroll }) as object) },
			{ timestamp: Date.now(), url: page },
		);
	seconds = 0;
};

/** Back from the browser's memory: the script has not run again, but the visitor looks again. */
export const comeBack = ({ persisted }: PageTransitionEvent): void => {
	if (persisted) page = "";
};
