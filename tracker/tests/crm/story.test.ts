/**
 * CRM-1 to CRM-7, UI-3: the whole story in a real CRM, seen on its own screens: a person comes by two short links, reads a page,
 * sends a Web Form, becomes a lead that knows its marketing, then a deal that is won, whose value is credited to the last cent.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { Enquiries } from "./enquiries";
import { type Row, Site } from "./site";

/** An odd cent, so that it cannot be halved. */
const VALUE = 1000.01;
const MODELS_AT_LEAST = 8;

const site = new Site();
const enquiries = new Enquiries(site);
const email = `story-${enquiries.run}@example.com`;
let lead: Row;
let deal = "";
let page: Page;

before(async () => {
	await enquiries.start();
	page = await site.person(process.env.TRACKFLOW_CRM_USER!, process.env.TRACKFLOW_CRM_PASSWORD!, { viewport: { width: 1400, height: 1000 } });
});
after(async () => {
	await noteTraces().catch((error) => console.log(`Left behind: ${error}`));
	await enquiries.stop();
});
afterEach(() => assert.deepEqual(site.problems.splice(0), []));

/** What was recorded of the person: `stop` removes it, the last first. */
async function noteTraces(): Promise<void> {
	if (!lead) return;
	const visitors = await site.rows("Visitor", { crm_lead: lead.name });
	const named = { visitor_id: ["in", visitors.map((row) => row.name)] };
	await site.noteAll("Visitor", { crm_lead: lead.name });
	for (const doctype of ["Click Event", "Visitor Session", "Touch Point"]) await site.noteAll(doctype, named);
	await site.noteAll("Visitor Event", { visitor: named.visitor_id });
	await site.noteAll("Lead Status Change", { lead_id: lead.name });
	for (const doctype of ["Deal Stage Change", "Deal Attribution", "Deal Link Association"]) await site.noteAll(doctype, { deal_id: deal });
	const conversions = await site.rows("Conversion", { crm_lead: lead.name });
	await site.noteAll("Conversion", { crm_lead: lead.name });
	for (const doctype of ["Attribution Link", "Link Conversion"])
		await site.noteAll(doctype, { conversion: ["in", conversions.map((row) => row.name)] });
}

/** The fields of our section in the side panel of CRM's page, by their labels. */
async function panel(): Promise<Record<string, string>> {
	const section = page.locator(".sections > .section").filter({ has: page.getByText("TrackFlow", { exact: true }) });
	const fields = section.locator(".field");
	await section.getByText("TrackFlow", { exact: true }).waitFor();
	// CRM's "Getting started" lies over it for who is new there.
	if (!(await fields.first().isVisible())) await section.getByText("TrackFlow", { exact: true }).dispatchEvent("click");
	await fields.first().waitFor();
	return Object.fromEntries(
		await fields.evaluateAll((all) =>
			all.map((one) => {
				const [label, value] = one.children;
				const input = value.querySelector("input");
				return [label.textContent!.trim(), (input?.type === "checkbox" ? String(input.checked) : input?.value) ?? value.textContent!.trim()];
			}),
		),
	);
}

async function assertJourney(): Promise<void> {
	await page.getByRole("button", { name: "TrackFlow journey" }).click();
	const dialog = page.getByRole("dialog").filter({ hasText: "TrackFlow journey" });
	for (const medium of ["email", "poster"]) await dialog.getByText(`newsletter / ${medium}`).first().waitFor();
	await page.keyboard.press("Escape");
	await dialog.waitFor({ state: "detached" });
}

