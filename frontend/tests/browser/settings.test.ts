/** UI-1, KEY-1, EVT-1, RET-1: what a manager sets up, done for real, and what others get to see of it. */
import { describe, expect, test } from "vitest";
import { describeLooks, expectSound, findings, HOSTILE, PHONE, settled, useApp, type Page } from "./app";

const app = useApp();
const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

async function send(publicKey: string, origin: string, title: string, url = `${origin}/`): Promise<number> {
	const events = [{ eventId: `settings-${Date.now()}-${Math.random()}`, type: "PAGE_VIEW", url, title, visitorId: "v_00000000000000ef", consent: "granted" }];
	const headers = { Origin: origin, "User-Agent": CHROME };
	const { status } = await fetch(`${app.stage.url}/api/method/trackflow.api.tracking.track_event`, { method: "POST", headers, body: JSON.stringify({ publicKey, events }) });
	return status;
}
const clipboard = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

test("on a phone the chosen part is in sight among the others", async () => {
	const page = await app.open("/settings/health", PHONE);
	const { x, width } = (await page.getByRole("link", { name: "Health", exact: true }).boundingBox())!;
	expect(x).toBeGreaterThan(0);
	expect(x + width).toBeLessThan(PHONE.viewport.width);
	await page.context().close();
});

describe("a website", () => {
	test("is added, its tag copied, and its first event shown without a reload", async () => {
		const page = await app.open("/settings", { permissions: ["clipboard-read", "clipboard-write"] });
		await page.getByRole("button", { name: "Add a website" }).first().click();
		const dialog = page.getByRole("dialog");
		await dialog.getByLabel("Domain").fill("no host");
		await dialog.getByRole("button", { name: "Add", exact: true }).click();
		await dialog.locator("[aria-invalid=true]").waitFor();
		expect(await findings(page, "[role=dialog]")).toEqual([]);
		await dialog.getByLabel("Domain").fill("https://news.example.com/home");
		await dialog.getByLabel("Consent of visitors").click();
		await page.getByRole("option", { name: "Never ask" }).click();
		await dialog.getByRole("button", { name: "Add", exact: true }).click();
		await page.waitForURL(/\/settings\/websites\/news\.example\.com$/);
		app.stage.problems = app.stage.problems.filter((text) => !/Failed to load resource.*417/.test(text));

		const [domain] = await app.stage.list("Domain Configuration", { name: "news.example.com" });
		expect([domain.privacy_level, domain.consent_required]).toEqual(["GDPR", 0]);
		await page.getByRole("button", { name: "Copy the tag" }).click();
		const { tag } = await app.stage.read("trackflow.api.domains.get_script_tag", { domain: domain.name });
		expect(await clipboard(page)).toBe(tag);
		expect(tag).toContain(domain.public_key);

		await page.getByText("Waiting for an event of news.example.com").waitFor();
		// Its key on a page of another host is refused, which is said in words.
		expect(await send(domain.public_key, "https://copy.example.net", "Copy")).toBe(403);
		await page.getByText("last from copy.example.net").waitFor();
		expect(await send(domain.public_key, "https://news.example.com", HOSTILE)).toBe(202);
		await page.getByText("It arrives").waitFor();
		await page.getByText("img src=x onerror").waitFor();
		expect(await page.locator("#main img").count()).toBe(0);
		await expectSound(page);
		await page.context().close();
	});

	test("keeps what is chosen for its visitors", async () => {
		const page = await app.open("/settings/websites/news.example.com");
		await page.getByLabel("Privacy level").click();
		await page.getByRole("option", { name: "HIPAA" }).click();
		await page.getByLabel("Consent of visitors").click();
		await page.getByRole("option", { name: "Until refused" }).click();
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("Saved").first().waitFor();
		const [domain] = await app.stage.list("Domain Configuration", { name: "news.example.com" });
		expect([domain.privacy_level, domain.consent_required, domain.consent_default]).toEqual(["HIPAA", 1, "Opt-out"]);
		await page.context().close();
	});

	test("that is not there is said to be so", async () => {
		const page = await app.open("/settings/websites/nowhere.example.com");
		await page.getByRole("alert").first().waitFor();
		expect(await page.content()).not.toContain("Traceback");
		app.stage.problems = app.stage.problems.filter((text) => !/Failed to load resource.*404/.test(text));
		await page.context().close();
	});
});

