/**
 * CRM-7, UI-3: from a short link over a Web Form to a lead that knows what brought it, on a site that the environment names;
 * CONTRIBUTING.md says how. The site's own page holds the form; a website of another origin, which the test serves, embeds it.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import type { FrameLocator, Page } from "playwright-core";
import { type Row, Site } from "./site";

const RUN = randomBytes(4).toString("hex");
const HOST = new URL(process.env.TRACKFLOW_CRM_URL!).hostname;
const SHOP = "127.0.0.1";
const SETTINGS = "TrackFlow Settings";
const GOAL = `Demo Request ${RUN}`;
const CAMPAIGN = `Spring ${RUN}`;
const ROUTE = `enquiry-${RUN}`;

const site = new Site();
let former: Row;
let website: Server;
let shop = "";
/** What the website's pages hold. */
let body = "";

before(async () => {
	await site.start();
	website = createServer((_request, response) => response.setHeader("Content-Type", "text/html").end(`<!doctype html><title>Shop</title>${body}`));
	await new Promise<void>((listening) => website.listen(0, SHOP, listening));
	shop = `http://${SHOP}:${(website.address() as AddressInfo).port}`;
	former = await site.ask("GET", `/api/resource/${SETTINGS}/${SETTINGS}`);
	// Visitors of this machine come from an internal address.
	await site.change(SETTINGS, SETTINGS, { enable_tracking: 1, track_own_pages: 1, exclude_internal_traffic: 0, cookie_consent_required: 0 });
	for (const domain of [HOST, SHOP]) await configure(domain);
	await site.make("Link Campaign", { campaign_name: CAMPAIGN, status: "Active" });
	const field = (fieldname: string) => ({ fieldname, fieldtype: "Data", label: fieldname === "email" ? "E-mail" : "First name" });
	await site.make("Web Form", {
		title: `Enquiry ${RUN}`,
		route: ROUTE,
		doc_type: "CRM Lead",
		published: 1,
		allow_multiple: 1,
		trackflow_goal: GOAL,
		allowed_embedding_domains: shop,
		web_form_fields: [field("first_name"), field("email")],
	});
});
after(async () => {
	website?.close();
	if (former) {
		const { enable_tracking, track_own_pages, exclude_internal_traffic, cookie_consent_required } = former;
		await site.change(SETTINGS, SETTINGS, { enable_tracking, track_own_pages, exclude_internal_traffic, cookie_consent_required });
	}
	await site.stop();
});
afterEach(() => assert.deepEqual(site.problems.splice(0), []));

async function configure(domain: string): Promise<void> {
	const values = { enabled: 1, privacy_level: "Standard", consent_required: 0, collect_address: 1 };
	const [known] = await rows("Domain Configuration", { domain });
	if (!known) await site.make("Domain Configuration", { domain, ...values });
}

const rows = (doctype: string, filters: Row): Promise<Row[]> =>
	site.ask("GET", `/api/resource/${doctype}?${new URLSearchParams({ filters: JSON.stringify(filters), fields: '["*"]', limit_page_length: "0" })}`);

async function link(medium: string, target: string): Promise<string> {
	const made = await site.make("Tracked Link", { target_url: target, source: "newsletter", medium, campaign: CAMPAIGN });
	return `${site.url}/r/${made.short_code}`;
}

/** Fill in Frappe's form and send it. */
async function enquire(page: Page | FrameLocator, email: string): Promise<void> {
	await page.locator("[data-fieldname=first_name] input").fill("Ann");
	await page.locator("[data-fieldname=email] input").fill(email);
	await page.locator(".submit-btn").first().click();
	await page.locator(".success-page").waitFor();
}

async function stranger(): Promise<Page> {
	const page = await site.stranger();
	page.on("pageerror", (error) => site.problems.push(String(error)));
	return page;
}

