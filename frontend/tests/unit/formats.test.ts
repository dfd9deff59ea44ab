import { afterEach, describe, expect, test } from "vitest";
import { setBoot } from "@/data/boot";
import * as formats from "@/data/formats";

const site = (values: Partial<Parameters<typeof setBoot>[0]["formats"] & object>) =>
	setBoot({ formats: { date: "yyyy-mm-dd", time: "HH:mm:ss", number: "#,###.##", first_day_of_week: "Monday", currency_precision: null, ...values } });
afterEach(() => {
	site({});
	setBoot({ language: "en", time_zone: { site: "UTC", user: "UTC" } });
});
site({});

describe("numbers", () => {
	test.each([
		["#,###.##", "1,234,567.89"],
		["#.###,##", "1.234.567,89"],
		["# ###.##", "1\u00a0234\u00a0567.89"],
		["# ###,##", "1\u00a0234\u00a0567,89"],
		["#'###.##", "1'234'567.89"],
		["#, ###.##", "1,\u00a0234,\u00a0567.89"],
		["#,##,###.##", "12,34,567.89"],
		["#,###.###", "1,234,567.89"],
		["#.###", "1.234.567,89"],
		["#,###", "1,234,567.89"],
	])("as the site writes them: %s", (format, expected) => {
		site({ number: format });
		expect(formats.number(1234567.89)).toBe(expected);
	});

	test("what is no number is no zero", () => {
		for (const nothing of [null, undefined, NaN, Infinity]) {
			expect(formats.number(nothing)).toBe("–");
			expect(formats.money(nothing, "USD")).toBe("–");
			expect(formats.percent(nothing)).toBe("–");
			expect(formats.duration(nothing)).toBe("–");
		}
		expect(formats.number(0)).toBe("0");
	});

	test("short where there is little room", () => {
		expect([formats.compact(9_999), formats.compact(12_345), formats.compact(2_500_000)]).toEqual(["9,999", "12.3K", "2.5M"]);
	});

	test("changes have their sign", () => {
		expect([12.34, -3.21, 0, 250.4].map(formats.signedPercent)).toEqual(["+12 %", "-3.2 %", "0 %", "+250 %"]);
	});
});

describe("money", () => {
	test("in its own currency, with the places that it has", () => {
		expect(formats.money(1234.5, "USD")).toBe("$1,234.50");
		expect(formats.money(1234.5, "JPY")).toBe("¥1,235");
		site({ number: "#.###,##" });
		expect(formats.money(1234.5, "EUR")).toBe("€1.234,50");
	});

	test("stands where the user's language has it", () => {
		site({ number: "#.###,##" });
		setBoot({ language: "de" });
		expect(formats.money(1234.5, "EUR")).toBe("1.234,50\u00a0€");
		expect(formats.compact(2_500_000)).toBe("2,5\u00a0Mio.");
		// Digits stay those that everybody reads, and thousands are told apart whatever the language does.
		for (const language of ["ar-EG", "fa", "es"]) {
			setBoot({ language });
			expect(formats.number(1234.5), language).toContain("1.234,5");
		}
	});

	test("of a currency that no standard knows", () => {
		expect(formats.money(5, "POINTS")).toBe("5.00 POINTS");
	});

	test("of several currencies is never added", () => {
		expect(formats.moneys([{ currency: "USD", value: 1 }, { currency: "EUR", value: 2 }])).toBe("$1.00 · €2.00");
		expect(formats.moneys([])).toBe("–");
	});
});

describe("where somebody was", () => {
	test("countries have names in the user's language; what is none stays", () => {
		expect(["DE", "?", "", null].map(formats.country)).toEqual(["Germany", "?", "", ""]);
		setBoot({ language: "de" });
		expect(formats.country("DE")).toBe("Deutschland");
	});

	test("and on what, as far as it is known", () => {
		expect(formats.whereabouts({ country: "AT", device_type: "Mobile", browser: "Chrome" })).toBe("Austria, Mobile, Chrome");
		expect(formats.whereabouts({ country: null, device_type: "Mobile" })).toBe("Mobile");
		expect(formats.whereabouts(null)).toBe("");
	});
});

describe("times", () => {
	test("are the site's", () => {
		setBoot({ time_zone: { site: "Asia/Kolkata", user: "UTC" } });
		site({ date: "dd-mm-yyyy" });
		expect(formats.dateTime("2026-03-31T20:00:00+00:00")).toBe("01-04-2026 01:30");
		// The database's have no offset: they are the site's already.
		expect(formats.dateTime("2026-03-31 20:00:00.123456")).toBe("31-03-2026 20:00");
		expect(formats.time("2026-03-31T18:30:00Z")).toBe("00:00");
		expect(formats.day("2026-03-31")).toBe("31-03-2026");
	});

	test("that are none", () => {
		for (const nothing of [null, undefined, "", "soon", "2026-99-99T00:00:00Z"]) expect(formats.dateTime(nothing), String(nothing)).toBe("–");
		expect(formats.day("")).toBe("–");
	});

	test("how long, and how long ago", () => {
		expect([0, 59, 60, 200, 3600, 7500, 200_000].map(formats.duration)).toEqual(["0s", "59s", "1m", "3m 20s", "1h", "2h 5m", "2.3 days"]);
		const now = new Date("2026-03-31T12:00:00Z");
		expect(formats.ago("2026-03-31T11:55:30Z", now)).toBe("4 minutes ago");
		// A clock that is ahead does not make the past a future.
		expect(formats.ago("2026-03-31T12:00:05Z", now)).toBe("now");
	});
});
