/**
 * The page's environment, with its traps taken out.
 */
import { cookieIn, hex } from "./text";

/** For the developer of a website on their own machine; silent everywhere else. */
export const log = (...details: unknown[]): void => {
	if (/^(localhost|127)/.test(location.host)) console.debug("trackflow", ...details);
};

/** `action`, made safe to be called by the page: what goes wrong in it is ours alone. */
export const guard =
	<Args extends unknown[], Result>(action: (...args: Args) => Result) =>
	(...args: Args): Result | undefined => {
		try {
			return action(...args);
		} catch (error) {
			log(error);
		}
	};

/** Listen on the window, before any listener of the page's can stop the event. */
export const on = <E extends Event>(names: string[], action: (event: E) => void): void =>
	names.forEach((name) => addEventListener(name, guard(action) as EventListener, true));

export const randomId = (digits: number): string => hex(crypto.getRandomValues(new Uint8Array(digits)));

export const readCookie = (name: string): string | undefined => cookieIn(document.cookie, name);

/** Keep a first-party cookie for so many seconds: 0 removes it. */
export const writeCookie = (name: string, value: string, seconds: number): void => {
	document.cookie =
		`${name}=${value};path=/;samesite=lax;max-age=` + seconds + (/s:/.test(location.protocol) ? ";secure" : "");
};
export const YEAR = 31536e3;

/** What lasts in this browser; where the browser refuses that, what is kept lasts as long as the page. */
export const storage: Record<string, string> = guard(() => localStorage as unknown as Record<string, string>)() || {};
