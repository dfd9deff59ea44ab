/** One benchless with the demo story for all browser tests of a run. */
import type { TestProject } from "vitest/node";
import { Stage } from "../../../tracker/tests/e2e/stage";

declare module "vitest" {
	export interface ProvidedContext {
		url: string;
		shop: string;
		/** The folder of the sites. */
		sites: string;
	}
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
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
	project.provide("sites", stage.folder);
	return () => stage.stop();
}