describe("the consent banner", () => {
	test("is shown as it will be, and saved", async () => {
		const page = await app.open("/settings/consent");
		await page.getByLabel("Consent Text").fill(HOSTILE);
		await page.getByLabel("Privacy Policy").fill("/privacy");
		const text = () => page.evaluate(() => document.querySelector("[data-banner]")!.shadowRoot!.textContent);
		expect(await text()).toContain("onerror");
		expect(await text()).toContain("Privacy policy");
		expect(await page.evaluate(() => document.querySelector("[data-banner]")!.shadowRoot!.querySelector("img"))).toBeNull();
		await page.getByLabel("Consent Text").fill("May we?");
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("Saved").first().waitFor();
		await page.reload();
		await settled(page);
		expect(await page.getByLabel("Consent Text").inputValue()).toBe("May we?");
		expect(await text()).toContain("May we?");
		await page.context().close();
	});
});

describe("attribution and retention", () => {
	test("what is wrong is said, what is right is kept", async () => {
		const page = await app.open("/settings/attribution");
		const field = page.getByLabel("Attribution Window in Days");
		await field.fill("45");
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("Saved").first().waitFor();
		const told = await app.stage.read("trackflow.api.settings.get_settings");
		expect(told.attribution.find(({ name }: any) => name === "attribution_window_days").value).toBe(45);
		await app.stage.call("trackflow.api.settings.save_settings", { values: { attribution_window_days: 30 } });
		await page.context().close();
	});

	test("to keep less is asked about", async () => {
		const page = await app.open("/settings/retention");
		await page.getByLabel("Clicks", { exact: true }).fill("100");
		await page.getByRole("button", { name: "Save" }).click();
		const dialog = page.getByRole("dialog");
		await dialog.getByText("Clicks").waitFor();
		await dialog.getByRole("button", { name: "Cancel" }).click();
		const days = async () => (await app.stage.read("trackflow.api.settings.get_settings")).retention.find(({ name }: any) => name === "retention_click_event").value;
		expect(await days()).toBe(730);
		await page.getByLabel("Clicks", { exact: true }).fill("800");
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("Saved").first().waitFor();
		expect(await days()).toBe(800);
		await page.context().close();
	});
});

