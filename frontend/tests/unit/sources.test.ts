/** What holds for all sources of the app. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { messagesIn, messagesOf } from "../../messages";
import { CHANNELS } from "@/data/channels";
import { untranslated } from "./texts";

const SOURCE = fileURLToPath(new URL("../../src", import.meta.url));
const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
	.filter((name) => /\.(vue|ts)$/.test(name))
	.map((name) => ({ name, text: readFileSync(join(SOURCE, name), "utf8") }));
const having = (pattern: RegExp, ...but: string[]) =>
	files.filter(({ name, text }) => !but.includes(name) && pattern.test(text)).map(({ name }) => name);

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const sourcesIn = (folder: string, pattern: RegExp) =>
	readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
		.filter((name) => pattern.test(name))
		.map((name) => ({ name, text: readFileSync(join(ROOT, folder, name), "utf8") }));
/** Scripts that run in the desk, and in CRM's pages; the website's have no texts but those of the settings. */
const desk = [...sourcesIn("trackflow/trackflow", /\.js$/), ...sourcesIn("trackflow/public/js", /desk\.js$/), ...sourcesIn("tracker/src/crm", /\.ts$/)];
const documents = ["doctype", "report"].flatMap((kind) => sourcesIn(`trackflow/trackflow/${kind}`, /\.json$/).map(({ text }) => JSON.parse(text)));
const choices = documents.flatMap(({ fields = [] }) => fields.filter(({ fieldtype }: any) => fieldtype === "Select").map(({ options }: any) => options as string));
/** What code calls things by: DocTypes and reports, what fields choose from, channels, roles, and what else is the same in all languages. */
const NAMES = new Set([
	...documents.map(({ name }) => name), ...choices, ...choices.flatMap((options) => options?.split("\n") ?? []), ...CHANNELS,
	"CRM Lead", "CRM Deal", "Email Account", "System Manager", "TrackFlow Manager", "Column Break", "Section Break", "Small Text", "D MMM", "PNG\nSVG",
	"Google Ads", "Microsoft Ads", "Reddit", "EUR",
	// The head of a file of links, as the server reads it.
	"Target URL", "Short Code",
]);

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

	test("every text of the app goes through __(), or stands in a table that does", () => {
		expect(files.flatMap(({ name, text }) => untranslated(name, text, NAMES).map((one) => `${name}: ${one}`))).toEqual([]);
	}, 60_000);

	test("so does every text of the desk's scripts and of CRM's", () => {
		expect(desk.length).toBeGreaterThan(30);
		expect(desk.flatMap(({ name, text }) => untranslated(name, text, NAMES, false).map((one) => `${name}: ${one}`))).toEqual([]);
	});

	test("DOC-1: what the marketer's guide calls by its name in italics is called so in the app", () => {
		const guide = readFileSync(join(ROOT, "docs/marketers-guide.md"), "utf8");
		const named = [...guide.matchAll(/(?<![*\w])\*(?!\*)([^*\n]+)\*(?!\*)/g)].flatMap(([, words]) => words.split(" → "));
		expect(named.length).toBeGreaterThan(30);
		const said = /^(Click Analytics|Sales User|Campaign Manager)$/;
		const texts = new Set(messagesIn(SOURCE));
		expect(named.filter((name) => !texts.has(name) && !NAMES.has(name) && !said.test(name))).toEqual([]);
	});

	test("what is forgotten is found", () => {
		const page = (template: string, script = "") => untranslated("a.vue", `<script setup lang="ts">${script}</script><template>${template}</template>`, NAMES);
		expect(page(`<p>Hello</p><p>{{ __("Fine") }} – 3</p>`)).toEqual(["Hello"]);
		expect(page(`<b v-if="x"><a title="Go there" :to="'links'" /></b>`)).toEqual(['title="Go there"']);
		expect(page(`<i :label="busy ? 'Wait' : __('Go')" :class="'flex'">{{ one === "Active" ? "yes" : __(two ? "a b" : "No") }}</i>`)).toEqual(["Wait", "yes"]);
		expect(page("<b />", `const a = { label: __("Fine"), hint: "In a table" }; throw new Error("For developers only"); tell("Saved it"); get("trackflow.api");`)).toEqual(["Saved it"]);
		expect(untranslated("a.js", `frm.add_custom_button(__("Fine")); show({ label: "Name" }); alert("All is lost"); link("Tracked Link");`, NAMES, false)).toEqual(["Name", "All is lost"]);
	});
});
