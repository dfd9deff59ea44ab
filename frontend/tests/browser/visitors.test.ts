/** UI-1, UI-3, ROL-P: visitors and the journey of a person. */
import { beforeAll, describe, expect, test } from "vitest";
import { describeLooks, HOSTILE, settled, useApp } from "./app";
import { campaignManager, plantVisit, rows } from "./people";

const app = useApp();
const LIST = "trackflow.api.visitor.get_visitors";
const JOURNEY = "trackflow.api.visitor.get_journey";
const HOSTILE_VISITOR = "v_00000000000000e1";

/** The visitor of the demo who came by most ways. */
async function demo(): Promise<any> {
	const [deal] = await app.stage.list("CRM Deal", { status: "Won" }, ["name", "lead"]);
	const { visitors } = await app.stage.read(JOURNEY, { lead: deal.lead });
	return { ...visitors[0], ...deal, deal: deal.name, visitor: visitors[0].name };
}

beforeAll(() => plantVisit(app.stage, HOSTILE_VISITOR, HOSTILE));

describe("the list", () => {
	test("is the API's, in its order", async () => {
		const page = await app.open("/visitors");
		const { visitors } = await app.stage.read(LIST);
		const shown = await rows(page);
		expect(shown.length).toBe(visitors.length);
		for (const [index, visitor] of visitors.entries()) {
			expect(shown[index][0], visitor.name).toBe(visitor.contact_name || visitor.contact_email || `Visitor ${visitor.name.slice(2, 8)}`);
			expect([shown[index][2], shown[index][5]], visitor.name).toEqual([visitor.channel ?? "–", String(visitor.page_views)]);
			expect(shown[index][7] !== "–", visitor.name).toBe(visitor.conversions > 0);
		}
		await page.context().close();
	});

	test("is sorted and filtered by the server, and its address says how", async () => {
		const page = await app.open("/visitors");
		await page.getByRole("button", { name: "Pages" }).click();
		await page.waitForURL(/sort=-page_views/);
		await settled(page);
		const pages = (await rows(page)).map((row) => Number(row[5]));
		expect(pages).toEqual([...pages].sort((a, b) => b - a));

		await page.getByRole("combobox", { name: "Converted" }).click();
		await page.getByRole("option", { name: "Converted", exact: true }).click();
		await page.waitForURL(/converted=1/);
		await settled(page);
		const { visitors } = await app.stage.read(LIST, { converted: "1" });
		expect((await rows(page)).length).toBe(visitors.length);
		expect(visitors.length).toBeGreaterThan(0);

		await page.getByTitle("Only source google").first().click();
		await page.waitForURL(/source=google/);
		await settled(page);
		expect((await rows(page)).every((row) => row[3].startsWith("google"))).toBe(true);
		await page.getByRole("button", { name: "Remove the filter Source: google" }).click();
		await page.waitForURL((url) => !url.search.includes("source="));
		await page.context().close();
	});

	test("says so where nobody fits, and shows all again", async () => {
		const page = await app.open("/visitors?channel=SMS");
		await page.getByText("No visitor fits").waitFor();
		await page.getByRole("button", { name: "Show all" }).click();
		await page.waitForURL((url) => !url.search.includes("channel"));
		await page.locator("tbody tr").first().waitFor();
		await page.context().close();
	});
});

