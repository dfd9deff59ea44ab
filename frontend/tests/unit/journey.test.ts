/** UI-1: what a journey says, and in which order. */
import { describe, expect, test } from "vitest";
import { setBoot } from "@/data/boot";
import { byDay, factsOf, hitsOf, nameOf, origin, pathOf, textOfClick, type Entry, type Event, type Session } from "@/components/journey/journey";

setBoot({});
const event = (event_type: string, timestamp: string, more: Partial<Event> = {}): Event => ({
	name: `${event_type} ${timestamp}`, timestamp, event_type, event_name: null, page_url: "https://shop.example.com/contact?email=x", page_title: null, value: null, currency: null, ...more,
});
const click = { name: "c", click_timestamp: "2026-03-01T10:00:00+01:00", event_type: "QR Scan", tracked_link: "l", short_code: "flyer", campaign: "Spring", referrer: null };
const session = (more: Partial<Session> = {}): Session => ({
	kind: "session", at: "2026-03-01T10:00:00+01:00", name: "s", visitor_id: "v", duration_seconds: 0, page_views: 1, event_count: 1, domain: null, channel: "Email",
	platform: null, source: null, medium: null, campaign: null, term: null, content: null, referrer: null, tracked_link: null, link_campaign: null, device_type: null,
	browser: null, os: null, country: null, city: null, events: [], clicks: [], touch_point: null, ...more,
});

describe("what happened in a visit", () => {
	test("is in the order of instants, whatever their offset", () => {
		const hits = hitsOf({ clicks: [click], events: [event("FORM_SUBMIT", "2026-03-01T09:05:00+00:00"), event("PAGE_VIEW", "2026-03-01T09:01:00+00:00")] });
		expect(hits.map(({ kind }) => kind)).toEqual(["click", "page", "form"]);
	});

	test("names pages by title or path, never by what stands behind ? in their address", () => {
		const [titled, untitled] = hitsOf({ clicks: [], events: [event("PAGE_VIEW", "2026-03-01T09:00:00Z", { page_title: "Contact us" }), event("PAGE_VIEW", "2026-03-01T09:01:00Z")] });
		expect([titled.text, titled.about, untitled.text, untitled.about]).toEqual(["Contact us", "/contact", "/contact", ""]);
	});

	test("says what each kind was", () => {
		const events = ["FORM_SUBMIT", "IDENTIFY", "CONSENT", "CONVERSION", "CUSTOM"].map((type, minute) =>
			event(type, `2026-03-01T09:0${minute}:00Z`, { event_name: type === "CUSTOM" ? "video" : type === "CONVERSION" ? "Purchase" : null, value: type === "CONVERSION" ? 12 : null, currency: "USD" }),
		);
		expect(hitsOf({ clicks: [], events }).map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
			"form: Sent a form", "identify: Said who they are", "consent: Answered about consent", "conversion: Converted: Purchase", "event: video",
		]);
		expect(hitsOf({ clicks: [], events })[3].about).toBe("$12.00 · /contact");
	});

	test("of clicks which link it was", () => {
		expect(textOfClick(click)).toBe("Scanned the QR code of /r/flyer");
		expect(textOfClick({ event_type: "Click", short_code: null })).toBe("Clicked a short link");
	});
});

test("addresses that are none stay what they are", () => {
	expect([pathOf("https://a.example/b/c?d=e#f"), pathOf("nonsense"), pathOf(null)]).toEqual(["/b/c", "nonsense", ""]);
});

test("facts leave out what is not known", () => {
	expect(factsOf(session({ page_views: 3, duration_seconds: 90, device_type: "Mobile", os: "iOS", country: "DE", domain: "shop.example.com" }))).toEqual(["3 pages", "1m 30s", "Mobile, iOS", "Germany", "shop.example.com"]);
	expect(factsOf(session({ page_views: 0 }))).toEqual([]);
	expect([origin("news", "email"), origin("news", null), origin(null, null)]).toEqual(["news / email", "news", ""]);
});

test("a visitor is called by name, else by address, else by a part of the id", () => {
	const name = "v_0123456789abcdef";
	expect([nameOf({ name, contact_name: "Ada", contact_email: "ada@example.com" }), nameOf({ name, contact_email: "ada@example.com" }), nameOf({ name })]).toEqual(["Ada", "ada@example.com", "Visitor 012345"]);
});

test("entries stand under their days, in order", () => {
	const entries = ["2026-03-01T23:00:00Z", "2026-03-01T23:30:00Z", "2026-03-02T00:10:00Z"].map((at) => session({ at, name: at }));
	const days = byDay(entries as Entry[], (at) => at.slice(0, 10));
	expect(days.map((one) => [one.day, one.entries.length])).toEqual([["2026-03-01", 2], ["2026-03-02", 1]]);
});
