/** UI-1, CST-1: what was spent on what, and the way of a file of costs into the site and out again. */
import { describe, expect, test } from "vitest";
import { describeLooks, expectSound, HOSTILE, settled, useApp, type Page } from "./app";

const app = useApp();
const SPEND = "trackflow.api.costs.get_spend";
const usd = (value: number) => new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" }).format(value);
const today = (ago = 0) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
const HEADER = "Date,Platform,Campaign,Campaign ID,Cost,Clicks,Currency";

const file = (name: string, lines: string[], header = HEADER) => ({ name, mimeType: "text/csv", buffer: Buffer.from([header, ...lines].join("\n")) });
const choose = (page: Page, chosen: ReturnType<typeof file>) => page.getByLabel("File of costs").setInputFiles(chosen);
const lines = (page: Page) => page.getByRole("table", { name: "Spend", exact: true }).locator("tbody tr");

describe("the figures", () => {
	test("are those of the API, in all and line by line", async () => {
		const page = await app.open("/spend");
		const { figures, lines: told } = await app.stage.read(SPEND);
		expect(figures.spend.value).toBeGreaterThan(0);
		const card = (label: string) => page.locator("#main").getByText(label, { exact: true }).first().locator("..").locator("span").nth(1).innerText();
		expect(await card("Spend")).toBe(usd(figures.spend.value));
		expect(await card("CPA")).toBe(usd(figures.cpa.value));
		expect(await card("ROAS")).toBe(new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 }).format(figures.roas.value));
		expect(await lines(page).count()).toBe(told.length);
		for (const [index, line] of told.entries()) expect(await lines(page).nth(index).innerText()).toContain(usd(line.spend.value));
		await page.context().close();
	});

	test("go from platforms to the campaigns of one, by the address", async () => {
		const page = await app.open("/spend");
		await page.getByRole("radio", { name: "Platforms" }).click();
		await page.waitForURL(/by=platform/);
		await page.getByRole("link", { name: "Google Ads" }).click();
		await page.waitForURL((url) => url.searchParams.get("platform") === "Google Ads" && !url.searchParams.has("by"));
		await settled(page);
		const { figures, total } = await app.stage.read(SPEND, { platform: "Google Ads" });
		expect(await lines(page).count()).toBe(total);
		expect(await lines(page).first().innerText()).toContain(usd(figures.spend.value));
		await page.getByRole("button", { name: "Platform: Google Ads" }).click();
		await page.waitForURL((url) => !url.searchParams.has("platform"));
		await page.context().close();
	});

	test("are sorted and searched where they are", async () => {
		const page = await app.open("/spend");
		await page.getByRole("button", { name: "Clicks", exact: true }).click();
		await page.waitForURL(/sort=-clicks/);
		await settled(page);
		const { lines: told } = await app.stage.read(SPEND, { sort: "clicks" });
		expect(await lines(page).first().innerText()).toContain(told[0].campaign);
		await page.getByLabel("Search names").fill("newsletter");
		await page.waitForURL(/search=newsletter/);
		await settled(page);
		expect(await lines(page).count()).toBe(1);
		await page.context().close();
	});

	test("are drawn by day as the card says", async () => {
		const page = await app.open("/spend");
		await page.locator("figcaption", { hasText: "demo-brand" }).waitFor();
		await page.getByRole("button", { name: /^Conversions/ }).first().click();
		await page.waitForURL(/figure=conversions/);
		await page.getByRole("heading", { name: "Conversions by day" }).waitFor();
		await page.context().close();
	});
});

