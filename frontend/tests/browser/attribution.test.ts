/** UI-1, ATT-7: models side by side with what was spent, paths, and why something is direct or unattributed. */
import { beforeAll, describe, expect, test } from "vitest";
import { describeLooks, HOSTILE, settled, useApp } from "./app";
import { plantVisit, rows } from "./people";

const app = useApp();
const COMPARE = "trackflow.api.attribution.compare_models";
const VISITOR = "v_00000000000000e3";
const number = (value: number) => new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 }).format(value);
const money = (value: number) => new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" }).format(value);

beforeAll(() => plantVisit(app.stage, VISITOR, HOSTILE));

describe("models side by side", () => {
	test("have the figures of the API, and sum to the same", async () => {
		const page = await app.open("/attribution");
		const { groups, models, totals } = await app.stage.read(COMPARE);
		const shown = await rows(page);
		for (const [index, { label, figures }] of groups.entries())
			expect(shown[index]).toEqual([label, ...models.map(({ name }: any) => (figures[name].conversions ? number(figures[name].conversions) : "–"))]);
		const foot = await page.locator("tfoot td").allInnerTexts();
		expect(foot).toEqual(models.map(({ name }: any) => number(totals[name].conversions)));
		expect(new Set(foot).size).toBe(1);
		await page.context().close();
	});

	test("by campaign stand with spend, CPA and ROAS", async () => {
		const page = await app.open("/attribution?by=campaign");
		const { groups, models } = await app.stage.read(COMPARE, { group_by: "campaign" });
		expect((await rows(page)).slice(0, groups.length).map((row) => row[1])).toEqual(groups.map(({ spend }: any) => money(spend)));
		for (const [figure, of, text] of [["CPA", "cpa", money], ["ROAS", "roas", number]] as const) {
			await page.getByRole("combobox", { name: "Figure" }).click();
			await page.getByRole("option", { name: figure }).click();
			await page.waitForURL(new RegExp(`figure=${of}`));
			await settled(page);
			const answer = await app.stage.read(COMPARE, { group_by: "campaign", figure: of === "roas" ? "value" : "conversions" });
			const [first] = answer.groups;
			expect((await rows(page))[0].slice(2)).toEqual(models.map(({ name }: any) => (first.figures[name][of] === null ? "–" : text(first.figures[name][of]))));
		}
		await page.context().close();
	});

	test("a figure leads to the conversions behind it", async () => {
		const page = await app.open("/attribution");
		await page.getByRole("link", { name: /^Email, Linear: .*show the conversions$/ }).click();
		await page.waitForURL(/\/conversions\?.*channel=Email/);
		await settled(page);
		const { conversions } = await app.stage.read("trackflow.api.conversion.get_conversions", { model: "Linear", channel: "Email" });
		expect((await rows(page)).length).toBe(conversions.length);
		await page.context().close();
	});
});

describe("positions", () => {
	test("are the API's, for each platform, and sum to what it gets", async () => {
		const page = await app.open("/attribution?view=positions&by=platform&model=Linear");
		const { groups } = await app.stage.read(COMPARE, { group_by: "platform", by_position: "1" });
		const credited = groups.filter(({ figures }: any) => figures.Linear.conversions);
		expect(credited.length).toBeGreaterThan(0);
		const shown = await rows(page);
		for (const [index, { label, figures }] of credited.entries()) {
			const { positions, conversions } = figures.Linear;
			const parts = ["first", "middle", "last", "only"].map((place) => positions[place].conversions);
			expect(parts.reduce((sum, one) => sum + one, 0)).toBeCloseTo(conversions, 6);
			expect(shown[index]).toEqual([label || "None", ...parts.map((one) => (one ? number(one) : "–")), number(conversions)]);
		}
		// Last Touch credits the ends of journeys alone.
		await page.getByRole("combobox", { name: "Attribution model" }).click();
		await page.getByRole("option", { name: "Last Touch", exact: true }).click();
		await page.waitForURL(/view=positions(?!.*Linear)/);
		await settled(page);
		for (const row of await rows(page)) expect(row.slice(1, 3)).toEqual(["–", "–"]);
		await page.context().close();
	});
});

describe("paths", () => {
	test("are the API's: the most common, lengths, times, assists", async () => {
		const page = await app.open("/attribution?view=paths");
		const { paths, channels, totals, touches } = await app.stage.read("trackflow.api.attribution.get_paths");
		await page.getByRole("heading", { name: "The most common paths" }).waitFor();
		const shown = await page.locator("section", { hasText: "The most common paths" }).locator("ol > li").allInnerTexts();
		expect(shown.length).toBe(paths.length);
		for (const [index, path] of paths.entries()) for (const { channel } of path.steps) expect(shown[index]).toContain(channel);
		const table = await rows(page);
		expect(table.map((row) => row.slice(0, 5))).toEqual(channels.map((one: any) => [one.channel, one.conversions, one.first, one.last, one.assists].map(String)));
		const text = await page.locator("#main").innerText();
		expect(text).toContain(`Conversions\n${totals.conversions}`);
		expect(text).toContain(`Touches\n${number(touches.median)}`);
		await page.context().close();
	});
});

describe("direct and unattributed", () => {
	test("says how much it is, why, and shows them", async () => {
		const page = await app.open("/attribution?view=unattributed");
		const { groups } = await app.stage.read(COMPARE);
		const direct = groups.find(({ group }: any) => group === "Direct").figures["Last Touch"];
		await page.getByText("Direct: somebody came without a trace").waitFor();
		expect(await page.locator("#main").innerText()).toContain(`Direct\n${number(direct.conversions)}\n`);
		await page.getByRole("button", { name: "Show those with direct" }).click();
		await page.waitForURL(/\/conversions\?.*channel=Direct/);
		await settled(page);
		const { conversions } = await app.stage.read("trackflow.api.conversion.get_conversions", { channel: "Direct" });
		expect((await rows(page)).length).toBe(conversions.length);
		await page.context().close();
	});
});

test("SEC-2: what visitors write is text", async () => {
	const [{ conversion_type }] = await app.stage.list("Conversion", { visitor: VISITOR }, ["conversion_type"]);
	const page = await app.open(`/attribution?by=campaign&type=${encodeURIComponent(conversion_type)}`);
	const { groups } = await app.stage.read(COMPARE, { group_by: "campaign", conversion_type });
	const [hostile] = groups.filter(({ label }: any) => label.includes("img src=x"));
	expect((await rows(page)).map((row) => row[0])).toContain(hostile.label);
	expect(await page.locator("#main img").count()).toBe(0);
	await page.context().close();
});

describeLooks(app, () => ["", "?by=campaign&figure=cpa", "?view=positions&model=Linear", "?view=paths", "?view=unattributed"].map((query) => `/attribution${query}`));
