/**
 * Runs the app's tests: types, what is pure, what it weighs, its pages in a browser. `--no-browser` leaves out the last ones, and any
 * other argument names the files of the browser's tests to run, such as `overview`. Without a Chromium on PATH, or a benchless
 * (TRACKFLOW_BENCHLESS names another than the project's), they are left out, loudly. TRACKFLOW_URL, _USER and _PASSWORD name a site with
 * Frappe CRM to run those on that hold on any: then nothing else is run.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { findBenchless, findChromium } from "../tracker/tools.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const [chromium, benchless] = [findChromium(), findBenchless()];
const files = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

function run(...command) {
	// npx finds vitest; node is there already.
	const { status } = spawnSync("npx", command, { cwd: here, stdio: "inherit", env: { ...process.env, CHROMIUM: chromium, BENCHLESS: benchless } });
	if (status) process.exit(status);
}

const isElsewhere = Boolean(process.env.TRACKFLOW_URL);

if (!files.length && !isElsewhere) {
	run("node", "check.mjs");
	run("vitest", "run");
}
if (process.argv.includes("--no-browser")) console.log("Browser tests left out as asked.");
else if (!chromium) console.log("!!! BROWSER TESTS OF THE APP SKIPPED: no chromium on PATH !!!");
else if (!benchless && !isElsewhere) console.log("!!! BROWSER TESTS OF THE APP SKIPPED: no benchless (`make install` puts it there) !!!");
else run("vitest", "run", "--config", "vitest.browser.config.ts", ...files);
