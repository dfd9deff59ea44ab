import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { minify } from "terser";
import {
	BANNER, bundle, bundleBanner, bundleCrm, bundleWebForms, compressed, CRM, gzipSize, MAX_SIZE, OUTPUT, WEB_FORMS,
} from "../../build.mjs";

test("EVT-1: the script is at most 2,048 bytes gzipped", async () => {
	assert.equal(MAX_SIZE, 2048);
	const size = gzipSize(await bundle());
	assert.ok(size <= MAX_SIZE, `${size} bytes`);
});

test("EVT-1: the file that is served is what the source builds", async () => {
	assert.equal(readFileSync(OUTPUT, "utf8"), await bundle(), "run `npm run build` in tracker/ and commit the file");
});

test("EVT-1: choosing names changes nothing but names", async () => {
	const named = async (text: string) => (await minify(text, { compress: false, toplevel: true, mangle: { nth_identifier: { get: (number: number) => `v${number}` } } } as object)).code;
	assert.equal(await named(await bundle()), await named(await compressed()));
});

test("EVT-5: the banner that is served is what the source builds", async () => {
	assert.equal(readFileSync(BANNER, "utf8"), await bundleBanner(), "run `npm run build` in tracker/ and commit the file");
});

test("EVT-5: the banner holds nothing that a strict CSP forbids, and no text that becomes markup", async () => {
	assert.doesNotMatch(await bundleBanner(), /\beval\b|new Function|innerHTML|outerHTML|insertAdjacent|setAttribute\("style|set(Timeout|Interval)\("/);
});

test("CRM-6: what Frappe CRM gets is what the source builds", async () => {
	assert.equal(readFileSync(CRM, "utf8"), await bundleCrm(), "run `npm run build` in tracker/ and commit the file");
});

test("EVT-1: nothing that a strict CSP forbids", async () => {
	assert.doesNotMatch(await bundle(), /\beval\b|new Function|innerHTML|\.style\b|set(Timeout|Interval)\("/);
});

test("CRM-7: what goes along with Web Forms is what the source builds, and holds nothing that a strict CSP forbids", async () => {
	const text = await bundleWebForms();
	assert.equal(readFileSync(WEB_FORMS, "utf8"), text, "run `npm run build` in tracker/ and commit the file");
	assert.doesNotMatch(text, /\beval\b|new Function|innerHTML|set(Timeout|Interval)\("/);
});
