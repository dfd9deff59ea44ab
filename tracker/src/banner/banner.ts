/**
 * The consent banner, a script of its own: asks whether the visit may be recorded, and tells `trackflow` the answer (EVT-5).
 *
 * It asks once for each version of the policy, and never unasked against Do Not Track or Global Privacy Control. Texts and
 * links come from its tag and are shown as text, whatever they hold. It needs nothing that a strict CSP forbids.
 */
import { readCookie } from "../text";
import { drawn } from "./look";

type Answer = "granted" | "denied";
interface Caller {
	(command: "consent", answer: Answer, policyVersion: string): void;
	q?: unknown[];
}

const RECORD = "trackflow_consent_record";
const YEAR = 31536e3;
const tag = (document.currentScript as HTMLScriptElement).dataset;
const version = tag.policyVersion || "";
let host: HTMLElement | undefined;
/** Where the focus was when the banner was asked for. */
let opener: Element | null = null;

const close = (): void => {
	host?.remove();
	host = undefined;
	(opener as HTMLElement | null)?.focus();
	opener = null;
};

const answer = (given: Answer): void => {
	// Kept before the script is told: with a version and a time, it is the proof of what was asked.
	const record = encodeURIComponent(`${version} ${new Date().toISOString()}`);
	document.cookie =
		`${RECORD}=${record};path=/;samesite=lax;max-age=${YEAR}` + (location.protocol === "https:" ? ";secure" : "");
	const page = window as unknown as { trackflow?: Caller };
	page.trackflow ??= function (...call) {
		(page.trackflow!.q ??= []).push(call);
	};
	page.trackflow("consent", given, version);
	close();
};

const open = (): void => {
	if (host) return;
	host = document.createElement("div");
	const bar = drawn(tag, () => answer("denied"), () => answer("granted"));
	bar.addEventListener("keydown", ({ key }) => key === "Escape" && opener && close());
	// The page's styles end at the shadow. First in the page, so that the keyboard comes by.
	host.attachShadow({ mode: "open" }).append(bar);
	document.body.prepend(host);
};

/** Ask again: the visitor wants to, so the focus goes there, and Escape leaves all as it is. */
const reopen = (): void => {
	opener = document.activeElement;
	open();
	host!.shadowRoot!.querySelector("button")!.focus();
};

/** What was kept of the last answer: version and time; "" where there is none that can be read. */
const readRecord = (): string => {
	try {
		return decodeURIComponent(readCookie(RECORD) || "");
	} catch {
		return "";
	}
};

const hasAnswered = (): boolean => {
	const record = readRecord();
	return !!readCookie("trackflow_consent") && record.slice(0, record.lastIndexOf(" ")) === version && !!record;
};

const start = (): void => {
	const isSilent = navigator.doNotTrack === "1" || (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl;
	if (!isSilent && !hasAnswered()) open();
};

(window as { trackflowConsent?: () => void }).trackflowConsent = reopen;
document.addEventListener("click", (event) => {
	if (!(event.target as Element).closest?.("[data-trackflow-consent]")) return;
	event.preventDefault();
	reopen();
});
if (document.body) start();
else document.addEventListener("DOMContentLoaded", start);