describe("a visitor", () => {
	test("has the journey of the person, in the order of time", async () => {
		const { visitor } = await demo();
		const { entries } = await app.stage.read(JOURNEY, { visitor_id: visitor });
		const page = await app.open(`/visitors/${visitor}`);
		await page.locator("li[data-kind]").first().waitFor();
		const shown = page.locator("ol > li[data-kind=session], ol > li[data-kind=click], ol > li[data-kind=conversion]");
		expect(await shown.count()).toBe(entries.length);
		const times = await shown.locator("time").evaluateAll((all) => all.filter((one) => one.classList.contains("ml-auto") && one.parentElement!.tagName === "DIV").map((one) => one.getAttribute("datetime")));
		expect(times).toEqual(entries.map(({ at }: any) => at));
		const text = await page.locator("#main").innerText();
		for (const entry of entries) {
			if (entry.kind === "conversion") expect(text).toContain(entry.conversion_type);
			for (const event of entry.events ?? []) if (event.page_title) expect(text).toContain(event.page_title);
			for (const click of entry.clicks ?? []) expect(text).toContain(`/r/${click.short_code}`);
		}
		await page.context().close();
	});

	test("leads to the lead, the deal and why it is credited so", async () => {
		const { visitor, lead, deal } = await demo();
		const page = await app.open(`/visitors/${visitor}`);
		await page.getByRole("link", { name: deal }).waitFor();
		await page.getByRole("link", { name: "Why it is credited so" }).last().click();
		await page.waitForURL(/\/conversions\/[0-9a-f]+/);
		await page.goBack();
		await page.getByRole("link", { name: lead }).first().click();
		await page.waitForURL(new RegExp(`/leads/${lead}`));
		await page.context().close();
	});

	test("is linked to a lead by hand, and unlinked again", async () => {
		const [lead] = await app.stage.list("CRM Lead", {}, ["name", "lead_name"]);
		const page = await app.open(`/visitors/${HOSTILE_VISITOR}`);
		await page.getByRole("button", { name: "Link to a lead…" }).click();
		await page.getByRole("combobox", { name: "Lead" }).fill(lead.lead_name);
		await page.getByRole("option", { name: lead.name }).click();
		await page.getByRole("button", { name: "Link", exact: true }).click();
		await page.getByText("Linked. The credits of the lead and its deals follow in a moment.").first().waitFor();
		await page.getByRole("link", { name: lead.name }).first().waitFor();
		await app.stage.wait("Visitor", { name: HOSTILE_VISITOR, crm_lead: lead.name }, 1);

		await page.getByRole("button", { name: "Unlink" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Unlink" }).click();
		await page.getByRole("button", { name: "Link to a lead…" }).waitFor();
		await app.stage.wait("Visitor", { name: HOSTILE_VISITOR, crm_lead: ["is", "not set"] }, 1);
		await page.context().close();
	});

	test("SEC-2: what visitors write is text", async () => {
		for (const path of ["/visitors", `/visitors/${HOSTILE_VISITOR}`]) {
			const page = await app.open(path);
			await page.locator("#main").getByText("img src=x onerror").first().waitFor();
			expect(await page.locator("#main img").count(), path).toBe(0);
			expect(await page.title()).not.toBe("owned");
			await page.context().close();
		}
	});

	test("who is not there is said kindly", async () => {
		const page = await app.open("/visitors/v_ffffffffffffffff");
		await page.getByText("There is no such visitor.").first().waitFor();
		expect(app.stage.problems.splice(0).filter((text) => !/Failed to load resource.*404/.test(text))).toEqual([]);
		await page.context().close();
	});
});

describe("ROL-P: who manages campaigns", () => {
	test("sees what visitors did, not who they are", async () => {
		const { visitor } = await demo();
		const user = await campaignManager(app.stage);
		const page = await app.stage.member(user.name, user.password);
		await page.goto(`${app.stage.url}/trackflow/visitors`);
		await settled(page);
		expect(await page.getByLabel("E-mail address begins with").count()).toBe(0);
		expect(await page.locator("tbody tr").count()).toBeGreaterThan(0);
		expect(await page.locator("#main").innerText()).not.toContain("@");
		await page.goto(`${app.stage.url}/trackflow/visitors/${visitor}`);
		await settled(page);
		await page.getByText("Names and addresses are for people whose role may read them.").waitFor();
		await page.locator("li[data-kind=session]").first().waitFor();
		expect(await page.getByRole("button", { name: "Link to a lead…" }).count()).toBe(0);
		// Who asks for it all the same is refused, in words.
		await page.goto(`${app.stage.url}/trackflow/visitors?search=a`);
		await page.getByRole("alert").getByText("You may not read who visitors are, nor choose them by it.").waitFor();
		expect(app.stage.problems.splice(0).filter((text) => !/Failed to load resource.*403/.test(text))).toEqual([]);
		await page.context().close();
	});
});

describeLooks(
	app,
	async () => ["/visitors", `/visitors/${(await demo()).visitor}`],
	(page, path) => page.locator(path === "/visitors" ? "#main li, #main tr" : "li[data-kind]").first().waitFor(),
);
