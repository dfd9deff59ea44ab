import assert from "node:assert/strict";
import { test } from "node:test";
import { ANCHOR, FILE, mayTry, randomHex, readCookie } from "../../src/text";

test("EVT-4: the fragment makes no other page, unless it is a route", () => {
	const pageOf = (address: string) => address.replace(ANCHOR, "");
	assert.equal(pageOf("https://shop.example/a?b=c#top"), "https://shop.example/a?b=c");
	assert.equal(pageOf("https://shop.example/a#"), "https://shop.example/a");
	assert.equal(pageOf("https://shop.example/#/basket"), "https://shop.example/#/basket");
	assert.equal(pageOf("https://shop.example/#!basket"), "https://shop.example/#!basket");
	assert.notEqual(pageOf("https://shop.example/a?b=c"), pageOf("https://shop.example/a?b=d"));
});

test("a cookie is found by its whole name", () => {
	const read = (cookie: string) => {
		Object.defineProperty(globalThis, "document", { value: { cookie }, configurable: true });
		return readCookie("trackflow_visitor");
	};
	assert.equal(read("a=1; trackflow_visitor=v_1; b=2"), "v_1");
	assert.equal(read("trackflow_visitor=v_1"), "v_1");
	assert.equal(read("xtrackflow_visitor=v_1"), undefined);
	assert.equal(read(""), undefined);
});

test("EVT-4: ids have as many hexadecimal digits as asked for, and differ", () => {
	const ids = Array.from({ length: 100 }, () => randomHex(32));
	for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
	assert.equal(new Set(ids).size, 100);
	assert.equal(new Set(ids.join("")).size, 16);
	assert.equal(randomHex(0), "");
});

test("EVT-2: files that people keep are downloads, pages are not", () => {
	for (const path of ["/price-list.pdf", "/a/B.DOCX", "/c.xls", "/c.doc", "/d.pptx", "/e.xlsx", "/e.ppt", "/f.zip"]) assert.ok(FILE.test(path), path);
	for (const path of ["/", "/pdf", "/a.html", "/v1.2", "/a.pdf/view", "/apdf", "/a.pdfx", "/a.zipx"]) assert.ok(!FILE.test(path), path);
});

test("EVT-4: tries grow rarer with each failure, by squares and by chance", () => {
	for (const random of [0, 0.5, 0.999]) assert.ok(mayTry(0, random) && mayTry(1, random));
	for (let failures = 2; failures < 50; failures++) {
		const chance = 1 / failures ** 2;
		assert.deepEqual([mayTry(failures, chance * 0.99), mayTry(failures, chance * 1.01)], [true, false]);
	}
});
