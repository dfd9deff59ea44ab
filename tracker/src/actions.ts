/**
 * What pages can ask of the script, and what it listens to: one table, and one way in.
 *
 * All goes through `run`, which keeps what goes wrong from the page. A further observer is a function that calls `capture`
 * or `record`, named in the table by its event.
 */
import { click } from "./clicks";
import { mayRecord, remember } from "./consent";
import { fillForms, startForm, submitForm } from "./forms";
import { flush, leave, record, stats, takeKept } from "./outbox";
import { comeBack, endLook, look, view } from "./pages";
import { ANCHOR } from "./text";
import { forgetVisitor, visitorId } from "./visitor";

type Properties = Record<string, unknown>;

/**
 * Anything but a clear yes is a no. A yes is told however often it is given: it may be to another policy. A withdrawal is
 * the last thing that is told of the visitor: flushing leaves it alone in the outbox, with the id that is then forgotten.
 */
const setConsent = (answer: unknown, policyVersion?: unknown): void => {
	if (answer === "granted") {
		remember(answer);
		record("", 0, { type: "CONSENT", policyVersion });
	} else {
		if (mayRecord()) {
			record("", 0, { type: "CONSENT", visitorId: visitorId(), consent: "denied", policyVersion });
			takeKept();
		}
		remember("denied");
		forgetVisitor();
	}
	fillForms();
	flush();
};

/** The page may be about to go. */
const leavePage = (): void => {
	endLook();
	leave();
};

/**
 * Commands by their name, and listeners by their event's: no event of browsers has the name of a command. The order is the
 * one that gzip likes.
 */
export const table = {
	/** Also said where a page is left; phones often end a page that is hidden without another word. */
	visibilitychange: leavePage,
	flush,
	stats,
	consent: setConsent,
	focus: startForm,
	track: record,
	pageshow: comeBack,
	scroll: look,
	submit: submitForm,
	identify: (properties: Properties): void => record("", properties, { type: "IDENTIFY" }),
	conversion: (name: string, { value, currency, ...properties }: Properties = {}): void =>
		record(name, properties, { value, currency, type: "CONVERSION" }),
	click,
	/** The visitor's id, "" where there may be none. */
	id: visitorId,
};

/** Do what the name says, and give the answer to a callback too, for calls made before the script was there. */
export const run = (name: keyof typeof table, first?: unknown, second?: unknown): unknown => {
	try {
		// Whatever happens belongs to the page that it happens on.
		view(location.href.replace(ANCHOR, ""));
		const answer = (table[name] as unknown as (...args: unknown[]) => unknown)(first, second);
		(first as Function | undefined)?.call?.(0, answer);
		return answer;
	} catch {}
};
