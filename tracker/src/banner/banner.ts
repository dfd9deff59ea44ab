/**
 * The consent banner, a script of its own: asks whether the visit may be recorded, and tells `trackflow` the answer (EVT-5).
 *
 * It asks once for each version of the policy, and never unasked against Do Not Track or Global Privacy Control. Texts and
 * links come from its tag and are shown as text, whatever they hold. It needs nothing that a strict CSP forbids.
 */
import { readCookie } from "../text";

type Answer = "granted" | "denied";
interface Caller {
	(command: "consent", answer: Answer, policyVersion: string): void;
	q?: unknown[];
}

const RECORD = "trackflow_consent_record";
const YEAR = 31536e3;
const FACE = "font:inherit;color:inherit";
const BAR =
	"position:fixed;inset:auto 0 0 0;z-index:2147483647;box-sizing:border-box;max-height:100%;overflow:auto;padding:16px;" +
	"display:flex;flex-wrap:wrap;gap:12px 24px;align-items:center;justify-content:center;color-scheme:light dark;" +
	"font:16px/1.5 system-ui,sans-serif;color:CanvasText;background:Canvas;border-top:1px solid GrayText";
const TEXT = "margin:0;flex:1 1 280px;max-width:640px";
const BUTTONS = "display:flex;flex-wrap:wrap;gap:12px";
// Both answers look alike: a no must be as easy as a yes.
const BUTTON = FACE + ";min-width:120px;min-height:44px;padding:8px 20px;cursor:pointer;background:Canvas;border:2px solid;border-radius:8px";
const LINK = FACE + ";margin-left:8px";

const tag = (document.currentScript as HTMLScriptElement).dataset;
const version = tag.policyVersion || "";
let host: HTMLElement | undefined;
/** Where the focus was when the banner was asked for. */
let opener: Element | null = null;

const make = <Name extends keyof HTMLElementTagNameMap>(name: Name, style: string, text = ""): HTMLElementTagNameMap[Name] => {
	const element = document.createElement(name);
	element.style.cssText = style;
	element.textContent = text;
	return element;
};

/** No link where the address is none that people can read. */
const makeLink = (address: string | undefined, text: string): HTMLElement[] => {
	const link = make("a", LINK, text);
	link.href = address || "";
	// What is no address at all has no protocol.
	return address && /^https?:$/.test(link.protocol) ? [link] : [];
};

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

const makeButton = (text: string, given: Answer): HTMLButtonElement => {
	const button = make("button", BUTTON, text);
	button.type = "button";
	button.addEventListener("click", () => answer(given));
	return button;
};

const open = (): void => {
	if (host) return;
	host = make("div", "");
	const bar = make("section", BAR);
	const text = make("p", TEXT, tag.text || "May we record your visit, to learn which marketing brought you here?");
	text.id = "text";
	bar.setAttribute("role", "dialog");
	bar.setAttribute("aria-labelledby", "text");
	bar.addEventListener("keydown", ({ key }) => key === "Escape" && opener && close());
	const buttons = make("div", BUTTONS);
	buttons.append(makeButton(tag.decline || "No", "denied"), makeButton(tag.accept || "Yes", "granted"));
	text.append(
		...makeLink(tag.privacyUrl, tag.privacyLabel || "Privacy policy"),
		...makeLink(tag.cookieUrl, tag.cookieLabel || "Cookie policy"),
	);
	bar.append(text, buttons);
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
