/**
 * Whether the visitor may be recorded, and whether they may be recognised (EVT-5, RED-5).
 */
import { writeCookie } from "./browser";
import { tag } from "./tag";
import { readCookie } from "./text";

export const remember = (answer: string): string => writeCookie("trackflow_consent", (tag.consent = answer));

/** "granted" or "denied" where that is known, else what the tag says. The cookie is read anew: another tab may differ. */
export const consent = (): string | undefined => readCookie("trackflow_consent") || tag.consent;

/** Events may carry an id, and things may be kept in this browser: never against "do not track". */
export const mayRecognise = (): boolean =>
	mayRecord() && (navigator.doNotTrack as unknown) != 1 && !navigator.globalPrivacyControl;

/** Events may leave the page. */
export const mayRecord = (): boolean => consent() === "granted" || consent() === "none";

declare global {
	interface Navigator {
		globalPrivacyControl?: boolean;
	}
}
