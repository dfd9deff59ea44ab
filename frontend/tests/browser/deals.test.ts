/** UI-1, UI-3, CRM-4, ATT-6: leads and deals with what brought them; why a deal is credited as it is. */
import { beforeAll, describe, expect, test } from "vitest";
import { describeLooks, HOSTILE, settled, useApp, type Page } from "./app";
import { campaignManager, rows } from "./people";

const app = useApp();
const EXPLAIN = "trackflow.api.attribution.explain";
const ADDRESS = "typed.in@example.com";
/** Frappe takes out of a name what would run; what is left looks like markup all the same. */
const typedIn = async () => (await app.stage.list("CRM Lead", { email: ADDRESS }, ["name", "lead_name"]))[0];

const won = async () => (await app.stage.list("CRM Deal", { status: "Won" }, ["name", "lead", "organization"]))[0];
const money = (value: number, currency = "USD") => new Intl.NumberFormat("en-US", { style: "currency", currency }).format(value);
/** What the bars of a model say to whoever hears them. */
const bar = (page: Page, model: string) => page.getByRole("list", { name: "Credits by model" }).getByRole("button", { name: model });

beforeAll(async () => {
	await app.stage.call("frappe.client.insert", { doc: { doctype: "CRM Lead", first_name: `Lead ${HOSTILE}`, email: ADDRESS, status: "New" } });
	await app.stage.wait("Conversion", { conversion_type: "Lead", attribution_status: "Done" }, (await app.stage.list("CRM Lead", {}, ["name"])).length);
});

describe("the lists", () => {
	test("leads are the API's, with what brought them", async () => {
		const page = await app.open("/leads");
		const { leads } = await app.stage.read("trackflow.api.crm.get_leads");
		const shown = await rows(page);
		expect(shown.map((row) => row[0])).toEqual(leads.map(({ lead_name }: any) => lead_name));
		for (const [index, lead] of leads.entries()) {
			expect(shown[index][1]).toBe(lead.status);
			expect(shown[index][3]).toBe(lead.campaign ?? "–");
			expect(shown[index][6]).toBe(String(lead.touch_count));
		}
		await page.context().close();
	});

	test("deals are the API's, with their value", async () => {
		const page = await app.open("/deals");
		const { deals } = await app.stage.read("trackflow.api.crm.get_deals");
		const shown = await rows(page);
		expect(shown.length).toBe(deals.length);
		for (const [index, deal] of deals.entries()) {
			expect(shown[index].slice(0, 3)).toEqual([deal.organization, deal.status, money(deal.value, deal.currency)]);
			expect(shown[index][3]).toBe(deal.marketing_influenced ? "Took part" : "No part");
		}
		await page.context().close();
	});

	test("are filtered and searched by the server", async () => {
		const page = await app.open("/leads");
		await page.getByRole("combobox", { name: "Touches" }).click();
		await page.getByRole("option", { name: "Without touches", exact: true }).click();
		await page.waitForURL(/touched=0/);
		await settled(page);
		expect((await rows(page)).map((row) => row[0])).toEqual([(await typedIn()).lead_name]);
		await page.goto(`${app.stage.url}/trackflow/leads`);
		await settled(page);
		await page.getByLabel("Search leads").fill("Demo Ada");
		await page.waitForURL(/search=Demo/);
		await settled(page);
		expect((await rows(page)).map((row) => row[0])).toEqual(["Demo Ada"]);
		await page.context().close();
	});
});

