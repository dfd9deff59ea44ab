import { describe, expect, test } from "vitest";
import { setBoot } from "@/data/boot";
import { csvOf, csvOfPlaces, isAddresses, newPlace, SHARED } from "@/pages/links/bulk";
import { changeOf, lost } from "@/pages/links/figures";
import { byField, changesOf, FORM, formOf, nextForm, parametersOf, shortUrl, spoken, stateOf, valuesOf } from "@/pages/links/links";

setBoot({ short_urls: { "": "https://go.example.com/r/", "go.example.com": "https://go.example.com/r/", "x.example.com": "http://x.example.com/r/" } });

describe("short URLs", () => {
	test("begin with the link's domain, else the primary one", () => {
		const of = (domain: string | null) => shortUrl({ short_code: "abc", domain });
		expect([of(null), of(""), of("x.example.com"), of("gone.example.com")]).toEqual([
			"https://go.example.com/r/abc",
			"https://go.example.com/r/abc",
			"http://x.example.com/r/abc",
			"https://go.example.com/r/abc",
		]);
		expect(spoken(of(null))).toBe("go.example.com/r/abc");
	});
});

describe("whether a link works", () => {
	const link = { status: "Active", starts_on: null, expiry_date: null, max_clicks: 0, click_count: 5, scan_count: 5 };
	const now = "2026-03-31 18:00";

	test.each([
		[{}, "Active", true],
		[{ status: "Paused" }, "Paused", false],
		[{ status: "Archived" }, "Archived", false],
		[{ status: "Expired" }, "Expired", false],
		[{ starts_on: "2026-03-31 18:01:00" }, "Scheduled", false],
		[{ starts_on: "2026-03-31 17:59:59" }, "Active", true],
		[{ expiry_date: "2026-03-31 17:59:59.000000" }, "Expired", false],
		[{ expiry_date: "2026-03-31 18:30:00" }, "Active", true],
		[{ max_clicks: 10 }, "Used up", false],
		[{ max_clicks: 11 }, "Active", true],
		// Nobody knows of it yet, whatever else there is.
		[{ starts_on: "2027-01-01 00:00:00", expiry_date: "2026-01-01 00:00:00" }, "Scheduled", false],
	])("%j", (values, label, works) => {
		expect(stateOf({ ...link, ...values }, now)).toMatchObject({ label, works });
	});
});

describe("the form", () => {
	test("shows a stored link, and tells what differs from it", () => {
		const before = formOf({ target_url: "https://a.example/", max_clicks: 0, expiry_date: "2026-03-31 18:00:00.000000", source: null, content: "top" });
		expect(before).toMatchObject({ target_url: "https://a.example/", max_clicks: "", expiry_date: "2026-03-31T18:00", source: "", content: "top" });
		expect(changesOf({ ...before }, before)).toEqual({});
		const form = { ...before, content: " ", source: "x ", max_clicks: "5", expiry_date: "" };
		expect(changesOf(form, before)).toEqual({ content: null, source: "x", max_clicks: 5, expiry_date: null });
		expect(changesOf({ ...before, max_clicks: "" }, { ...before, max_clicks: "5" })).toEqual({ max_clicks: 0 });
	});

	test("of a new link says what was entered", () => {
		expect(valuesOf({ ...FORM, target_url: " https://a.example/ ", starts_on: "2026-03-31T18:00", source: "  " })).toEqual({
			target_url: "https://a.example/",
			starts_on: "2026-03-31 18:00",
		});
	});

	test("for the next link keeps what links of a kind share", () => {
		const next = nextForm({ ...FORM, target_url: "https://a.example/", campaign: "Spring", source: "s", short_code: "abc", content: "c", title: "t" });
		expect(next).toEqual({ ...FORM, campaign: "Spring", source: "s" });
	});

	test("says the first thing of each field, and what to do", () => {
		const said = [{ field: "source", message: "One.", suggestion: "Do it." }, { field: "source", message: "Two." }, { field: "", message: "All." }];
		expect(byField(said)).toEqual({ source: "One. Do it.", "": "All." });
	});
});

test("parameters of an address, in their order, blank and repeated ones too", () => {
	expect(parametersOf("https://a.example/?b=1&a=%C3%BC&b=&c?d=x#e=1")).toEqual([
		{ name: "b", value: "1" },
		{ name: "a", value: "ü" },
		{ name: "b", value: "" },
		{ name: "c?d", value: "x" },
	]);
	expect(parametersOf("")).toEqual([]);
	expect(parametersOf("https://a.example/#?a=1")).toEqual([]);
});

describe("many links", () => {
	test("addresses become a table with what they share", () => {
		const text = "https://a.example/?x=1,2\r\n\r\n  https://b.example/\n";
		expect(isAddresses(text)).toBe(true);
		expect(csvOf(text, { ...SHARED, campaign: 'Say "hi"', source: " news " })).toBe(
			'Target URL,Campaign,Source\n"https://a.example/?x=1,2","Say ""hi""",news\nhttps://b.example/,"Say ""hi""",news',
		);
	});

	test("one target becomes a row for each place", () => {
		const places = [newPlace({ title: "A, B", source: " linkedin ", medium: "social" }), newPlace()];
		expect(csvOfPlaces(" https://a.example/ ", places, { ...SHARED, campaign: "Spring", source: "not asked for" })).toBe(
			'Target URL,Campaign,Domain,Tags,Title,Source,Medium,Content,Short Code\nhttps://a.example/,Spring,,,"A, B",linkedin,social,,\nhttps://a.example/,Spring,,,,,,,',
		);
	});

	test("a table stays as it is", () => {
		const text = "Target URL;Title\nhttps://a.example/;A";
		expect(isAddresses(text)).toBe(false);
		expect(csvOf(text, { ...SHARED, source: "news" })).toBe(text);
	});
});

describe("figures", () => {
	test("changes are of what was before, and none from nothing", () => {
		expect([changeOf(3, 2), changeOf(0, 4), changeOf(5, 0), changeOf(5, -10)]).toEqual([50, -100, null, 150]);
	});

	test("requests that led nowhere are told where there were some", () => {
		const totals = { expired: 0, blocked: 0 } as Parameters<typeof lost>[0];
		expect(lost(totals)).toBeNull();
		expect(lost({ ...totals, blocked: 2 })).toEqual({ expired: 0, blocked: 2 });
	});
});
