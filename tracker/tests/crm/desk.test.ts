/**
 * UI-2, KEY-1, WHK-1, EML-1, SYN-1: the forms and lists of the desk that people send, test and retry with, on a real bench that the
 * environment names; CONTRIBUTING.md says how. The mailing stays on record, and with it whoever sent it, its campaign, template and account.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, before, describe, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { Inbox } from "./inbox";
import { type Row, Site } from "./site";

const RUN = randomBytes(4).toString("hex");
const PASSWORD = `Tf-${randomBytes(12).toString("hex")}`;
/** What a mailing that was sent holds on to: found again by the next run. */
const CAMPAIGNER = "trackflow-desk-test@example.com";
const [ACCOUNT, CAMPAIGN, TEMPLATE] = ["TrackFlow Desk Test", "TrackFlow Desk Test", "TrackFlow Desk Test"];

const site = new Site();
const inbox = new Inbox();

before(async () => {
	await inbox.start();
	await site.start();
});
after(async () => {
	await site.stop();
	inbox.stop();
});
afterEach(() => assert.deepEqual(site.problems.splice(0), []));

const administrator = (): Promise<Page> => site.person(process.env.TRACKFLOW_CRM_USER!, process.env.TRACKFLOW_CRM_PASSWORD!);

/** The page that is shown; the desk keeps those that were. */
const shown = (page: Page): Locator => page.locator(".page-container:visible");
const button = (page: Page, name: string): Locator => shown(page).locator(".page-head").getByRole("button", { name, exact: true });
const dialog = (page: Page, text: string | RegExp): Locator => page.locator(".modal.show").filter({ hasText: text });
const alert = (page: Page, text: string | RegExp): Promise<void> => page.locator(".desk-alert").filter({ hasText: text }).first().waitFor();
const mark = (page: Page, text: string): Promise<void> => shown(page).locator(".page-head .indicator-pill").filter({ hasText: text }).waitFor();

async function open(page: Page, path: string): Promise<void> {
	await page.goto(`${site.url}/app/${path}`);
	await shown(page).locator(".page-head .title-text").first().waitFor();
}

async function close(page: Page, text: string | RegExp): Promise<void> {
	await dialog(page, text).locator(".btn-modal-close").click();
	await dialog(page, text).waitFor({ state: "hidden" });
}

/** What the server refused in words; the console's lines about it are no fault. */
async function refused(page: Page, text: string | RegExp): Promise<void> {
	await dialog(page, text).waitFor();
	await close(page, text);
	site.problems = site.problems.filter((line) => !/status of 417|Traceback/.test(line));
}

/** Answer Frappe's question with Yes, or a dialog with its own button. */
const agree = (page: Page, text: string | RegExp): Promise<void> => dialog(page, text).locator(".standard-actions .btn-primary").click();

/** Fill in the form as a person would; the fields' own controls are Frappe's. */
const fill = (page: Page, values: Row): Promise<void> =>
	page.evaluate(async (values) => {
		for (const [field, value] of Object.entries(values)) await (window as any).cur_frm.set_value(field, value);
	}, values);

async function save(page: Page): Promise<void> {
	await page.evaluate(() => (document.activeElement as HTMLElement).blur());
	await button(page, "Save").click();
}

async function choose(page: Page, menu: string, entry: string | RegExp): Promise<void> {
	await button(page, menu).click();
	await shown(page).locator(".dropdown-menu.show .dropdown-item").filter({ hasText: entry }).click();
}

/** Of a list: this row among its chosen ones, and what is done to them. */
async function actOn(page: Page, name: string, action: string): Promise<void> {
	await shown(page).locator(`.list-row-checkbox[data-name="${name}"]`).check();
	await choose(page, "Actions", action);
}

/** What the scheduler would do, now, by the site's worker. */
async function runNow(method: string): Promise<void> {
	const [job] = await site.rows("Scheduled Job Type", { method });
	await site.ask("POST", "/api/method/frappe.core.doctype.scheduled_job_type.scheduled_job_type.execute_event", { doc: JSON.stringify(job) });
}

async function findOrMake(doctype: string, name: string, values: Row): Promise<void> {
	const [known] = await site.rows(doctype, { name });
	await (known ? site.change(doctype, name, values) : site.ask("POST", `/api/resource/${doctype}`, values));
}

