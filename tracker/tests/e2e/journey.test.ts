/**
 * UI-3, the website's path: from a short link over a website that carries the script into the CRM, and on to the credits.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { type Row, Stage } from "./stage";

declare const trackflow: (...call: unknown[]) => any;

const MODELS = [
	"Custom",
	"First Touch",
	"Last Non-Direct",
	"Last Touch",
	"Linear",
	"Markov",
	"Position Based",
	"Shapley",
	"Time Decay",
	"W-Shaped",
];
const ID = /^v_[0-9a-f]{16}$/;

const stage = new Stage();
before(() => stage.start());
after(() => stage.stop());
afterEach(async () => {
	// EVT-1: nothing may have been thrown into a page, and its CSP must have had nothing to object to.
	assert.deepEqual(stage.problems.splice(0), []);
	assert.deepEqual(await stage.list("Error Log", {}, ["method", "error"]), []);
});

describe("UI-3: a short link, the website, the CRM", () => {
	test("a visitor who agrees becomes a lead and a won deal, credited to the campaign to the last cent", async () => {
		const email = "e2e-agrees@example.com";
		const page = await stage.visitor();
		const landing = await arrive(page, "demo-mail");
		assert.equal(landing.pathname, "/products");
		assert.deepEqual(
			["utm_source", "utm_medium", "utm_campaign"].map((name) => landing.searchParams.get(name)),
			["newsletter", "email", "demo-newsletter"],
		);
		assert.ok(landing.searchParams.get("tfclid"));
		assert.deepEqual(await cookies(page), {});

		await page.getByRole("button", { name: "Allow" }).click();
		const known = await cookies(page);
		assert.equal(known.trackflow_consent, "granted");
		assert.match(known.trackflow_visitor, ID);
		await page.getByRole("link", { name: "Home" }).click();
		await page.waitForURL(`${stage.shop}/`);
		assert.equal(await page.locator("#consent").isVisible(), false);
		await enquire(page, email);

		// The lead knows its visitor, and what brought it.
		const [lead] = await stage.wait("CRM Lead", { email }, 1, (row) => row.trackflow_source);
		assert.deepEqual(
			pick(lead, "visitor_id", "source", "medium", "campaign", "touch_count"),
			{
				visitor_id: known.trackflow_visitor,
				source: "newsletter",
				medium: "email",
				campaign: "Demo Newsletter",
				touch_count: 1,
			},
		);

		// The click and the pages are one visit and one touch.
		const visitor = { visitor_id: known.trackflow_visitor };
		const [session] = await stage.wait("Visitor Session", visitor, 1, (row) => row.page_views === 4);
		const [click] = await stage.list("Click Event", { short_code: "demo-mail" });
		const [touch] = await stage.wait("Touch Point", visitor, 1);
		assert.deepEqual(
			[click.session, click.visitor_id, click.event_type, click.counted, click.is_bot],
			[session.name, known.trackflow_visitor, "Click", 1, 0],
		);
		assert.deepEqual(
			[session.click_event, session.link_campaign, new URL(session.entry_page).pathname, new URL(session.exit_page).pathname],
			[click.name, "Demo Newsletter", "/products", "/thanks"],
		);
		assert.deepEqual(
			[touch.session, touch.click_event, touch.link_campaign, touch.channel, touch.is_direct],
			[session.name, click.name, "Demo Newsletter", "Email", 0],
		);

		// The lead is credited under every model.
		const [converted] = await stage.wait("Conversion", { crm_lead: lead.name, conversion_type: "Lead" }, 1, isDone);
		const shares = await stage.list("Attribution Link", { conversion: converted.name });
		assert.deepEqual(sums(shares, "weight", 1e9), everyModel(1e9));
		assert.deepEqual([...new Set(shares.map((row) => row.touch_point))], [touch.name]);

		// So is the won deal, and the deal says so.
		const deal = await stage.call("crm.fcrm.doctype.crm_lead.crm_lead.convert_to_deal", { lead: lead.name });
		await stage.change("CRM Deal", deal, { status: "Won", deal_value: 1234.56 });
		const [won] = await stage.wait("Conversion", { crm_deal: deal, conversion_type: "Deal Won" }, 1, isDone);
		const credits = await stage.list("Attribution Link", { conversion: won.name });
		assert.deepEqual(sums(credits, "weight", 1e9), everyModel(1e9));
		assert.deepEqual(sums(credits, "credited_value", 100), everyModel(123456));
		const [sold] = await stage.wait("CRM Deal", { name: deal }, 1, (row) => row.trackflow_marketing_influenced);
		assert.deepEqual(
			pick(sold, "visitor_id", "source", "campaign", "touch_count", "attribution_model", "first_touch_source", "last_touch_source"),
			{
				visitor_id: known.trackflow_visitor,
				source: "newsletter",
				campaign: "Demo Newsletter",
				touch_count: 1,
				attribution_model: "Last Touch",
				first_touch_source: "newsletter",
				last_touch_source: "newsletter",
			},
		);
	});

	test("RED-5, EVT-5: of a visitor who says no nothing is kept but the answer, and the lead is saved all the same", async () => {
		const email = "e2e-refuses@example.com";
		const before = await stage.list("Visitor Event", {}, ["name"]);
		const page = await stage.visitor();
		await arrive(page, "demo-mail");
		await page.getByRole("button", { name: "Refuse" }).click();
		await page.getByRole("link", { name: "Home" }).click();
		await page.waitForURL(`${stage.shop}/`);
		await enquire(page, email);

		assert.deepEqual(await cookies(page), { trackflow_consent: "denied" });
		assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
		const [lead] = await stage.wait("CRM Lead", { email }, 1);
		const [converted] = await stage.wait("Conversion", { crm_lead: lead.name }, 1, isDone);
		assert.ok(!converted.visitor);
		const [saved] = await stage.list("CRM Lead", { email });
		assert.deepEqual(pick(saved, "visitor_id", "source", "campaign", "touch_count"), {
			visitor_id: null,
			source: null,
			campaign: null,
			touch_count: 0,
		});
		assert.ok(!JSON.stringify(await stage.list("Visitor", {})).includes(email));
		assert.deepEqual(await stage.list("Visitor", { crm_lead: lead.name }), []);
		assert.deepEqual(await stage.list("Visitor Event", {}, ["name"]), before);
	});

	test("RED-3, RED-5: a paused link shows its page, which has no script and no cookie", async () => {
		const page = await stage.visitor();
		await arrive(page, "demo-poster");
		const [link] = await stage.list("Tracked Link", { short_code: "demo-poster" });
		await stage.change("Tracked Link", link.name, { status: "Paused" });
		const response = await page.goto(`${stage.url}/r/demo-poster`);
		assert.equal(response!.status(), 404);
		assert.equal(page.url(), `${stage.url}/r/demo-poster`);
		assert.equal(await page.getByRole("heading").textContent(), "There is nothing here");
		assert.equal(await page.locator("script").count(), 0);
		assert.deepEqual(await page.context().cookies(stage.url), []);
		// The browser's console says of every 404 that it was one; nothing else may have been said.
		stage.problems = stage.problems.filter((problem) => !problem.includes("404"));
	});

	test("EVT-5: the record of consent says which version of the policy was agreed to, and under which it was withdrawn", async () => {
		const page = await stage.visitor();
		await page.goto(`${stage.shop}/products`);
		await page.waitForFunction(() => "on" in trackflow);
		await page.evaluate(() => trackflow("consent", "granted", "2026-1"));
		const { trackflow_visitor: visitor } = await cookies(page);
		assert.match(visitor, ID);
		await stage.wait("Visitor", { name: visitor }, 1, (row) => row.consent_status === "Granted" && row.consent_policy_version === "2026-1");
		await page.evaluate(() => trackflow("consent", "denied", "2026-2"));
		await stage.wait("Visitor", { name: visitor }, 1, (row) => row.consent_status === "Denied" && row.consent_policy_version === "2026-2");
		const told = await stage.list("Visitor Event", { visitor, event_type: "CONSENT" }, ["event_data", "ip_address"]);
		assert.deepEqual(
			told.map(({ event_data }) => JSON.parse(event_data)),
			[{ consent: "granted", policy_version: "2026-1" }, { consent: "denied", policy_version: "2026-2" }],
		);
		assert.ok(!told[1].ip_address);
	});
});

/** Open a short link; returns the page of the website that it led to. */
async function arrive(page: Page, code: string): Promise<URL> {
	await page.goto(`${stage.url}/r/${code}`);
	const landing = new URL(page.url());
	assert.equal(landing.origin, stage.shop);
	return landing;
}

