import { afterEach, describe, expect, test, vi } from "vitest";
import { funnelOf, isOwnPage } from "@/pages/overview/figures";
import { labelled, linePath, ticks } from "@/components/charts/scale";
import { ApiError, get, search, textOf } from "@/data/api";
import { setBoot } from "@/data/boot";
import { sortName, sortOf } from "@/data/list";
import { asMarkup, errorText } from "@/data/notify";
import { __, setMessages } from "@/locale";

setBoot({ csrf_token: "token" });
afterEach(() => vi.unstubAllGlobals());

describe("questions to the server", () => {
	test("leave out what is not given, and write lists as JSON", () => {
		expect(search({ a: 0, b: "", c: null, d: undefined, e: false, f: ["x", 1], g: "ä&=" })).toBe("a=0&e=false&f=%5B%22x%22%2C1%5D&g=%C3%A4%26%3D");
	});

	test("answers of errors are told as the server says them, without traceback", async () => {
		const body = { exc_type: "ValidationError", exc: '["Traceback (most recent call last): secret"]', _server_messages: '["{\\"message\\": \\"Too long\\"}", "{\\"message\\": \\"Too late\\"}"]' };
		vi.stubGlobal("fetch", async () => new Response(JSON.stringify(body), { status: 417 }));
		const error = await get("some.method").catch((thrown) => thrown);
		expect(error).toBeInstanceOf(ApiError);
		expect([error.message, error.status, error.type]).toEqual(["Too long\nToo late", 417, "ValidationError"]);
	});

	test("what is no JSON, and what never came, has words too", async () => {
		vi.stubGlobal("fetch", async () => new Response("<h1>Bad Gateway", { status: 502 }));
		await expect(get("some.method")).rejects.toThrow("The server could not answer (502).");
		vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("Failed to fetch")));
		await expect(get("some.method")).rejects.toThrow("The server cannot be reached.");
	});

	test("messages of any shape", () => {
		for (const body of [{}, { _server_messages: "{" }, { _server_messages: "[]" }, { message: { a: 1 } }]) expect(textOf(body), JSON.stringify(body)).toBe("");
		expect(textOf({ message: "Plain" })).toBe("Plain");
	});

	test("our own mistakes tell nothing of their inside", () => {
		const log = vi.spyOn(console, "error").mockImplementation(() => {});
		expect(errorText(new Error("x is undefined"))).not.toContain("undefined");
		expect(log).toHaveBeenCalledOnce();
	});
});

describe("lists", () => {
	test("orders stand in addresses, and only those that are allowed are obeyed", () => {
		for (const sort of [{ field: "clicks", direction: "desc" }, { field: "clicks", direction: "asc" }] as const) expect(sortOf(sortName(sort), ["clicks"])).toEqual(sort);
		expect(sortOf("name; drop table", ["clicks"])).toBeNull();
	});
});

describe("charts", () => {
	test("have round steps that reach beyond the highest value", () => {
		expect(ticks(10)).toEqual([0, 2.5, 5, 7.5, 10]);
		expect(ticks(10, 4, true)).toEqual([0, 3, 6, 9, 12]);
		expect(ticks(1, 4, true)).toEqual([0, 1]);
		expect(ticks(0)).toEqual([0, 1]);
		for (let most = 1; most < 5000; most += 37) {
			const steps = ticks(most, 4, true);
			expect(steps[steps.length - 1]).toBeGreaterThanOrEqual(most);
			expect(steps.length).toBeLessThanOrEqual(6);
			expect(steps.every(Number.isInteger)).toBe(true);
		}
	});

	test("label as many points as there is room for, the last one always", () => {
		expect(labelled(30, 7)).toEqual([4, 9, 14, 19, 24, 29]);
		expect(labelled(3, 9)).toEqual([0, 1, 2]);
		expect([labelled(0, 5), labelled(1, 0)]).toEqual([[], [0]]);
	});

	test("leave a gap where there is no value", () => {
		expect(linePath([[0, 1], [1, 2.06], null, [3, 4]])).toBe("M0,1L1,2.1M3,4");
	});
});

describe("the funnel", () => {
	const figure = (value: number | null) => ({ value, previous: null, change: null });
	test("goes from sessions to conversions", () => {
		const steps = funnelOf({ sessions: figure(20), visits: figure(16), bounce_rate: figure(37.5), conversions: figure(2.5) });
		expect(steps.map(({ value }) => value)).toEqual([20, 16, 10, 2.5]);
		expect(steps.every(({ isEstimated }) => !isEstimated)).toBe(true);
	});

	test("of nothing is nothing", () => {
		expect(funnelOf({ sessions: figure(0), visits: figure(0), bounce_rate: figure(null), conversions: figure(0) }).map(({ value }) => value)).toEqual([0, 0, 0, 0]);
	});

	test("a rounded rate of many visits makes an estimate", () => {
		expect(funnelOf({ sessions: figure(5000), visits: figure(4000), bounce_rate: figure(33.3), conversions: figure(1) })[2].isEstimated).toBe(true);
	});
});

describe("texts", () => {
	test("are translated where they can be, with their values", () => {
		setMessages({ "{0} of {1}": "{1}: {0}" });
		expect([__("{0} of {1}", [1, 2]), __("{0} left", [3]), __("Clicks")]).toEqual(["2: 1", "3 left", "Clicks"]);
		// A value that looks like a place is a value.
		expect(__("{0}", ["{0}"])).toBe("{0}");
		setMessages({});
	});

	test("SEC-2: for toasts markup is escaped", () => {
		expect(asMarkup(`<b onclick="x('1')">&`)).toBe("&lt;b onclick=&quot;x(&#39;1&#39;)&quot;&gt;&amp;");
	});
});

describe("pages that were seen", () => {
	test("SEC-2: are links where they are a website's of ours", () => {
		const domains = ["shop.example.com"];
		expect(["https://shop.example.com/a", "http://shop.example.com:8001/"].map((address) => isOwnPage(address, domains))).toEqual([true, true]);
		expect(isOwnPage("http://127.0.0.1:8001/a", ["127.0.0.1:8001"])).toBe(true);
		for (const address of ["https://evil.example/shop.example.com", "javascript:alert(1)//shop.example.com", "https://shop.example.com@evil.example/", "data:text/html,x", "", "/a"])
			expect(isOwnPage(address, domains), address).toBe(false);
	});
});
