/**
 * CRM-6, what no CRM that is installed here shows: sidebars of other versions, and what visitors could have sent. The shapes are
 * written from what is known of those versions; tests/crm walks through a real CRM.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, test } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { CRM } from "../../build.mjs";
import { CHROMIUM } from "../chromium";

const SITE = "http://crm.example";
const LABELS = ["Campaigns", "Tracked <b>Links</b>"];
const ENTRIES = LABELS.map((label, index) => ({ label, href: `/desk/list-${index}`, icon: "M1 1h9" }));
const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
const TAG = `<script defer src="/trackflow-crm.js" data-entries="${escaped(JSON.stringify(ENTRIES))}" data-call-logs="Anrufe"></script>`;

const button = (label: string, looks = "plain") =>
	`<button class="${looks}"><div class="in"><svg class="size-4"><path d="M0 0"/></svg><span class="wide">${label}</span></div></button>`;
const item = (label: string, path: string, attributes = "") =>
	`<div data-slot="sidebar-item" class="row" ${attributes}><a href="${path}" class="router-link" aria-current="page" id="x"
	><span class="lucide-${label.toLowerCase()} size-4"></span><span class="text">${label}</span></a></div>`;
const sidebar = (entries: string) =>
	`<aside><div><button id="notifications-btn">Notifications</button></div><div><nav>${entries}</nav></div><div><nav>${item("Other", "/crm/call-logs?view=9")}</nav></div></aside>`;

let browser: Browser;
let page: Page;
const problems: string[] = [];
let answers: (query: URLSearchParams) => { status?: number; json: unknown } = () => ({ status: 500, json: {} });

before(async () => {
	browser = await chromium.launch(CHROMIUM);
});
after(() => browser.close());
afterEach(async () => {
	await page.close();
	assert.deepEqual(problems.splice(0), []);
});

async function open(body: string, tag = TAG): Promise<Page> {
	page = await browser.newPage();
	page.on("pageerror", (error) => problems.push(String(error)));
	await page.route(`${SITE}/**`, async (route) => {
		const url = new URL(route.request().url());
		if (url.pathname === "/trackflow-crm.js") await route.fulfill({ contentType: "text/javascript", body: readFileSync(CRM, "utf8") });
		else if (url.pathname.startsWith("/api/")) await route.fulfill(answers(url.searchParams));
		else await route.fulfill({ contentType: "text/html", body: `<!doctype html><html><meta charset="utf-8"><body>${body}${tag}</body></html>` });
	});
	await page.goto(`${SITE}/crm`);
	return page;
}

/** What stands in the main list, by its words. */
const list = () => page.locator("nav").first().locator(":scope > *").allInnerTexts();
const own = () => page.locator("[data-trackflow]");

describe("CRM-6: sidebars of other versions", () => {
	test("entries with addresses: below Call Logs, whatever it is called and wherever a view of it stands", async () => {
		const leads = item("Leads", "/crm/leads", 'data-active="true"');
		const views = item("Mine", "/crm/call-logs?view=3");
		await open(sidebar(leads + views + item("Deals", "/crm/deals") + item("Logs", "/crm/call-logs") + item("More", "/crm/more")));
		assert.deepEqual(await list(), ["Leads", "Mine", "Deals", "Logs", ...LABELS, "More"]);
		const [first] = await own().evaluateAll((rows) => rows.map((row) => row.outerHTML));
		// A copy of an entry that is not highlighted, without what is that entry's own.
		assert.match(first, /^<div data-slot="sidebar-item" class="row" data-trackflow=""><a /);
		assert.doesNotMatch(first, /data-active|aria-current|id=|lucide/);
		assert.match(first, /href="\/desk\/list-0" title="Campaigns" aria-label="Campaigns"/);
		assert.equal(await page.locator("[data-trackflow] b").count(), 0);
	});

	test("entries without addresses: by the label in the user's language", async () => {
		await open(sidebar(button("Leads", "plain lit") + button("Anrufe") + button("Notizen")));
		assert.deepEqual(await list(), ["Leads", "Anrufe", ...LABELS, "Notizen"]);
		assert.deepEqual(await own().evaluateAll((rows) => rows.map((row) => [row.tagName, row.className])), [["A", "plain"], ["A", "plain"]]);
	});

	test("where nothing is known, below the last one", async () => {
		await open(sidebar(button("One") + button("Two") + button("Three")));
		assert.deepEqual(await list(), ["One", "Two", "Three", ...LABELS]);
	});

	test("they change their looks with CRM's, in place as long as the build is the same", async () => {
		await open(sidebar(button("One") + button("Two") + button("Three")));
		const kept = await own().first().elementHandle();
		await page.evaluate(() => document.querySelectorAll("nav button, nav button span").forEach((one) => one.classList.add("small")));
		assert.equal(await kept!.evaluate((one) => one.isConnected && one.className), "plain small");
		assert.equal(await own().locator("span").first().getAttribute("class"), "wide small");
		await page.evaluate(() => document.querySelectorAll("nav button span").forEach((one) => one.remove()));
		assert.equal(await own().locator("span").count(), 0);
		assert.equal(await own().first().getAttribute("title"), LABELS[0]);
	});

	test("they come when the sidebar does, go with it, and come again", async () => {
		await open("<main></main>");
		for (let time = 0; time < 3; time++) {
			await page.evaluate((html) => (document.querySelector("main")!.innerHTML = html), sidebar(button("One")));
			assert.deepEqual(await list(), ["One", ...LABELS]);
			await page.evaluate(() => (document.querySelector("main")!.innerHTML = ""));
			assert.equal(await own().count(), 0);
		}
	});

	test("no sidebar that is known: no entries, no error", async () => {
		await open(`<button id="notifications-btn"></button><nav></nav><ul><li>Leads</li></ul>`);
		assert.equal(await own().count(), 0);
		await page.evaluate(() => document.body.append("changed"));
		assert.equal(await own().count(), 0);
	});

	test("who takes them away again and again is left in peace", async () => {
		await open(sidebar(button("One")));
		await page.evaluate(() => {
			const rival = new MutationObserver(() => document.querySelectorAll("[data-trackflow]").forEach((one) => one.remove()));
			rival.observe(document.body, { childList: true, subtree: true });
			document.body.append("begin");
		});
		await page.evaluate(() => document.body.append("the page still answers"));
		assert.equal(await own().count(), 0);
	});

	test("a tag without entries shows none", async () => {
		await open(sidebar(button("One")), `<script defer src="/trackflow-crm.js"></script>`);
		assert.deepEqual(await list(), ["One"]);
	});

	test("a tag that cannot be read breaks nothing", async () => {
		await open(sidebar(button("One")), `<script defer src="/trackflow-crm.js" data-entries="{"></script>`);
		assert.deepEqual(await list(), ["One"]);
	});
});

