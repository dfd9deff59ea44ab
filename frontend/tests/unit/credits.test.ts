/** ATT-6, ATT-7: credits as bars and words, and models side by side. */
import { describe, expect, test } from "vitest";
import { byChannel, channelsOf, segmentsOf, type Credit, type ModelExplanation } from "@/components/credits/explanation";
import { METRICS, mostOf, type Figures } from "@/pages/attribution/comparison";
import { amounts, campaigns, channelsOf as creditedChannels, credited } from "@/pages/conversions/conversions";
import { setBoot } from "@/data/boot";

setBoot({});
const credit = (position: number, channel: string, weight: string, value: string): Credit => ({ touch_point: `t${position}`, position, touch_count: 3, channel, weight, value, words: [] });
const model = (credits: Credit[], rest: ModelExplanation["rest"] = null): ModelExplanation => ({ model: "M", model_type: "M", is_default: false, credits, rest, words: [] });

describe("a model's bar", () => {
	const linear = model([credit(1, "Email", "0.333333334", "33.34"), credit(2, "Direct", "0.333333333", "33.33"), credit(3, "Email", "0.333333333", "33.33")]);

	test("has a part for each touch that gets something, and they are the whole", () => {
		const segments = segmentsOf(linear);
		expect(segments.map(({ position }) => position)).toEqual([1, 2, 3]);
		expect(segments.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
		expect(segmentsOf(model([credit(1, "Email", "0", "0"), credit(2, "Direct", "1", "100")])).map(({ position }) => position)).toEqual([2]);
	});

	test("what is not told one by one is one part", () => {
		const rest = { touches: 40, with_credit: 40, weight: "0.4", value: "40", words: [] };
		const segments = segmentsOf(model([credit(1, "Email", "0.6", "60")], rest));
		expect(segments.map(({ channel, share }) => [channel, share])).toEqual([["Email", 0.6], [null, 0.4]]);
		expect(segmentsOf(model([credit(1, "Email", "1", "1")], { ...rest, weight: "0" }))).toHaveLength(1);
	});

	test("channels keep the order of the journey, whichever model knows them", () => {
		expect(channelsOf([model([credit(2, "Direct", "1", "1")]), linear])).toEqual(["Email", "Direct"]);
		expect(byChannel(segmentsOf(linear)).map(({ channel, share }) => [channel, Math.round(share * 100)])).toEqual([["Email", 67], ["Direct", 33]]);
	});
});

describe("a conversion in a list", () => {
	const shared = { credits: [{ channel: "Email", campaign: "a", share: 0.3, value: 3 }, { channel: "Direct", campaign: "", share: 0.25, value: 2.5 }, { channel: "Email", campaign: "b", share: 0.25, value: 2.5 }, { channel: "SMS", campaign: "b", share: 0.2, value: 2 }], more_credits: 0 };

	test("names the channels that get most", () => {
		expect(creditedChannels(shared).map(({ channel }) => channel)).toEqual(["Email", "Direct", "SMS"]);
		expect(credited(shared)).toBe("Email 55 %, Direct 25 % +1");
		expect(credited({ ...shared, more_credits: 2 })).toBe("Email 55 %, Direct 25 % and others");
		expect(credited({ credits: shared.credits.slice(0, 1), more_credits: 0 })).toBe("Email");
		expect(credited({ credits: [], more_credits: 0 })).toBe("");
	});

	test("and the campaign", () => {
		expect(campaigns(shared)).toBe("a +1");
		expect(campaigns({ credits: [shared.credits[1]], more_credits: 0 })).toBe("");
	});

	test("money of several currencies is never added", () => {
		expect(amounts({ EUR: 10, USD: 5 })).toBe("€10.00 · $5.00");
		expect(amounts({})).toBe("");
	});
});

describe("models side by side", () => {
	const figures = (conversions: number, more: Partial<Figures> = {}): Figures => ({ conversions, value: {}, converted_value: 0, share: null, cpa: null, roas: null, ...more });
	const metric = (key: string) => METRICS.find((one) => one.key === key)!;

	test("what is not known is no zero", () => {
		expect(METRICS.map((one) => one.text(figures(0), "EUR"))).toEqual(["–", "–", "–", "–", "–"]);
		expect(metric("roas").text(figures(0, { roas: 0 }), "EUR")).toBe("0");
		expect(metric("cpa").text(figures(2, { cpa: 12.5 }), "EUR")).toBe("€12.50");
	});

	test("bars go by the largest", () => {
		const lines = [{ A: figures(1), B: figures(3) }, { A: figures(2), B: figures(2) }];
		expect(mostOf(lines, metric("conversions"))).toBe(3);
	});
});
