/**
 * What other scripts of this kind weigh beside ours: `npm run compare [file …]`.
 *
 * Plausible's comes from the npm registry, into a temporary folder. Umami publishes its script with its server alone: name
 * `src/tracker/index.js` (or `.ts`) of a checkout. All are bundled and minified alike, for the same browsers as ours, and
 * gzipped as the build does; ours is what websites get.
 */
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { minify } from "terser";
import { gzipSize, OUTPUT } from "./build.mjs";

/** By package: what a website writes to capture what ours captures, as far as the package can. */
const PACKAGES = {
	"@plausible-analytics/tracker": (entry) =>
		`import { init } from ${JSON.stringify(entry)};
		init({ domain: "shop.example", outboundLinks: true, fileDownloads: true, formSubmissions: true });`,
};

async function weigh(name, options) {
	const { outputFiles } = await build({ bundle: true, format: "iife", target: "es2020", write: false, ...options });
	show(name, (await minify(outputFiles[0].text, { ecma: 2020, toplevel: true })).code);
}

function show(name, text) {
	console.log(`${name}: ${text.length} bytes, ${gzipSize(text)} gzipped`);
}

show("trackflow.js", await readFile(OUTPUT, "utf8"));
const folder = await mkdtemp(join(tmpdir(), "trackflow-compare-"));
try {
	for (const [name, page] of Object.entries(PACKAGES)) {
		const install = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--silent", name];
		execFileSync("npm", install, { cwd: folder, stdio: "inherit" });
		const { version } = JSON.parse(await readFile(join(folder, "node_modules", name, "package.json"), "utf8"));
		await weigh(`${name} ${version}`, { stdin: { contents: page(name), resolveDir: folder } });
	}
} finally {
	await rm(folder, { recursive: true, force: true });
}
for (const file of process.argv.slice(2)) await weigh(file, { entryPoints: [resolve(file)] });
