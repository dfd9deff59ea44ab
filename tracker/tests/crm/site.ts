/**
 * A site with Frappe CRM and TrackFlow, which is named or which TRACKFLOW_CRM_URL names, and people on it. Everything is asked of it by the
 * browser, which knows where *.localhost is. What is made here is made for the test, and removed as far as Frappe lets it go.
 */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { CHROMIUM } from "../chromium";

export type Row = Record<string, any>;

/** Headless Chromium's own would mark it as a robot. */
const AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const PATIENCE = 30_000;
const STORING = 90_000;
/** What CRM itself throws: some versions ask Frappe for what others of Frappe's do not know. */
const CRMS_OWN = "frappe.onboarding.";

export interface Login {
	url: string;
	user: string;
	password: string;
}

const named = (): Login => ({ url: process.env.TRACKFLOW_CRM_URL!, user: process.env.TRACKFLOW_CRM_USER!, password: process.env.TRACKFLOW_CRM_PASSWORD! });

export class Site {
	readonly url: string;
	/** Exceptions in pages, and what the console says of our files. */
	problems: string[] = [];
	private browser?: Browser;
	private admin?: Page;
	private made: [doctype: string, name: string][] = [];

	/** `home` is a page that tells who is logged in how to send what changes something. */
	constructor(private readonly login: Login = named(), private readonly home = "/crm") {
		this.url = login.url.replace(/\/$/, "");
	}

	async start(): Promise<void> {
		this.browser = await chromium.launch({ ...CHROMIUM, args: [...CHROMIUM.args, `--user-agent=${AGENT}`] });
		this.admin = await this.person(this.login.user, this.login.password);
		await this.admin.goto(this.url + this.home);
	}

	async stop(): Promise<void> {
		for (const [doctype, name] of this.made.reverse())
			await this.remove(doctype, name).catch((error) => console.log(`Left behind: ${doctype} ${name}: ${String(error).slice(0, 300)}`));
		await this.browser?.close();
	}

	/** Somebody who has logged in, with a browser of their own. */
	async person(user: string, password: string, options: BrowserContextOptions = {}): Promise<Page> {
		const page = await this.guest(options);
		await page.goto(`${this.url}/login`);
		const status = await page.evaluate(
			async (body) => (await fetch("/api/method/login", { method: "POST", body: new URLSearchParams(body) })).status,
			{ usr: user, pwd: password },
		);
		if (status !== 200) throw new Error(`${user} could not log in: ${status}`);
		return page;
	}

	/** Somebody who is not logged in, on a page that is still empty, and whose pages must not break. */
	async guest(options: BrowserContextOptions = {}): Promise<Page> {
		const context = await this.browser!.newContext({ viewport: { width: 1100, height: 700 }, ...options });
		context.setDefaultTimeout(PATIENCE);
		const page = await context.newPage();
		page.on("pageerror", (error) => {
			if (!String(error).includes(CRMS_OWN)) this.problems.push(`${page.url()}: ${error.stack || error}`);
		});
		page.on("console", (message) => {
			const text = `${message.text()} ${message.location().url}`;
			if (message.type() === "error" && /trackflow/i.test(text)) this.problems.push(text);
		});
		return page;
	}

	/** Somebody whom the site does not know, on a page of its host. */
	async stranger(): Promise<Page> {
		const page = await (await this.browser!.newContext()).newPage();
		await page.goto(`${this.url}/login`);
		return page;
	}

	async make(doctype: string, values: Row): Promise<Row> {
		const row = await this.ask("POST", `/api/resource/${doctype}`, values);
		this.note(doctype, row.name);
		return row;
	}

	/** Something of the test's that something else made; removed in the end. */
	note(doctype: string, name: string): void {
		this.made.push([doctype, name]);
	}

	change = (doctype: string, name: string, values: Row): Promise<Row> =>
		this.ask("PUT", `/api/resource/${doctype}/${encodeURIComponent(name)}`, values);

	remove = (doctype: string, name: string): Promise<Row> =>
		this.ask("DELETE", `/api/resource/${doctype}/${encodeURIComponent(name)}`);

	rows = (doctype: string, filters: Row): Promise<Row[]> =>
		this.ask("GET", `/api/resource/${doctype}?${new URLSearchParams({ filters: JSON.stringify(filters), fields: '["*"]', limit_page_length: "0" })}`);

	/** Have these rows, which the test caused, removed in the end. */
	async noteAll(doctype: string, filters: Row): Promise<void> {
		for (const { name } of await this.rows(doctype, filters)) this.note(doctype, name);
	}

	/** As the administrator, by the session of the page that is their home. */
	async ask(method: string, path: string, values?: Row): Promise<any> {
		const [ok, text] = await this.admin!.evaluate(
			async ([method, path, body]) => {
				const headers = { "Content-Type": "application/json", Accept: "application/json", "X-Frappe-CSRF-Token": (window as any).csrf_token ?? JSON.parse(document.getElementById("boot")!.textContent!).csrf_token };
				const response = await fetch(path!, { method: method!, headers, body });
				return [response.ok, await response.text()] as const;
			},
			[method, path, values && JSON.stringify(values)] as const,
		);
		if (!ok) throw new Error(`${method} ${path}: ${text.slice(0, 2000)}`);
		const answer = JSON.parse(text);
		return answer.data ?? answer.message;
	}

	/** Ask until the answer is yes: workers, or a drain, store what visitors send. */
	async until(what: string, done: () => Promise<boolean>): Promise<void> {
		for (const end = Date.now() + STORING; !(await done()); await new Promise((over) => setTimeout(over, 1000)))
			if (Date.now() > end) throw new Error(`Waited in vain for ${what}. Does a worker of the site run?`);
	}
}
