/** UI-1: the app in another language: by translations of the site's own, in the formats of the user. The same on benchless and on a bench. */
import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import { Site } from "../../../tracker/tests/crm/site";
import { expectSound, settled, type Page } from "../browser/app";

const RUN = randomBytes(4).toString("hex");
const USER = `german-${RUN}@example.com`;
const PASSWORD = `Tf-${randomBytes(12).toString("hex")}`;
const CAMPAIGN = `Sprache ${RUN}`;
/** Of the menu, of a page, with a place for a value, of a period, and of what the server tells as a value. */
const GERMAN = {
	Overview: "Überblick", Campaigns: "Kampagnen", Budget: "Etat", "Last 30 days": "Letzte 30 Tage", Spend: "Ausgaben",
	"{0} to {1}, beside {2} to {3}": "{0} bis {1}, neben {2} bis {3}", Planned: "Geplant", "Loading…": "Lädt …",
};

const site = new Site(inject("login"), "/trackflow");
let page: Page;

beforeAll(async () => {
	await site.start();
	const roles = ["TrackFlow Manager"].map((role) => ({ role }));
	await site.make("User", { email: USER, first_name: "Gerd", language: "de", new_password: PASSWORD, send_welcome_email: 0, roles });
	for (const [source_text, translated_text] of Object.entries(GERMAN)) await site.make("Translation", { language: "de", source_text, translated_text });
	await site.make("Link Campaign", { campaign_name: CAMPAIGN, status: "Planned", budget: 1234567.5, currency: "EUR" });
	page = await site.person(USER, PASSWORD);
});
afterAll(() => site.stop());
afterEach(() => expect(site.problems.splice(0)).toEqual([]));

const formats = () => page.evaluate(() => JSON.parse(document.getElementById("boot")!.textContent!));

async function open(path: string): Promise<void> {
	await page.goto(`${site.url}/trackflow${path}`);
	await settled(page);
}

test("words are the user's: menu, page, periods, sentences with values", async () => {
	await open("/");
	expect(await page.locator("html").getAttribute("lang")).toBe("de");
	expect(await page.title()).toBe("Überblick · TrackFlow");
	const menu = page.getByRole("navigation", { name: "Pages" }).first();
	for (const word of ["Überblick", "Kampagnen"]) await menu.getByRole("link", { name: word, exact: true }).waitFor();
	await page.getByRole("button", { name: "Letzte 30 Tage" }).waitFor();
	const { formats: site } = await formats();
	const day = site.date.replace("yyyy", "\\d{4}").replace("mm", "\\d\\d").replace("dd", "\\d\\d");
	const between = await page.locator("#main p").first().innerText();
	// On a site where nothing was recorded yet the first steps stand there.
	if (!/\?/.test(between) && (await page.getByRole("list", { name: "First steps" }).count()) === 0)
		expect(between).toMatch(new RegExp(`^${day} bis ${day}, neben ${day} bis ${day}$`));
	await expectSound(page);
});

test("values that the server tells are translated, and money stands as the language has it", async () => {
	await open(`/campaigns/${encodeURIComponent(CAMPAIGN)}`);
	const main = page.locator("#main, #page-header");
	await main.getByText("Geplant").first().waitFor();
	const { formats: site } = await formats();
	const text = (await page.locator("#main").innerText()).replace(/\s+/g, " ");
	// The sign of the currency behind, as Germans write it; the signs within as the site or the user has set them.
	const [group, decimal] = site.number === "#.###,##" ? [".", ","] : [",", "."];
	expect(text).toContain(`1${group}234${group}567${decimal}50 €`);
	await expectSound(page);
});

test("whoever has another language sees none of it", async () => {
	const other = await site.person(inject("login").user, inject("login").password);
	await other.goto(`${site.url}/trackflow/campaigns`);
	await settled(other);
	await other.getByRole("navigation", { name: "Pages" }).first().getByRole("link", { name: "Campaigns", exact: true }).waitFor();
	await other.context().close();
});