describe("CRM-1 to CRM-7: from a short link to a won deal", () => {
	test("a person comes by two short links, reads and sends the form", async () => {
		const visitor = await enquiries.stranger();
		const first = await enquiries.link("email", `${site.url}/about`);
		await Promise.all([visitor.waitForResponse(/track_event/), visitor.goto(first)]);
		// On from there: the page that is left says so only now, and makes no visit of its own.
		await visitor.goto(await enquiries.link("poster", `${site.url}/${enquiries.route}`));
		await enquiries.enquire(visitor, email);
		await visitor.context().close();
		[lead] = await enquiries.leadOf(email);
		site.note("CRM Lead", lead.name);
	});

	test("CRM's page of the lead says what brought it", async () => {
		await page.goto(`${site.url}/crm/leads/${lead.name}`);
		const shown = await panel();
		assert.deepEqual(
			[shown["Marketing Source"], shown["Marketing Medium"], shown["Marketing Campaign"], shown["Touches"]],
			["newsletter", "poster", enquiries.campaign, "2"],
			JSON.stringify(shown),
		);
		assert.match(shown["Visitor"], /^v_[0-9a-f]{16}$/);
		await assertJourney();
	});

	test("it is converted on CRM's page, and the deal knows the same", async () => {
		await page.getByRole("button", { name: "Convert to Deal" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Convert", exact: true }).click();
		await page.waitForURL(/\/crm\/deals\/[^/]+/);
		[{ name: deal }] = await site.rows("CRM Deal", { lead: lead.name });
		for (const { contact } of (await site.ask("GET", `/api/resource/CRM Deal/${deal}`)).contacts) site.note("Contact", contact);
		site.note("CRM Deal", deal);
		await site.until("the deal's fields", async () => Boolean((await site.rows("CRM Deal", { name: deal }))[0].trackflow_attribution_model));
		await page.reload();
		const shown = await panel();
		assert.deepEqual(
			[shown["Marketing Source"], shown["Marketing Campaign"], shown["First Touch Source"], shown["Last Touch Source"]],
			["newsletter", enquiries.campaign, "newsletter", "newsletter"],
			JSON.stringify(shown),
		);
		assert.equal(shown["Attribution Model"], "Last Touch");
		await assertJourney();
	});

	test("it is won on CRM's page, and every model credits its value to the last cent", async () => {
		const meta = await site.ask("GET", "/api/resource/DocType/CRM Deal");
		const field = meta.fields.some((one: Row) => one.fieldname === "deal_value") ? "deal_value" : "annual_revenue";
		await site.change("CRM Deal", deal, { [field]: VALUE, currency: "USD" });
		await page.reload();
		const { status } = (await site.rows("CRM Deal", { name: deal }))[0];
		await page.getByRole("button", { name: status, exact: true }).click();
		await page.getByRole("menuitem", { name: "Won", exact: true }).click();
		let conversion: Row = {};
		await site.until("the conversion", async () => {
			[conversion = {}] = await site.rows("Conversion", { crm_deal: deal, conversion_type: "Deal Won" });
			return conversion.attribution_status === "Done";
		});
		assert.deepEqual([conversion.value, conversion.currency, conversion.crm_lead], [VALUE, "USD", lead.name]);
		const models = (await site.rows("Attribution Model", { is_active: 1 })).map((model) => model.name);
		assert.ok(models.length >= MODELS_AT_LEAST, String(models));
		const credits = await site.rows("Attribution Link", { conversion: conversion.name });
		for (const model of models) {
			const own = credits.filter((credit) => credit.attribution_model === model);
			const cents = own.reduce((sum, credit) => sum + Math.round(credit.credited_value * 100), 0);
			assert.equal(cents, Math.round(VALUE * 100), `${model}: ${JSON.stringify(own)}`);
			assert.ok(Math.abs(own.reduce((sum, credit) => sum + credit.weight, 0) - 1) < 1e-9, model);
			for (const credit of own) assert.equal(credit.campaign, enquiries.campaign, model);
		}
		const linear = credits.filter((credit) => credit.attribution_model === "Linear").map((credit) => credit.credited_value);
		assert.deepEqual(linear.sort(), [500, 500.01]);
		const told = await site.rows("Deal Attribution", { deal_id: deal });
		assert.equal(told.length, models.length);
	});

	test("CRM's page of the deal says what marketing did", async () => {
		await page.reload();
		const shown = await panel();
		assert.deepEqual([shown["Attribution Model"], shown["Touches"], shown["Marketing Influenced"]], ["Last Touch", "2", "true"], JSON.stringify(shown));
	});
});
