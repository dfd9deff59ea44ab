/**
 * A Web Form on leads and short links to it, on the test's site, and what became of those who sent it. The site's own pages have
 * the website script, and so may those of another origin, which the test serves.
 */
import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { FrameLocator, Page } from "playwright-core";
import { type Row, Site } from "./site";

const SHOP = "127.0.0.1";
const SETTINGS = "TrackFlow Settings";

export class Enquiries {
	readonly run = randomBytes(4).toString("hex");
	readonly goal = `Demo Request ${this.run}`;
	readonly campaign = `Spring ${this.run}`;
	readonly route = `enquiry-${this.run}`;
	/** The other website, and what its pages hold. */
	shop = "";
	body = "";
	private former?: Row;
	private website?: Server;

	constructor(readonly site: Site) {}

	async start(): Promise<void> {
		await this.site.start();
		this.website = createServer((_request, response) =>
			response.setHeader("Content-Type", "text/html").end(`<!doctype html><title>Shop</title>${this.body}`),
		);
		await new Promise<void>((listening) => this.website!.listen(0, SHOP, listening));
		this.shop = `http://${SHOP}:${(this.website.address() as AddressInfo).port}`;
		this.former = await this.site.ask("GET", `/api/resource/${SETTINGS}/${SETTINGS}`);
		// Visitors of this machine come from an internal address.
		await this.site.change(SETTINGS, SETTINGS, {
			enable_tracking: 1,
			track_own_pages: 1,
			exclude_internal_traffic: 0,
			cookie_consent_required: 0,
		});
		for (const domain of [new URL(this.site.url).hostname, SHOP]) await this.configure(domain);
		await this.site.make("Link Campaign", { campaign_name: this.campaign, status: "Active" });
		const field = (fieldname: string) => ({ fieldname, fieldtype: "Data", label: fieldname === "email" ? "E-mail" : "First name" });
		await this.site.make("Web Form", {
			title: `Enquiry ${this.run}`,
			route: this.route,
			doc_type: "CRM Lead",
			published: 1,
			allow_multiple: 1,
			trackflow_goal: this.goal,
			allowed_embedding_domains: this.shop,
			web_form_fields: [field("first_name"), field("email")],
		});
	}

	async stop(): Promise<void> {
		this.website?.close();
		if (this.former) {
			const { enable_tracking, track_own_pages, exclude_internal_traffic, cookie_consent_required } = this.former;
			await this.site.change(SETTINGS, SETTINGS, { enable_tracking, track_own_pages, exclude_internal_traffic, cookie_consent_required });
		}
		await this.site.stop();
	}

	private async configure(domain: string): Promise<void> {
		const values = { enabled: 1, privacy_level: "Standard", consent_required: 0, collect_address: 1 };
		const [known] = await this.site.rows("Domain Configuration", { domain });
		if (!known) await this.site.make("Domain Configuration", { domain, ...values });
	}

	publicKeyOfShop = async (): Promise<string> => (await this.site.rows("Domain Configuration", { domain: SHOP }))[0].public_key;

	/** A short link of the newsletter. */
	async link(medium: string, target: string): Promise<string> {
		const made = await this.site.make("Tracked Link", { target_url: target, source: "newsletter", medium, campaign: this.campaign });
		return `${this.site.url}/r/${made.short_code}`;
	}

	/** Fill in Frappe's form and send it. */
	async enquire(page: Page | FrameLocator, email: string): Promise<void> {
		await page.locator("[data-fieldname=first_name] input").fill("Ann");
		await page.locator("[data-fieldname=email] input").fill(email);
		await page.locator(".submit-btn").first().click();
		await page.locator(".success-page").waitFor();
	}

	/** Somebody whom the site does not know, whose pages must not break. */
	async stranger(): Promise<Page> {
		const page = await this.site.stranger();
		page.on("pageerror", (error) => this.site.problems.push(String(error)));
		return page;
	}

	/** The lead of an address and its conversions by type, once these are credited; the fields of who was brought come last. */
	async leadOf(email: string, isBrought = true): Promise<[Row, Row[]]> {
		let lead: Row = {};
		let conversions: Row[] = [];
		await this.site.until(`the lead of ${email}`, async () => {
			[lead = {}] = await this.site.rows("CRM Lead", { email });
			conversions = lead.name ? await this.site.rows("Conversion", { source_name: lead.name }) : [];
			const isDone = conversions.length === 2 && conversions.every((row) => row.attribution_status === "Done");
			return isDone && (!isBrought || Boolean(lead.trackflow_source));
		});
		return [lead, conversions.sort((one, other) => (one.conversion_type < other.conversion_type ? -1 : 1))];
	}
}
