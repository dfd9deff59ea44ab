/** SYN-1, UI-1: forms to Pipedrive, set up by hand against a server that plays it: checked, tried, saved, looked at, begun anew. */
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { expectSound, HOSTILE, settled, useApp, type Page } from "./app";

const app = useApp();
const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const TOKEN = "browser-token-of-pipedrive";
const KEYS = { source: "a".repeat(40), click: "b".repeat(40) };
const EMAIL = "grace@example.com";
const persons: { id: number; name: string; emails: string[] }[] = [];
const written: unknown[] = [];
let server: Server;

/** Version 2 of Pipedrive's API, as far as the page leads to it. */
function answer(path: string): [number, object] {
	if (path === "/api/v2/personFields") {
		const fields = [
			{ field_code: "email", field_name: "Email", field_type: "varchar", is_custom_field: false },
			{ field_code: KEYS.source, field_name: HOSTILE, field_type: "varchar", is_custom_field: true },
			{ field_code: KEYS.click, field_name: "Google click", field_type: "varchar", is_custom_field: true },
		];
		return [200, { success: true, data: fields, additional_data: { next_cursor: null } }];
	}
	if (path === "/api/v2/persons/search") return [200, { success: true, data: { items: persons.map((item) => ({ result_score: 1, item })) }, additional_data: { next_cursor: null } }];
	return [404, { success: false, error: "Not found" }];
}

