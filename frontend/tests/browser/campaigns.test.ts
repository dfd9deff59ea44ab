/** UI-1, UI-3: campaigns; what they brought and cost, and how one is made. */
import { describe, expect, test } from "vitest";
import { describeLooks, findings, HOSTILE, settled, useApp, type Page } from "./app";

const app = useApp();
const dollars = (value: number) => new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" }).format(value);
const card = async (page: Page, label: string) =>
	(await page.locator("#main").getByText(label, { exact: true }).first().locator("..").locator("span").nth(1).innerText()).trim();

describe("the list", () => {
	test("has the figures of the campaigns", async () => {
		const page = await app.open("/campaigns");
		const campaigns = await app.stage.list("Link Campaign", { campaign_name: ["like", "Demo %"] });
		expect(campaigns.length).toBe(2);
		for (const one of campaigns) {
			const shown = await page.getByRole("row", { name: one.name }).getByRole("cell").allInnerTexts();
			const roi = `${new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 }).format((100 * (one.revenue - one.spend)) / one.spend)} %`;
			expect(shown).toEqual([one.name, one.status, "–", String(one.total_clicks), String(one.conversions), dollars(one.revenue), dollars(one.spend), roi]);
		}
		await page.getByRole("button", { name: "Spend" }).click();
		await page.waitForURL(/sort=-spend/);
		await settled(page);
		expect(await page.locator("tbody tr").first().innerText()).toContain("Demo Poster");
		await page.getByLabel("Search campaigns").fill("news");
		await page.waitForURL(/search=news/);
		await settled(page);
		expect(await page.locator("tbody tr").count()).toBe(1);
		await page.context().close();
	});
});

describe("a campaign", () => {
	test("is made with a name, and its page leads to its first link", async () => {
		const page = await app.open("/campaigns");
		await page.getByRole("button", { name: "Create campaign" }).first().click();
		await page.waitForURL(/new=1/);
		const dialog = page.getByRole("dialog", { name: "New campaign" });
		await dialog.getByRole("button", { name: "Create campaign" }).click();
		await dialog.getByText("Give the campaign a name.").waitFor();
		expect(await findings(page, "[role=dialog]")).toEqual([]);
		await dialog.getByLabel("Name").fill("Autumn fair");
		await dialog.getByLabel("Source").fill("fair");
		await dialog.getByLabel("Medium").fill("event");
		await dialog.getByText("Budget, targets, advertising").click();
		await dialog.getByLabel("Budget").fill("1000");
		await dialog.getByRole("button", { name: "Create campaign" }).click();
		await page.waitForURL(/\/campaigns\/Autumn%20fair$/);
		const [made] = await app.stage.list("Link Campaign", { name: "Autumn fair" });
		expect([made.campaign_id, made.source, made.status, made.budget]).toEqual(["autumn-fair", "fair", "Active", 1000]);
		await page.getByText("$1,000.00 left; 0 % used").waitFor();

		await page.getByRole("button", { name: "Create link" }).first().click();
		await page.waitForURL(/\/links\/new\?campaign=Autumn(\+|%20)fair/);
		await page.getByLabel("Target URL").fill("https://shop.example.com/fair");
		await expect.poll(() => page.locator("[data-preview=destination]").innerText()).toBe(
			"https://shop.example.com/fair?utm_source=fair&utm_medium=event&utm_campaign=autumn-fair",
		);
		await page.context().close();
	});

	test("a name that is taken is said in words", async () => {
		const page = await app.open("/campaigns?new=1");
		const dialog = page.getByRole("dialog", { name: "New campaign" });
		await dialog.getByLabel("Name").fill("Demo Poster");
		await dialog.getByRole("button", { name: "Create campaign" }).click();
		await dialog.getByRole("alert").waitFor();
		expect(await dialog.getByRole("alert").innerText()).toContain("Demo Poster");
		expect(app.stage.problems.splice(0).filter((text) => !/Failed to load resource.*409/.test(text))).toEqual([]);
		await page.context().close();
	});

	test("is changed", async () => {
		await app.stage.call("frappe.client.insert", { doc: { doctype: "Link Campaign", campaign_name: "To change", source: "old", end_date: "2026-12-31" } });
		const page = await app.open("/campaigns/To%20change");
		await page.getByRole("button", { name: "More actions" }).click();
		await page.getByRole("menuitem", { name: "Edit" }).click();
		const dialog = page.getByRole("dialog", { name: "Edit campaign" });
		expect(await dialog.getByLabel("Name").isDisabled()).toBe(true);
		await dialog.getByLabel("Source").fill("");
		await dialog.getByLabel("Ends").fill("2026-11-30");
		await dialog.getByRole("button", { name: "Save" }).click();
		await dialog.waitFor({ state: "hidden" });
		const [changed] = await app.stage.list("Link Campaign", { name: "To change" });
		expect([changed.source || "", changed.end_date]).toEqual(["", "2026-11-30"]);
		await page.context().close();
	});
});

