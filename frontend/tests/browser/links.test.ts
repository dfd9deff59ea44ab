/** UI-1, UI-3: links; from a pasted address to a link that works, many at once, and what one of them brought. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { describeLooks, expectSound, findings, HOSTILE, settled, useApp, type Page } from "./app";

const app = useApp();
const TARGET = "https://shop.example.com/products?color=green#new";

/** The link of the demo, as it is stored now. */
const demo = async () => (await app.stage.list("Tracked Link", { short_code: "demo-mail" }))[0];
/** Answers that are no success are noted by the browser; these were meant. */
const forgive = (pattern: RegExp) => expect(app.stage.problems.splice(0).filter((text) => !pattern.test(text))).toEqual([]);
const preview = (page: Page, part: string) => page.locator(`[data-preview=${part}]`);
const card = async (page: Page, label: string) =>
	(await page.locator("#main").getByText(label, { exact: true }).first().locator("..").locator("span").nth(1).innerText()).trim();
const cells = (page: Page, row: string) => page.getByRole("row", { name: row }).getByRole("cell").allInnerTexts();

async function withClipboard(page: Page): Promise<() => Promise<string>> {
	await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: app.stage.url });
	return () => page.evaluate(() => navigator.clipboard.readText());
}

async function saved(page: Page, act: () => Promise<void>): Promise<{ name: string; content: Buffer }> {
	const [file] = await Promise.all([page.waitForEvent("download"), act()]);
	return { name: file.suggestedFilename(), content: await readFile(await file.path()) };
}

describe("the list", () => {
	test("has the figures of the links, and copies their short URLs", async () => {
		const page = await app.open("/links");
		const read = await withClipboard(page);
		const link = await demo();
		const shown = await cells(page, "Demo: newsletter of spring");
		expect(shown.slice(1, 8)).toEqual(["Demo: newsletter of spring", `${new URL(app.stage.url).host}/r/demo-mail`, "Demo Newsletter", "Active", String(link.click_count), String(link.scan_count), String(link.conversion_count)]);
		await page.getByRole("button", { name: "Copy demo-mail" }).click();
		await page.getByText("Copied", { exact: true }).first().waitFor();
		const url = await read();
		const answer = await fetch(url, { redirect: "manual" });
		expect([answer.status, answer.headers.get("location")?.startsWith(link.target_url.split("?")[0])]).toEqual([302, true]);
		await page.context().close();
	});

	test("is sorted, searched and filtered by the server, and its address says how", async () => {
		const page = await app.open("/links");
		await page.getByRole("button", { name: "Clicks" }).click();
		await page.waitForURL(/sort=-click_count/);
		await settled(page);
		const codes = (await app.stage.list("Tracked Link", {}, ["short_code", "click_count"])).sort((a, b) => b.click_count - a.click_count);
		expect(await page.locator("tbody tr").first().innerText()).toContain(codes[0].short_code);

		await page.getByLabel("Search title, code, target").fill("station");
		await page.waitForURL(/search=station/);
		await settled(page);
		expect(await page.locator("tbody tr").count()).toBe(1);
		await page.getByRole("combobox", { name: "Status" }).click();
		await page.getByRole("option", { name: "Paused" }).click();
		await page.getByText("Nothing fits").waitFor();

		await page.goto(`${app.stage.url}/trackflow/links?campaign=Demo+Newsletter`);
		await settled(page);
		expect(await page.locator("tbody tr").count()).toBe(1);
		expect(await page.getByLabel("Campaign", { exact: true }).inputValue()).toBe("Demo Newsletter");
		await page.context().close();
	});

	test("exports what it shows, and pictures of what is marked", async () => {
		const page = await app.open("/links?search=station");
		const exported = await saved(page, async () => {
			await page.getByRole("button", { name: "More actions" }).click();
			await page.getByRole("menuitem", { name: "Export this list as CSV" }).click();
		});
		const lines = exported.content.toString("utf8").trim().split("\n");
		expect([exported.name, lines.length]).toEqual(["tracked-links.csv", 2]);
		expect(lines[1]).toContain("demo-poster");

		await page.goto(`${app.stage.url}/trackflow/links`);
		await settled(page);
		await page.getByRole("checkbox", { name: "Mark all on this page" }).check();
		await page.getByRole("region", { name: "Marked links" }).waitFor();
		const pictures = await saved(page, () => page.getByRole("button", { name: "QR codes as SVG" }).click());
		expect(pictures.name).toBe("qr-codes.zip");
		expect(pictures.content.subarray(0, 2).toString()).toBe("PK");
		for (const code of ["demo-mail", "demo-poster"]) expect(pictures.content.includes(`${code}.svg`)).toBe(true);
		await page.context().close();
	});
});

