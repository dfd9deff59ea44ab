/**
 * What a page can ask: `trackflow(command, …)`.
 */
import { consent, DENIED, GRANTED, mayRecord, remember } from "./consent";
import { fillForms } from "./forms";
import { discard, flush, sendBlindly } from "./outbox";
import { makeEvent, record } from "./pages";
import { forgetVisitor, visitorId } from "./visitor";

type Properties = Record<string, unknown>;

/** Anything but a clear yes is a no. A withdrawal is the last thing that is told of the visitor. */
const setConsent = (answer: unknown): void => {
	const given = answer === GRANTED ? GRANTED : DENIED;
	if (given === consent()) return;
	if (given === GRANTED) {
		remember(given);
		record("CONSENT", {});
		flush();
	} else {
		discard();
		if (mayRecord()) sendBlindly([makeEvent("CONSENT", { consent: given })]);
		remember(given);
		forgetVisitor();
	}
	fillForms();
};

export const commands = {
	track: (name: string, properties?: Properties): void => record("CUSTOM", { name, properties }),
	conversion: (name: string, { value, currency, ...properties }: Properties = {}): void =>
		record("CONVERSION", { name, value, currency, properties }),
	identify: (properties: Properties): void => record("IDENTIFY", { properties }),
	consent: setConsent,
	/** The visitor's id, "" where there may be none; also given to a callback, for calls made before the script is there. */
	id: (callback?: (id: string) => void): string => {
		const id = visitorId();
		callback?.(id);
		return id;
	},
	flush,
};
