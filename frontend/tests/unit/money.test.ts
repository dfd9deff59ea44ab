import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { setBoot } from "@/data/boot";
import { mappingOf, wrongWith, type Column } from "@/pages/spend/imports";
import { drawn, keyOf, KINDS, nameOf, parentsOf, type Place, type Spend } from "@/pages/spend/spend";
import { agoOf, jobName } from "@/pages/settings/health";
import { CONSENTS, consentOf } from "@/pages/settings/settings";
import { currentOf, doneOf, type State } from "@/pages/start/steps";
import { keyOf as findingKey, partsOf, type Finding } from "@/pages/waste/waste";

setBoot({});
afterEach(() => setBoot({ language: "en" }));

const place = (platform: string, campaign = "", adset = "", ad = ""): Place => ({ platform, campaign, adset, ad });

describe("what was spent on", () => {
	test("is called by its last part, and says where it belongs as far as that is known", () => {
		expect(nameOf(place("Meta", "Spring"), "campaign")).toBe("Spring");
		expect(nameOf(place("Meta", "Spring"), "adset")).toBe("No ad set");
		expect(parentsOf(place("Meta", "", "s"), "adset")).toEqual(["Meta"]);
		expect(parentsOf(place("Meta"), "platform")).toEqual([]);
	});

	test("is known by all of its parts", () => {
		expect(keyOf(place("a", "b c"))).not.toBe(keyOf(place("a b", "c")));
	});

	test("is drawn by day, with what else was spent; what is not known is a gap", () => {
		const day = (spend: number | null, by: (number | null)[]) => ({ day: "2026-03-01", spend, value: 30, conversions: 0, by });
		const spend = { series: [place("Meta"), place("X")], by_day: [day(100, [60, 30]), day(null, [null, 5]), day(0, [0, 0])] } as unknown as Spend;
		const found = drawn(spend, KINDS[0], "platform");
		expect(found.series.map(({ label }) => label)).toEqual(["Meta", "X", "All others"]);
		expect(found.rows.map(({ s0, rest }) => [s0, rest])).toEqual([[60, 10], [null, null], [0, 0]]);
		const all = { ...spend, by_day: [day(90, [60, 30])] };
		expect(drawn(all, KINDS[0], "platform").series).toHaveLength(2);
		const roas = drawn(spend, KINDS.find(({ key }) => key === "roas")!, "platform");
		expect(roas.rows.map(({ now }) => now)).toEqual([0.3, null, null]);
		const cpa = drawn(spend, KINDS.find(({ key }) => key === "cpa")!, "platform");
		expect(cpa.rows.every(({ now }) => now === null)).toBe(true);
	});
});

describe("columns of a file", () => {
	const columns: Column[] = ["wann", "teuer", "was", "was"].map((header, index) => ({ number: index + 1, header, samples: [] }));
	test("are named by header, or by number where two have the same", () => {
		expect(mappingOf(columns, { 1: "day", 2: "spend", 4: "campaign" })).toEqual({ day: "wann", spend: "teuer", campaign: "#4" });
	});

	test("need the spend and the day, each once", () => {
		expect(wrongWith(columns, {})).toContain("the spend");
		expect(wrongWith(columns, { 2: "spend" })).toContain("the day");
		expect(wrongWith(columns, { 1: "spend", 2: "spend" })).toContain("the same");
		expect(wrongWith(columns, { 1: "start", 2: "spend" })).toBe("");
	});
});

test("a finding is told by its own name first, and known by reason too", () => {
	const finding = { ...place("Meta", "Spring"), grain: "Campaign", reason: "high_cpa" } as Finding;
	expect(partsOf(finding)).toEqual(["Spring", "Meta"]);
	expect(findingKey(finding)).not.toBe(findingKey({ ...finding, reason: "low_roas" }));
});

describe("settings", () => {
	test("of consent come back from what is stored", () => {
		for (const { value, values } of CONSENTS) expect(consentOf(values)).toBe(value);
	});

	test("jobs have names, those that nobody knows their path", () => {
		expect(jobName("trackflow.stream.drain.retry_kept")).toBe("Try again what could not be stored");
		expect(jobName("trackflow.some.new_one")).toBe("some.new_one");
		const hooks = readFileSync(new URL("../../../trackflow/hooks.py", import.meta.url), "utf8");
		const jobs = [...hooks.slice(hooks.indexOf("scheduler_events = {")).split("\n}\n")[0].matchAll(/"(trackflow\.[\w.]+)"/g)].map(([, path]) => path);
		expect(jobs.length).toBeGreaterThan(10);
		for (const path of jobs) expect(jobName(path)).toContain(" ");
		expect([agoOf(null), agoOf(42), agoOf(125)]).toEqual(["–", "42s ago", "2m ago"]);
	});
});

describe("first steps", () => {
	const state = (values: Partial<State>): State => ({ is_empty: true, domain: null, link: null, click: null, waits: false, ...values });
	const domain = { name: "www.example.com", enabled: 1 as const };
	test("come one after the other", () => {
		expect(currentOf(doneOf(null, false, false))).toBe("domain");
		expect(currentOf(doneOf(state({ domain }), false, false))).toBe("tag");
		expect(currentOf(doneOf(state({ domain }), true, false))).toBe("link");
		const link = { name: "l", title: null, short_code: "x", target_url: "", short_url: "" };
		expect(currentOf(doneOf(state({ domain, link }), true, false))).toBe("click");
		const click = { at: "", type: "Click", country: null, device_type: null, browser: null, not_counted: "" };
		expect(currentOf(doneOf(state({ domain, link, click }), true, false))).toBeNull();
	});

	test("the website can wait", () => {
		expect(currentOf(doneOf(state({}), false, true))).toBe("link");
	});
});
