/** UI-1: from a site that knows nothing to the first real click, shown as it arrives. On a site of its own, which is empty. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Stage } from "../../../tracker/tests/e2e/stage";
import { expectSound, PHONE, settled, useApp, type Page } from "./app";

const stage = new Stage();
/** The marketer's website: a page with what was pasted into it. */
let pasted = "";
const website = createServer((_request, response) => response.setHeader("Content-Type", "text/html").end(`<!doctype html><title>Home</title>${pasted}<p>Hello`));
let home = "";
beforeAll(async () => {
	await stage.start();
	await new Promise<void>((over) => website.listen(0, "127.0.0.1", over));
	home = `http://127.0.0.1:${(website.address() as AddressInfo).port}/home`;
	// A site of benchless has the scene of the demo set up.
	for (const doctype of ["Tracked Link", "Domain Configuration"])
		for (const { name } of await stage.list(doctype, {}, ["name"])) await stage.call("frappe.client.delete", { doctype, name });
});
afterAll(() => {
	website.close();
	return stage.stop();
});
afterEach(() => expect(stage.problems.splice(0)).toEqual([]));

async function open(path: string, options: Parameters<Stage["member"]>[2] = {}): Promise<Page> {
	const page = await stage.member("Administrator", "admin", options);
	await page.goto(`${stage.url}/trackflow${path}`);
	await settled(page);
	return page;
}

test("domain, tag, link, click: the first click shows by itself", async () => {
	// The overview of a site that knows nothing is the guide.
	const page = await open("/");
	await page.getByRole("heading", { name: "Name your website" }).waitFor();
	await expectSound(page);
	await page.getByRole("button", { name: "Add a website" }).click();
	const { host } = new URL(home);
	const dialog = page.getByRole("dialog");
	await dialog.getByLabel("Domain").fill(host);
	await dialog.getByLabel("Consent of visitors").click();
	await page.getByRole("option", { name: "Never ask" }).click();
	await dialog.getByRole("button", { name: "Add", exact: true }).click();

	await page.getByText(`Waiting for an event of ${host}`).waitFor();
	await page.getByRole("button", { name: "Copy the tag" }).waitFor();
	await expectSound(page);
	pasted = (await stage.read("trackflow.api.domains.get_script_tag", { domain: host })).tag;
	const visitor = await stage.visitor();
	await visitor.goto(home);
	await page.getByText(`Events of ${host} arrive.`).waitFor();

	await page.getByLabel("Where it leads").fill(home);
	await page.getByRole("button", { name: "Make the link" }).click();
	await page.getByText("Waiting for the first click…").waitFor();
	await expectSound(page);
	const [link] = await stage.list("Tracked Link", {});
	expect(page.url()).toContain(`link=${link.name}`);
	await visitor.goto(`${stage.url}/r/${link.short_code}`);
	expect(visitor.url()).toContain("/home");
	await page.getByText("The click is there").waitFor();
	expect(await stage.list("Click Event", { tracked_link: link.name, counted: 1 })).toHaveLength(1);
	await expectSound(page);
	await visitor.context().close();

	await page.getByRole("button", { name: "To the overview" }).click();
	await page.getByRole("heading", { name: "Channels" }).waitFor();
	await page.context().close();

	// Reachable from the settings afterwards, on a phone too.
	const phone = await open("/settings/more", PHONE);
	await phone.getByRole("link", { name: "Go through them" }).click();
	await phone.waitForURL(/\/trackflow\/start/);
	await phone.getByText("The click is there").waitFor();
	await expectSound(phone);
	await phone.context().close();
}, 120_000);

const app = useApp();
test("a Campaign Manager sees the steps that are theirs; the website is a manager's", async () => {
	const page = await app.openAs("campaigns.start@example.com", "Campaign Manager", "/start");
	await page.getByText("Websites are set up by a TrackFlow Manager.").waitFor();
	await page.getByRole("heading", { name: "Click it" }).waitFor();
	await page.context().close();
});