describe("a new link", () => {
	test("is seen while it is typed, works when it is saved, and leads to the next", async () => {
		const page = await app.open("/links");
		const read = await withClipboard(page);
		await page.getByRole("button", { name: "Create link" }).click();
		await page.waitForURL(/\/links\/new$/);
		await page.getByLabel("Target URL").fill(TARGET);
		await expect.poll(() => preview(page, "destination").innerText()).toBe(TARGET);
		const first = await preview(page, "short-url").innerText();
		expect(first).toMatch(/\/r\/[2-9a-z]{6}$/);

		await page.getByLabel("Campaign", { exact: true }).fill("newsl");
		await page.getByRole("option", { name: "Demo Newsletter" }).click();
		await page.getByLabel("Content").fill("top");
		const destination = `${TARGET.replace("#new", "")}&utm_source=newsletter&utm_medium=email&utm_campaign=demo-newsletter&utm_content=top#new`;
		await expect.poll(() => preview(page, "destination").innerText()).toBe(destination);
		// A code that was made stays while the rest is typed.
		expect(await preview(page, "short-url").innerText()).toBe(first);
		expect(await page.getByAltText("QR code of the short URL").getAttribute("src")).toMatch(/^data:image\/svg\+xml;base64,/);
		expect(await app.stage.list("Tracked Link", { content: "top" })).toEqual([]);

		await page.getByRole("button", { name: "Create link" }).click();
		await page.getByRole("heading", { name: "The link works" }).waitFor();
		await page.getByRole("button", { name: "Copy the short URL" }).click();
		const url = await read();
		expect(url).toBe(`http://${first}`);
		const answer = await fetch(url, { redirect: "manual", headers: { "User-Agent": "curl/8" } });
		expect([answer.status, answer.headers.get("location")]).toEqual([302, destination]);
		const code = await saved(page, () => page.getByRole("button", { name: "QR code as PNG" }).click());
		expect([code.name, code.content.subarray(1, 4).toString()]).toEqual([`${first.split("/").pop()}.png`, "PNG"]);
		await expectSound(page);

		await page.getByRole("button", { name: "Create another" }).click();
		expect(await page.getByLabel("Campaign", { exact: true }).inputValue()).toBe("Demo Newsletter");
		expect(await page.getByLabel("Target URL").inputValue()).toBe("");
		expect(await page.evaluate(() => document.activeElement?.getAttribute("type"))).toBe("url");
		await page.context().close();
	});

	test("says what is wrong and what is doubtful, at the field", async () => {
		const page = await app.open(`/links/new?target_url=${encodeURIComponent("https://shop.example.com/?fbclid=1")}`);
		await page.getByText("The target holds fbclid").waitFor();
		await page.getByLabel("Source").fill("newsleter");
		await page.getByLabel("Medium").fill("email");
		await page.getByText("Write newsletter.").waitFor();
		await page.getByLabel("Short code").fill("demo-mail");
		await page.getByText("The short code demo-mail is already in use.").waitFor();
		expect(await page.getByLabel("Short code").getAttribute("aria-invalid")).toBe("true");
		await expectSound(page);
		await page.getByRole("button", { name: "Create link" }).click();
		await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe(await page.getByLabel("Short code").getAttribute("id"));
		await page.getByLabel("Target URL").fill(`${app.stage.url}/r/demo-mail`);
		await page.getByText("visitors would go in circles").waitFor();
		expect(await app.stage.list("Tracked Link", { source: "newsleter" })).toEqual([]);
		await page.context().close();
	});

	test("can be made by keyboard alone", async () => {
		const page = await app.open("/links/new");
		await page.getByLabel("Target URL").focus();
		await page.keyboard.type("https://shop.example.com/by-keyboard");
		await page.keyboard.press("Enter");
		await page.getByRole("heading", { name: "The link works" }).waitFor();
		// Whoever hears the page is told, and goes on from there.
		expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("The link works");
		await page.context().close();
	});
});

