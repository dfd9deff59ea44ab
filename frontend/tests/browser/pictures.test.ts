/** DOC-1: the pictures of docs/marketers-guide.md, of the demo story. `npm run pictures` takes them anew; else each page is only looked at. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { settled, useApp, type Page } from "./app";

const app = useApp();
const FOLDER = process.env.TRACKFLOW_APP_PICTURES;
const of = async (doctype: string, values: Record<string, unknown>) => (await app.stage.list(doctype, values, ["name"]))[0].name;
const heading = (name: string) => (page: Page) => page.getByRole("heading", { name }).first().waitFor();

const PICTURES: [string, () => Promise<string>, (page: Page) => Promise<unknown>][] = [
	["guide-new-link", async () => `/links/new?campaign=Demo+Newsletter&target_url=${encodeURIComponent("https://shop.example.com/products?color=green")}`, (page) => page.getByAltText("QR code of the short URL").waitFor()],
	["guide-link", async () => `/links/${await of("Tracked Link", { short_code: "demo-mail" })}?period=last-7-days`, heading("Devices")],
	["guide-campaign", async () => "/campaigns/Demo%20Newsletter?period=last-7-days", heading("Budget")],
	["guide-deal", async () => `/deals/${await of("CRM Deal", { status: "Won" })}?model=Linear`, (page) => page.getByRole("region", { name: "Why Linear credits it so" }).waitFor()],
	["guide-positions", async () => "/attribution?view=positions&model=Linear", heading("Where in the journey credit goes to")],
];

test.each(PICTURES)("%s", async (name, path, ready) => {
	const page = await app.open(await path(), { viewport: { width: 1280, height: 800 } });
	await ready(page);
	await settled(page);
	expect(await page.getByRole("alert").count()).toBe(0);
	if (FOLDER) await page.screenshot({ path: join(FOLDER, `${name}.png`), animations: "disabled" });
	await page.context().close();
});
