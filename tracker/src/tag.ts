/**
 * What the script's own tag says. Read while the script runs: the browser forgets afterwards which tag it was.
 */

/**
 * `consent` is "required" (also where nothing is said), "granted" (the page has asked already) or "none" (needs none). What
 * the visitor says is written there, so that it holds for this page where cookies are blocked.
 */
export const { src, dataset: tag } = document.currentScript as HTMLScriptElement;

const size = (tag.batchSize as unknown as number) | 0;
/** Events in a batch: 10 unless the tag says as many as the collector takes, 1 to 100. Of others none would ever leave. */
export const batchSize = (size < 1 as never) | (size > 100 as never) ? 10 : size;

/** What is not captured: words with blanks between. */
export const off = tag.off || "";

export const endpoint = new URL(tag.endpoint || "/api/method/trackflow.api.tracking.track_event", src);

/** Fixed custom fields of every event; none where they are no JSON. */
export let fields: object | undefined;
try {
	fields = JSON.parse(tag.fields!);
} catch {}
