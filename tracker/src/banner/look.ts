/** What the consent banner looks like: its markup and styles, and nothing that it does. Also drawn by the app as a preview. */

const FACE = "font:inherit;color:inherit";
export const BAR =
	"position:fixed;inset:auto 0 0 0;z-index:2147483647;box-sizing:border-box;max-height:100%;overflow:auto;padding:16px;" +
	"display:flex;flex-wrap:wrap;gap:12px 24px;align-items:center;justify-content:center;color-scheme:light dark;" +
	"font:16px/1.5 system-ui,sans-serif;color:CanvasText;background:Canvas;border-top:1px solid GrayText";
const TEXT = "margin:0;flex:1 1 280px;max-width:640px";
const BUTTONS = "display:flex;flex-wrap:wrap;gap:12px";
// Both answers look alike: a no must be as easy as a yes.
const BUTTON = FACE + ";min-width:120px;min-height:44px;padding:8px 20px;cursor:pointer;background:Canvas;border:2px solid;border-radius:8px";
const LINK = FACE + ";margin-left:8px";

/** What a tag says of it, in the names of its attributes as scripts know them. */
export type Said = Partial<Record<"text" | "accept" | "decline" | "privacyUrl" | "privacyLabel" | "cookieUrl" | "cookieLabel", string>>;

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

const makeButton = (text: string, press: () => void): HTMLButtonElement => {
	const button = make("button", BUTTON, text);
	button.type = "button";
	button.addEventListener("click", press);
	return button;
};

/** The bar; texts and links are shown as text, whatever they hold. */
export const drawn = (said: Said, decline: () => void, accept: () => void): HTMLElement => {
	const bar = make("section", BAR);
	const text = make("p", TEXT, said.text || "May we record your visit, to learn which marketing brought you here?");
	text.id = "text";
	bar.setAttribute("role", "dialog");
	bar.setAttribute("aria-labelledby", "text");
	const buttons = make("div", BUTTONS);
	buttons.append(makeButton(said.decline || "No", decline), makeButton(said.accept || "Yes", accept));
	text.append(...makeLink(said.privacyUrl, said.privacyLabel || "Privacy policy"), ...makeLink(said.cookieUrl, said.cookieLabel || "Cookie policy"));
	bar.append(text, buttons);
	return bar;
};