describe("many links", () => {
	test("one target becomes a link for each place", async () => {
		const page = await app.open("/campaigns/Demo%20Newsletter");
		await page.getByRole("button", { name: "More actions" }).click();
		await page.getByRole("menuitem", { name: "Generate links…" }).click();
		await page.waitForURL(/\/links\/import\?campaign=Demo(\+|%20)Newsletter/);
		await page.getByLabel("Target URL").fill("https://shop.example.com/places");
		await page.getByRole("button", { name: "LinkedIn", exact: true }).click();
		await page.getByRole("button", { name: "Another place" }).click();
		// Who adds a row goes on in it.
		await page.keyboard.type("Fair");
		const rows = page.getByRole("list", { name: "Links to be made" }).getByRole("listitem");
		await rows.nth(1).getByLabel("Source").fill("fair, hall 3");
		await rows.nth(1).getByLabel("Short code").fill("fair-3");
		await expectSound(page);
		await page.getByRole("button", { name: "Preview" }).click();
		await page.getByRole("button", { name: "Create 2 links" }).click();
		await page.getByText("2 links made, 0 rows left out").waitFor();
		const made = await app.stage.list("Tracked Link", { target_url: "https://shop.example.com/places" }, ["title", "destination_url"]);
		const of = (source: string, medium: string) => `https://shop.example.com/places?utm_source=${source}&utm_medium=${medium}&utm_campaign=demo-newsletter`;
		expect(made.sort((a, b) => a.title.localeCompare(b.title))).toEqual([
			{ title: "Fair", destination_url: of("fair%2C%20hall%203", "email") },
			{ title: "LinkedIn", destination_url: of("linkedin", "social") },
		]);
		await page.context().close();
	});

	test("pasted addresses are looked at row by row, then made", async () => {
		const page = await app.open("/links/import?source=paste&campaign=Demo+Poster");
		await page.getByLabel(/^Addresses, one on each line/).fill("https://shop.example.com/bulk-1\nhttps://shop.example.com/bulk-2\nhttp://user:secret@shop.example.com/\n");
		await page.getByRole("button", { name: "Preview" }).click();
		await page.getByText("2 new links, 1 rows that are left out").waitFor();
		await page.getByText("must not carry a user name or password").waitFor();
		await expectSound(page);
		expect(await app.stage.list("Tracked Link", { title: "shop.example.com/bulk-1" })).toEqual([]);
		await page.getByRole("button", { name: "Create 2 links" }).click();
		await page.getByText("2 links made, 1 rows left out").waitFor();
		const [made] = await app.stage.list("Tracked Link", { title: "shop.example.com/bulk-1" });
		expect([made.campaign, made.destination_url]).toEqual(["Demo Poster", "https://shop.example.com/bulk-1?utm_source=poster&utm_medium=offline&utm_campaign=demo-poster"]);
		await expectSound(page);
		// The address leads back to it.
		await page.reload();
		await page.getByText("2 links made, 1 rows left out").waitFor();
		await page.context().close();
	});

	test("a large file is made in the background, and its progress is shown", async () => {
		const page = await app.open("/links/import?source=file");
		const rows = Array.from({ length: 450 }, (_, index) => `https://shop.example.com/file-${index},from a file`);
		await page.getByLabel("A CSV file").setInputFiles({ name: "links.csv", mimeType: "text/csv", buffer: Buffer.from(`URL,Tags,Colour\n${rows.map((row) => `${row},red`).join("\n")}`) });
		await page.getByRole("button", { name: "Preview" }).click();
		await page.getByText("450 new links, 0 rows that are left out").waitFor();
		await page.getByText("that are not read: Colour").waitFor();
		await page.getByRole("button", { name: "Create 450 links" }).click();
		await page.getByRole("progressbar", { name: "Progress of the import" }).waitFor();
		await page.getByText("450 links made, 0 rows left out").waitFor({ timeout: 40_000 });
		expect((await app.stage.list("Tracked Link", { tags: "from a file" }, ["name"])).length).toBe(450);
		await page.context().close();
	});

	test("what is no table is refused in words", async () => {
		const page = await app.open("/links/import?source=paste");
		await page.getByLabel(/^Addresses, one on each line/).fill("nothing that is known\n1");
		await page.getByRole("button", { name: "Preview" }).click();
		await page.getByRole("alert").waitFor();
		expect(await page.getByRole("alert").innerText()).toMatch(/Target URL/);
		forgive(/Failed to load resource.*417/);
		await page.context().close();
	});
});

