/**
 * Events on their way: they wait for consent and for each other, leave in batches, and are tried again until taken (EVT-4).
 *
 * What is being sent is kept in the browser until it is answered, so that neither a failure nor a closed page loses it.
 * Sending twice is harmless: every event has its id, and the collector takes each id once.
 */
import { guard, log, randomId, storage } from "./browser";
import { consent, DENIED, GRANTED, mayRecognise, mayRecord } from "./consent";
import { batchSize, endpoint, interval, publicKey } from "./tag";
import { backOff, isFinal } from "./text";
import { visitorId } from "./visitor";

export interface TrackedEvent {
	eventId: string;
	type: string;
	timestamp: number;
	[field: string]: unknown;
}

const PREFIX = "trackflow:";
// Each page has its own place, so that tabs do not overwrite each other's.
const KEY = PREFIX + randomId(8);
// What the collector takes at once.
const MAX_EVENTS = 100;
// Browsers refuse a longer body for requests that outlive their page.
const MAX_KEEPALIVE = 6e4;

let queue: TrackedEvent[] = [];
/** How many events at the head of the queue are being sent. */
let pending = 0;
let failures = 0;
let notBefore = 0;

/** Take an event. It leaves, with others, when consent is there. */
export const add = (event: TrackedEvent): void => {
	log(event);
	if (queue.length < MAX_EVENTS && consent() !== DENIED) queue.push(event);
	if (queue.length >= batchSize) flush();
};

/** Send what waits, batch after batch, if consent is there and no failure says to wait. */
export const flush = guard((): void => {
	const batch = queue.slice(0, batchSize);
	if (pending || !batch[0] || !mayRecord() || Date.now() < notBefore) return;
	pending = batch.length;
	save();
	const body = bodyOf(batch);
	fetch(endpoint, {
		method: "POST",
		body,
		credentials: "omit",
		keepalive: !body[MAX_KEEPALIVE],
		signal: AbortSignal.timeout?.(1e4),
	})
		.then(({ status }) => isFinal(status), log)
		.then((isSettled) => {
			pending = 0;
			if (isSettled) {
				failures = 0;
				queue = queue.filter((event) => !batch.includes(event));
				save();
				flush();
			} else notBefore = Date.now() + backOff(++failures, interval, Math.random());
		});
});

/** Begin: take up what earlier pages could not deliver, and look every interval for what waits. */
export const openOutbox = (): void => {
	setInterval(flush, interval);
	takeKept();
};

/** The page may be about to go: hand over what waits, without an answer; where the collector fails, keep it. */
export const leave = (): void => {
	const rest = queue.splice(pending, MAX_EVENTS);
	if (!(rest[0] && !failures && mayRecord() && sendBlindly(rest))) queue.push(...rest);
	save();
};

/** Hand events to the browser to deliver; false where it refuses. */
export const sendBlindly = (events: TrackedEvent[]): boolean => navigator.sendBeacon(endpoint, bodyOf(events));

/** Throw away all events that were not taken yet. */
export const discard = (): void => {
	takeKept();
	queue = [];
	save();
};

const takeKept = (): void => {
	for (const key in storage)
		if (key.startsWith(PREFIX)) {
			const events = storage[key];
			delete storage[key];
			queue.push(...JSON.parse(events));
		}
};

const save = guard((): void => {
	if (queue[0] && mayRecognise()) storage[KEY] = JSON.stringify(queue);
	else delete storage[KEY];
});

const bodyOf = (events: TrackedEvent[]): string => {
	const common = { visitorId: visitorId(), consent: consent() === GRANTED ? GRANTED : undefined };
	return JSON.stringify({ publicKey, sentAt: Date.now(), events: events.map((event) => ({ ...common, ...event })) });
};
