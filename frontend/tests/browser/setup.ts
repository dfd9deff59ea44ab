/** One benchless with the demo story for all browser tests of a run; or the site that TRACKFLOW_URL names, for those that hold on any. */
import type { TestProject } from "vitest/node";
import { Stage } from "../../../tracker/tests/e2e/stage";

declare module "vitest" {
	export interface ProvidedContext {
		url: string;
		shop: string;
		/** An administrator's. */
		login: { url: string; user: string; password: string };
		/** The folder of the sites. */
		sites: string;
	}
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
	const { TRACKFLOW_URL, TRACKFLOW_USER, TRACKFLOW_PASSWORD } = process.env;
	if (TRACKFLOW_URL) {
		project.provide("login", { url: TRACKFLOW_URL, user: TRACKFLOW_USER!, password: TRACKFLOW_PASSWORD! });
		return async () => {};
	}
	const stage = new Stage();
	try {
		await stage.start();
		await stage.tellDemo();
	} catch (error) {
		await stage.stop();
		throw error;
	}
	project.provide("url", stage.url);
	project.provide("shop", stage.shop);
	project.provide("login", { url: stage.url, user: "Administrator", password: "admin" });
	project.provide("sites", stage.folder);
	return () => stage.stop();
}
