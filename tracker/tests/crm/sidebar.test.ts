/**
 * CRM-6, UI-3: TrackFlow inside the screens of an unmodified Frappe CRM, on a site that the environment names; CONTRIBUTING.md
 * says how. TRACKFLOW_CRM_SCREENSHOTS names a folder for the pictures of docs/crm.md.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { type Row, Site } from "./site";

const LABELS = ["Campaigns", "Tracked Links", "Click Analytics"];
const TARGETS = /^\/trackflow(\/(campaigns|links))?$/;
const PHONE = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true };
const HOSTILE = `<img src=x onerror="window.hacked=1">`;
/** The website of the test is the site's own. */
const SHOP = new URL(process.env.TRACKFLOW_CRM_URL!).hostname;
const PASSWORD = `Tf-${randomBytes(12).toString("hex")}`;
const RUN = randomBytes(4).toString("hex");
const [MARKETER, SELLER] = [`marketer-${RUN}@example.com`, `seller-${RUN}@example.com`];
const [VISITOR, STRANGER] = [8, 8].map((size) => `v_${randomBytes(size).toString("hex")}`);
const SCREENSHOTS = process.env.TRACKFLOW_CRM_SCREENSHOTS;

const site = new Site();
let lead: Row;
let hostile: Row;
let deal: string;

before(async () => {
	await site.start();
	for (const [email, ...roles] of [
		[MARKETER, "Sales User", "TrackFlow Manager"],
		[SELLER, "Sales User"],
	])
		await site.make("User", {
			email,
			first_name: email.split("-")[0].replace(/^./, (letter) => letter.toUpperCase()),
			new_password: PASSWORD,
			send_welcome_email: 0,
			roles: roles.map((role) => ({ role })),
		});
	await visit();
	[lead, hostile] = [await makeLead("Ada", VISITOR), await makeLead("Eve", STRANGER)];
	for (const [{ name }, visits] of [[lead, 2], [hostile, 1]] as [Row, number][]) {
		const journey = `/api/method/trackflow.api.visitor.get_journey?lead=${name}`;
		await site.until("the visits", async () => (await site.ask("GET", journey)).entries.length === visits);
	}
	deal = await site.ask("POST", "/api/method/crm.fcrm.doctype.crm_lead.crm_lead.convert_to_deal", { lead: lead.name });
	site.note("CRM Deal", deal);
});
after(() => site.stop());
afterEach(() => assert.deepEqual(site.problems.splice(0), []));

const makeLead = (name: string, visitor: string): Promise<Row> =>
	site.make("CRM Lead", {
		first_name: name,
		last_name: "Example",
		email: `${name.toLowerCase()}-${RUN}@example.com`,
		status: "New",
		trackflow_visitor_id: visitor,
	});

/** What the website script tells of: a visit by a newsletter, a direct one hours later, and one of somebody who means harm. */
async function visit(): Promise<void> {
	const values = { domain: SHOP, enabled: 1, privacy_level: "Standard", consent_required: 0 };
	const [known] = await site.ask("GET", `/api/resource/Domain Configuration?filters=[["domain","=","${SHOP}"]]&fields=["public_key"]`);
	const { public_key: publicKey } = known || (await site.make("Domain Configuration", values));
	const page = await site.stranger();
	const event = (minutes: number, path: string, title: string, values: Row = {}) => ({
		eventId: randomBytes(8).toString("hex"),
		type: "PAGE_VIEW",
		url: `https://${SHOP}${path}`,
		title,
		timestamp: new Date(Date.now() - minutes * 60_000).toISOString(),
		visitorId: VISITOR,
		consent: "granted",
		...values,
	});
	const events = [
		event(240, "/?utm_source=newsletter&utm_medium=email&utm_campaign=Spring+Sale", "Spring offers"),
		event(238, "/products", "All products"),
		event(60, "/contact", "Contact"),
		event(58, "/contact", "Contact", { type: "FORM_SUBMIT", name: "enquiry" }),
		event(50, "/", HOSTILE, { visitorId: STRANGER }),
	];
	const status = await page.evaluate(
		async ([address, body]) => (await fetch(address, { method: "POST", body, credentials: "omit" })).status,
		[`${site.url}/api/method/trackflow.api.tracking.track_event`, JSON.stringify({ publicKey, events })],
	);
	assert.equal(status, 202);
	await page.context().close();
}

const entries = (page: Page): Locator => page.locator("[data-trackflow]");

async function openCrm(user: string, options = {}, path = "/crm/leads"): Promise<Page> {
	const page = await site.person(user, PASSWORD, options);
	await page.goto(site.url + path);
	return page;
}

