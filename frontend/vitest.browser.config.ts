import { defineConfig } from "vitest/config";
import { findBenchless, findChromium } from "../tracker/tools.mjs";

/**
 * The app's pages in a real Chromium, on a benchless with the demo story: one for all files, which run one after the other. On a site that
 * TRACKFLOW_URL names only what holds on any site with Frappe CRM.
 */
export default defineConfig({
	test: {
		include: process.env.TRACKFLOW_URL ? ["tests/hosts/**/*.test.ts"] : ["tests/browser/**/*.test.ts", "tests/hosts/**/*.test.ts"],
		globalSetup: "tests/browser/setup.ts",
		env: { CHROMIUM: findChromium() ?? "", BENCHLESS: findBenchless() ?? "" },
		fileParallelism: false,
		// A browser that does not answer must end a test, not hold it up.
		testTimeout: 120_000,
		hookTimeout: 120_000,
	},
});
