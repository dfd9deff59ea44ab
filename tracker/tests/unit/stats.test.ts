import assert from "node:assert/strict";
import { before, beforeEach, test } from "node:test";

type Run = typeof import("../../src/actions").run;

/** As much of a browser as the script asks for when it records and delivers. */
const PAGE = {
	document: {
		currentScript: {
			src: "https://crm.example/assets/trackflow.js",
			dataset: { key: "pk", consent: "none", batchSize: "4", interval: "1", off: "page" },
		},
		cookie: "",
		querySelectorAll: () => [],
	},
	location: { href: "https://shop.example/", protocol: "https:" },
	navigator: { sendBeacon: () => true },
	isSecureContext: true,
	fetch: async () => ({ status }),
};

let run: Run;
let status = 202;
const figures = () => run("stats") as Record<string, number | null>;
const settled = () => new Promise((over) => setTimeout(over, 20));
const record = (number: number) => {
	for (let index = 0; index < number; index++) run("track", "n" + index);
};

before(async () => {
	for (const [name, value] of Object.entries(PAGE)) Object.defineProperty(globalThis, name, { value, configurable: true });
	({ run } = await import("../../src/actions"));
});
beforeEach(() => {
	status = 202;
});

test("EVT-3: stats follow events from the queue to the collector", async () => {
	assert.deepEqual(figures(), { queued: 0, sent: 0, batches: 0, averageBatchSize: 0, lastFlush: null });
	record(3);
	assert.deepEqual(figures(), { queued: 3, sent: 0, batches: 0, averageBatchSize: 0, lastFlush: null });
	const start = Date.now();
	record(1);
	assert.deepEqual([figures().queued, figures().sent], [4, 0], "what is being sent is not sent yet");
	await settled();
	const { lastFlush, ...rest } = figures();
	assert.deepEqual(rest, { queued: 0, sent: 4, batches: 1, averageBatchSize: 4 });
	assert.ok(lastFlush! >= start && lastFlush! <= Date.now());
});

test("EVT-3, EVT-4: a refusal settles a batch, a failure does not, a beacon does", async () => {
	status = 403;
	record(1);
	run("flush");
	await settled();
	assert.deepEqual([figures().sent, figures().batches, figures().averageBatchSize], [5, 2, 2.5]);
	record(1);
	run("visibilitychange");
	assert.deepEqual([figures().queued, figures().sent, figures().batches], [0, 6, 3]);
	for (const [number, final] of [202, 400, 401, 403, 413].entries()) {
		status = final;
		record(1);
		run("flush");
		await settled();
		assert.deepEqual([figures().queued, figures().sent, figures().batches], [0, 7 + number, 4 + number], String(final));
	}
	for (const [number, failure] of [429, 500, 502, 503].entries()) {
		status = failure;
		record(1);
		run("flush");
		await settled();
		assert.deepEqual([figures().queued, figures().sent, figures().batches], [1, 11 + number, 8 + number], String(failure));
		status = 202;
		// After one failure the next try is made for certain.
		run("flush");
		await settled();
	}
});

test("EVT-3: the figures are given to a callback too", () => {
	let given: unknown;
	const returned = run("stats", (answer: unknown) => (given = answer));
	assert.equal(given, returned);
});
