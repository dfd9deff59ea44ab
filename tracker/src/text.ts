/**
 * Pure helpers over texts and numbers: no clock, and of the browser its cookies at most. What decides is here, so that it
 * can be tested by itself.
 */

/**
 * Whether to try again after so many failures in a row, asked once an interval: by chance (`random`, 0 to 1), so that
 * visitors do not come back together. On average it takes intervals by squares: with three seconds, five minutes after ten
 * failures and twenty after twenty.
 */
export const mayTry = (failures: number, random: number): boolean => failures ** 2 * random < 1;

/** What does not make another page of an address: the fragment, unless it is a route ("#/…", "#!…"). */
export const ANCHOR = /#(?![!/]).*/;

/** The value of a cookie, undefined where there is none. */
export const readCookie = (name: string): string | undefined =>
	document.cookie.match(`\\b${name}=([^;]+)`)?.[1];

/** The path of a file that people keep, rather than of a page that they read. */
export const FILE = /\.(pdf|(doc|xls|ppt)x?|zip)$/i;

/** So many random hexadecimal digits. They tell events and visitors apart; nothing is kept secret by them. */
export const randomHex = (digits: number): string =>
	digits ? Math.random().toString(16)[2] + randomHex(digits - 1) : "";
