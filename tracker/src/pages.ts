/**
 * Page views, those of single-page applications included, and the page's part of every other event.
 */
import { guard, on, randomId } from "./browser";
import { add, type TrackedEvent } from "./outbox";
import { pageOf } from "./text";

// A single-page application sets its title after it has changed the address.
const SETTLING = 100;

let lastPage = "";

/** An event of this page at this moment. Throws where `fields` cannot be JSON, so that no batch is spoilt later. */
export const makeEvent = (type: string, fields: object): TrackedEvent =>
	JSON.parse(
		JSON.stringify({ eventId: randomId(32), type, timestamp: Date.now(), url: location.href, ...fields }),
	);

/** Record the view of this page, unless that is done. */
export const view = (): void => {
	const page = pageOf(location.href);
	if (page !== lastPage)
		add(
			makeEvent("PAGE_VIEW", {
				title: document.title,
				referrer: lastPage || document.referrer,
				screen: screen.width + "x" + screen.height,
				viewport: innerWidth + "x" + innerHeight,
			}),
		);
	lastPage = page;
};

/** Record an event, after the view of the page that it happened on. */
export const record = (type: string, fields: object): void => {
	view();
	add(makeEvent(type, fields));
};

/** Record views from here on, and call `arrived` on each page. */
export const watchPages = (arrived: () => void): void => {
	const arrive = guard(() => {
		view();
		arrived();
	});
	const soon = (event?: Event): void => {
		// Back from the browser's memory: the script has not run again, but the visitor looks again.
		if ((event as PageTransitionEvent | undefined)?.persisted) lastPage = "";
		setTimeout(arrive, SETTLING);
	};
	(["pushState", "replaceState"] as const).forEach((name) => {
		const original = history[name];
		history[name] = (...args) => {
			original.apply(history, args);
			soon();
		};
	});
	on(["popstate", "pageshow"], soon);
	soon();
};
