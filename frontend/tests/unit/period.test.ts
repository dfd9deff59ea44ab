import { describe, expect, test } from "vitest";
import { addDays, addMonths, dayIn, daysBetween, isDay } from "@/data/days";
import { PRESETS, periodOf, queryOf } from "@/data/period";

// In Tokyo it is the first of March already.
const NOW = new Date("2028-02-29T15:30:00Z");

describe("days", () => {
	test("are those of the place", () => {
		expect(dayIn("UTC", NOW)).toBe("2028-02-29");
		expect(dayIn("Asia/Tokyo", NOW)).toBe("2028-03-01");
		expect(dayIn("America/Los_Angeles", new Date("2028-01-01T07:59:00Z"))).toBe("2027-12-31");
	});

	test("go over ends of months, leap days and summer time", () => {
		expect(addDays("2028-02-28", 2)).toBe("2028-03-01");
		expect(addDays("2027-03-01", -1)).toBe("2027-02-28");
		expect(addMonths("2028-01-31", -1)).toBe("2027-12-01");
		expect(daysBetween("2028-03-25", "2028-03-27")).toBe(3);
	});

	test("are what exists", () => {
		for (const text of ["2028-02-29", "0999-01-01"]) expect(isDay(text), text).toBe(true);
		for (const text of ["2027-02-29", "2028-13-01", "2028-2-1", "x", "", null, ["2028-02-01"], "2028-02-01T00:00"]) expect(isDay(text), String(text)).toBe(false);
	});
});

describe("the period of an address", () => {
	test("is the last 30 days where nothing is asked for, or what makes no sense", () => {
		const expected = { name: "last-30-days", from: "2028-01-31", to: "2028-02-29" };
		for (const query of [{}, { period: "soon" }, { from: "2028-02-01" }, { from: "2028-02-02", to: "2028-02-01" }, { from: "2000-01-01", to: "2028-01-01" }, { period: ["today"] }])
			expect(periodOf(query, "UTC", NOW), JSON.stringify(query)).toEqual(expected);
	});

	test("is a preset of the site's day", () => {
		const ranges = Object.fromEntries(PRESETS.map(({ name }) => [name, periodOf({ period: name }, "Asia/Tokyo", NOW)]));
		expect(ranges.today).toEqual({ name: "today", from: "2028-03-01", to: "2028-03-01" });
		expect(ranges.yesterday.from).toBe("2028-02-29");
		expect([ranges["last-7-days"].from, ranges["last-7-days"].to]).toEqual(["2028-02-24", "2028-03-01"]);
		expect([ranges["last-month"].from, ranges["last-month"].to]).toEqual(["2028-02-01", "2028-02-29"]);
		expect([ranges["this-year"].from, ranges["this-year"].to]).toEqual(["2028-01-01", "2028-03-01"]);
	});

	test("comes back from what is written there", () => {
		const custom = periodOf({ from: "2028-02-01", to: "2028-02-02" }, "UTC", NOW);
		for (const period of [custom, ...PRESETS.map(({ name }) => periodOf({ period: name }, "UTC", NOW))])
			expect(periodOf(queryOf(period), "UTC", NOW)).toEqual(period);
	});
});
