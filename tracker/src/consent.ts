/**
 * Whether the visitor may be recorded, and whether they may be recognised (EVT-5, RED-5).
 */
import { readCookie, writeCookie, YEAR } from "./browser";
import { consentMode } from "./tag";

export const GRANTED = "granted";
export const DENIED = "denied";
const COOKIE = "trackflow_consent";

// What the tag says holds until the visitor has said something; where cookies are blocked, that counts for this page.
let said = consentMode;

/** "granted" or "denied" where that is known, else what the tag says. The cookie is read anew: another tab may differ. */
export const consent = (): string | undefined => readCookie(COOKIE) || said;

export const remember = (answer: string): void => writeCookie(COOKIE, (said = answer), YEAR);

/** Events may leave the page. */
export const mayRecord = (): boolean => [GRANTED, "none"].includes(consent()!);

/** Events may carry an id, and things may be kept in this browser: never against "do not track". */
export const mayRecognise = (): boolean =>
	mayRecord() && navigator.doNotTrack !== "1" && !navigator.globalPrivacyControl;

declare global {
	interface Navigator {
		globalPrivacyControl?: boolean;
	}
}