/** What stands in the main list, by its words or, where it is narrow, by its titles. */
const list = (page: Page): Promise<string[]> =>
	page.locator("nav:has([data-trackflow])").locator(":scope > *").evaluateAll((all) => all.map((one) => one.textContent!.trim()));

const classOf = (row: Locator): Promise<string | null> => row.first().getAttribute("class");
const native = (page: Page, label: string): Locator => page.locator("nav > :not([data-trackflow])").filter({ hasText: label }).first();

async function photograph(page: Page, name: string, clip?: { x: number; y: number; width: number; height: number }): Promise<void> {
	if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), clip, animations: "disabled" });
}

describe("CRM-6: entries in CRM's sidebar", () => {
	test("below Call Logs, like CRM's own, and real links", async () => {
		const page = await openCrm(MARKETER);
		await entries(page).nth(2).waitFor();
		const all = await list(page);
		assert.deepEqual(all.slice(all.indexOf("Call Logs") + 1).slice(0, 3), LABELS);
		assert.equal(await entries(page).count(), 3);
		for (const href of await entries(page).evaluateAll((links) => links.map((one) => (one.closest("a") || one.querySelector("a"))!.getAttribute("href")!)))
			assert.match(href, TARGETS);
		assert.equal(await classOf(entries(page)), await classOf(native(page, "Notes")));
		const [ours, theirs] = await Promise.all([entries(page).first().boundingBox(), native(page, "Notes").boundingBox()]);
		assert.deepEqual([ours!.x, ours!.width, ours!.height], [theirs!.x, theirs!.width, theirs!.height]);
		await page.waitForLoadState("networkidle");
		await photograph(page, "crm-sidebar", { x: 0, y: 0, width: 460, height: 470 });
		await page.context().close();
	});

	test("narrow and wide again, as CRM's own", async () => {
		const page = await openCrm(MARKETER);
		await entries(page).nth(2).waitFor();
		const wide = await classOf(entries(page).locator("span").last());
		await page.getByText("Collapse", { exact: true }).click();
		await page.waitForFunction(() => document.querySelector("[data-trackflow]")!.getBoundingClientRect().width < 60);
		assert.equal(await classOf(entries(page)), await classOf(native(page, "Notes")));
		assert.notEqual(await classOf(entries(page).locator("span").last()), wide);
		assert.deepEqual(await page.locator("[data-trackflow][title], [data-trackflow] [title]").evaluateAll((all) => all.map((one) => one.getAttribute("title"))), LABELS);
		await page.reload();
		await entries(page).nth(2).waitFor();
		assert.ok((await entries(page).first().boundingBox())!.width < 60);
		await page.locator("button:has(svg[class*=rotateY])").click();
		await page.waitForFunction(() => document.querySelector("[data-trackflow]")!.getBoundingClientRect().width > 150);
		assert.equal(await classOf(entries(page).locator("span").last()), wide);
		await page.context().close();
	});

	test("they stay, and are never highlighted, wherever one goes, and come back when they are taken away", async () => {
		const page = await openCrm(MARKETER);
		await entries(page).nth(2).waitFor();
		const plain = await classOf(entries(page));
		const kept = await entries(page).first().elementHandle();
		for (const label of ["Deals", "Contacts", "Notes", "Call Logs", "Leads"]) {
			await native(page, label).click();
			await page.waitForFunction(
				([text, plain]) => [...document.querySelectorAll("nav > *")].find((one) => one.textContent!.trim() === text)!.className !== plain,
				[label, plain],
			);
			assert.deepEqual(await entries(page).allInnerTexts(), LABELS);
			assert.deepEqual(await entries(page).evaluateAll((all) => [...new Set(all.map((one) => one.className))]), [plain]);
		}
		assert.equal(await kept!.evaluate((one) => one.isConnected), true, "they were left in place");
		await page.evaluate(() => document.querySelectorAll("[data-trackflow]").forEach((one) => one.remove()));
		assert.deepEqual(await entries(page).allInnerTexts(), LABELS);
		await page.context().close();
	});

	test("in the drawer of phones, each time it opens", async () => {
		const page = await openCrm(MARKETER, PHONE);
		for (let time = 0; time < 3; time++) {
			await page.locator("button:has(svg)").first().click();
			await entries(page).nth(2).waitFor();
			const all = await list(page);
			assert.deepEqual(all.slice(all.indexOf("Call Logs") + 1).slice(0, 3), LABELS);
			await native(page, time % 2 ? "Leads" : "Notes").click();
			await entries(page).first().waitFor({ state: "detached" });
		}
		await page.context().close();
	});

	test("in another language, by whatever name Call Logs has there", async () => {
		for (const [source_text, translated_text] of [["Call Logs", "Telefonate"], ["Leads", "Interessenten"], ["Campaigns", "Kampagnen"]])
			await site.make("Translation", { language: "de", source_text, translated_text });
		await site.change("User", MARKETER, { language: "de" });
		try {
			const page = await openCrm(MARKETER);
			await entries(page).nth(2).waitFor();
			// CRM's own words come after its first paint.
			await native(page, "Telefonate").waitFor();
			const all = await list(page);
			assert.deepEqual(all.slice(all.indexOf("Telefonate") + 1).slice(0, 2), ["Kampagnen", "Tracked Links"]);
			assert.ok(all.includes("Interessenten"), String(all));
			await page.context().close();
		} finally {
			await site.change("User", MARKETER, { language: "en" });
		}
	});

	test("who may not read links sees nothing", async () => {
		const page = await openCrm(SELLER);
		await native(page, "Call Logs").waitFor();
		assert.equal(await entries(page).count(), 0);
		await page.context().close();
	});

	test("they lead into the app", async () => {
		for (const [index, path] of ["/trackflow/campaigns", "/trackflow/links", "/trackflow"].entries()) {
			const page = await openCrm(MARKETER);
			await entries(page).nth(index).click();
			// The app adds a slash to its own address.
			await page.waitForURL(({ pathname }) => pathname.replace(/\/$/, "") === path);
			await page.getByRole("navigation", { name: "Pages" }).waitFor();
			await page.context().close();
		}
	});
});