describe("a link's page", () => {
	test("has the figures of the API, and says where people came from", async () => {
		const link = await demo();
		const page = await app.open(`/links/${link.name}`);
		const { totals, by_device, by_variant } = await app.stage.read("trackflow.api.links.get_link_analytics", { link_name: link.name });
		expect(totals.clicks).toBeGreaterThan(0);
		for (const [label, value] of [["Clicks", totals.clicks], ["QR scans", totals.scans], ["Visitors", totals.unique_visitors], ["Conversions", totals.conversions], ["Robots", totals.bots + totals.prefetches]])
			expect(await card(page, label), label).toBe(String(value));
		expect(await card(page, "Value")).toBe(new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" }).format(totals.revenue));
		for (const [heading, lines] of [["Devices", by_device], ["Variants", by_variant]] as const) {
			const row = page.getByRole("region", { name: heading }).locator("tbody tr").first();
			expect(await row.getByRole("cell").allInnerTexts()).toEqual([lines[0].value, String(lines[0].clicks)]);
		}
		await page.goto(`${app.stage.url}/trackflow/links/${link.name}?from=2020-01-01&to=2020-01-31`);
		await page.getByText("Nobody clicked in this period").waitFor();
		await page.context().close();
	});

	test("changes the link, with what it becomes beside the form", async () => {
		const made = await app.stage.call("trackflow.api.links.create_links", { links: [{ target_url: "https://shop.example.com/edit", short_code: "to-edit" }] });
		const page = await app.open(`/links/${made.rows[0].name}`);
		await page.getByRole("button", { name: "Edit", exact: true }).click();
		const dialog = page.getByRole("dialog", { name: "Edit link" });
		await dialog.getByLabel("Source").fill("newsletter");
		await dialog.getByLabel("Medium").fill("email");
		const destination = "https://shop.example.com/edit?utm_source=newsletter&utm_medium=email";
		await expect.poll(() => preview(page, "destination").innerText()).toBe(destination);
		expect(await findings(page, "[role=dialog]")).toEqual([]);
		await dialog.getByRole("button", { name: "Save" }).click();
		await dialog.waitFor({ state: "hidden" });
		await page.getByText(destination).waitFor();
		const [link] = await app.stage.list("Tracked Link", { short_code: "to-edit" });
		expect(link.destination_url).toBe(destination);

		// Without its code it gets the one that is shown; what was shared before is said to lead nowhere.
		await page.getByRole("button", { name: "Edit", exact: true }).click();
		await dialog.getByLabel("Short code").fill("");
		await dialog.getByText("what was shared or printed before leads nowhere").waitFor();
		await expect.poll(() => preview(page, "short-url").innerText()).toMatch(/\/r\/[2-9a-z]{6}$/);
		const code = (await preview(page, "short-url").innerText()).split("/").pop();
		await dialog.getByRole("button", { name: "Save" }).click();
		await dialog.waitFor({ state: "hidden" });
		expect((await app.stage.list("Tracked Link", { name: link.name }, ["short_code"]))[0].short_code).toBe(code);
		await page.context().close();
	});

	test("archives the link, and lets it work again", async () => {
		const made = await app.stage.call("trackflow.api.links.create_links", { links: [{ target_url: "https://shop.example.com/stop", short_code: "to-stop" }] });
		const page = await app.open(`/links/${made.rows[0].name}`);
		const status = () => fetch(`${app.stage.url}/r/to-stop`, { redirect: "manual" }).then((answer) => answer.status);
		expect(await status()).toBe(302);
		await page.getByRole("button", { name: "More actions" }).click();
		await page.getByRole("menuitem", { name: "Archive" }).click();
		await page.getByRole("button", { name: "Archive", exact: true }).click();
		await page.getByText("Archived", { exact: true }).waitFor();
		expect(await status()).toBe(404);
		await page.getByRole("button", { name: "More actions" }).click();
		await page.getByRole("menuitem", { name: "Enable" }).click();
		await page.getByText("Active", { exact: true }).waitFor();
		expect(await status()).toBe(302);
		await page.context().close();
	});

	test("of a link that is not there says so", async () => {
		const page = await app.open("/links/no-such-link");
		await page.getByRole("alert").waitFor();
		expect(await page.getByRole("alert").innerText()).toContain("not found");
		forgive(/Failed to load resource.*404/);
		await page.context().close();
	});
});

describe("SEC-2: what others write", () => {
	test("is shown as text", async () => {
		const link = { target_url: "https://shop.example.com/hostile", title: HOSTILE, short_code: "hostile", source: HOSTILE };
		const made = await app.stage.call("trackflow.api.links.create_links", { links: [link] });
		const { name } = made.rows[0];
		const headers = { Referer: `https://evil.example/${HOSTILE}`, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36" };
		await fetch(`${app.stage.url}/r/hostile`, { redirect: "manual", headers });
		await app.stage.wait("Click Event", { tracked_link: name, counted: 1 }, 1);
		for (const path of ["/links?search=hostile", `/links/${name}`, "/links/new"]) {
			const page = await app.open(path);
			if (path === "/links/new") {
				await page.getByLabel("Target URL").fill(`https://shop.example.com/?x=${HOSTILE.replace(/ /g, "+")}`);
				await page.getByLabel("Source").fill(HOSTILE);
			}
			await page.getByText("img src=").first().waitFor();
			expect(await page.locator("#main img:not([src^='/api/']):not([src^='data:'])").count()).toBe(0);
			expect(await page.title()).not.toBe("owned");
			await page.context().close();
		}
	});
});

describeLooks(app, async () => {
	const { name } = await demo();
	return ["/links", `/links/${name}`, `/links/new?target_url=${encodeURIComponent(TARGET)}`, "/links/import", "/links/import?source=paste"];
});
