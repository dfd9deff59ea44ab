import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { type Browser, chromium, type Frame, type Page } from "playwright-core";
import { WEB_FORMS } from "../../build.mjs";
import { CHROMIUM } from "../chromium";

const ACCEPT = "/api/method/frappe.website.doctype.web_form.web_form.accept";
const [OURS, THEIRS] = ["v_00000000000000aa", "v_00000000000000bb"];
const HEADER = "x-trackflow-visitor";
const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline' http://127.0.0.1:*; connect-src http://127.0.0.1:*; frame-src http://127.0.0.1:*";

/** The website script, as far as it is asked here: who the visitor is, "" where that may not be known; it remembers what it was asked. */
const knows = (id: string): string =>
	`<script>asked=[];trackflow=(command,callback)=>(asked.push(command),callback?.(${JSON.stringify(id)}),${JSON.stringify(id)})</script>`;

class Place {
	origin = "";
	body = "";
	posts: { path: string; headers: IncomingHttpHeaders }[] = [];
	private server?: Server;

	async start(): Promise<void> {
		this.server = createServer((request, response) => {
			const path = new URL(request.url!, "http://x").pathname;
			if (request.method === "POST") this.posts.push({ path, headers: request.headers });
			response.setHeader("Access-Control-Allow-Origin", "*").setHeader("Access-Control-Allow-Headers", "content-type");
			response.setHeader("Content-Security-Policy", POLICY);
			if (path === "/forms.js") response.setHeader("Content-Type", "text/javascript").end(readFileSync(WEB_FORMS));
			else if (request.method === "GET") response.setHeader("Content-Type", "text/html").end(`<!doctype html><title>x</title>${this.body}<input>`);
			else response.end("{}");
		});
		await new Promise<void>((listening) => this.server!.listen(0, "127.0.0.1", listening));
		this.origin = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
	}

	stop(): void {
		this.server?.closeAllConnections();
		this.server?.close();
	}
}

/** Where TrackFlow and its forms are, and a website elsewhere. */
const [home, shop] = [new Place(), new Place()];
const problems: string[] = [];
let browser: Browser;
const tag = (): string => `<script src="${home.origin}/forms.js"></script>`;

before(async () => {
	await home.start();
	await shop.start();
	browser = await chromium.launch(CHROMIUM);
});
after(async () => {
	await browser?.close();
	home.stop();
	shop.stop();
});
afterEach(() => {
	assert.deepEqual(problems.splice(0), []);
	home.posts = [];
	shop.posts = [];
});

async function open(address: string): Promise<Page> {
	const page = await browser.newPage();
	page.on("pageerror", (error) => problems.push(String(error)));
	page.on("console", (message) => {
		if (/Content Security Policy/.test(message.text())) problems.push(message.text());
	});
	await page.goto(address);
	return page;
}

/** Send something as pages of Frappe do, by XMLHttpRequest, and as those of CRM do. */
const byRequest = (page: Page | Frame, address: string, method = "POST"): Promise<void> =>
	page.evaluate(
		([method, address]) =>
			new Promise<void>((over) => {
				const request = new XMLHttpRequest();
				request.open(method, address);
				request.onloadend = () => over();
				request.send(method === "POST" ? "cmd=x" : null);
			}),
		[method, address],
	);
const byFetch = (page: Page | Frame, address: string): Promise<string> =>
	page.evaluate(async (address) => (await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" })).text(), address);

const told = (place: Place): unknown[] => place.posts.map(({ headers }) => headers[HEADER]);

describe("CRM-7: the visitor goes along with a Web Form", () => {
	test("in the ways in which Frappe and CRM send it", async () => {
		home.body = knows(OURS) + tag();
		const page = await open(home.origin);
		await byRequest(page, "/");
		await byRequest(page, ACCEPT);
		assert.equal(await byFetch(page, ACCEPT), "{}");
		assert.deepEqual(told(home), [OURS, OURS, OURS]);
		assert.equal(home.posts[2].headers["content-type"], "application/json");
		await page.close();
	});

	test("the visit is sent before, when somebody turns to the form", async () => {
		home.body = knows(OURS) + tag();
		const page = await open(home.origin);
		assert.deepEqual(await page.evaluate("asked"), []);
		await page.locator("input").focus();
		await page.waitForFunction("asked.includes('flush')");
		await page.close();
	});

	test("with a tag that is there twice, once", async () => {
		home.body = knows(OURS) + tag() + tag();
		const page = await open(home.origin);
		await byRequest(page, "/");
		assert.deepEqual(told(home), [OURS]);
		await page.close();
	});

	test("with nothing else, and to nobody else", async () => {
		home.body = knows(OURS) + tag();
		const page = await open(home.origin);
		await byFetch(page, "/api/method/trackflow.api.tracking.track_event");
		await byFetch(page, shop.origin + ACCEPT);
		await byRequest(page, shop.origin + "/");
		assert.deepEqual([...told(home), ...told(shop)], [undefined, undefined, undefined]);
		await page.close();
	});

	test("not where the visitor may not be known, or no script is", async () => {
		for (const script of [knows(""), "", "<script>trackflow=()=>{throw 1}</script>"]) {
			home.body = script + tag();
			const page = await open(home.origin);
			await byRequest(page, "/");
			await byFetch(page, ACCEPT);
			await page.close();
		}
		assert.deepEqual(told(home), Array(6).fill(undefined));
	});

	test("of the page around it, where another website embeds the form and has the tag", async () => {
		home.body = tag();
		shop.body = `${knows(THEIRS)}${tag()}<iframe src="${home.origin}/form"></iframe>`;
		const page = await open(shop.origin);
		const form = page.frames()[1];
		await form.locator("input").focus();
		await form.waitForFunction(() => document.hasFocus());
		await page.waitForTimeout(200);
		// Before the form is sent, so is the visit that led to it.
		assert.equal(await page.evaluate("asked.at(-1)"), "flush");
		await byRequest(form, "/");
		await byFetch(form, ACCEPT);
		assert.deepEqual(told(home), [THEIRS, THEIRS]);
		await page.close();
	});

	test("of the page around it on the same site", async () => {
		home.body = `${knows(OURS)}<iframe srcdoc="" name="form"></iframe>`;
		const page = await open(home.origin);
		home.body = tag();
		await page.frame("form")!.goto(`${home.origin}/form`);
		assert.deepEqual(await page.evaluate("asked"), []);
		await page.frame("form")!.locator("input").focus();
		await page.waitForFunction("asked.includes('flush')");
		await byRequest(page.frame("form")!, "/");
		assert.deepEqual(told(home), [OURS]);
		await page.close();
	});

	test("SEC-3: a website tells its visitor to nobody but the site that the script came from", async () => {
		home.body = "";
		// A stranger's page asks, in a frame of a website that has the tag.
		const spy = new Place();
		await spy.start();
		spy.body = `<script>heard=[];addEventListener("message",(event)=>heard.push(event.data));parent.postMessage("trackflow:who","*")</script>`;
		shop.body = `${knows(THEIRS)}${tag()}<iframe src="${spy.origin}/"></iframe>`;
		const page = await open(shop.origin);
		await page.waitForTimeout(300);
		assert.deepEqual(await page.frames()[1].evaluate("heard"), []);
		await page.close();
		spy.stop();
	});
});
