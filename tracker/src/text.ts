/**
 * Pure helpers over texts and numbers: no browser, no clock. What decides is here, so that it can be tested by itself.
 */

/** What makes two addresses the same page: all but the fragment, unless the fragment is a route ("#/…", "#!…"). */
export const pageOf = (address: string): string => address.replace(/#(?![!/]).*/, "");

/** The value of a cookie, undefined where there is none. `cookies` is what `document.cookie` gives. */
export const cookieIn = (cookies: string, name: string): string | undefined =>
	("; " + cookies).split(`; ${name}=`)[1]?.split(";")[0];

/** The signed click id in an address, or the first in a text of several; undefined where there is none (RED-6). */
export const clickIdIn = (addresses: string): string | undefined => /[?&]tfclid=([^&#\s]+)/.exec(addresses)?.[1];

/** As many hexadecimal digits as there are bytes, of each its lower half. */
export const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => (byte % 16).toString(16)).join("");

/**
 * Milliseconds until the next try after so many failures in a row, spread by `random` (0 to 1) so that visitors do not come
 * back together. By squares: with three seconds, some minutes after ten failures and half an hour after twenty.
 */
export const backOff = (failures: number, interval: number, random: number): number =>
	interval * failures ** 2 * (1 + random);

/** Whether an answer settles a batch: taken, or refused in a way that asking again will not change. */
export const isFinal = (status: number): boolean => status < 500 && status !== 429;