/** Go to the contact form, fill it in, send it, and be thanked. */
async function enquire(page: Page, email: string): Promise<void> {
	await page.getByRole("link", { name: "Contact" }).click();
	await page.getByLabel("First name").fill("Ann");
	await page.getByLabel("E-mail").fill(email);
	await page.getByRole("button", { name: "Send" }).click();
	await page.waitForURL(`${stage.shop}/thanks`);
	assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), "Thank you");
}

/** The website's cookies in this browser, by name. */
async function cookies(page: Page): Promise<Record<string, string>> {
	const found = await page.context().cookies(stage.shop);
	return Object.fromEntries(found.map(({ name, value }) => [name, value]));
}

/** TrackFlow's fields of a CRM document. */
function pick(row: Row, ...names: string[]): Row {
	return Object.fromEntries(names.map((name) => [name, row[`trackflow_${name}`]]));
}

function isDone(conversion: Row): boolean {
	return conversion.attribution_status === "Done";
}

/** What the credits of each model add up to, in whole units of which `scale` make one. */
function sums(rows: Row[], field: string, scale: number): Record<string, number> {
	const found: Record<string, number> = {};
	for (const row of rows)
		found[row.attribution_model] = (found[row.attribution_model] ?? 0) + Math.round(row[field] * scale);
	return found;
}

function everyModel(units: number): Record<string, number> {
	return Object.fromEntries(MODELS.map((model) => [model, units]));
}
