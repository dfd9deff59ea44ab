/**
 * CRM-7, UI-3: from a short link over a Web Form to a lead that knows what brought it, on a site that the environment names;
 * CONTRIBUTING.md says how. The site's own page holds the form; a website of another origin, which the test serves, embeds it.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Enquiries } from "./enquiries";
import { type Row, Site } from "./site";

const site = new Site();
const enquiries = new Enquiries(site);

before(() => enquiries.start());
after(() => enquiries.stop());
afterEach(() => assert.deepEqual(site.problems.splice(0), []));

/** The lead came by the newsletter, and so did the conversions of the lead and of the form's goal. */
async function assertBrought(email: string, medium: string): Promise<Row> {
	const [lead, conversions] = await enquiries.leadOf(email);
	site.note("CRM Lead", lead.name);
	assert.deepEqual(
		[lead.trackflow_source, lead.trackflow_medium, lead.trackflow_campaign],
		["newsletter", medium, enquiries.campaign],
	);
	assert.deepEqual(
		conversions.map((row) => [row.conversion_type, row.visitor]),
		[[enquiries.goal, lead.trackflow_visitor_id], ["Lead", lead.trackflow_visitor_id]],
	);
	for (const row of conversions) {
		const [credit] = await site.rows("Attribution Link", { conversion: row.name, attribution_model: "Last Touch" });
		assert.deepEqual([credit.weight, credit.campaign], [1, enquiries.campaign], row.conversion_type);
	}
	return lead;
}

describe("CRM-7: a Web Form of the site", () => {
	test("after a short link to a page of the site's website", async () => {
		const page = await enquiries.stranger();
		await page.goto(await enquiries.link("email", `${site.url}/about`));
		assert.equal(new URL(page.url()).searchParams.get("utm_medium"), "email");
		await page.goto(`${site.url}/${enquiries.route}`);
		await enquiries.enquire(page, `page-${enquiries.run}@example.com`);
		await assertBrought(`page-${enquiries.run}@example.com`, "email");
		await page.context().close();
	});

	test("after a short link to the form itself, whose address Frappe changes", async () => {
		const page = await enquiries.stranger();
		await page.goto(await enquiries.link("poster", `${site.url}/${enquiries.route}`));
		assert.equal(new URL(page.url()).pathname, `/${enquiries.route}/new`);
		await enquiries.enquire(page, `form-${enquiries.run}@example.com`);
		await assertBrought(`form-${enquiries.run}@example.com`, "poster");
		await page.context().close();
	});

	test("embedded by a website of another origin", async () => {
		const key = await enquiries.publicKeyOfShop();
		const script = `${site.url}/assets/trackflow/js`;
		enquiries.body =
			`<script async src="${script}/trackflow.js" data-key="${key}" data-consent="none"></script>` +
			`<script async src="${script}/trackflow-forms.js"></script><iframe src="${site.url}/${enquiries.route}/new" width="900" height="700"></iframe>`;
		const page = await enquiries.stranger();
		await page.goto(await enquiries.link("banner", `${enquiries.shop}/`));
		await enquiries.enquire(page.frameLocator("iframe"), `frame-${enquiries.run}@example.com`);
		const lead = await assertBrought(`frame-${enquiries.run}@example.com`, "banner");
		const visitor = (await page.context().cookies(enquiries.shop)).find(({ name }) => name === "trackflow_visitor")!.value;
		assert.equal(lead.trackflow_visitor_id, visitor);
		// The form in its frame was no visit of its own.
		const seen = await site.rows("Visitor Event", { visitor, event_type: "PAGE_VIEW" });
		assert.deepEqual(seen.map((row) => new URL(row.url || row.page_url).host), [new URL(enquiries.shop).host]);
		await page.context().close();
	});

	test("CRM-2: sent by somebody who is logged in, it is nobody's visit", async () => {
		const page = await site.person(process.env.TRACKFLOW_CRM_USER!, process.env.TRACKFLOW_CRM_PASSWORD!);
		await page.goto(await enquiries.link("staff", `${site.url}/about`));
		assert.ok((await page.context().cookies(site.url)).some(({ name }) => name === "trackflow_visitor"));
		await page.goto(`${site.url}/${enquiries.route}/new`);
		await enquiries.enquire(page, `staff-${enquiries.run}@example.com`);
		const [lead, conversions] = await enquiries.leadOf(`staff-${enquiries.run}@example.com`, false);
		site.note("CRM Lead", lead.name);
		assert.deepEqual([lead.trackflow_visitor_id, lead.trackflow_source], [null, null]);
		assert.deepEqual(conversions.map((row) => row.visitor), [null, null]);
		await page.context().close();
	});
});
