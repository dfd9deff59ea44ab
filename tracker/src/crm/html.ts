/** Markup from templates in which everything that is filled in is text, unless it is markup of this kind itself. */
export class Markup {
	constructor(readonly text: string) {}
}

type Part = Markup | Markup[] | string | number | null | undefined | false;

export function html(texts: TemplateStringsArray, ...parts: Part[]): Markup {
	return new Markup(texts.reduce((whole, text, index) => whole + render(parts[index - 1]) + text));
}

function render(part: Part): string {
	if (Array.isArray(part)) return part.map(render).join("");
	if (part instanceof Markup) return part.text;
	return part === null || part === undefined || part === false ? "" : escape(String(part));
}

const escape = (text: string): string => text.replace(/[&<>"'`]/g, (sign) => `&#${sign.charCodeAt(0)};`);