describe("a campaign's page", () => {
	test("has the figures of the API", async () => {
		const page = await app.open("/campaigns/Demo%20Newsletter");
		const { totals, returns, by_link, by_channel } = await app.stage.read("trackflow.api.campaign.get_campaign_stats", { campaign_name: "Demo Newsletter" });
		expect(totals.clicks).toBeGreaterThan(0);
		for (const [label, value] of [
			["Clicks", String(totals.clicks + totals.scans)],
			["Visitors", String(totals.visitors)],
			["Conversions", String(totals.conversions)],
			["Value", dollars(returns.value)],
			["Spend", dollars(returns.spend)],
			["ROI", `${new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 }).format(returns.roi)} %`],
			["Cost per conversion", dollars(returns.cpa)],
			["ROAS", String(returns.roas)],
		])
			expect(await card(page, label), label).toBe(value);
		const row = (name: string) => page.getByRole("region", { name }).locator("tbody tr").first().getByRole("cell").allInnerTexts();
		const [line] = by_link.lines;
		expect(await row("Links")).toEqual([line.title, String(line.clicks), String(line.conversions), dollars(line.value.USD)]);
		expect((await row("Channels")).slice(0, 2)).toEqual([by_channel[0].channel, String(by_channel[0].sessions)]);
		await page.getByRole("link", { name: by_link.lines[0].title }).click();
		await page.waitForURL(/\/links\/\w+/);
		await page.context().close();
	});

	test("draws what a card chooses, follows period and model, and keeps them in its address", async () => {
		const page = await app.open("/campaigns/Demo%20Newsletter");
		await page.getByRole("button", { name: /^Spend/ }).click();
		await page.waitForURL(/figure=spend/);
		await page.getByRole("heading", { name: "Spend and value by day" }).waitFor();
		await page.getByRole("combobox", { name: "Attribution model" }).click();
		await page.getByRole("option", { name: "First Touch" }).click();
		await page.waitForURL(/model=First(\+|%20)Touch/);
		const first = await app.stage.read("trackflow.api.campaign.get_campaign_stats", { campaign_name: "Demo Newsletter", model: "First Touch" });
		await expect.poll(() => card(page, "Conversions")).toBe(String(first.totals.conversions));
		await page.goto(`${app.stage.url}/trackflow/campaigns/Demo%20Newsletter?from=2020-01-01&to=2020-01-31`);
		await page.getByText("No link was clicked in this period").waitFor();
		expect(await card(page, "Clicks")).toBe("0");
		await page.context().close();
	});

	test("says what was wasted, why, and what to do", async () => {
		const page = await app.open("/campaigns/Demo%20Poster");
		const { findings: found } = await app.stage.read("trackflow.api.waste.get_waste");
		const one = found.find(({ campaign }: any) => campaign === "Demo Poster");
		const waste = page.getByRole("region", { name: "Waste" });
		await waste.getByText(one.words).waitFor();
		await waste.getByText(one.recommendation).waitFor();
		await waste.getByText(dollars(one.waste_spend)).waitFor();
		// Nor is another campaign's waste there.
		expect(await waste.getByRole("listitem").count()).toBe(1);
		await page.context().close();
	});

	test("of a campaign that is not there says so", async () => {
		const page = await app.open("/campaigns/Nobody's");
		await page.getByRole("alert").waitFor();
		expect(await page.getByRole("alert").innerText()).toContain("not found");
		expect(app.stage.problems.splice(0).filter((text) => !/Failed to load resource.*404/.test(text))).toEqual([]);
		await page.context().close();
	});
});

describe("ROL-P: a Campaign Manager", () => {
	test("has these pages in full, and no way to what is not for them", async () => {
		const user = { doctype: "User", email: "campaigns@example.com", first_name: "Cam", user_type: "System User", send_welcome_email: 0, new_password: "a-Long-passw0rd", roles: [{ role: "Campaign Manager" }] };
		await app.stage.call("frappe.client.insert", { doc: user });
		const page = await app.stage.member("campaigns@example.com", "a-Long-passw0rd");
		for (const path of ["/campaigns", "/campaigns/Demo%20Poster", "/links", "/links/new?target_url=https%3A%2F%2Fshop.example.com%2F"]) {
			await page.goto(`${app.stage.url}/trackflow${path}`);
			await settled(page);
			expect(await page.getByRole("alert").count(), path).toBe(0);
		}
		await expect.poll(() => page.locator("[data-preview=destination]").innerText()).toBe("https://shop.example.com/");
		await page.goto(`${app.stage.url}/trackflow/campaigns/Demo%20Poster`);
		await settled(page);
		await page.getByRole("button", { name: "More actions" }).click();
		await page.getByRole("menuitem", { name: "Edit" }).waitFor();
		expect(await page.getByRole("menuitem", { name: "Import costs…" }).count()).toBe(0);
		await page.context().close();
	});
});

test("SEC-2: names are shown as text", async () => {
	await app.stage.call("frappe.client.insert", { doc: { doctype: "Link Campaign", campaign_name: "Hostile", description: HOSTILE, platform: HOSTILE } });
	const page = await app.open("/campaigns/Hostile");
	await page.getByText("img src=").first().waitFor();
	expect(await page.locator("#main img").count()).toBe(0);
	expect(await page.title()).toBe("Hostile · TrackFlow");
	await page.context().close();
});

describeLooks(app, () => ["/campaigns", "/campaigns/Demo%20Newsletter", "/campaigns/Demo%20Poster?figure=spend"]);
