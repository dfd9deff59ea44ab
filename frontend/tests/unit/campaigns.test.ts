import { describe, expect, test } from "vitest";
import { setBoot } from "@/data/boot";
import { changeOf, changesOf, currenciesOf, drawnDays, FORM, formOf, KINDS, roiOf, valuesOf, wasteOf, type Day, type Finding, type Stats } from "@/pages/campaigns/campaigns";

setBoot({});

describe("return on spend", () => {
	test("is none of no spend, and where a part is not known", () => {
		expect(roiOf({ revenue: 500, spend: 200, figures_notice: null })).toBe(150);
		expect(roiOf({ revenue: 0, spend: 200, figures_notice: null })).toBe(-100);
		expect(roiOf({ revenue: 500, spend: 0, figures_notice: null })).toBeNull();
		expect(roiOf({ revenue: 500, spend: 200, figures_notice: "A rate is missing" })).toBeNull();
	});
});

describe("the form", () => {
	test("of a new campaign says what was entered; amounts are numbers", () => {
		expect(valuesOf({ ...FORM, campaign_name: " Spring ", budget: "100.5", target_cpa: "" })).toEqual({ campaign_name: "Spring", status: "Active", budget: 100.5 });
	});

	test("tells what differs, emptied fields too", () => {
		const before = formOf({ campaign_name: "Spring", status: "Active", budget: 100, source: "x", end_date: "2026-03-31", expected_roi: 0 });
		expect(changesOf({ ...before }, before)).toEqual({});
		expect(changesOf({ ...before, budget: "", source: "", end_date: "", medium: "email" }, before)).toEqual({ budget: 0, source: null, end_date: null, medium: "email" });
	});
});

const day: Day = { day: "2026-03-01", clicks: 1, scans: 2, bots: 3, prefetches: 4, sessions: 5, visitors: 6, conversions: 0.5, value: {}, spend: {} };

describe("days", () => {
	test("have each currency that anything was spent or brought in, and zeros between", () => {
		const days = [{ ...day, spend: { USD: 5 } }, { ...day, value: { EUR: 7 } }];
		expect(currenciesOf(days)).toEqual(["EUR", "USD"]);
		expect(drawnDays(days)).toMatchObject([
			{ robots: 7, "spend USD": 5, "value USD": 0, "spend EUR": 0, "value EUR": 0 },
			{ "spend USD": 0, "value EUR": 7 },
		]);
	});
});

describe("figures", () => {
	const totals = { clicks: 3, scans: 2, visitors: 4, conversions: 1.5, value: { EUR: 100, USD: 200 } };
	const returns = { spend: null, value: null, cpa: null, roas: null, roi: null };
	const stats = { totals, returns: { ...returns, currency: "USD" }, spend: { EUR: 10 }, previous: { totals, returns } } as unknown as Stats;
	const text = (key: string, part = stats as any) => {
		const kind = KINDS.find((one) => one.key === key)!;
		return kind.text(kind.of(part), stats, part);
	};

	test("sums that need a missing rate stand by currency, and what follows from them is none", () => {
		expect([text("value"), text("spend"), text("roi"), text("cpa")]).toEqual(["€100.00 · $200.00", "€10.00", "–", "–"]);
		// What was spent before is not told by currency.
		expect(text("spend", stats.previous)).toBe("–");
		expect(text("clicks")).toBe("5");
	});

	test("what is known is in the reporting currency", () => {
		expect(text("value", { ...stats, returns: { ...returns, value: 300 } })).toBe("$300.00");
		expect(text("roi", { ...stats, returns: { ...returns, roi: 12.345 } })).toBe("12.3 %");
	});

	test("changes of what is not known are none", () => {
		expect([changeOf(3, 2), changeOf(null, 2), changeOf(3, null), changeOf(3, 0)]).toEqual([50, null, null, null]);
	});
});

test("waste is a campaign's whatever the case, and no other's", () => {
	const findings = ["Spring", "SPRING", "Spring Sale", ""].map((campaign) => ({ campaign }) as Finding);
	expect(wasteOf({ currency: "USD", notices: [], findings }, "spring").length).toBe(2);
});
