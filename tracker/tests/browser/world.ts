/**
 * What the browser tests play on, all on loopback: a website of two pages and a form under a strict CSP, and a collector
 * that answers as told, remembers what it got, and takes each event id once, as the real one does.
 */
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { readFile, mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BANNER, OUTPUT } from "../../build.mjs";
import { CHROMIUM } from "../chromium";

const SCRIPT = "/assets/trackflow/js/trackflow.js";
const BANNER_SCRIPT = "/assets/trackflow/js/trackflow-consent.js";
export const ENDPOINT = "/api/method/trackflow.api.tracking.track_event";
export const KEY = "pk_0123456789abcdef01234567";

const FORMS = `
	<form id="lead" name="enquiry" method="post" action="/contact" data-trackflow>
	<input name="email" value="ann@example.com"><input name="id" value="7">
	<input type="radio" name="size" value="s"><input type="hidden" name="csrf" value="t"><button>Send</button></form>
	<form id="other" method="post" action="/contact"><input name="q"><button>Find</button></form>`;

type Json = Record<string, any>;
export interface Delivery {
	contentType: string;
	cookie: string;
	path: string;
	publicKey: string;
	sentAt: number;
	events: Json[];
}
export type Behaviour = "take" | "fail" | "hang" | "refuse";

const tagOf = (attributes: Record<string, string>): string =>
	`<script async ${Object.entries(attributes).map(([name, value]) => `${name}="${value.replace(/</g, "&lt;")}"`).join(" ")}></script>`;

const listen = async (answer: (request: IncomingMessage, response: ServerResponse) => void) => {
	const server = createServer(answer);
	await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
	return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
	let text = "";
	for await (const piece of request) text += piece;
	return text;
};

export class World {
	behaviour: Behaviour = "take";
	deliveries: Delivery[] = [];
	/** Forms that the website's own server got. */
	posts: URLSearchParams[] = [];
	/** Attributes of the script tag. */
	tag: Record<string, string> = {};
	/** Served as the page's own script, before the tag. */
	pageScript = "";
	/** What the pages hold, if not a link and forms. */
	body = "";
	/** Attributes of the consent banner's tag; there is none without. */
	banner?: Record<string, string>;
	csp = true;
	/** What the page's CSP allows to connect to, if not the collector. */
	connect = "";
	problems: string[] = [];
	site = "";
	collector = "";
	private servers: Server[] = [];
	private folder = "";
	private browser!: BrowserContext;

	async start(): Promise<void> {
		const site = await listen((request, response) => void this.serve(request, response));
		const collector = await listen((request, response) => void this.collect(request, response));
		this.servers = [site.server, collector.server];
		[this.site, this.collector] = [site.origin, collector.origin];
		this.folder = await mkdtemp(join(tmpdir(), "trackflow-browser-"));
		this.browser = await chromium.launchPersistentContext(this.folder, CHROMIUM);
	}

	async stop(): Promise<void> {
		await this.browser?.close();
		for (const server of this.servers) {
			server.closeAllConnections();
			server.close();
		}
		if (this.folder) await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
	}

	/** A visitor who was never here, and a website as it is by default. */
	async fresh(tag: Record<string, string> = { "data-consent": "none" }): Promise<Page> {
		for (const page of this.browser.pages()) await leave(page);
		await this.browser.clearCookies();
		const page = await this.newPage();
		await page.goto(`${this.site}/empty`);
		await page.evaluate(() => (localStorage.clear(), sessionStorage.clear()));
		this.behaviour = "take";
		this.deliveries = [];
		this.posts = [];
		this.problems = [];
		this.tag = { "data-key": KEY, "data-interval": "150", ...tag };
		this.pageScript = "";
		this.body = "";
		this.banner = undefined;
		this.csp = true;
		this.connect = "";
		return page;
	}

	async newPage(): Promise<Page> {
		const page = await this.browser.newPage();
		page.on("pageerror", (error) => this.problems.push(String(error)));
		page.on("console", (message) => {
			if (/Content Security Policy/.test(message.text())) this.problems.push(message.text());
		});
		return page;
	}

	async cookie(name: string): Promise<string | undefined> {
		return (await this.browser.cookies(this.site)).find((cookie) => cookie.name === name)?.value;
	}

	async setCookie(cookie: { name: string; value: string; httpOnly?: boolean }): Promise<void> {
		await this.browser.addCookies([{ url: this.site, ...cookie }]);
	}

	/** Every event once, in the order of arrival, as the real collector keeps them. */
	get events(): Json[] {
		const all = this.deliveries.flatMap((delivery) => delivery.events);
		return all.filter((event, at) => all.findIndex((other) => other.eventId === event.eventId) === at);
	}

	of(type: string): Json[] {
		return this.events.filter((event) => event.type === type);
	}

	/** Wait until `what` is true; after five seconds say what there was instead. */
	async until(what: () => boolean, seconds = 5): Promise<void> {
		for (const end = Date.now() + seconds * 1000; !what(); await pause(20))
			if (Date.now() > end) throw new Error(`Waited in vain for ${what}\n${JSON.stringify(this.deliveries, null, 1)}`);
	}

	private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const url = new URL(request.url!, this.site);
		if (url.pathname === "/page.js") {
			response.writeHead(200, { "Content-Type": "text/javascript" }).end(this.pageScript);
			return;
		}
		if (request.method === "POST") this.posts.push(new URLSearchParams(await bodyOf(request)));
		const policy =
			`default-src 'none'; script-src 'self' ${this.collector}; connect-src ${this.connect || this.collector}; ` +
			"form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'";
		const scripts = [tagOf({ src: this.collector + SCRIPT, ...this.tag })];
		if (this.banner) scripts.push(tagOf({ src: this.collector + BANNER_SCRIPT, ...this.banner }));
		const body = url.pathname === "/empty" ? "" : `<script src="/page.js"></script>${scripts.join("")}`;
		response
			.writeHead(200, {
				"Content-Type": "text/html; charset=utf-8",
				"Cache-Control": url.searchParams.has("cache") ? "private, max-age=60" : "no-cache",
				...(this.csp ? { "Content-Security-Policy": policy } : {}),
			})
			.end(
				`<!doctype html><html lang="en"><title>Page ${url.pathname}</title>${body}${this.body || '<a href="/second">Second</a>'}` +
					(this.body || url.pathname.startsWith("/plain") ? "" : FORMS),
			);
	}

	private async collect(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const path = new URL(request.url!, this.collector).pathname;
		if (path === SCRIPT || path === BANNER_SCRIPT) {
			response.writeHead(200, { "Content-Type": "text/javascript" }).end(await readFile(path === SCRIPT ? OUTPUT : BANNER));
			return;
		}
		const body = await bodyOf(request);
		const { "content-type": contentType = "", cookie = "", origin = "" } = request.headers;
		this.deliveries.push({ contentType, cookie, path, ...JSON.parse(body) });
		if (this.behaviour === "hang") return;
		const statuses = { take: 202, fail: 500, refuse: 403 };
		const readable = this.behaviour === "refuse" ? {} : { "Access-Control-Allow-Origin": origin };
		response.writeHead(statuses[this.behaviour], { "Content-Type": "application/json", ...readable }).end("{}");
	}
}

/** Chromium forgets to close a page that is on its way to another one, and nobody is told: so it is led out first. */
async function leave(page: Page): Promise<void> {
	await page.goto("about:blank");
	await page.close();
}

export const pause = (milliseconds: number): Promise<void> => new Promise((over) => setTimeout(over, milliseconds));
