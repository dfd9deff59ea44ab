/**
 * A website of somebody's own, on an origin of its own, with the website script: it knows the site by its address alone. Its form is
 * answered as a website's server does, which passes on what was typed, and what the script put into the form.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Site } from "../../../tracker/tests/crm/site";

const HOST = "127.0.0.1";
const SETTINGS = "TrackFlow Settings";
/** What the test's visitors need: they come from this machine, and are asked for nothing. */
const OPEN = { enable_tracking: 1, exclude_internal_traffic: 0, cookie_consent_required: 0 };

export class Shop {
	url = "";
	/** What went wrong when somebody sent the form. */
	problems: unknown[] = [];
	private tag = "";
	private server?: Server;
	private former: Record<string, unknown> = {};

	constructor(private readonly site: Site) {}

	async start(): Promise<void> {
		const settings = await this.site.ask("GET", `/api/resource/${SETTINGS}/${SETTINGS}`);
		this.former = Object.fromEntries(Object.keys(OPEN).map((name) => [name, settings[name]]));
		await this.site.change(SETTINGS, SETTINGS, OPEN);
		const [known] = await this.site.rows("Domain Configuration", { domain: HOST });
		const values = { privacy_level: "Standard", consent_required: 0 };
		if (!known) await this.site.make("Domain Configuration", { domain: HOST, enabled: 1, ...values });
		else if (known.consent_required) {
			await this.site.change("Domain Configuration", known.name, values);
			this.restore = () => this.site.change("Domain Configuration", known.name, { privacy_level: known.privacy_level, consent_required: 1 });
		}
		this.tag = (await this.site.ask("GET", `/api/method/trackflow.api.domains.get_script_tag?domain=${HOST}`)).tag;
		this.server = createServer((request, response) => void this.answer(request, response));
		await new Promise<void>((listening) => this.server!.listen(0, HOST, listening));
		this.url = `http://${HOST}:${(this.server.address() as AddressInfo).port}`;
	}

	private restore: () => Promise<unknown> = async () => {};

	async stop(): Promise<void> {
		this.server?.close();
		await this.restore();
		await this.site.change(SETTINGS, SETTINGS, this.former);
	}

	private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const page = (title: string, body: string) =>
			response.setHeader("Content-Type", "text/html").end(`<!doctype html><html lang="en"><title>${title}</title><link rel="icon" href="data:,">${this.tag}<h1>${title}</h1>${body}</html>`);
		if (request.method === "POST") {
			await this.passOn(await textOf(request)).catch((error) => this.problems.push(error));
			return void response.writeHead(303, { Location: "/thanks" }).end();
		}
		if (request.url!.startsWith("/thanks")) return void page("Thank you", "");
		page("Ask for an offer", '<form method="post" data-trackflow><label>First name <input name="first_name"></label> <label>E-mail <input name="email"></label> <button>Send</button></form>');
	}

	private async passOn(body: string): Promise<void> {
		const lead = await this.site.ask("POST", "/api/resource/CRM Lead", { ...Object.fromEntries(new URLSearchParams(body)), status: "New" });
		this.site.note("CRM Lead", lead.name);
	}
}

async function textOf(request: IncomingMessage): Promise<string> {
	let text = "";
	for await (const part of request) text += part;
	return text;
}
