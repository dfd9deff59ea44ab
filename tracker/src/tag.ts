/**
 * What the script's own tag says. Read while the script runs: the browser forgets afterwards which tag it was.
 */
const script = document.currentScript as HTMLScriptElement;
const data = script.dataset;

export const publicKey = data.key;
export const endpoint = new URL(data.endpoint || "/api/method/trackflow.api.tracking.track_event", script.src).href;
/** "required" (also where nothing is said), "granted" (the page has asked already) or "none" (needs none). */
export const consentMode = data.consent;
export const batchSize = +data.batchSize! || 10;
/** Milliseconds that an event may wait for others. */
export const interval = +data.interval! || 3000;
