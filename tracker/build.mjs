/**
 * Builds the website script: `npm run build` writes it where the app serves it from; `bundle()` gives its text.
 */
import { build } from "esbuild";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { minify } from "terser";

export const OUTPUT = fileURLToPath(new URL("../trackflow/public/js/trackflow.js", import.meta.url));
/** EVT-1: what the script may weigh, gzipped. */
export const MAX_SIZE = 2048;

export async function bundle() {
	const result = await build({
		entryPoints: [fileURLToPath(new URL("src/main.ts", import.meta.url))],
		bundle: true,
		format: "esm",
		// Browsers since 2020; newer syntax is rewritten.
		target: "es2020",
		charset: "utf8",
		write: false,
	});
	// Nothing leaks into the page: no name, and no exception either.
	const { code } = await minify(`(()=>{try{${result.outputFiles[0].text}}catch(e){}})()`, {
		ecma: 2020,
		toplevel: true,
		compress: { inline: 1, passes: 2, pure_getters: true, unsafe_arrows: true },
	});
	return code + "\n";
}

/** Bytes on the wire, with the compression that web servers use at most. */
export const gzipSize = (text) => gzipSync(text, { level: 9 }).length;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const text = await bundle();
	await mkdir(dirname(OUTPUT), { recursive: true });
	await writeFile(OUTPUT, text);
	console.log(`trackflow.js: ${text.length} bytes, ${gzipSize(text)} of ${MAX_SIZE} gzipped`);
}
