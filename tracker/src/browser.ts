/**
 * The page's environment, with its traps taken out.
 */

/** Keep a first-party cookie for a year; "" removes it. Answers the value. */
export const writeCookie = (name: string, value: string): string => {
	// Of "https:" and "http:" only the first has a sixth character.
	document.cookie =
		`${name}=${value};path=/;samesite=lax;max-age=${value ? 31536e3 : 0}` + (location.protocol[5] ? ";secure" : "");
	return value;
};

/** What lasts in this browser; where the browser refuses that, what is kept lasts as long as the page. */
export let storage: Record<string, string> = {};
try {
	storage = localStorage as unknown as Record<string, string>;
} catch {}
