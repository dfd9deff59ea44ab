/**
 * UI-3: the marketer's path, from the login over a campaign and a link to the credits of the deal that is won by it. All that a marketer
 * does is done in the app; CRM's part is done by its API. The same on benchless and on a bench: TRACKFLOW_URL, _USER and _PASSWORD name one.
 */
import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { type Row, Site } from "../../../tracker/tests/crm/site";
import { expectSound, settled, type Page } from "../browser/app";
import { Shop } from "./shop";

/** An odd cent, so that it cannot be halved. */
const VALUE = 2000.01;
const RUN = randomBytes(4).toString("hex");
const CAMPAIGN = `Story ${RUN}`;
const [MARKETER, VISITOR] = [`marketer-${RUN}@example.com`, `visitor-${RUN}@example.com`];
const PASSWORD = `Tf-${randomBytes(12).toString("hex")}`;

const site = new Site(inject("login"), "/trackflow");
const shop = new Shop(site);
let page: Page;
let shortUrl = "";
let lead: Row = {};
let deal = "";

beforeAll(async () => {
	await site.start();
	const roles = ["Sales User", "TrackFlow Manager"].map((role) => ({ role }));
	await site.make("User", { email: MARKETER, first_name: "Mara", new_password: PASSWORD, send_welcome_email: 0, roles });
	await shop.start();
	page = await site.guest({ viewport: { width: 1280, height: 900 } });
});
afterAll(async () => {
	await noteTraces().catch((error) => console.log(`Left behind: ${error}`));
	await shop.stop();
	await site.stop();
});
afterEach(() => {
	expect(site.problems.splice(0)).toEqual([]);
	expect(shop.problems.splice(0)).toEqual([]);
});

/** What was recorded because of the test: `stop` removes it, the last first. */
async function noteTraces(): Promise<void> {
	await site.noteAll("Link Campaign", { name: CAMPAIGN });
	await site.noteAll("Tracked Link", { campaign: CAMPAIGN });
	if (!lead.name) return;
	const visitors = (await site.rows("Visitor", { crm_lead: lead.name })).map(({ name }) => name);
	await site.noteAll("Visitor", { crm_lead: lead.name });
	for (const doctype of ["Click Event", "Visitor Session", "Touch Point"]) await site.noteAll(doctype, { visitor_id: ["in", visitors] });
	await site.noteAll("Visitor Event", { visitor: ["in", visitors] });
	await site.noteAll("Lead Status Change", { lead_id: lead.name });
	if (deal) site.note("CRM Deal", deal);
	for (const doctype of ["Deal Stage Change", "Deal Attribution", "Deal Link Association"]) await site.noteAll(doctype, { deal_id: deal });
	const conversions = (await site.rows("Conversion", { crm_lead: lead.name })).map(({ name }) => name);
	await site.noteAll("Conversion", { crm_lead: lead.name });
	for (const doctype of ["Attribution Link", "Link Conversion"]) await site.noteAll(doctype, { conversion: ["in", conversions] });
}