describe("a file of costs", () => {
	test("is previewed with a verdict for each row, imported, and undone", async () => {
		const page = await app.open("/spend/import");
		await choose(page, file("spring.csv", [
			`${today(1)},Meta,Spring,11,10.50,3,USD`,
			`${today(2)},Meta,Spring,11,20,4,USD`,
			`${today(1)},Meta,"${HOSTILE.replace(/"/g, '""')}",12,1,1,USD`,
			`${today(1)},Meta,Spring,13,-1,1,USD`,
		]));
		await page.getByRole("heading", { name: "What it would do" }).waitFor();
		const rows = page.getByRole("region", { name: "Rows" });
		await rows.getByText("negative").waitFor();
		expect(await rows.getByText("img src=x onerror").count()).toBe(1);
		expect(await page.locator("#main img").count()).toBe(0);
		await page.getByRole("radio", { name: "Refused 1" }).click();
		expect(await rows.locator("tbody tr").count()).toBe(1);
		await expectSound(page);
		expect(await app.stage.list("Cost Import", {})).toEqual([]);

		await page.getByRole("button", { name: "Import 3 rows" }).click();
		await page.waitForURL(/\/spend\/imports\/\w+$/);
		await page.getByRole("heading", { name: "What it did" }).waitFor();
		const [imported] = await app.stage.list("Cost Import", {});
		expect([imported.status, imported.new_count, imported.refused_count]).toEqual(["Imported", 3, 1]);
		expect(await app.stage.list("Daily Campaign Metric", { platform: "Meta" })).toHaveLength(3);
		await expectSound(page);

		await page.getByRole("link", { name: "Imports", exact: true }).click();
		await page.getByRole("link", { name: "spring.csv" }).waitFor();
		await expectSound(page);
		await page.getByRole("button", { name: "Undo the import of spring.csv" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Undo" }).click();
		await page.getByText("Rows removed: 3").first().waitFor();
		await page.getByRole("table").getByText("Undone").waitFor();
		expect(await app.stage.list("Daily Campaign Metric", { platform: "Meta" })).toEqual([]);
		await page.context().close();
	});

	test("that leaves something open is asked about, and read once that is said", async () => {
		const page = await app.open("/spend/import");
		await choose(page, file("list.csv", ["03/04/2026,A,5", "05/06/2026,A,7"], "Date,Campaign,Cost"));
		const alert = page.getByRole("alert");
		await alert.waitFor();
		expect(await alert.innerText()).toContain("day_order");
		expect(await page.content()).not.toContain("Traceback");
		await page.getByLabel("Days are written").click();
		await page.getByRole("option", { name: "31/12/2026" }).click();
		// The rest is asked row by row: nobody said the platform.
		await page.getByRole("heading", { name: "What it would do" }).waitFor();
		await page.getByText("Every row is refused").waitFor();
		await page.getByLabel("Platform").fill("Reddit");
		await page.getByLabel("Currency").fill("usd");
		await page.getByRole("button", { name: "Import 2 rows" }).waitFor();
		app.stage.problems = app.stage.problems.filter((text) => !/Failed to load resource.*417/.test(text));
		await page.context().close();
	});

	test("that nobody knows is read by columns that are chosen, which can be kept", async () => {
		const page = await app.open("/spend/import");
		await choose(page, file("agency.csv", ["2026-03-01;A;12,50", "2026-03-02;A;7,25"], "wann;was;teuer"));
		await page.getByRole("alert").waitFor();
		await page.getByRole("button", { name: "Choose the columns yourself" }).click();
		for (const [column, meaning] of [["wann", "Day"], ["was", "Campaign name"], ["teuer", "Spend"]]) {
			await page.getByLabel(`What ${column} is`).click();
			await page.getByRole("option", { name: meaning, exact: true }).click();
		}
		await expectSound(page);
		await page.getByLabel("Platform").fill("Agency");
		await page.getByLabel("Currency").fill("EUR");
		await page.getByLabel("Keep for the next file, as").fill("Agency");
		await page.getByRole("button", { name: "Keep", exact: true }).click();
		await page.getByRole("button", { name: "Import 2 rows" }).waitFor();
		const [kept] = await app.stage.list("Cost Import Mapping", {}, ["name", "platform", "currency"]);
		expect(kept).toEqual({ name: "Agency", platform: "Agency", currency: "EUR" });
		app.stage.problems = app.stage.problems.filter((text) => !/Failed to load resource.*417/.test(text));
		await page.context().close();
	});

	test("that is no file of costs is refused in words", async () => {
		const page = await app.open("/spend/import");
		await choose(page, { name: "book.xlsx", mimeType: "application/zip", buffer: Buffer.from("PK\u0003\u0004 a workbook") });
		expect(await page.getByRole("alert").innerText()).toContain("Save it as CSV");
		app.stage.problems = app.stage.problems.filter((text) => !/Failed to load resource.*417/.test(text));
		await page.context().close();
	});
});

test("a long file is written in the background, and says how far it is", async () => {
	const days = Array.from({ length: 10_001 }, (_, index) => `${today(index % 300)},Long,C,${Math.floor(index / 300)},1,1,USD`);
	const page = await app.open("/spend/import");
	await choose(page, file("long.csv", days));
	await page.getByRole("button", { name: /^Import 10,001 rows/ }).click({ timeout: 60_000 });
	await page.waitForURL(/\/spend\/imports\/\w+$/, { timeout: 60_000 });
	await page.getByRole("heading", { name: "What it did" }).waitFor({ timeout: 60_000 });
	expect(await page.getByText("Of 10,001 rows these are 500").count()).toBe(1);
	const [imported] = await app.stage.list("Cost Import", { new_count: 10_001 }, ["name", "status"]);
	expect(imported.status).toBe("Imported");
	await app.stage.call("trackflow.api.costs.undo_import", { cost_import: imported.name });
	await page.context().close();
}, 180_000);

describeLooks(app, () => ["/spend", "/spend/import", "/spend/imports"]);

describe("roles", () => {
	test("a Campaign Manager sees the spend, and cannot import", async () => {
		const page = await app.openAs("campaigns.spend@example.com", "Campaign Manager", "/spend");
		await lines(page).first().waitFor();
		expect(await page.getByRole("button", { name: "Import costs" }).count()).toBe(0);
		await page.goto(`${app.stage.url}/trackflow/spend/import`);
		await page.getByText("You may not import costs").waitFor();
		await page.context().close();
	});
});
