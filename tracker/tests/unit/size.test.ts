import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import {
	BANNER, bundle, bundleBanner, bundleCrm, bundleWebForms, CRM, gzipSize, MAX_SIZE, OUTPUT, WEB_FORMS,
} from "../../build.mjs";

test("EVT-1: the script is at most 2,048 bytes gzipped, by the zlib of this Node and by that of web servers, both at level 9", () => {
	assert.equal(MAX_SIZE, 2048);
	const text = readFileSync(OUTPUT, "utf8");
	const size = gzipSize(text);
	assert.ok(size >= gzipSync(text, { level: 9 }).length && size <= MAX_SIZE, `${size} bytes`);
});

test("EVT-1: the file that is served is what the source builds", async () => {
	assert.equal(readFileSync(OUTPUT, "utf8"), await bundle(), "run `npm run build` in tracker/ and commit the file");
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
