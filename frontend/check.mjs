/** Checks types. frappe-ui comes as sources and is checked along with ours: what is wrong in there is not ours to mend, and not told. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const run = spawnSync("npx", ["vue-tsc", "--noEmit", "--pretty", "false"], { cwd: here, encoding: "utf8", maxBuffer: 1 << 26 });
const lines = run.stdout.split("\n");
// A message may go on in lines that are indented.
const ours = lines.filter((line, i) => {
	let head = i;
	while (head > 0 && /^\s/.test(lines[head])) head--;
	return line.trim() && !lines[head].startsWith("node_modules/");
});
process.stdout.write(ours.map((line) => `${line}\n`).join(""));
process.stderr.write(run.stderr);
process.exit(ours.length || run.error || !lines.some((line) => line.trim() || run.status === 0) ? 1 : 0);
