/**
 * The texts that the app shows by `__()`, for the server to translate: beside the build as `messages.json`. Texts that are put together
 * elsewhere stand in tables, as `label: "…"`, `title: "…"` and the like.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const SOURCE = fileURLToPath(new URL("src", import.meta.url));
const TEXT = String.raw`("(?:[^"\\\n]|\\.)+"|'(?:[^'\\\n]|\\.)+')`;
const CALL = new RegExp(String.raw`__\(\s*${TEXT}`, "g");
const FIELD = new RegExp(String.raw`\b(?:label|title|hint|section|text|subtitle|heading): ${TEXT}`, "g");

export function listMessages(): Plugin {
	return {
		name: "trackflow-messages",
		apply: "build",
		generateBundle() {
			this.emitFile({ type: "asset", fileName: "messages.json", source: JSON.stringify(messagesIn(SOURCE)) });
		},
	};
}

/** In the order of the alphabet, each once. */
export function messagesIn(folder: string): string[] {
	const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.(vue|ts)$/.test(name));
	const found = files.flatMap((name) => messagesOf(readFileSync(join(folder, name), "utf8")));
	return [...new Set(found)].sort();
}

export function messagesOf(source: string): string[] {
	return [CALL, FIELD].flatMap((pattern) => [...source.matchAll(pattern)].map(([, text]) => plain(text)));
}

const plain = (quoted: string): string => quoted.slice(1, -1).replace(/\\(.)/g, (_whole, sign) => (sign === "n" ? "\n" : sign));