describe("CRM-6: the app switcher", () => {
	test("has TrackFlow for who works with links, and leads to it", async () => {
		const page = await openCrm(MARKETER);
		const apps = () => page.evaluate(async () => (await (await fetch("/api/method/frappe.apps.get_apps")).json()).message);
		const [app] = (await apps()).filter((one: Row) => one.name === "trackflow");
		assert.deepEqual([app.title, app.route], ["TrackFlow", "/trackflow"]);
		assert.equal(await page.evaluate(async (logo) => (await fetch(logo)).status, app.logo), 200);
		await page.locator("button:has-text('Marketer')").first().click();
		await page.getByText("Apps", { exact: true }).hover();
		await page.getByRole("link", { name: "TrackFlow" }).click();
		await page.waitForURL(`${site.url}/trackflow`);
		await page.getByRole("navigation", { name: "Pages" }).waitFor();
		await page.context().close();

		const seller = await openCrm(SELLER);
		const names = await seller.evaluate(async () => (await (await fetch("/api/method/frappe.apps.get_apps")).json()).message.map((one: any) => one.name));
		assert.ok(names.includes("crm") && !names.includes("trackflow"), names);
		await seller.context().close();
	});
});

describe("CRM-6: the journey of a lead and of a deal", () => {
	for (const [who, email] of [["marketers", MARKETER], ["sales people", SELLER]])
		for (const kind of ["lead", "deal"])
			test(`${who} open the journey of a ${kind}`, async () => {
				const path = kind === "lead" ? `/crm/leads/${lead.name}` : `/crm/deals/${deal}`;
				const page = await openCrm(email, {}, path);
				await page.getByRole("button", { name: "TrackFlow journey" }).click();
				const dialog = page.getByRole("dialog").filter({ hasText: "TrackFlow journey" });
				await dialog.getByText("Visit · Email").waitFor();
				const text = await dialog.innerText();
				for (const part of ["newsletter / email / Spring Sale", "Spring offers", "All products", "Form · enquiry", "3 page views"])
					assert.ok(text.includes(part), `${part} in ${text}`);
				if (kind === "lead" && email === MARKETER) await photograph(page, "crm-journey", (await dialog.boundingBox())!);
				await page.keyboard.press("Escape");
				await dialog.waitFor({ state: "detached" });
				await page.context().close();
			});

	test("SEC-2: what strangers call their pages is text", async () => {
		const page = await openCrm(MARKETER, {}, `/crm/leads/${hostile.name}`);
		await page.getByRole("button", { name: "TrackFlow journey" }).click();
		const dialog = page.getByRole("dialog");
		await dialog.getByText("img src=x onerror").waitFor();
		assert.equal(await dialog.locator("img").count(), 0);
		assert.equal(await page.evaluate(() => (window as any).hacked), undefined);
		await page.context().close();
	});

	test("on a phone too", async () => {
		const page = await openCrm(MARKETER, PHONE, `/crm/leads/${lead.name}`);
		await page.locator("button:has(svg.feather-more-horizontal), button:has(.lucide-more-horizontal)").first().click();
		await page.getByText("TrackFlow journey").click();
		await page.getByRole("dialog").getByText("Visit · Email").waitFor();
		await page.context().close();
	});
});
