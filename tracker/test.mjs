/**
 * Runs the tests: unit, size, browser, end to end, inside a real CRM. `--no-browser` leaves out those with a browser; `--e2e`
 * and `--crm` leave out all but these. What lacks its Chromium on PATH, its benchless (TRACKFLOW_BENCHLESS names another than the
 * project's), or its site with Frappe CRM (TRACKFLOW_CRM_URL, _USER and _PASSWORD name it) is left out, loudly.
 */
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBenchless, findChromium } from "./tools.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const OUT = join(here, "build");
// A browser that does not answer must end a test, and the run, not hold it up: twenty times what either takes here.
const TEST_MILLISECONDS = 300_000;
const RUN_MILLISECONDS = 1_200_000;
const CRM_SITE = ["TRACKFLOW_CRM_URL", "TRACKFLOW_CRM_USER", "TRACKFLOW_CRM_PASSWORD"];

function chooseFolders() {
	const only = ["--e2e", "--crm"].find((option) => process.argv.includes(option));
	const folders = only ? [] : ["tests/unit"];
	if (process.argv.includes("--no-browser")) console.log("Browser tests left out as asked.");
	else if (!chromium) console.log("!!! BROWSER TESTS OF THE TRACKER SKIPPED: no chromium on PATH !!!");
	else {
		if (!only) folders.push("tests/browser");
		if (only !== "--crm") {
			if (benchless) folders.push("tests/e2e");
			else console.log("!!! END-TO-END TESTS SKIPPED: no benchless (`make install` puts it there) !!!");
		}
		if (only !== "--e2e") {
			const missing = CRM_SITE.filter((name) => !process.env[name]);
			if (!missing.length) folders.push("tests/crm");
			else console.log(`!!! TESTS INSIDE A REAL FRAPPE CRM SKIPPED: ${missing.join(", ")} not set (CONTRIBUTING.md) !!!`);
		}
	}
	return folders;
}

const chromium = findChromium();
const benchless = findBenchless();
const folders = chooseFolders();
if (!folders.length) process.exit(0);

const entryPoints = folders.flatMap((folder) =>
	readdirSync(join(here, folder))
		.filter((name) => name.endsWith(".test.ts"))
		.map((name) => join(here, folder, name)),
);
rmSync(OUT, { recursive: true, force: true });
await build({
	entryPoints,
	bundle: true,
	packages: "external",
	platform: "node",
	format: "esm",
	outdir: OUT,
	outbase: join(here, "tests"),
	sourcemap: "inline",
	outExtension: { ".js": ".mjs" },
	external: ["*/build.mjs"],
});
const files = readdirSync(OUT, { recursive: true, withFileTypes: true })
	.filter((entry) => entry.name.endsWith(".test.mjs"))
	.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
const options = ["--enable-source-maps", "--test", "--test-reporter=spec", `--test-timeout=${TEST_MILLISECONDS}`];
const run = spawnSync(process.execPath, [...options, ...files.sort()], {
	cwd: here,
	stdio: "inherit",
	env: { ...process.env, CHROMIUM: chromium, BENCHLESS: benchless },
	timeout: RUN_MILLISECONDS,
});
if (run.error) console.error(`The tests were ended: ${run.error.message}`);
process.exit(run.status ?? 1);