describe("CRM-6, SEC-2: the journey", () => {
	const HOSTILE = `"><img src=x onerror="window.hacked=1"><a href='javascript:1'>`;
	const visit = (number: number) => ({
		kind: "session",
		at: `2026-03-0${number}T10:00:00+01:00`,
		channel: HOSTILE,
		source: HOSTILE,
		events: [{ timestamp: "2026-03-01T10:00:01+01:00", event_type: "CUSTOM", event_name: HOSTILE, page_title: HOSTILE }],
		clicks: [{ timestamp: "", click_timestamp: "2026-03-01T10:00:00+01:00", event_type: "QR Scan", short_code: HOSTILE }],
	});
	const visitors = [{ page_views: 2, engagement_score: 3.4, first_seen: "2026-03-01T10:00:00+01:00" }];

	/** Ask for it as the form scripts do, and show the dialog as CRM does. */
	async function ask(person = { lead: HOSTILE }): Promise<Record<string, string>> {
		await open("<main></main>");
		return page.evaluate(async (of) => {
			let options: Record<string, string> = {};
			await (window as any).trackflowCrm.showJourney(of, (given: Record<string, string>) => (options = given));
			document.querySelector("main")!.innerHTML = options.html || "";
			return options;
		}, person);
	}

	test("everything is shown as text, page after page", async () => {
		const asked: string[] = [];
		answers = (query) => {
			asked.push(query.get("start")!);
			assert.equal(query.get("lead"), HOSTILE);
			const second = query.get("start") === "50";
			return { json: { message: { visitors, entries: [visit(second ? 2 : 1)], next_start: second ? null : 50 } } };
		};
		await ask();
		assert.equal(await page.locator("ol > li").count(), 1);
		await page.getByRole("button", { name: "Show more" }).click();
		await page.locator("ol > li").nth(1).waitFor();
		assert.deepEqual(asked, ["0", "50"]);
		assert.equal(await page.getByRole("button").count(), 0);
		assert.equal(await page.locator("main img, main a").count(), 0);
		assert.equal(await page.evaluate(() => (window as any).hacked), undefined);
		const hits = await page.locator("ol > li").first().locator("ul li").allInnerTexts();
		assert.deepEqual(hits, [`QR Scan · ${HOSTILE}`, `${HOSTILE} · ${HOSTILE}`]);
	});

	test("a long visit shows its beginning, and the rest where somebody asks", async () => {
		const events = Array.from({ length: 9 }, (_none, index) => ({
			timestamp: `2026-03-01T10:00:0${index}+01:00`,
			event_type: "PAGE_VIEW",
			page_url: `https://shop.example/${index}`,
		}));
		answers = () => ({ json: { message: { visitors, entries: [{ ...visit(1), clicks: [], events }], next_start: null } } });
		await ask();
		assert.equal(await page.getByText("/5").isVisible(), true);
		assert.equal(await page.getByText("/6").isVisible(), false);
		await page.getByText("3 more").click();
		assert.equal(await page.getByText("/8").isVisible(), true);
	});

	test("nobody is known", async () => {
		answers = () => ({ json: { message: { visitors: [], entries: [], next_start: null } } });
		assert.match((await ask()).html, /No visitor is known for this person yet/);
	});

	test("what the server refuses is said in its words", async () => {
		const said = JSON.stringify([JSON.stringify({ message: "No <b>permission</b> for CRM Lead" })]);
		answers = () => ({ status: 403, json: { _server_messages: said } });
		assert.deepEqual(await ask(), { title: "TrackFlow journey", message: "No permission for CRM Lead" });
		answers = () => ({ status: 502, json: {} });
		assert.equal((await ask()).message, "The journey could not be read.");
	});
});
