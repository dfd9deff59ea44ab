/**
 * What the tests of every page share: `useApp()` gives them the app in a browser, on the site that setup.ts has started. A page of the
 * app has one file of tests; what holds for all pages is asked for there by `expectSound`.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { type Page, Stage } from "../../../tracker/tests/e2e/stage";

export type { Page };

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const DARK = { colorScheme: "dark" as const };
const LOOKS = [
	["in the light", {}],
	["in the dark", DARK],
	["on a phone", PHONE],
	["on a small phone, in the dark", { ...PHONE, viewport: { width: 375, height: 812 }, ...DARK }],
] as const;
/** Names a folder for a picture of every page in every look, for whoever wants to see them. */
const PICTURES = process.env.TRACKFLOW_APP_SCREENSHOTS;
/** Planted where visitors write; it must never become more than text. */
export const HOSTILE = "<img src=x onerror=\"document.title='owned'\">";

type Options = Parameters<Stage["member"]>[2];

export class App {
	stage!: Stage;

	/** A page of the app, once it shows its heading and waits for nothing. */
	async open(path = "", options: Options = {}): Promise<Page> {
		const page = await this.stage.member("Administrator", "admin", options);
		await page.goto(`${this.stage.url}/trackflow${path}`);
		await settled(page);
		return page;
	}

	/** The same as somebody else, who has this role; made where there is no such user. */
	async openAs(user: string, role: string, path = "", options: Options = {}): Promise<Page> {
		const password = "a-Long-passw0rd";
		if (!(await this.stage.list("User", { name: user }, ["name"])).length) {
			const doc = { doctype: "User", email: user, first_name: role, send_welcome_email: 0, new_password: password, roles: [{ role }] };
			await this.stage.call("frappe.client.insert", { doc });
		}
		const page = await this.stage.member(user, password, options);
		await page.goto(`${this.stage.url}/trackflow${path}`);
		await settled(page);
		return page;
	}
}

export function useApp(): App {
	const app = new App();
	beforeAll(async () => {
		app.stage = await Stage.join(inject("url"), inject("shop"));
	});
	afterEach(async () => {
		// Nothing may have been thrown, and neither the console nor the page's policy had anything to say.
		expect(app.stage.problems.splice(0)).toEqual([]);
	});
	afterAll(() => app.stage?.stop());
	return app;
}

/** Until the page has its heading, and nothing says that it loads. */
export async function settled(page: Page): Promise<void> {
	await page.locator("#page-header h1").waitFor({ state: "attached" });
	await page.waitForFunction(() => !document.querySelector("[aria-busy='true'], .animate-pulse, .animate-spin"));
}

/** What must hold for every page: nothing to be scrolled sideways, nothing that keeps people out who see or use it otherwise. */
export async function expectSound(page: Page): Promise<void> {
	expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), "wider than the screen").toBeLessThanOrEqual(0);
	const main = await page.evaluate(() => {
		const { scrollWidth, clientWidth } = document.getElementById("main")!;
		return scrollWidth - clientWidth;
	});
	expect(main, "content wider than its place").toBeLessThanOrEqual(0);
	expect(await findings(page)).toEqual([]);
}

/** These pages of the app, in every look; `ready` waits for what a page has beside its heading. */
export function describeLooks(app: App, paths: () => string[] | Promise<string[]>, ready: (page: Page, path: string) => Promise<void> = async () => {}): void {
	describe("every page is sound", () => {
		test.each(LOOKS)("%s", async (look, options) => {
			const page = await app.stage.member("Administrator", "admin", options);
			for (const path of await paths()) {
				await page.goto(`${app.stage.url}/trackflow${path}`);
				await settled(page);
				await ready(page, path);
				await expectSound(page);
				if (PICTURES) await photograph(page, `${path} ${look}`);
			}
			await page.context().close();
		});
	});
}

/** The whole of a page, however long. */
async function photograph(page: Page, name: string): Promise<void> {
	const size = page.viewportSize()!;
	const height = await page.evaluate(() => {
		const main = document.getElementById("main")!;
		return innerHeight + main.scrollHeight - main.clientHeight;
	});
	await page.setViewportSize({ ...size, height: Math.min(height, 4000) });
	await page.screenshot({ path: join(PICTURES!, `${name.replace(/[^a-z0-9]+/gi, "-").replace(/^-/, "")}.png`), animations: "disabled" });
	await page.setViewportSize(size);
}

/** What axe-core finds that is serious or worse, in words; within one part of the page, where an open menu has hidden the rest. */
export async function findings(page: Page, within = "html"): Promise<string[]> {
	await page.evaluate(() => document.getAnimations().forEach((one) => one.effect?.getComputedTiming().endTime !== Infinity && one.finish()));
	// By the browser, not by a script tag: the page's policy lets none in.
	await page.evaluate(await axe());
	const violations = await page.evaluate(async (place) => (await (window as any).axe.run(place, { resultTypes: ["violations"] })).violations, within);
	return violations
		.filter(({ impact }: any) => impact === "serious" || impact === "critical")
		.map(({ id, help, nodes }: any) => `${id}: ${help}: ${nodes.map(({ html, failureSummary }: any) => `${html}\n${failureSummary}`).join("\n")}`);
}

let source: string | undefined;
const axe = async () => (source ??= await (await import("node:fs/promises")).readFile(AXE, "utf8"));
