/**
 * Builds the website script: `npm run build` writes it where the app serves it from; `bundle()` gives its text. `npm run
 * names` chooses the names of its variables anew, which is needed after every change of the source.
 */
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { minify } from "terser";
import { rename, search } from "./names.mjs";

export const OUTPUT = fileURLToPath(new URL("../trackflow/public/js/trackflow.js", import.meta.url));
const NAMES = fileURLToPath(new URL("names.json", import.meta.url));
/** EVT-1: what the script may weigh, gzipped. */
export const MAX_SIZE = 2048;

/** The script's text. */
export async function bundle() {
	return rename(await tree(), JSON.parse(await readFile(NAMES, "utf8")));
}

async function tree() {
	const result = await build({
		entryPoints: [fileURLToPath(new URL("src/main.ts", import.meta.url))],
		bundle: true,
		format: "esm",
		// Browsers since 2020; newer syntax is rewritten.
		target: "es2020",
		charset: "utf8",
		write: false,
	});
	// The source compares like with like: there, two signs say the same as three.
	const text = result.outputFiles[0].text.replace(/([!=]=)=/g, "$1");
	// Nothing leaks into the page: no name, and no exception either.
	const { ast } = await minify(`(()=>{try{${text}}catch{}})()`, {
		ecma: 2020,
		toplevel: true,
		compress: { inline: 2, passes: 3, pure_getters: true, unsafe_arrows: true },
		format: { ast: true, code: false },
	});
	return ast;
}

/** Bytes on the wire, with the compression that web servers use at most. */
export const gzipSize = (text) => gzipSync(text, { level: 9 }).length;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	if (process.argv.includes("--names")) await writeFile(NAMES, JSON.stringify(search(await tree(), gzipSize)) + "\n");
	const text = await bundle();
	await mkdir(dirname(OUTPUT), { recursive: true });
	await writeFile(OUTPUT, text);
	console.log(`trackflow.js: ${text.length} bytes, ${gzipSize(text)} of ${MAX_SIZE} gzipped`);
}
