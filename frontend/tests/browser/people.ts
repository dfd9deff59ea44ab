/** What the tests of people's pages share. */
import { expect } from "vitest";
import { type Page, Stage } from "../../../tracker/tests/e2e/stage";

/** The rows of the page's table, cell by cell. */
export const rows = (page: Page): Promise<string[][]> =>
	page.locator("tbody tr").evaluateAll((all) => all.map((row) => [...row.querySelectorAll("td, th")].map((cell) => (cell as HTMLElement).innerText.trim())));

/** A page view of a visitor who writes `text` wherever a visitor can write. */
export async function plantVisit(stage: Stage, visitor: string, text: string): Promise<void> {
	const [site] = await stage.list("Domain Configuration", {}, ["name", "public_key"]);
	const [at, tags] = [new Date().toISOString(), new URLSearchParams({ utm_source: text, utm_medium: "email", utm_campaign: text })];
	const event = (type: string) => ({ eventId: `${type}-${visitor}`, type, name: text, url: `${stage.shop}/?${tags}`, title: text, timestamp: at, visitorId: visitor, consent: "granted" });
	const sent = await fetch(`${stage.url}/api/method/trackflow.api.tracking.track_event`, {
		method: "POST",
		headers: { Origin: stage.shop, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36" },
		body: JSON.stringify({ publicKey: site.public_key, events: [event("PAGE_VIEW"), { ...event("CONVERSION"), value: 5, currency: "USD" }] }),
	});
	expect(sent.status, await sent.text()).toBe(202);
	await stage.wait("Conversion", { visitor, attribution_status: "Done" }, 1);
}

/** Somebody who manages campaigns and nothing else. */
export async function campaignManager(stage: Stage): Promise<{ name: string; password: string }> {
	const [name, password] = ["people.campaigns@example.com", "a-Long-passw0rd"];
	if (!(await stage.list("User", { name }, ["name"])).length) {
		const doc = { doctype: "User", email: name, first_name: "Cam", user_type: "System User", send_welcome_email: 0, new_password: password, roles: [{ role: "Campaign Manager" }] };
		await stage.call("frappe.client.insert", { doc });
	}
	return { name, password };
}
