/** What browser tests need, of the scripts and of the app: a Chromium, and a benchless to speak to. `undefined` where there is none. */
import { accessSync, constants } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));

/** The one on PATH. */
export function findChromium() {
	const names = ["chromium", "chromium-browser", "google-chrome"];
	const paths = (process.env.PATH || "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
	return paths.find(isExecutable);
}

/** The project's own; TRACKFLOW_BENCHLESS names another. */
export function findBenchless() {
	return [resolve(here, process.env.TRACKFLOW_BENCHLESS || "../.venv/bin/benchless")].find(isExecutable);
}

function isExecutable(path) {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
