/**
 * What the end-to-end tests play on: a benchless of their own in a temporary folder, with its demo website beside it, and
 * people with an ordinary Chromium. Nothing is played: script, redirect, collector, worker and CRM are the real ones.
 */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CHROMIUM } from "../chromium";

export type { Page };
export type Row = Record<string, any>;

/** Headless Chromium's own would mark it as a robot. Given to the browser as a whole: beacons ignore that of a page. */
const AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
/** What would lead elsewhere than to a site of our own, on SQLite, with the Redis inside the process. */
const FOREIGN = ["BENCHLESS_DB_URL", "BENCHLESS_REDIS_URL", "BENCHLESS_APPS", "FRAPPE_SITE", "SITES_PATH"];
const BENCHLESS = process.env.BENCHLESS!;
/** Stops the server as soon as nobody holds this shell's input open any more: whatever ends the tests, killed or not. */
const KEEPER = 'cat; "$1" stop; rm -rf "$2"';
const STARTING = 120_000;
const PATIENCE = 20_000;

export class Stage {
	url = "";
	shop = "";
	/** What the pages of the website complained of: exceptions, and what their CSP objected to. */
	problems: string[] = [];
	/** Of the sites and their configuration; where another process started it, empty. */
	folder = "";
	private keeper?: ChildProcess;
	private environment: NodeJS.ProcessEnv = {};
	private browser?: Browser;
	private session = "";

	async start(): Promise<void> {
		this.folder = await mkdtemp(join(tmpdir(), "trackflow-e2e-"));
		const port = await freePorts();
		[this.url, this.shop] = [`http://localhost:${port}`, `http://127.0.0.1:${port + 1}`];
		this.environment = { ...process.env, BENCHLESS_SITES: this.folder, PORT: String(port) };
		for (const name of FOREIGN) delete this.environment[name];
		this.keeper = spawn("sh", ["-c", KEEPER, "keeper", BENCHLESS, this.folder], {
			env: this.environment,
			stdio: ["pipe", "ignore", "inherit"],
			detached: true,
		});
		await this.benchless("up");
		await this.benchless("start");
		await until("the demo website", () => fetch(this.shop).then(({ ok }) => ok, () => false));
		await this.enter();
	}

	/** Play on a stage that another process has started, and will stop. */
	static async join(url: string, shop: string): Promise<Stage> {
		const stage = new Stage();
		[stage.url, stage.shop] = [url, shop];
		await stage.enter();
		return stage;
	}

	private async enter(): Promise<void> {
		await this.login();
		this.browser = await chromium.launch({ ...CHROMIUM, args: [...CHROMIUM.args, `--user-agent=${AGENT}`] });
	}

	/** Tell the demo story once: campaigns, links, clicks, visits, leads, a won deal, costs. */
	async tellDemo(): Promise<void> {
		await this.benchless("trackflow", "demo", "--url", this.url, "--shop", this.shop);
	}

	async stop(): Promise<void> {
		await this.browser?.close();
		if (!this.keeper) return;
		const over = once(this.keeper, "exit");
		this.keeper.stdin!.end();
		await over;
	}

	/** A person who was never here, with a browser that does not call itself a robot's. */
	async visitor(options: BrowserContextOptions = {}): Promise<Page> {
		const context = await this.browser!.newContext(options);
		context.setDefaultTimeout(PATIENCE);
		const page = await context.newPage();
		page.on("pageerror", (error) => this.problems.push(String(error)));
		page.on("console", (message) => {
			if (message.type() === "error" || /Content Security Policy/.test(message.text()))
				this.problems.push(message.text());
		});
		return page;
	}

	/** Somebody who is logged in, on a page that is still empty. */
	async member(user = "Administrator", password = "admin", options: BrowserContextOptions = {}): Promise<Page> {
		const page = await this.visitor(options);
		const form = { usr: user, pwd: password };
		const answer = await page.context().request.post(`${this.url}/api/method/login`, { form });
		if (!answer.ok()) throw new Error(`${user} could not log in: ${answer.status()} ${await answer.text()}`);
		return page;
	}