describe("KEY-1, WHK-1: the form of an API key", () => {
	const key = `Desk ${RUN}`;
	/** Goes first when all is removed: it names the key. */
	after(async () => {
		site.note("TrackFlow API Key", key);
		await site.noteAll("Webhook Delivery", { api_key: key });
	});

	test("shows the key once, tells what is wrong with a webhook, and tries it", async () => {
		const page = await administrator();
		await open(page, "trackflow-api-key/new");
		await fill(page, { key_name: key });
		await page.evaluate(() => {
			(window as any).cur_frm.add_child("scopes", { permission_type: "links:read" });
		});
		await save(page);
		await dialog(page, /tfk_/).waitFor();
		await agree(page, /tfk_/);
		await alert(page, "Copied to clipboard");
		await close(page, /tfk_/);
		await mark(page, "Active");

		await page.evaluate(() => {
			(window as any).cur_frm.add_child("webhook_events", { event_type: "link.created", webhook_url: "ftp://hooks.invalid/", is_active: 1 });
			(window as any).cur_frm.dirty();
		});
		await save(page);
		await refused(page, /begins with https/);
		await page.evaluate(() => {
			const [row] = (window as any).cur_frm.doc.webhook_events;
			return (window as any).frappe.model.set_value(row.doctype, row.name, "webhook_url", "https://hooks.invalid/");
		});
		await save(page);
		await dialog(page, /whsec_/).getByRole("button", { name: "Copy" }).waitFor();
		await close(page, /whsec_/);
		await choose(page, "Webhooks", /^\s*Test link.created/);
		await alert(page, "The host hooks.invalid is not found.");

		await choose(page, "Webhooks", "New Secret");
		await agree(page, /signed with it/);
		await close(page, /whsec_/);
		await button(page, "Rotate").click();
		await agree(page, /gets another secret/);
		await close(page, /tfk_/);
		await page.context().close();
	});

	test("its deliveries are sent again, from their form and from their list", async () => {
		await site.make("Tracked Link", { target_url: "https://shop.example.com/desk" });
		let delivery: Row = {};
		await site.until("the delivery", async () => {
			[delivery = {}] = await site.rows("Webhook Delivery", { api_key: key, event_type: "link.created" });
			return delivery.attempts > 0;
		});
		const page = await administrator();
		await open(page, `webhook-delivery/${delivery.name}`);
		await mark(page, "Pending");
		await button(page, "Deliver Again").click();
		await alert(page, "It is sent again.");
		await open(page, "webhook-delivery");
		const [ping] = await site.rows("Webhook Delivery", { api_key: key, event_type: "ping" });
		await shown(page).locator(`.list-row-checkbox[data-name="${ping.name}"]`).check();
		await actOn(page, delivery.name, "Deliver Again");
		await alert(page, "Sent again: 1.");
		await page.context().close();
	});

	test("a key that is revoked is marked so, on its form and in the list", async () => {
		const page = await administrator();
		await open(page, `trackflow-api-key/${encodeURIComponent(key)}`);
		await button(page, "Revoke").click();
		await agree(page, /refused from now on/);
		await mark(page, "Not Active");
		await open(page, "trackflow-api-key");
		await shown(page).locator(".list-row-container").filter({ hasText: key }).getByText("Not Active").first().waitFor();
		await page.context().close();
	});
});

