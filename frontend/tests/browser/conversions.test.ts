/** UI-1, ATT-3, ATT-6: conversions, and what they are credited to. */
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { describeLooks, HOSTILE, settled, useApp, type Page } from "./app";
import { plantVisit, rows } from "./people";

const app = useApp();
const LIST = "trackflow.api.conversion.get_conversions";
const VISITOR = "v_00000000000000e2";
const card = (page: Page, type: string) => page.locator("#main button", { hasText: type }).first();

beforeAll(() => plantVisit(app.stage, VISITOR, HOSTILE));

describe("the list", () => {
	test("is the API's, and the figures above it too", async () => {
		const page = await app.open("/conversions?model=Linear");
		const { conversions } = await app.stage.read(LIST, { model: "Linear" });
		const shown = await rows(page);
		expect(shown.map((row) => row[0])).toEqual(conversions.map(({ conversion_type }: any) => conversion_type));
		for (const [index, conversion] of conversions.entries()) {
			expect(shown[index][3], conversion.name).toContain(conversion.credits[0].channel);
			expect(shown[index][5], conversion.name).toBe(String(conversion.touches));
		}
		const { types } = await app.stage.read("trackflow.api.conversion.get_summary");
		for (const { conversion_type, conversions: number } of types.slice(0, 6))
			if (conversion_type !== HOSTILE) expect((await card(page, conversion_type).innerText()).split("\n")[1]).toBe(String(number));
		await page.context().close();
	});

	test("a card chooses a type, the channel is that of the model", async () => {
		const page = await app.open("/conversions");
		await card(page, "Deal Won").click();
		await page.waitForURL(/type=Deal\+Won/);
		await settled(page);
		expect([...new Set((await rows(page)).map((row) => row[0]))]).toEqual(["Deal Won"]);
		await page.getByRole("combobox", { name: "Credited to" }).click();
		await page.getByRole("option", { name: "Paid Search", exact: true }).click();
		await page.waitForURL(/channel=Paid\+Search/);
		await page.getByText("No conversion fits").waitFor();
		await page.getByRole("combobox", { name: "Credited by the model" }).click();
		await page.getByRole("option", { name: "First Touch" }).click();
		await page.waitForURL(/model=First\+Touch/);
		await page.locator("tbody tr").first().waitFor();
		const { conversions } = await app.stage.read(LIST, { conversion_type: "Deal Won", channel: "Paid Search", model: "First Touch" });
		expect((await rows(page)).length).toBe(conversions.length);
		await page.context().close();
	});
});

describe("the file", () => {
	test("RPT-2: has the period's conversions, or their credits, row for row", async () => {
		const page = await app.open("/conversions?period=last-7-days");
		for (const [label, doctype] of [["Conversions of the period as CSV", "Conversion"], ["Credits of the period, of all models, as CSV", "Attribution Link"]]) {
			await page.getByRole("button", { name: "Export" }).click();
			const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: label }).click()]);
			expect(download.suggestedFilename()).toMatch(/^(conversions|credits)-\d{4}-\d\d-\d\d-\d{4}-\d\d-\d\d\.csv$/);
			const [first, last] = download.suggestedFilename().match(/\d{4}-\d\d-\d\d/g)!;
			const lines = (await readFile(await download.path(), "utf8")).trim().split("\r\n").slice(1);
			const stored = await app.stage.list(doctype, { conversion_date: ["between", [first, `${last} 23:59:59`]] }, ["name"]);
			expect(stored.length).toBeGreaterThan(0);
			expect(lines.map((line) => line.split(",")[0]).sort()).toEqual(stored.map(({ name }) => name).sort());
		}
		await page.context().close();
	});
});

describe("a conversion", () => {
	test("says whom it is owed to and why, and leads to the visitor", async () => {
		const [conversion] = await app.stage.list("Conversion", { conversion_type: "Deal Won" }, ["name", "visitor"]);
		const page = await app.open(`/conversions/${conversion.name}?model=Linear`);
		const { models } = await app.stage.read("trackflow.api.attribution.explain", { conversion: conversion.name, model: "Linear" });
		const why = page.getByRole("region", { name: "Why Linear credits it so" });
		for (const credit of models[0].credits) expect(await why.innerText()).toContain(credit.channel);
		await page.getByRole("link", { name: `Visitor ${conversion.visitor.slice(2, 8)}` }).click();
		await page.waitForURL(new RegExp(`/visitors/${conversion.visitor}`));
		await page.context().close();
	});

	test("SEC-2: what visitors write is text", async () => {
		const [conversion] = await app.stage.list("Conversion", { visitor: VISITOR }, ["name"]);
		for (const path of ["/conversions", `/conversions/${conversion.name}`]) {
			const page = await app.open(path);
			await page.locator("#main").getByText("img src=x onerror").first().waitFor();
			expect(await page.locator("#main img").count(), path).toBe(0);
			await page.context().close();
		}
	});

	test("one that is not there is said kindly", async () => {
		const page = await app.open("/conversions/unknown");
		await page.getByRole("alert").first().waitFor();
		expect(await page.content()).not.toContain("Traceback");
		expect(app.stage.problems.splice(0).filter((text) => !/Failed to load resource.*404/.test(text))).toEqual([]);
		await page.context().close();
	});
});

describeLooks(app, async () => {
	const [conversion] = await app.stage.list("Conversion", { conversion_type: "Deal Won" }, ["name"]);
	return ["/conversions", `/conversions/${conversion.name}?model=Linear`];
});