/** The lead of an address and its conversions by type, once these are credited; the fields of who was brought come last. */
async function leadOf(email: string, isBrought = true): Promise<[Row, Row[]]> {
	let lead: Row = {};
	let conversions: Row[] = [];
	await site.until(`the lead of ${email}`, async () => {
		[lead = {}] = await rows("CRM Lead", { email });
		conversions = lead.name ? await rows("Conversion", { source_name: lead.name }) : [];
		const isDone = conversions.length === 2 && conversions.every((row) => row.attribution_status === "Done");
		return isDone && (!isBrought || Boolean(lead.trackflow_source));
	});
	return [lead, conversions.sort((one, other) => (one.conversion_type < other.conversion_type ? -1 : 1))];
}

/** The lead came by the newsletter, and so did the conversions of the lead and of the form's goal. */
async function assertBrought(email: string, medium: string): Promise<Row> {
	const [lead, conversions] = await leadOf(email);
	assert.deepEqual(
		[lead.trackflow_source, lead.trackflow_medium, lead.trackflow_campaign],
		["newsletter", medium, CAMPAIGN],
	);
	assert.deepEqual(
		conversions.map((row) => [row.conversion_type, row.visitor]),
		[[GOAL, lead.trackflow_visitor_id], ["Lead", lead.trackflow_visitor_id]],
	);
	for (const row of conversions) {
		const [credit] = await rows("Attribution Link", { conversion: row.name, attribution_model: "Last Touch" });
		assert.deepEqual([credit.weight, credit.campaign], [1, CAMPAIGN], row.conversion_type);
	}
	return lead;
}

describe("CRM-7: a Web Form of the site", () => {
	test("after a short link to a page of the site's website", async () => {
		const page = await stranger();
		await page.goto(await link("email", `${site.url}/about`));
		assert.equal(new URL(page.url()).searchParams.get("utm_medium"), "email");
		await page.goto(`${site.url}/${ROUTE}`);
		await enquire(page, `page-${RUN}@example.com`);
		await assertBrought(`page-${RUN}@example.com`, "email");
		await page.context().close();
	});

	test("after a short link to the form itself, whose address Frappe changes", async () => {
		const page = await stranger();
		await page.goto(await link("poster", `${site.url}/${ROUTE}`));
		assert.equal(new URL(page.url()).pathname, `/${ROUTE}/new`);
		await enquire(page, `form-${RUN}@example.com`);
		await assertBrought(`form-${RUN}@example.com`, "poster");
		await page.context().close();
	});

	test("embedded by a website of another origin", async () => {
		const [{ public_key: key }] = await rows("Domain Configuration", { domain: SHOP });
		const script = `${site.url}/assets/trackflow/js`;
		body =
			`<script async src="${script}/trackflow.js" data-key="${key}" data-consent="none"></script>` +
			`<script async src="${script}/trackflow-forms.js"></script><iframe src="${site.url}/${ROUTE}/new" width="900" height="700"></iframe>`;
		const page = await stranger();
		await page.goto(await link("banner", `${shop}/`));
		await enquire(page.frameLocator("iframe"), `frame-${RUN}@example.com`);
		const lead = await assertBrought(`frame-${RUN}@example.com`, "banner");
		const visitor = (await page.context().cookies(shop)).find(({ name }) => name === "trackflow_visitor")!.value;
		assert.equal(lead.trackflow_visitor_id, visitor);
		// The form in its frame was no visit of its own.
		const seen = await rows("Visitor Event", { visitor, event_type: "PAGE_VIEW" });
		assert.deepEqual(seen.map((row) => new URL(row.url || row.page_url).host), [new URL(shop).host]);
		await page.context().close();
	});

	test("CRM-2: sent by somebody who is logged in, it is nobody's visit", async () => {
		const page = await site.person(process.env.TRACKFLOW_CRM_USER!, process.env.TRACKFLOW_CRM_PASSWORD!);
		await page.goto(await link("staff", `${site.url}/about`));
		assert.ok((await page.context().cookies(site.url)).some(({ name }) => name === "trackflow_visitor"));
		await page.goto(`${site.url}/${ROUTE}/new`);
		await enquire(page, `staff-${RUN}@example.com`);
		const [lead, conversions] = await leadOf(`staff-${RUN}@example.com`, false);
		assert.deepEqual([lead.trackflow_visitor_id, lead.trackflow_source], [null, null]);
		assert.deepEqual(conversions.map((row) => row.visitor), [null, null]);
		await page.context().close();
	});
});