describe("EML-1: the form of a mailing, for who has the role Campaign Manager alone", () => {
	const address = (name: string) => `${name}-${RUN}@example.com`;
	let mailing: Row;

	before(async () => {
		await findOrMake("User", CAMPAIGNER, {
			email: CAMPAIGNER,
			first_name: "Cam",
			new_password: PASSWORD,
			send_welcome_email: 0,
			roles: [{ role: "Campaign Manager" }],
		});
		await findOrMake("Link Campaign", CAMPAIGN, { campaign_name: CAMPAIGN, status: "Active" });
		await findOrMake("Email Template", TEMPLATE, {
			name: TEMPLATE,
			subject: "News for {{ first_name }}",
			use_html: 1,
			response_html: '<p>Dear {{ first_name }}, see <a href="https://shop.example.com/desk">our offers</a></p>',
		});
		await findOrMake("Email Account", ACCOUNT, {
			email_account_name: ACCOUNT,
			email_id: "desk-test@example.com",
			enable_outgoing: 1,
			smtp_server: "127.0.0.1",
			smtp_port: String(inbox.port),
			no_smtp_authentication: 1,
		});
		for (const name of ["ada", "bob", "nobody"])
			await site.make("CRM Lead", { first_name: name, last_name: RUN, email: address(name), status: "New" });
	});

	const figure = (page: Page, label: string): Promise<string> =>
		shown(page).locator(".trackflow-statistics .text-muted").getByText(label, { exact: true }).locator("xpath=following-sibling::*").innerText();

	test("offers what they may read, previews, and sends a test", async () => {
		const page = await site.person(CAMPAIGNER, PASSWORD);
		await open(page, "campaign-mailing/new");
		assert.equal(await shown(page).locator(".frappe-control[data-fieldname=email_account]").isVisible(), false);
		assert.deepEqual(await shown(page).locator("select[data-fieldname=recipients_from] option").allInnerTexts(), ["CRM Lead", "Contact"]);
		await fill(page, { title: `Desk ${RUN}`, campaign: CAMPAIGN, email_template: TEMPLATE, recipients_from: "CRM Lead" });
		await button(page, "Choose Recipients").click();
		await dialog(page, "No filters selected").waitFor();
		await agree(page, "No filters selected");
		await fill(page, { filters: JSON.stringify([["last_name", "=", RUN]]) });
		await save(page);
		await mark(page, "Draft");
		await button(page, "Preview").click();
		await dialog(page, `Rows with an address: 3. The first one is ${address("ada")}`).locator("iframe").waitFor();
		await close(page, "Rows with an address");
		[mailing] = await site.rows("Campaign Mailing", { title: `Desk ${RUN}` });
		await site.change("Campaign Mailing", mailing.name, { email_account: ACCOUNT });
		await open(page, `campaign-mailing/${mailing.name}`);
		await button(page, "Send Test").click();
		await agree(page, "Gets the first recipient's mail");
		await alert(page, `A test mail to ${CAMPAIGNER} is in the queue.`);
		await page.context().close();
	});

	test("sends, pauses, goes on, and tells what became of it", async () => {
		const page = await site.person(CAMPAIGNER, PASSWORD);
		await open(page, `campaign-mailing/${mailing.name}`);
		await button(page, "Send").click();
		await agree(page, "Send this mailing?");
		await mark(page, "Sending");
		await shown(page).locator(".trackflow-statistics [role=progressbar]").waitFor();
		await button(page, "Pause").click();
		await alert(page, "No more mails are handed over.");
		await mark(page, "Paused");
		await button(page, "Go On").click();
		await agree(page, "Go on with this mailing?");
		await mark(page, "Sending");
		await runNow("trackflow.email.sending.go_on");
		await site.until("the mails in Frappe's queue", async () => (await site.rows("Email Queue", { reference_name: mailing.name })).length === 4);
		await runNow("frappe.email.queue.flush");
		await site.until("the mails", async () => inbox.mails.length === 3);
		await runNow("trackflow.email.sending.go_on");
		// The form asks by itself.
		await mark(page, "Sent");
		const told = () => Promise.all(["Recipients", "Sent", "Delivered, as far as known", "Bounced"].map((label) => figure(page, label)));
		assert.deepEqual(await told(), ["3", "2", "2", "1 (33.33 %)"]);
		await page.context().close();
	});

	test("a recipient unsubscribes by the link in the mail, and the form tells it", async () => {
		const mail = inbox.mails.find(({ to }) => to === address("ada"))!;
		const guest = await site.guest();
		await guest.goto(/List-Unsubscribe:\s+<(.*?)>/.exec(mail.text)![1]);
		await guest.getByRole("button", { name: "Unsubscribe" }).click();
		await guest.getByText("You are unsubscribed").waitFor();
		await guest.context().close();
		const page = await site.person(CAMPAIGNER, PASSWORD);
		await open(page, `campaign-mailing/${mailing.name}`);
		await shown(page).locator(".trackflow-statistics").waitFor();
		assert.equal(await figure(page, "Unsubscribed"), "1 (50 %)");
		await page.context().close();
	});
});

describe("SYN-1: the sync of forms", () => {
	test("a form is begun anew from its list and from its form", async () => {
		const log = await site.make("CRM Sync Log", { status: "error", reason: "several", email: `sync-${RUN}@example.com`, idempotency_key: RUN });
		const page = await administrator();
		await open(page, "crm-sync-log");
		await actOn(page, log.name, "Retry");
		await alert(page, "Due now: 1.");
		await open(page, `crm-sync-log/${log.name}`);
		await mark(page, "pending");
		await button(page, "Retry").click();
		await alert(page, "It is due now.");
		await page.context().close();
	});

	test("the settings ask the CRM for its fields, and what would be written", async () => {
		const { has_token: hasToken } = await site.ask("GET", "/api/method/trackflow.api.crm_sync.get_sync");
		const page = await administrator();
		await open(page, "trackflow-settings");
		for (const action of ["Check the Fields", "Dry Run"]) {
			await choose(page, "CRM Sync", action);
			const said = hasToken ? /Fields of the CRM|Dry Run|CRM Sync/ : "The settings have no API token of Pipedrive.";
			await refused(page, said);
		}
		await fill(page, { session_timeout_minutes: 0 });
		await choose(page, "CRM Sync", "Dry Run");
		await close(page, "Save the settings first.");
		await save(page);
		await refused(page, /Session Timeout in Minutes/);
		await page.context().close();
	});
});