async function open(path: string): Promise<void> {
	await page.goto(`${site.url}/trackflow${path}`);
	await settled(page);
}
const menu = (name: string) => page.getByRole("navigation", { name: "Pages" }).first().getByRole("link", { name, exact: true }).click();
const money = (value: number, currency: string) => new Intl.NumberFormat("en-US", { style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(value);
const digits = (text: string) => text.replace(/[^\d]/g, "");

describe("UI-3: the marketer's path", () => {
	test("logs in, and is where they wanted to go", async () => {
		await page.goto(`${site.url}/trackflow/campaigns`);
		await page.waitForURL(/\/login\?redirect-to=/);
		await page.getByRole("textbox").first().fill(MARKETER);
		await page.locator("input[type=password]").first().fill(PASSWORD);
		await page.keyboard.press("Enter");
		await page.waitForURL(/\/trackflow\/campaigns/);
		await settled(page);
	});

	test("makes a campaign, and a link of it", async () => {
		await page.getByRole("button", { name: /campaign$/ }).first().click();
		const dialog = page.getByRole("dialog", { name: "New campaign" });
		await dialog.getByLabel("Name").fill(CAMPAIGN);
		await dialog.getByLabel("Source").fill("newsletter");
		await dialog.getByLabel("Medium").fill("email");
		await dialog.getByRole("button", { name: "Create campaign" }).click();
		await page.waitForURL(/\/campaigns\/Story/);
		await settled(page);

		await menu("Links");
		await page.getByRole("button", { name: "Create link" }).first().click();
		await page.getByLabel("Target URL").fill(`${shop.url}/offer?size=2`);
		await page.getByLabel("Campaign", { exact: true }).fill(CAMPAIGN);
		await page.getByRole("option", { name: CAMPAIGN }).click();
		const destination = page.locator("[data-preview=destination]");
		await destination.filter({ hasText: /^http:\/\/127.*\/offer\?size=2&utm_source=newsletter&utm_medium=email&utm_campaign=/ }).waitFor();
		await page.getByRole("button", { name: "Create link" }).click();
		await page.getByRole("heading", { name: "The link works" }).waitFor();
		const [link] = await site.rows("Tracked Link", { campaign: CAMPAIGN });
		shortUrl = `${site.url}/r/${link.short_code}`;
		await expectSound(page);
	});

	test("somebody clicks it, reads, sends the form, and is a lead", async () => {
		const visitor = await site.guest();
		await Promise.all([visitor.waitForResponse((response) => response.url().includes("track_event") && response.status() === 202), visitor.goto(shortUrl)]);
		expect(visitor.url()).toMatch(new RegExp(`^${shop.url}/offer\\?size=2&utm_source=newsletter&.*tfclid=`));
		await visitor.getByLabel("First name").fill("Vera");
		await visitor.getByLabel("E-mail").fill(VISITOR);
		await visitor.getByRole("button", { name: "Send" }).click();
		await visitor.getByRole("heading", { name: "Thank you" }).waitFor();
		await visitor.context().close();
		await site.until("the lead's marketing", async () => {
			[lead = {}] = await site.rows("CRM Lead", { email: VISITOR });
			return lead.trackflow_campaign === CAMPAIGN;
		});
	});

	test("the marketer sees the click, the lead, and what brought it", async () => {
		await open("/links");
		await page.getByRole("row", { name: CAMPAIGN }).getByRole("link").first().click();
		await page.getByRole("heading", { name: "Clicks by day" }).waitFor();
		await page.getByRole("heading", { name: "Devices" }).waitFor();

		await menu("Leads");
		await page.getByLabel("Search leads").fill(VISITOR.split("@")[0]);
		await page.waitForURL(/search=/);
		await page.getByRole("row", { name: CAMPAIGN }).getByRole("link").first().click();
		await page.waitForURL(new RegExp(`/leads/${lead.name}`));
		await page.locator("li[data-kind=session]").first().waitFor();
		await page.locator("li[data-kind=session]").first().getByText("newsletter / email").waitFor();
		await page.getByRole("list", { name: "Credits by model" }).getByRole("button", { name: "Linear" }).waitFor();
		await expectSound(page);
	});

	test("CRM makes a deal of the lead, and wins it", async () => {
		deal = await site.ask("POST", "/api/method/crm.fcrm.doctype.crm_lead.crm_lead.convert_to_deal", { lead: lead.name });
		const made = await site.ask("GET", `/api/resource/CRM Deal/${deal}`);
		for (const { contact } of made.contacts ?? []) if (contact) site.note("Contact", contact);
		const field = "deal_value" in made ? "deal_value" : "annual_revenue";
		await site.change("CRM Deal", deal, { [field]: VALUE, currency: "USD" });
		await site.change("CRM Deal", deal, { status: "Won" });
		await site.until("the credits", async () => {
			const [conversion] = await site.rows("Conversion", { crm_deal: deal, conversion_type: "Deal Won" });
			return conversion?.attribution_status === "Done";
		});
	});

	test("the marketer sees the won deal, and every model's credits to the last cent", async () => {
		await open("/deals");
		await page.getByLabel("Search deals").fill(deal);
		await page.waitForURL(/search=/);
		const row = page.getByRole("row", { name: CAMPAIGN });
		expect(await row.innerText()).toContain("Won");
		await row.getByRole("link").first().click();
		await page.waitForURL(new RegExp(`/deals/${deal}`));
		const bars = page.getByRole("list", { name: "Credits by model" }).getByRole("button");
		await bars.first().waitFor();
		const models = await site.rows("Attribution Model", { is_active: 1 });
		expect(await bars.count()).toBe(models.length);

		await bars.filter({ hasText: "Linear" }).click();
		const why = page.getByRole("region", { name: "Why Linear credits it so" });
		await why.getByText("Email").first().waitFor();
		const amounts = await why.locator("details summary").allInnerTexts();
		const [first] = amounts;
		expect(amounts.length, String(amounts)).toBe(1);
		expect(digits(first)).toContain(digits(money(VALUE, "USD")));
		await expectSound(page);
	});

	test("and the campaign that it is owed to, with its value", async () => {
		await open(`/campaigns/${encodeURIComponent(CAMPAIGN)}`);
		const value = page.locator("#main").getByText("Value", { exact: true }).first().locator("..").locator("span").nth(1);
		await expect.poll(async () => digits(await value.innerText()), { timeout: 30_000 }).toContain(digits(VALUE.toFixed(2)));
		await open("/conversions?type=Deal+Won");
		expect(await page.getByRole("row", { name: CAMPAIGN }).count()).toBe(1);
		await page.getByRole("row", { name: CAMPAIGN }).getByRole("link").first().click();
		await page.getByRole("list", { name: "Credits by model" }).getByRole("button").first().waitFor();
	});
});
