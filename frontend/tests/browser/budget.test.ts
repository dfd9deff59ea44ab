/**
 * UI-1: what the first view of a page takes over the wire, as a web server compresses it (gzip; fonts are compressed already): scripts,
 * styles, fonts. `npm run budget` runs this alone and prints the figures.
 */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { settled, useApp } from "./app";

const app = useApp();
const MOST_BYTES = 300_000;

test.each(["/", "/campaigns/Demo%20Newsletter", "/links", "/links/new", "/visitors", "/attribution", "/spend"])("the first view of %s", async (path) => {
	const page = await app.stage.member();
	const sizes: Promise<[string, number]>[] = [];
	page.on("response", (response) => {
		const { pathname } = new URL(response.url());
		if (!/\.(js|css|woff2)$/.test(pathname)) return;
		sizes.push(response.body().then((body) => [pathname.split("/").pop()!, pathname.endsWith(".woff2") ? body.length : gzipSync(body).length]));
	});
	const begin = performance.now();
	await page.goto(`${app.stage.url}/trackflow${path}`);
	await settled(page);
	const milliseconds = Math.round(performance.now() - begin);
	await page.waitForLoadState("networkidle");
	const found = (await Promise.all(sizes)).sort(([, a], [, b]) => b - a);
	const sum = found.reduce((total, [, size]) => total + size, 0);
	const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1).padStart(7)} kB`;
	const lines = [...found, [`together, of ${kilobytes(MOST_BYTES).trim()}`, sum] as const].map(([name, size]) => `${kilobytes(size)}  ${name}`);
	console.log(`The first view of ${path} is there after ${milliseconds} ms here (not a limit), and takes over the wire:\n${lines.join("\n")}`);
	expect(sum).toBeLessThan(MOST_BYTES);
	await page.context().close();
});
