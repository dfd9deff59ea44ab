import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { pause, World } from "./world";

declare const trackflowConsent: () => void;

const world = new World();
const TEXTS = {
	"data-text": "May we? <b>Really</b>",
	"data-accept": "Yes, please",
	"data-decline": "No, thanks",
	"data-privacy-url": "/privacy",
	"data-cookie-url": "javascript:alert(1)",
	"data-policy-version": "2026-1",
};

before(() => world.start());
after(() => world.stop());
// The banner works under the website's strict CSP and throws nothing into it.
afterEach(() => assert.deepEqual(world.problems, []));

async function open(texts: Record<string, string> = TEXTS) {
	const page = await world.fresh({ "data-consent": "required" });
	world.banner = texts;
	await page.goto(`${world.site}/first`);
	return page;
}
const bar = (page: Awaited<ReturnType<typeof open>>) => page.getByRole("dialog");

describe("EVT-5: the consent banner", () => {
	test("asks in the texts of its tag, which stay text, with two buttons that look alike", async () => {
		const page = await open();
		await bar(page).waitFor();
		assert.match((await bar(page).textContent())!, /May we\? <b>Really<\/b>/);
		assert.equal(await bar(page).locator("b").count(), 0);
		assert.deepEqual(await bar(page).getByRole("link").evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href)), [
			`${world.site}/privacy`,
		]);
		const styles = await bar(page).getByRole("button").evaluateAll((buttons) => buttons.map((button) => button.getAttribute("style")));
		assert.equal(styles.length, 2);
		assert.equal(styles[0], styles[1]);
		assert.equal(world.deliveries.length, 0);
		assert.equal(await page.evaluate(() => document.cookie), "");
	});

	test("a yes by keyboard releases the visit, and is kept with version and time", async () => {
		const page = await open();
		await bar(page).waitFor();
		await page.keyboard.press("Tab");
		for (let number = 0; number < 4 && !(await isFocused(page, "Yes, please")); number++) await page.keyboard.press("Tab");
		await page.keyboard.press("Enter");
		await world.until(() => world.of("CONSENT").length === 1 && world.of("PAGE_VIEW").length === 1);
		assert.equal(await bar(page).count(), 0);
		assert.equal(world.of("CONSENT")[0].policyVersion, "2026-1");
		assert.equal(await world.cookie("trackflow_consent"), "granted");
		const [version, at] = decodeURIComponent((await world.cookie("trackflow_consent_record"))!).split(" ");
		assert.equal(version, "2026-1");
		assert.ok(Math.abs(Date.parse(at) - Date.now()) < 10_000);
		await page.goto(`${world.site}/second`);
		await pause(400);
		assert.equal(await bar(page).count(), 0);
	});

	test("a no is remembered, and nothing leaves the page", async () => {
		const page = await open();
		await bar(page).getByRole("button", { name: "No, thanks" }).click();
		await page.goto(`${world.site}/second`);
		await pause(400);
		assert.equal(await bar(page).count(), 0);
		assert.equal(world.deliveries.length, 0);
		assert.equal(await world.cookie("trackflow_consent"), "denied");
	});

	test("a new version of the policy asks again", async () => {
		const page = await open();
		await bar(page).getByRole("button", { name: "Yes, please" }).click();
		world.banner = { ...TEXTS, "data-policy-version": "2026-2" };
		await page.goto(`${world.site}/second`);
		await bar(page).waitFor();
	});

	test("an answer can be withdrawn; Escape leaves it as it is and gives the focus back", async () => {
		const page = await open();
		await bar(page).getByRole("button", { name: "Yes, please" }).click();
		await world.until(() => world.of("CONSENT").length === 1);
		await page.evaluate(() => {
			const button = document.createElement("button");
			button.setAttribute("data-trackflow-consent", "");
			button.textContent = "Cookies";
			document.body.append(button);
		});
		await page.click("text=Cookies");
		assert.ok(await isFocused(page, "No, thanks"));
		await page.keyboard.press("Escape");
		assert.equal(await bar(page).count(), 0);
		assert.equal(await page.evaluate(() => document.activeElement!.textContent), "Cookies");
		assert.equal(await world.cookie("trackflow_consent"), "granted");
		await page.evaluate(() => trackflowConsent());
		await bar(page).getByRole("button", { name: "No, thanks" }).click();
		await world.until(() => world.of("CONSENT").length === 2);
		assert.deepEqual([world.of("CONSENT")[1].consent, world.of("CONSENT")[1].policyVersion], ["denied", "2026-1"]);
		assert.equal(await world.cookie("trackflow_visitor"), undefined);
	});

	for (const address of ["http://", "https://[", "mailto:"])
		test(`a link to "${address}" is left out, and the banner asks`, async () => {
			const page = await open({ ...TEXTS, "data-cookie-url": address });
			await bar(page).waitFor();
			assert.equal(await bar(page).getByRole("link").count(), 1);
			await bar(page).getByRole("button", { name: "Yes, please" }).click();
			await world.until(() => world.of("CONSENT").length === 1);
		});

	test("a record that cannot be read is none: the banner asks again", async () => {
		await world.fresh({ "data-consent": "required" });
		await world.setCookie({ name: "trackflow_consent", value: "granted" });
		await world.setCookie({ name: "trackflow_consent_record", value: "%E0%A4%A" });
		const page = await world.newPage();
		world.banner = TEXTS;
		await page.goto(`${world.site}/first`);
		await bar(page).waitFor();
	});

	test("a yes to a new version of the policy is told although the old answer was yes", async () => {
		const page = await open();
		await bar(page).getByRole("button", { name: "Yes, please" }).click();
		await world.until(() => world.of("CONSENT").length === 1);
		world.banner = { ...TEXTS, "data-policy-version": "2026-2" };
		await page.goto(`${world.site}/second`);
		await bar(page).getByRole("button", { name: "Yes, please" }).click();
		await world.until(() => world.of("CONSENT").length === 2);
		assert.deepEqual([world.of("CONSENT")[1].consent, world.of("CONSENT")[1].policyVersion], ["granted", "2026-2"]);
	});

	for (const [name, value] of [["globalPrivacyControl", true], ["doNotTrack", "1"]] as const)
		test(`RED-5: with ${name} it does not ask`, async () => {
			const page = await world.fresh({ "data-consent": "required" });
			world.banner = TEXTS;
			world.pageScript = `Object.defineProperty(navigator, "${name}", { value: ${JSON.stringify(value)} });`;
			await page.goto(`${world.site}/first`);
			await pause(400);
			assert.equal(await bar(page).count(), 0);
		});
});

const isFocused = (page: Awaited<ReturnType<typeof open>>, text: string) =>
	page.evaluate((text) => {
		const host = document.activeElement;
		return host?.shadowRoot?.activeElement?.textContent === text;
	}, text);
