/**
 * Events on their way: they wait for consent and for each other, leave in batches, and are tried again until taken (EVT-4).
 *
 * What is being sent is kept in the browser until it is answered, so that neither a failure nor a closed page loses it.
 * Sending twice is harmless: every event has its id, and the collector takes each id once.
 */
import { storage } from "./browser";
import { consent, mayRecognise, mayRecord } from "./consent";
import { batchSize, endpoint, fields, tag } from "./tag";
import { mayTry, randomHex } from "./text";
import { visitorId } from "./visitor";

export interface TrackedEvent {
	eventId: string;
	type: string;
	timestamp: number;
	[field: string]: unknown;
}

// Each page has its own place, so that tabs do not overwrite each other's.
const KEY = "trackflow:" + randomHex(8);
/** Those of the queue that are being sent. */
let pending: TrackedEvent[] | 0 = 0;
let failures = 0;
let lastFlush: number | null = null;
let queue: TrackedEvent[] = [];
/** What came of the events of this page, and when a batch last left it. */
let sent = 0;
let batches = 0;

/**
 * Send what waits, batch after batch, if consent is there and no failure says to wait; and keep what was not taken yet, where
 * the browser has room for it.
 */
export const flush = (): void => {
	if (maySend() && queue[0] && !pending && mayTry(failures, Math.random())) {
		const body = bodyOf((pending = queue.slice(0, batchSize)));
		// Browsers fail a fetch with keepalive above 64 KiB; a character may be three bytes.
		fetch(endpoint, { keepalive: !body[2e4], credentials: "omit", body, method: "POST" })
			// An error has no status.
			.catch((error) => error)
			.then((answer) => {
				// Taken, or refused in a way that asking again will not change.
				if (answer.status < 429) settle(pending as TrackedEvent[]);
				else failures++;
				pending = 0;
				if (!failures) flush();
			});
	}
	try {
		if (queue[0] && (queue[0].visitorId || mayRecognise())) storage[KEY] = JSON.stringify(queue);
		else delete storage[KEY];
	} catch {}
};

/**
 * The page may be about to go: hand over what waits, without an answer; where the collector fails, `flush` keeps it. What is
 * being sent goes along once more, as its answer may never come.
 */
export const leave = (): void => {
	if (maySend() && queue[0] && !failures && navigator.sendBeacon(endpoint, bodyOf(queue))) settle(queue);
	flush();
};

/**
 * Whether what is in the queue may leave the page. Where the visitor said no, in another tab too, all is thrown away but a
 * withdrawal, the one event that says itself what was consented to.
 */
const maySend = (): unknown =>
	mayRecord() || (consent() === "denied" && (queue = queue.filter((event) => event.consent)));

/** Figures since this page was loaded: what waits or is being sent, what is settled and in how many batches. */
export const stats = () => ({
	batches,
	averageBatchSize: sent / batches || 0,
	sent,
	lastFlush,
	queued: queue.length,
});

/** Take up what earlier pages could not deliver. */
export const takeKept = (): void => {
	for (const key in storage)
		if (key.match("trackflow:")) {
			queue.push(...JSON.parse(storage[key]));
			delete storage[key];
		}
};

const bodyOf = (events: TrackedEvent[]): string =>
	JSON.stringify({
		events: events.map((event) => ({
			visitorId: visitorId(),
			// "none" where the tag says that none is needed.
			consent: consent(),
			...event,
		})),
		sentAt: (lastFlush = Date.now()),
		publicKey: tag.key,
	});

/**
 * Record an event of this page, an own one of the website unless `more` says another type. It leaves, with others, when
 * consent is there; the collector takes a hundred at once at most. Throws where it is no JSON, so that no batch is spoilt
 * later.
 */
export const record = (name: string, properties?: object | 0, more?: object): void => {
	const event: TrackedEvent = JSON.parse(
		JSON.stringify({
			eventId: randomHex(32),
			type: "CUSTOM",
			name,
			timestamp: Date.now(),
			url: location.href,
			fields,
			...more,
			properties: { ...properties },
		}),
	);
	// For the developer of a website on their own machine, the one place where http counts as secure; silent elsewhere.
	location.protocol[5] || (isSecureContext && console.debug("trackflow", event));
	if (!queue[99]) queue.push(event);
	if (maySend() && queue[batchSize - 1] && !failures) flush();
};

/** These events are settled: taken or refused for good, or handed over to the browser. */
const settle = (events: TrackedEvent[]): void => {
	queue = queue.filter((event) => !events.includes(event) || !++sent);
	batches++;
	failures = 0;
};