describe("API keys", () => {
	test("are shown once, work, and are refused once they are revoked", async () => {
		const page = await app.open("/settings/api-keys", { permissions: ["clipboard-read", "clipboard-write"] });
		await page.getByRole("button", { name: "Make a key" }).first().click();
		const dialog = page.getByRole("dialog");
		await dialog.getByLabel("Name").fill("Shop server");
		expect(await findings(page, "[role=dialog]")).toEqual([]);
		await dialog.getByRole("button", { name: "Make the key" }).click();
		await dialog.getByRole("button", { name: "Copy the key" }).click();
		const key = await clipboard(page);
		expect(key).toMatch(/^tfk_[0-9a-f]{16}_/);
		await dialog.getByRole("button", { name: "I have kept it" }).click();
		await page.getByRole("table").getByText(key.slice(0, 20)).waitFor();
		expect(await page.content()).not.toContain(key.slice(21));

		const body = JSON.stringify({ events: [{ eventId: `key-${Date.now()}`, type: "CUSTOM", name: "x", visitorId: "v_00000000000000ef" }] });
		const ask = () => fetch(`${app.stage.url}/api/method/trackflow.api.tracking.track_event`, { method: "POST", headers: { Authorization: `Bearer ${key}` }, body });
		expect((await ask()).status).toBe(202);
		await page.getByRole("button", { name: "Revoke" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
		await page.getByRole("table").getByText("Revoked").waitFor();
		expect((await ask()).status).toBe(401);
		await expectSound(page);
		await page.context().close();
	});
});

describe("webhooks", () => {
	test("are added, tried, sent again and removed; their secret is shown once", async () => {
		const page = await app.open("/settings/webhooks", { permissions: ["clipboard-read", "clipboard-write"] });
		await page.getByRole("button", { name: "Add a webhook" }).first().click();
		const dialog = page.getByRole("dialog");
		expect(await findings(page, "[role=dialog]")).toEqual([]);
		await dialog.getByLabel("Address").fill("https://192.168.0.1/hook");
		await dialog.getByLabel("Name of the key").fill("Warehouse");
		await dialog.getByLabel("A link was made").check();
		await dialog.getByLabel("A deal was won").check();
		await dialog.getByRole("button", { name: "Add the webhook" }).click();
		await dialog.getByRole("alert").getByText("private network").waitFor();
		app.stage.problems = app.stage.problems.filter((text) => !/Failed to load resource.*417/.test(text));
		// Nobody is there, whatever the machine's name server says.
		await dialog.getByLabel("Address").fill("https://hooks.invalid/trackflow");
		await dialog.getByRole("button", { name: "Add the webhook" }).click();
		await dialog.getByRole("button", { name: "Copy the secret" }).click();
		const secret = await clipboard(page);
		expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
		await dialog.getByRole("button", { name: "I have kept it" }).click();
		const table = page.getByRole("table", { name: "Webhooks" });
		await table.getByText("deal.won").waitFor();
		expect(await page.content()).not.toContain(secret.slice(6));

		const more = (event: string) => table.getByRole("row").filter({ hasText: event }).getByRole("button", { name: "More" });
		await more("link.created").click();
		await page.getByRole("menuitem", { name: "Test" }).click();
		await page.getByText("The host hooks.invalid is not found.").first().waitFor();
		const sent = page.getByRole("table", { name: "Last deliveries" });
		await sent.getByText("ping").waitFor();

		await app.stage.call("frappe.client.insert", { doc: { doctype: "Tracked Link", target_url: "https://shop.example.com/new" } });
		await page.getByRole("button", { name: "Refresh" }).click();
		await sent.getByRole("row").filter({ hasText: "link.created" }).getByRole("button", { name: /^Send/ }).click();
		await page.getByText("It is sent again.").first().waitFor();
		await settled(page);
		await expectSound(page);

		await more("deal.won").click();
		await page.getByRole("menuitem", { name: "Remove" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
		await table.getByText("deal.won").waitFor({ state: "detached" });
		await page.context().close();
	});
});

test("health says what the checks say", async () => {
	const page = await app.open("/settings/health");
	const { checks, ok } = await app.stage.read("trackflow.api.health.get_metrics");
	await page.getByRole("heading", { name: ok ? "Nothing is wrong" : "Something is wrong" }).waitFor();
	await page.getByRole("button", { name: /^Show \d+ that are fine/ }).click();
	for (const { check } of checks) expect(await page.locator("#main").getByText(check, { exact: true }).count(), check).toBeGreaterThan(0);
	await page.getByText("Work out daily figures").waitFor();
	await page.context().close();
});

describeLooks(app, () =>
	["", "/consent", "/attribution", "/retention", "/crm-sync", "/api-keys", "/webhooks", "/health", "/more"].map((path) => `/settings${path}`));

test("a Campaign Manager has no settings, and is told so", async () => {
	const page = await app.openAs("campaigns.settings@example.com", "Campaign Manager");
	expect(await page.getByRole("link", { name: "Settings" }).count()).toBe(0);
	for (const path of ["/settings", "/settings/health", "/settings/websites/news.example.com"]) {
		await page.goto(`${app.stage.url}/trackflow${path}`);
		await page.getByText("The settings are for TrackFlow Managers").waitFor();
	}
	await page.context().close();
});