beforeAll(async () => {
	server = createServer((request, response) => {
		const [status, body] = request.headers["x-api-token"] === TOKEN ? answer(new URL(request.url!, "http://x").pathname) : [401, { success: false, error: "unauthorized" }];
		if (request.method !== "GET") written.push(request.url);
		response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
	}).listen(0, "127.0.0.1");
	await new Promise((resolve) => server.once("listening", resolve));
	const path = join(inject("sites"), "common_site_config.json");
	const config = JSON.parse(await readFile(path, "utf8").catch(() => "{}"));
	await writeFile(path, JSON.stringify({ ...config, trackflow_pipedrive_address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
});
afterAll(() => server?.close());

const save = async (page: Page) => {
	// What was said of an earlier one may still be in sight.
	const answered = page.waitForResponse((response) => response.url().includes("save_sync"));
	await page.getByRole("button", { name: "Save", exact: true }).click();
	expect((await answered).status()).toBe(200);
};
async function choose(page: Page, label: string, option: string): Promise<void> {
	await page.getByLabel(label, { exact: true }).click();
	await page.getByRole("option", { name: option }).first().click();
}
/** What the server refuses is in the console of the browser. */
const refused = () => (app.stage.problems = app.stage.problems.filter((text) => !/Failed to load resource.*417/.test(text)));

test("is set up: token, fields of the CRM, a mapping", async () => {
	const page = await app.open("/settings/crm-sync");
	await page.getByText("No form yet").waitFor();
	expect(await page.getByRole("button", { name: "Check the fields" }).isDisabled()).toBe(true);

	// Without a field that is written it cannot be switched on, which is said.
	await page.getByLabel("API token").fill("wrong");
	await page.getByLabel("Sync forms").check();
	await page.getByRole("button", { name: "Save", exact: true }).click();
	await page.getByRole("alert").getByText("Choose at least one field").waitFor();
	await page.getByLabel("Sync forms").uncheck();
	await save(page);
	await page.getByRole("button", { name: "Check the fields" }).click();
	await page.getByRole("alert").getByText("refuses the token").waitFor();
	refused();

	await page.getByLabel("API token").fill(TOKEN);
	await page.getByLabel("Company at the CRM").fill("https://acme.pipedrive.com");
	await save(page);
	await expect.poll(() => page.getByLabel("Company at the CRM").inputValue()).toBe("acme");
	expect(await page.getByLabel("API token").inputValue()).toBe("");
	await page.getByRole("button", { name: "Check the fields" }).click();
	for (const [row, source, remote] of [
		[1, "utm_source", "onerror"],
		[2, "gclid", "Google click"],
	] as const) {
		await page.getByRole("button", { name: "Add a field" }).click();
		await choose(page, `Our field, row ${row}`, source);
		await page.getByLabel(`Field of the CRM, row ${row}`, { exact: true }).click();
		expect(await page.getByRole("option", { name: "Email" }).count()).toBe(0);
		await page.getByRole("option", { name: remote }).first().click();
	}
	await page.getByLabel("Sync forms").check();
	await save(page);
	await page.getByText("Saved").first().waitFor();
	expect(await page.locator("#main img").count()).toBe(0);
	await page.getByRole("button", { name: "Check the fields" }).click();
	await page.getByText("All fields are there.").waitFor();
	expect(await page.content()).not.toContain(TOKEN);

	const told = await app.stage.read("trackflow.api.crm_sync.get_sync");
	expect(told.fields.map(({ source, remote_field, remote_type }: any) => [source, remote_field, remote_type])).toEqual([
		["utm_source", KEYS.source, "varchar"],
		["gclid", KEYS.click, "varchar"],
	]);
	expect(JSON.stringify(told)).not.toContain(TOKEN);
	await expectSound(page);
	await page.context().close();
});

test("two of ours are not written to one field", async () => {
	const page = await app.open("/settings/crm-sync");
	await page.getByRole("button", { name: "Check the fields" }).click();
	await page.getByText("All fields are there.").waitFor();
	await choose(page, "Field of the CRM, row 2", "onerror");
	await page.getByRole("button", { name: "Save", exact: true }).click();
	await page.getByRole("alert").getByText("takes one").first().waitFor();
	refused();
	await page.context().close();
});

test("a form waits, is tried, and can be begun anew", async () => {
	const [domain] = await app.stage.list("Domain Configuration", { enabled: 1 });
	await app.stage.call("frappe.client.set_value", { doctype: "TrackFlow Settings", name: "TrackFlow Settings", fieldname: "collect_form_values", value: 1 });
	const origin = `https://${domain.name}`;
	const values = { email: EMAIL, first_name: "Grace", last_name: "Hopper" };
	const event = { eventId: `sync-${Date.now()}`, type: "FORM_SUBMIT", url: `${origin}/?utm_source=news&utm_medium=email`, visitorId: "v_00000000000005c1", consent: "granted", properties: { form_name: "Contact", fields: Object.keys(values), values } };
	const sent = await fetch(`${app.stage.url}/api/method/trackflow.api.tracking.track_event`, {
		method: "POST",
		// As a proxy passes it on: what this very machine sends is internal, and leaves for nowhere.
		headers: { Origin: domain.allowed_origins?.split(/\s/)[0] || origin, "User-Agent": CHROME, "X-Forwarded-For": "203.0.113.20" },
		body: JSON.stringify({ publicKey: domain.public_key, events: [event] }),
	});
	expect(sent.status, await sent.text()).toBe(202);
	await expect.poll(async () => (await app.stage.list("CRM Sync Log", { email: EMAIL })).length, { timeout: 20_000 }).toBe(1);

	persons.push({ id: 7, name: "Grace Hopper", emails: [EMAIL] }, { id: 8, name: "Grace Murray", emails: [EMAIL] });
	const page = await app.open("/settings/crm-sync");
	await page.getByRole("table").getByText(EMAIL).waitFor();
	await page.getByRole("button", { name: "Try the next forms" }).click();
	await page.getByText("2 persons have this address or name: 7, 8").waitFor();
	persons.pop();
	await page.getByRole("button", { name: "Try the next forms" }).click();
	await page.getByText("Person 7").waitFor();
	expect(await page.getByRole("list", { name: "What would be written" }).textContent()).toContain("news");
	expect(written).toEqual([]);
	await expectSound(page);

	await page.getByRole("checkbox", { name: `Mark ${EMAIL}` }).check();
	await page.getByRole("button", { name: "Retry" }).click();
	await page.getByText("1 forms are being synced.").first().waitFor();
	await expect.poll(() => written.length, { timeout: 20_000 }).toBeGreaterThan(0);
	expect(written[0]).toBe("/api/v2/persons/7");
	await page.reload();
	await settled(page);
	await app.stage.call("trackflow.api.crm_sync.save_sync", { values: { sync_enabled: 0 } });
	await page.context().close();
});
