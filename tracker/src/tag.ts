/**
 * What the script's own tag says. Read while the script runs: the browser forgets afterwards which tag it was.
 */

/**
 * `consent` is "required" (also where nothing is said), "granted" (the page has asked already) or "none" (needs none). What
 * the visitor says is written there, so that it holds for this page where cookies are blocked.
 */
export const { src, dataset: tag } = document.currentScript as HTMLScriptElement;

export const {
	key: publicKey,
	batchSize = 10,
	/** Milliseconds that an event may wait for others. */
	interval = 3e3,
	/** Fixed custom fields of every event, as JSON. */
	fields = null,
	/** What is not captured: words with blanks between. */
	off = "",
	/** A CSS selector: which forms get the hidden field, besides those that are marked. */
	forms,
} = tag as unknown as { key: string; batchSize?: number; interval?: number; fields?: string; off?: string; forms?: string };

export const endpoint = new URL(tag.endpoint || "/api/method/trackflow.api.tracking.track_event", src);