	/** Records of the site that have these values, the oldest first. */
	async list(doctype: string, values: Row, fields: string[] = ["*"]): Promise<Row[]> {
		const query = new URLSearchParams({
			filters: JSON.stringify(values),
			fields: JSON.stringify(fields),
			order_by: "creation asc",
			limit_page_length: "0",
		});
		return (await this.ask("GET", `/api/resource/${doctype}?${query}`)).data;
	}

	/** Wait until there are as many such records as expected, and they are as `ready` wants them. */
	async wait(doctype: string, values: Row, count: number, ready: (row: Row) => boolean = () => true): Promise<Row[]> {
		let rows: Row[] = [];
		const done = async () => {
			rows = await this.list(doctype, values);
			return rows.length === count && rows.every(ready);
		};
		await until(`${count} of ${doctype}`, done, () => JSON.stringify(rows, null, 1) + this.log());
		return rows;
	}

	async change(doctype: string, name: string, values: Row): Promise<void> {
		await this.ask("PUT", `/api/resource/${doctype}/${encodeURIComponent(name)}`, values);
	}

	async call(method: string, values: Row): Promise<any> {
		return (await this.ask("POST", `/api/method/${method}`, values)).message;
	}

	private async login(): Promise<void> {
		const response = await fetch(`${this.url}/api/method/login`, {
			method: "POST",
			body: new URLSearchParams({ usr: "Administrator", pwd: "admin" }),
		});
		const cookie = response.headers.getSetCookie().find((line) => line.startsWith("sid="));
		if (!response.ok || !cookie) throw new Error(`Could not log in: ${response.status} ${await response.text()}`);
		this.session = cookie.split(";")[0];
	}

	/** What a method that reads answers. */
	async read(method: string, values: Record<string, string> = {}): Promise<any> {
		return (await this.ask("GET", `/api/method/${method}?${new URLSearchParams(values)}`)).message;
	}

	private async ask(method: string, path: string, values?: Row): Promise<Row> {
		const response = await fetch(this.url + path, {
			method,
			headers: { Cookie: this.session, Accept: "application/json", "Content-Type": "application/json" },
			body: values && JSON.stringify(values),
		});
		const text = await response.text();
		if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
		return JSON.parse(text);
	}

	private async benchless(...command: string[]): Promise<void> {
		const options = { env: this.environment, cwd: this.folder, timeout: STARTING };
		await promisify(execFile)(BENCHLESS, command, options);
	}

	private log(): string {
		return !this.folder ? "" : "\n" + readFileSync(join(this.folder, "server.log"), "utf8").slice(-4000);
	}
}

/** Ask again and again until the answer is yes; after twenty seconds say what was waited for, and what there was instead. */
async function until(what: string, done: () => Promise<boolean>, instead = () => ""): Promise<void> {
	for (const end = Date.now() + PATIENCE; !(await done()); await new Promise((over) => setTimeout(over, 100)))
		if (Date.now() > end) throw new Error(`Waited in vain for ${what}\n${instead()}`);
}

/** A port that is free, as the next one is: the website takes that. */
async function freePorts(): Promise<number> {
	for (;;) {
		const first = await listen(0);
		const second = await listen(first!.port + 1);
		await first!.close();
		await second?.close();
		if (second) return first!.port;
	}
}

async function listen(port: number): Promise<{ port: number; close: () => Promise<void> } | undefined> {
	const server = createServer();
	const isFree = await new Promise<boolean>((tell) => {
		server.once("error", () => tell(false)).listen(port, "127.0.0.1", () => tell(true));
	});
	const address = server.address();
	if (!isFree || !address || typeof address === "string") return undefined;
	return { port: address.port, close: () => new Promise((closed) => server.close(() => closed())) };
}

