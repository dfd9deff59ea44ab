import assert from "node:assert/strict";
import { test } from "node:test";
import { backOff, clickIdIn, cookieIn, hex, isFinal, pageOf } from "../../src/text";

test("EVT-4: the fragment makes no other page, unless it is a route", () => {
	assert.equal(pageOf("https://shop.example/a?b=c#top"), "https://shop.example/a?b=c");
	assert.equal(pageOf("https://shop.example/a#"), "https://shop.example/a");
	assert.equal(pageOf("https://shop.example/#/basket"), "https://shop.example/#/basket");
	assert.equal(pageOf("https://shop.example/#!basket"), "https://shop.example/#!basket");
	assert.notEqual(pageOf("https://shop.example/a?b=c"), pageOf("https://shop.example/a?b=d"));
});

test("a cookie is found by its whole name", () => {
	assert.equal(cookieIn("a=1; trackflow_visitor=v_1; b=2", "trackflow_visitor"), "v_1");
	assert.equal(cookieIn("trackflow_visitor=v_1", "trackflow_visitor"), "v_1");
	assert.equal(cookieIn("xtrackflow_visitor=v_1", "trackflow_visitor"), undefined);
	assert.equal(cookieIn("", "trackflow_visitor"), undefined);
});

test("RED-6: the click id is found in the page's address, else in the referrer", () => {
	assert.equal(clickIdIn("https://shop.example/?utm_source=x&tfclid=ab.cd-_1#top "), "ab.cd-_1");
	assert.equal(clickIdIn("https://shop.example/ https://shop.example/?tfclid=first&b=1"), "first");
	assert.equal(clickIdIn("https://shop.example/?nottfclid=x "), undefined);
	assert.equal(clickIdIn("https://shop.example/?tfclid= "), undefined);
});

test("EVT-4: ids have a digit per random byte", () => {
	assert.equal(hex(new Uint8Array([0, 1, 15, 16, 31, 255])), "01f0ff");
});

test("EVT-4: waits grow with each failure, and differ between visitors", () => {
	assert.equal(backOff(1, 3000, 0), 3000);
	assert.equal(backOff(1, 3000, 0.5), 4500);
	for (let failures = 1; failures < 50; failures++)
		assert.ok(backOff(failures + 1, 3000, 0) > backOff(failures, 3000, 0));
});

test("EVT-4: what the collector took or refused for good is settled, the rest is tried again", () => {
	for (const status of [200, 202, 400, 401, 403, 413]) assert.ok(isFinal(status), String(status));
	for (const status of [429, 500, 502, 503]) assert.ok(!isFinal(status), String(status));
});
