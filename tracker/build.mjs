/**
 * Builds the website script, the consent banner, what Frappe CRM gets and what goes along with Web Forms: `npm run build`
 * writes them where the app serves them from. The same source gives the same bytes with the esbuild and terser of
 * package-lock.json, on every Node.
 */
import { build } from "esbuild";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import pako from "pako";
import { minify } from "terser";

export const OUTPUT = fileURLToPath(new URL("../trackflow/public/js/trackflow.js", import.meta.url));
export const BANNER = fileURLToPath(new URL("../trackflow/public/js/trackflow-consent.js", import.meta.url));
export const CRM = fileURLToPath(new URL("../trackflow/public/js/trackflow-crm.js", import.meta.url));
export const WEB_FORMS = fileURLToPath(new URL("../trackflow/public/js/trackflow-forms.js", import.meta.url));
/** EVT-1: what the script may weigh, gzipped. */
export const MAX_SIZE = 2048;

/** The script's text. */
export async function bundle() {
	// The source compares like with like: there, two signs say the same as three.
	const text = (await joined("src/main.ts")).replace(/([!=]=)=/g, "$1");
	const { code } = await minify(sealed(text), {
		ecma: 2020,
		toplevel: true,
		compress: { inline: 2, passes: 3, pure_getters: true, unsafe_arrows: true },
	});
	// Wherever the one stands the other may, and one word is less than two.
	return code.replace(/\bconst /g, "let ");
}

/** The banner's text. */
export const bundleBanner = () => plain("src/banner/banner.ts");

/** The text of what Frappe CRM's pages get. */
export const bundleCrm = () => plain("src/crm/main.ts");

/** The text of what goes along with Web Forms. */
export const bundleWebForms = () => plain("src/webforms/webforms.ts");

/** A script that may weigh what it weighs. */
async function plain(entry) {
	const { code } = await minify(sealed(await joined(entry)), { ecma: 2020 });
	return code + "\n";
}

async function joined(entry) {
	const result = await build({
		entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
		bundle: true,
		format: "esm",
		// Browsers since 2020; newer syntax is rewritten.
		target: "es2020",
		charset: "utf8",
		write: false,
	});
	return result.outputFiles[0].text;
}

/** Nothing leaks into the page: no name, and no exception either. */
const sealed = (text) => `(()=>{try{${text}}catch{}})()`;

/**
 * Bytes on the wire, with the compression that web servers use at most. Node's zlib is Chromium's, which differs by some bytes
 * from the zlib of web servers and of `gzip -9n`, as pako has it: the larger one counts.
 */
export const gzipSize = (text) => Math.max(gzipSync(text, { level: 9 }).length, pako.gzip(text, { level: 9 }).length);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const text = await bundle();
	await mkdir(dirname(OUTPUT), { recursive: true });
	await writeFile(OUTPUT, text);
	await writeFile(BANNER, await bundleBanner());
	await writeFile(CRM, await bundleCrm());
	await writeFile(WEB_FORMS, await bundleWebForms());
	console.log(`trackflow.js: ${text.length} bytes, ${gzipSize(text)} of ${MAX_SIZE} gzipped`);
}
