/** What holds for all sources of the app. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { messagesOf } from "../../messages";

const SOURCE = fileURLToPath(new URL("../../src", import.meta.url));
const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
	.filter((name) => /\.(vue|ts)$/.test(name))
	.map((name) => ({ name, text: readFileSync(join(SOURCE, name), "utf8") }));
const having = (pattern: RegExp, ...but: string[]) =>
	files.filter(({ name, text }) => !but.includes(name) && pattern.test(text)).map(({ name }) => name);

describe("SEC-2: texts are texts", () => {
	test("nothing is shown as markup", () => {
		expect(files.length).toBeGreaterThan(20);
		expect(having(/v-html|innerHTML|insertAdjacentHTML|document\.write/)).toEqual([]);
	});

	test("of frappe-ui comes what ui.ts names, and none of it that shows texts as markup", () => {
		expect(having(/from "(frappe-ui|#frappe-ui)/, "ui.ts")).toEqual([]);
		const ui = files.find(({ name }) => name === "ui.ts")!.text;
		expect(ui).not.toMatch(/export .*(ErrorMessage|ConfirmDialog|ListItem|NumberChart|TextEditor)/);
	});

	test("toasts go through notify.ts, which escapes them", () => {
		expect(having(/\btoast\b.*from/, "ui.ts", "data/notify.ts")).toEqual([]);
	});
});

describe("texts can be translated", () => {
	test("calls and tables are found, whatever their quotes", () => {
		const source = `__("One") __('Two "2"') __( "Three\\n", [x]) { label: "Four", hint: "Five" } other("Six") {{ __("Seven") }}`;
		expect(messagesOf(source)).toEqual(["One", 'Two "2"', "Three\n", "Seven", "Four", "Five"]);
	});

	test("no text is put together by a template", () => {
		expect(having(/__\(\s*`/)).toEqual([]);
	});
});
