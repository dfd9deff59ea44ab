/** UI-1, WST-1: what was wasted, why, what to do; acknowledged and heard of again. */
import { expect, test } from "vitest";
import { describeLooks, expectSound, findings, HOSTILE, PHONE, settled, useApp } from "./app";

const app = useApp();
const WASTE = "trackflow.api.waste.get_waste";
const usd = (value: number) => new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" }).format(value);

test("findings are those of the API, with reason and recommendation", async () => {
	const page = await app.open("/waste");
	const { summary, findings: told } = await app.stage.read(WASTE);
	expect(told.length).toBeGreaterThan(0);
	const cards = page.getByRole("article");
	expect(await cards.count()).toBe(told.length);
	for (const [index, finding] of told.entries()) {
		const text = await cards.nth(index).innerText();
		for (const part of [finding.campaign, usd(finding.waste_spend), finding.words, finding.recommendation]) expect(text).toContain(part);
	}
	expect(await page.locator("#main").innerText()).toContain(usd(summary.waste));
	await page.context().close();
});

test("on a phone figures have the room that they take", async () => {
	const page = await app.open("/waste", PHONE);
	const { width } = (await page.getByText("Of the spend", { exact: true }).locator("..").boundingBox())!;
	expect(width).toBeGreaterThan(150);
	await page.context().close();
});

test("severity, amount and grain narrow them, in the address", async () => {
	const page = await app.open("/waste");
	await page.getByRole("button", { name: /^High/ }).click();
	await page.waitForURL(/severity=high/);
	await settled(page);
	const { findings: high } = await app.stage.read(WASTE, { severity: "high" });
	expect(await page.getByRole("article").count()).toBe(high.length);
	await page.getByLabel("Waste of at least, in USD").fill("100000");
	await page.waitForURL(/least=100000/);
	await page.getByText("Nothing fits").waitFor();
	await page.getByRole("button", { name: "Show all" }).click();
	await page.waitForURL((url) => !url.searchParams.has("severity") && !url.searchParams.has("least"));
	await page.getByLabel("Lines for each").click();
	await page.getByRole("option", { name: "Platforms" }).click();
	await page.waitForURL(/by=platform/);
	await settled(page);
	expect(await page.getByRole("article").count()).toBe((await app.stage.read(WASTE, { grain: "Platform" })).findings.length);
	await page.context().close();
});

test("what is acknowledged is quiet, and heard of again once that is taken back", async () => {
	const page = await app.open("/waste");
	const { findings: told } = await app.stage.read(WASTE);
	await page.getByRole("article").first().getByRole("button", { name: "Acknowledge…" }).click();
	const dialog = page.getByRole("dialog");
	expect(await findings(page, "[role=dialog]")).toEqual([]);
	await dialog.getByLabel("Up to, in USD").fill("much");
	await dialog.getByRole("button", { name: "Acknowledge", exact: true }).click();
	await dialog.getByRole("alert").getByText("amount is an amount").waitFor();
	await dialog.getByLabel("Up to, in USD").fill("5000");
	await dialog.getByLabel("Why it is all right").fill(HOSTILE);
	await dialog.getByRole("button", { name: "Acknowledge", exact: true }).click();
	await dialog.waitFor({ state: "detached" });
	await settled(page);
	expect(await page.getByRole("article").count()).toBe(told.length - 1);
	const known = page.getByRole("table", { name: "Acknowledged" });
	await known.getByText("<img src").waitFor();
	expect(await page.locator("#main img").count()).toBe(0);
	const [stored] = await app.stage.list("Waste Acknowledgement", {}, ["campaign", "amount", "reason"]);
	expect(stored).toEqual({ campaign: told[0].campaign, amount: 5000, reason: told[0].reason });
	await expectSound(page);
	await known.getByRole("button", { name: "Take back" }).click();
	await known.waitFor({ state: "detached" });
	await settled(page);
	expect(await page.getByRole("article").count()).toBe(told.length);
	expect(await app.stage.list("Waste Acknowledgement", {})).toEqual([]);
	app.stage.problems = app.stage.problems.filter((text) => !/Failed to load resource.*417/.test(text));
	await page.context().close();
});

test("where nothing was spent nothing is wasted", async () => {
	const page = await app.open("/waste?from=2020-02-01&to=2020-02-29");
	await page.getByText("Nothing was spent in this period").waitFor();
	await page.context().close();
});

describeLooks(app, () => ["/waste"]);

test("a Campaign Manager sees it too, and may acknowledge", async () => {
	const page = await app.openAs("campaigns.waste@example.com", "Campaign Manager", "/waste");
	await page.getByRole("article").first().getByRole("button", { name: "Acknowledge…" }).waitFor();
	await page.context().close();
});
