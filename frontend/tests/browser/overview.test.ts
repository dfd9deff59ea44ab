/** UI-1, UI-3: the overview, and the frame around every page. */
import { describe, expect, test } from "vitest";
import { describeLooks, findings, HOSTILE, PHONE, settled, useApp, type Page } from "./app";

const app = useApp();
const OVERVIEW = "trackflow.api.analytics.get_overview";

/** A figure's card as it stands there. */
const card = async (page: Page, label: string) =>
	(await page.locator("#main").getByText(label, { exact: true }).first().locator("..").locator("span").nth(1).innerText()).trim();

describe("the figures", () => {
	test("are those of the API", async () => {
		const page = await app.open();
		const { figures, value } = await app.stage.read(OVERVIEW);
		expect(figures.sessions.value).toBeGreaterThan(0);
		for (const [label, key] of [["Visitors", "visitors"], ["Sessions", "sessions"], ["Page views", "page_views"], ["Clicks", "clicks"], ["QR scans", "scans"], ["Conversions", "conversions"], ["Robots", "robots"]])
			expect(await card(page, label), label).toBe(String(figures[key].value));
		const [usd] = value.filter(({ currency }: any) => currency === "USD");
		expect(await card(page, "Value (USD)")).toBe(new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" }).format(usd.value));
		await page.context().close();
	});

	test("follow the period, which stands in the address", async () => {
		const page = await app.open();
		await page.getByRole("button", { name: "Last 30 days" }).click();
		await page.getByRole("menuitem", { name: "Last 7 days" }).click();
		await page.waitForURL(/\/trackflow\/\?period=last-7-days$/);
		await settled(page);
		await page.getByRole("button", { name: "Last 7 days" }).waitFor();

		await page.getByRole("button", { name: "Last 7 days" }).click();
		await page.getByRole("menuitem", { name: "Custom range…" }).click();
		await page.getByLabel("From").fill("2020-02-01");
		await page.getByLabel("To", { exact: true }).fill("2020-02-29");
		await page.getByRole("button", { name: "Show", exact: true }).click();
		await page.waitForURL(/from=2020-02-01&to=2020-02-29/);
		await page.getByText("Nothing was counted in this period").waitFor();
		await page.goBack();
		await page.getByRole("button", { name: "Last 7 days" }).waitFor();
		await page.context().close();
	});

	test("what the chart draws is chosen by a card, and by the address", async () => {
		const page = await app.open("?figure=conversions");
		await page.getByRole("heading", { name: "Conversions by day" }).waitFor();
		await page.getByRole("button", { name: /^Clicks/ }).click();
		await page.waitForURL(/figure=clicks/);
		await page.getByRole("heading", { name: "Clicks by day" }).waitFor();
		const { by_day } = await app.stage.read(OVERVIEW);
		const last = by_day[by_day.length - 1];
		const row = page.locator("figure").first().locator("tbody tr").last();
		expect(await row.innerText()).toMatch(new RegExp(`${last.clicks}$`));
		await page.getByRole("button", { name: "Compare" }).click();
		await page.waitForURL(/compare=previous/);
		await page.locator("figcaption", { hasText: "The period before" }).waitFor();
		await page.context().close();
	});

	test("pages of our websites can be opened, hosts that others name cannot", async () => {
		const page = await app.open();
		const { pages, referrers } = await app.stage.read(OVERVIEW, { part: "lists" });
		const [first] = pages.lines.filter(({ name }: any) => name.startsWith(app.stage.shop));
		const link = page.getByRole("link", { name: first.name, exact: true });
		expect([await link.getAttribute("href"), await link.getAttribute("rel")]).toEqual([first.name, "noopener noreferrer"]);
		for (const { name } of referrers.lines) expect(await page.getByRole("link", { name, exact: true }).count(), name).toBe(0);
		await page.context().close();
	});

	test("an error of the server is said in its words, and can be tried again", async () => {
		const page = await app.open("?domain=nowhere.example");
		const alert = page.getByRole("alert");
		await alert.first().waitFor();
		expect(await alert.first().innerText()).toContain("nowhere.example");
		expect(await page.content()).not.toContain("Traceback");
		expect(await page.getByRole("button", { name: "Try again" }).count()).toBeGreaterThan(0);
		// The browser notes every answer that is no success; nothing else may be there.
		const problems = app.stage.problems.splice(0);
		expect(problems.filter((text) => !/Failed to load resource.*417/.test(text))).toEqual([]);
		await page.context().close();
	});
});

describe("live", () => {
	test("a click appears without a reload", async () => {
		const page = await app.open();
		const before = await app.stage.list("Click Event", { event_type: "Click", counted: 1 });
		await page.getByRole("region", { name: "Right now" }).locator("dd").nth(1).waitFor();
		const visitor = await app.stage.visitor();
		await visitor.goto(`${app.stage.url}/r/demo-mail`);
		await visitor.context().close();
		await app.stage.wait("Click Event", { event_type: "Click", counted: 1 }, before.length + 1);
		const { by_minute } = await app.stage.read("trackflow.api.analytics.realtime");
		const clicks = by_minute.reduce((sum: number, one: any) => sum + one.clicks, 0);
		expect(clicks).toBeGreaterThan(0);
		const shown = page.getByRole("region", { name: "Right now" }).locator("dd").nth(1);
		await shown.filter({ hasText: new RegExp(`^${clicks}$`) }).waitFor({ timeout: 30_000 });
		await page.context().close();
	});
});

describe("SEC-2: what visitors write", () => {
	test("is shown as text", async () => {
		const [site] = await app.stage.list("Domain Configuration", {}, ["name", "public_key"]);
		const at = new Date().toISOString();
		const url = `${app.stage.shop}/?utm_source=x&utm_medium=email&utm_campaign=${encodeURIComponent(HOSTILE)}`;
		const sent = await fetch(`${app.stage.url}/api/method/trackflow.api.tracking.track_event`, {
			method: "POST",
			headers: { Origin: app.stage.shop, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36" },
			body: JSON.stringify({
				publicKey: site.public_key,
				events: [{ eventId: `hostile-${Date.now()}`, type: "PAGE_VIEW", url, referrer: `https://evil.example/${HOSTILE}`, title: HOSTILE, timestamp: at, visitorId: "v_00000000000000ee", consent: "granted" }],
			}),
		});
		expect(sent.status, await sent.text()).toBe(202);
		await app.stage.wait("Visitor Event", { visitor: "v_00000000000000ee" }, 1);
		const page = await app.open();
		await page.locator("#main").getByText("img src=x onerror").first().waitFor();
		expect(await page.locator("#main img").count()).toBe(0);
		expect(await page.title()).toBe("Overview · TrackFlow");
		await page.context().close();
	});
});

describeLooks(app, () => ["?period=today&compare=previous", "/no-such-page"]);

describe("the frame", () => {
	test("dark mode is chosen in the menu, and remembered", async () => {
		const page = await app.open();
		const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
		expect(await theme()).toBe("light");
		await page.getByRole("button", { name: "TrackFlow Administrator" }).click();
		expect(await findings(page, "[role=menu]")).toEqual([]);
		await page.getByRole("menuitem", { name: "Dark mode" }).click();
		expect(await theme()).toBe("dark");
		await page.reload();
		await settled(page);
		expect(await theme()).toBe("dark");
		await page.context().close();
	});

	test("the menu can be gone through by keyboard", async () => {
		const page = await app.open("/no-such-page");
		const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim());
		await page.keyboard.press("Tab");
		expect(await focused()).toBe("Skip to content");
		for (let presses = 0; (await focused()) !== "Overview"; presses++) {
			if (presses > 5) throw new Error(`Overview is not reached: ${await focused()}`);
			await page.keyboard.press("Tab");
		}
		await page.keyboard.press("Enter");
		await page.waitForURL(`${app.stage.url}/trackflow/`);
		await page.getByRole("heading", { name: "Channels" }).waitFor();
		// Whoever follows a link begins at the page, not in the menu.
		expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
		expect(await page.getByRole("link", { name: "Overview", exact: true }).first().getAttribute("aria-current")).toBe("page");
		await page.context().close();
	});

	test("on a phone the menu is in a drawer", async () => {
		const page = await app.open("", PHONE);
		const drawer = page.getByRole("dialog", { name: "Menu" });
		expect(await drawer.isVisible()).toBe(false);
		await page.getByRole("button", { name: "Menu" }).tap();
		await drawer.getByRole("link", { name: "Overview" }).waitFor();
		expect(await page.evaluate(() => document.querySelector("dialog")!.contains(document.activeElement))).toBe(true);
		await page.keyboard.press("Escape");
		expect(await drawer.isVisible()).toBe(false);
		await page.context().close();
	});

	test("guests log in, and come to where they wanted to go", async () => {
		const page = await app.stage.visitor();
		await page.goto(`${app.stage.url}/trackflow?period=last-7-days`);
		await page.waitForURL(/\/login\?redirect-to=/);
		await page.getByRole("textbox").first().fill("Administrator");
		await page.locator("input[type=password]").fill("admin");
		await page.keyboard.press("Enter");
		await page.waitForURL(/\/trackflow\/?\?period=last-7-days$/);
		await settled(page);
		// The host's page of the login has no icon.
		expect(app.stage.problems.splice(0).filter((text) => !/404/.test(text))).toEqual([]);
		await page.context().close();
	});
});
