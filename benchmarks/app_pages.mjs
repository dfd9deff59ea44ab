/**
 * Opens pages of the app in Chromium and says how long each took until its content stood: heading there, nothing loading, no error.
 * Asked by benchmarks/app_pages.py: {url, chromium, paths, repeats} on stdin; answers a line of JSON for each page.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../tracker/package.json", import.meta.url))("playwright-core");
const { url, chromium: executablePath, paths, repeats } = JSON.parse(readFileSync(0, "utf8"));

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
const login = await context.request.post(`${url}/api/method/login`, { form: { usr: "Administrator", pwd: "admin" } });
if (!login.ok()) throw new Error(`Could not log in: ${login.status()}`);

for (const path of paths) {
	const times = [];
	let slowest = ["", 0];
	for (let round = 0; round <= repeats; round++) {
		const page = await context.newPage();
		const asked = [];
		page.on("requestfinished", (request) => request.url().includes("/api/") && asked.push([new URL(request.url()).pathname.split(".").pop(), request.timing().responseEnd]));
		const begin = performance.now();
		await page.goto(`${url}/trackflow${path}`, { waitUntil: "commit" });
		await page.waitForFunction(
			() => document.querySelector("#page-header h1") && !document.querySelector("[aria-busy='true'], .animate-pulse, .animate-spin") && !/Loading…/.test(document.getElementById("main").innerText),
			undefined,
			{ polling: "raf", timeout: 120_000 },
		);
		const took = performance.now() - begin;
		const error = await page.getByRole("alert").allInnerTexts();
		if (error.length) throw new Error(`${path}: ${error}`);
		// The first is not counted: caches of browser and server fill.
		if (round) times.push(took);
		if (round) slowest = asked.reduce((most, one) => (one[1] > most[1] ? one : most), ["", 0]);
		await page.close();
	}
	console.log(JSON.stringify({ path, times, slowest }));
}
await browser.close();
