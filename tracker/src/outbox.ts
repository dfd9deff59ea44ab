/**
 * Events on their way: they wait for consent and for each other, leave in batches, and are tried again until taken (EVT-4).
 *
 * What is being sent is kept in the browser until it is answered, so that neither a failure nor a closed page loses it.
 * Sending twice is harmless: every event has its id, and the collector takes each id once.
 */
import { run } from "./actions";
import { storage } from "./browser";
import { consent, mayRecognise, mayRecord } from "./consent";
import { batchSize, endpoint, fields, interval, publicKey } from "./tag";
import { backOff, isFinal, randomHex } from "./text";
import { visitorId } from "./visitor";

export interface TrackedEvent {
	eventId: string;
	type: string;
	timestamp: number;
	[field: string]: unknown;
}

// Each page has its own place, so that tabs do not overwrite each other's.
const KEY = "trackflow:" + randomHex(8);

let queue: TrackedEvent[] = [];
/** How many events at the head of the queue are being sent. */
let pending = 0;
let failures = 0;
let notBefore = 0;

/**
 * Record an event of this page. It leaves, with others, when consent is there; the
 * collector takes a hundred at once at most. Throws where it is no JSON, so that no batch is spoilt later.
 */
export const record = (type: string, name?: string, properties?: object, more?: object): void => {
	const event: TrackedEvent = JSON.parse(
		JSON.stringify({
			eventId: randomHex(32),
			type,
			name,
			timestamp: Date.now(),
			url: location.href,
			...more,
			properties: { ...JSON.parse(fields as string), ...properties },
		}),
	);
	// For the developer of a website on their own machine, the one place where http counts as secure; silent elsewhere.
	if (isSecureContext && !location.protocol[5]) console.debug("trackflow", event);
	if (!queue[99] && consent() !== "denied") queue.push(event);
	if (queue[batchSize - 1]) flush();
};

/** Send what waits, batch after batch, if consent is there and no failure says to wait. */
export const flush = (): void => {
	const batch = queue.slice(0, batchSize);
	if (pending || !batch[0] || !mayRecord() || Date.now() < notBefore) return;
	pending = batch.length;
	save();
	fetch(endpoint, { method: "POST", body: bodyOf(batch), credentials: "omit", keepalive: true })
		.then(isFinal, () => false)
		.then((isSettled) => {
			if (isSettled) {
				failures = 0;
				queue.splice(0, pending);
			} else {
				failures++;
				notBefore = Date.now() + backOff(failures, interval, Math.random());
			}
			pending = 0;
			save();
			run("flush");
		});
};

/** The page may be about to go: hand over what waits, without an answer; where the collector fails keep it. */
export const leave = (): void => {
	if (queue[pending] && !failures && mayRecord() && navigator.sendBeacon(endpoint, bodyOf(queue.slice(pending))))
		queue.splice(pending);
	save();
};

/** Throw away all events that were not taken yet. */
export const discard = (): void => {
	takeKept();
	queue = [];
	pending = failures = 0;
};

/** Take up what earlier pages could not deliver. */
export const takeKept = (): void => {
	for (const key in storage)
		if (key.match("trackflow:")) {
			queue.push(...JSON.parse(storage[key]));
			delete storage[key];
		}
};

const save = (): void => {
	try {
		if (queue[0] && mayRecognise()) storage[KEY] = JSON.stringify(queue);
		else delete storage[KEY];
	} catch {}
};

const bodyOf = (events: TrackedEvent[]): string =>
	JSON.stringify({
		publicKey,
		sentAt: Date.now(),
		events: events.map((event) => ({
			visitorId: visitorId(),
			consent: consent() === "granted" ? "granted" : null,
			...event,
		})),
	});
