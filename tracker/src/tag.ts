/**
 * What the script's own tag says. Read while the script runs: the browser forgets afterwards which tag it was.
 */

/**
 * `consent` is "required" (also where nothing is said), "granted" (the page has asked already) or "none" (needs none). What
 * the visitor says is written there, so that it holds for this page where cookies are blocked.
 */
export const { src, dataset: tag } = document.currentScript as HTMLScriptElement;

export const {
	batchSize = 10,
	/** Milliseconds that an event may wait for others. */
	interval = 3e3,
	/** What is not captured: words with blanks between. */
	off = "",
} = tag as unknown as { batchSize?: number; interval?: number; off?: string; };

export const endpoint = new URL(tag.endpoint || "/api/method/trackflow.api.tracking.track_event", src);

/** Fixed custom fields of every event; none where they are no JSON. */
export let fields: object | undefined;
try {
	fields = JSON.parse(tag.fields!);
} catch {}