describe("a won deal", () => {
	test("has its credits as bars by model, which sum to its value, and why", async () => {
		const deal = await won();
		const page = await app.open(`/deals/${deal.name}`);
		const { models, conversion } = await app.stage.read(EXPLAIN, { deal: deal.name, model: "all", limit: "50" });
		await bar(page, "Linear").waitFor();
		expect(await page.getByRole("list", { name: "Credits by model" }).getByRole("button").count()).toBe(models.length);
		for (const { model, credits } of models) {
			expect(credits.reduce((sum: number, one: any) => sum + Number(one.value), 0), model).toBeCloseTo(Number(conversion.value), 2);
			const widths = await bar(page, model).locator("[aria-hidden=true] > span").evaluateAll((all) => all.map((one) => parseFloat((one as HTMLElement).style.width)));
			const shares = credits.filter((one: any) => Number(one.weight) > 0).map((one: any) => 100 * Number(one.weight));
			expect(widths.length, model).toBe(shares.length);
			widths.forEach((width, index) => expect(width, model).toBeCloseTo(shares[index], 3));
		}

		await bar(page, "Linear").click();
		await page.waitForURL(/model=Linear/);
		expect(await bar(page, "Linear").getAttribute("aria-pressed")).toBe("true");
		const why = page.getByRole("region", { name: "Why Linear credits it so" });
		const linear = models.find(({ model }: any) => model === "Linear");
		for (const sentence of linear.words) await why.getByText(sentence).waitFor();
		for (const [index, credit] of linear.credits.entries()) {
			const line = why.locator("details").nth(index);
			expect(await line.locator("summary").innerText()).toContain(money(Number(credit.value), conversion.currency));
			if (!(await line.evaluate((one) => (one as HTMLDetailsElement).open))) await line.locator("summary").click();
			for (const word of credit.words.slice(1)) expect(await line.innerText()).toContain(word);
		}
		await page.context().close();
	});

	test("has the journey of its person, its stages, and a way into CRM", async () => {
		const deal = await won();
		const page = await app.open(`/deals/${deal.name}`);
		const { entries } = await app.stage.read("trackflow.api.visitor.get_journey", { deal: deal.name });
		await page.locator("li[data-kind=conversion]").first().waitFor();
		expect(await page.locator("ol > li[data-kind=session]").count()).toBe(entries.filter(({ kind }: any) => kind === "session").length);
		const { steps } = await app.stage.read("trackflow.api.crm.get_deal", { deal: deal.name });
		const shown = page.locator("section", { has: page.getByRole("heading", { name: "Stages" }) }).locator("li");
		expect(await shown.allInnerTexts()).toEqual(steps.map(({ to }: any) => expect.stringMatching(new RegExp(`^${to}\\n`))));
		const [crm] = await Promise.all([page.context().waitForEvent("page"), page.getByRole("button", { name: "Open in CRM" }).first().click()]);
		expect(new URL(crm.url()).pathname).toBe(`/crm/deals/${deal.name}`);
		await page.context().close();
	});

	test("can be gone through by keyboard", async () => {
		const deal = await won();
		const page = await app.open(`/deals/${deal.name}`);
		await bar(page, "First Touch").focus();
		await page.keyboard.press("Enter");
		await page.waitForURL(/model=First\+Touch/);
		const line = page.locator("details summary").first();
		await line.focus();
		await page.keyboard.press("Enter");
		expect(await page.locator("details").first().evaluate((one) => (one as HTMLDetailsElement).open)).toBe(false);
		await page.context().close();
	});
});

describe("what has no credits", () => {
	test("a deal that is not won says why", async () => {
		const [deal] = await app.stage.list("CRM Deal", { status: "Lost" }, ["name"]);
		const page = await app.open(`/deals/${deal.name}`);
		await page.getByText(`Deal ${deal.name} is not won: there is nothing to credit yet.`).waitFor();
		await page.context().close();
	});

	test("a lead that was typed in is unattributed, and it says so; SEC-2: its name is text", async () => {
		const lead = await typedIn();
		expect(lead.lead_name).toContain("<img src");
		const page = await app.open(`/leads/${lead.name}`);
		await page.getByText("Unattributed: nobody's browser is known for it.").first().waitFor();
		await page.getByText("No browser of this person is known").waitFor();
		expect(await page.title()).toBe(`${lead.lead_name} · TrackFlow`);
		expect(await page.locator("#main img, #page-header img").count()).toBe(0);
		await page.context().close();
	});
});

describe("ROL-P: as far as CRM lets people see", () => {
	test("who may read leads but no deals has no page of deals, and is refused kindly", async () => {
		const user = await campaignManager(app.stage);
		const page = await app.stage.member(user.name, user.password);
		await page.goto(`${app.stage.url}/trackflow/deals`);
		await settled(page);
		expect(await page.getByRole("navigation", { name: "Pages" }).first().getByRole("link", { name: "Deals" }).count()).toBe(0);
		await page.getByRole("alert").getByText("You do not have permission").first().waitFor();
		expect(await page.content()).not.toContain("Traceback");
		expect(app.stage.problems.splice(0).filter((text) => !/Failed to load resource.*403/.test(text))).toEqual([]);
		await page.context().close();
	});
});

describeLooks(
	app,
	async () => {
		const deal = await won();
		return ["/leads", "/deals", `/leads/${deal.lead}`, `/deals/${deal.name}?model=Linear`];
	},
	async (page, path) => {
		if (path.includes("CRM-")) await page.locator("li[data-kind]").first().waitFor();
	},
);
