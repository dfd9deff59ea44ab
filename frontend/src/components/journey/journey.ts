/** What a journey says, in words and figures: the rows of `get_journey`. Texts of visitors stay texts. Pure, but for `__()`. */
import { country, duration, money, number } from "@/data/formats";
import { __ } from "@/locale";

export interface Event {
	name: string;
	timestamp: string;
	event_type: string;
	event_name: string | null;
	page_url: string | null;
	page_title: string | null;
	value: number | null;
	currency: string | null;
}
export interface Click {
	name: string;
	click_timestamp: string;
	event_type: string;
	tracked_link: string | null;
	short_code: string | null;
	campaign: string | null;
	referrer: string | null;
}
export interface Session {
	kind: "session";
	at: string;
	name: string;
	visitor_id: string;
	duration_seconds: number;
	page_views: number;
	event_count: number;
	domain: string | null;
	channel: string | null;
	platform: string | null;
	source: string | null;
	medium: string | null;
	campaign: string | null;
	term: string | null;
	content: string | null;
	referrer: string | null;
	tracked_link: string | null;
	link_campaign: string | null;
	device_type: string | null;
	browser: string | null;
	os: string | null;
	country: string | null;
	city: string | null;
	events: Event[];
	clicks: Click[];
	touch_point: { channel: string; platform: string | null; is_direct: 0 | 1 } | null;
}
export interface Conversion {
	kind: "conversion";
	at: string;
	name: string;
	conversion_type: string;
	value: number;
	currency: string | null;
	crm_lead?: string;
	crm_deal?: string;
}
export type Entry = Session | (Click & { kind: "click"; at: string }) | Conversion;

export interface Visitor {
	name: string;
	first_seen: string;
	last_seen: string;
	page_views: number;
	engagement_score: number;
	/** How many are theirs; not where the user may not read conversions. */
	conversions?: number;
	country: string | null;
	is_cookieless: 0 | 1;
	is_internal: 0 | 1;
	consent_status: string | null;
	consent_at: string | null;
	consent_policy_version: string | null;
	channel: string | null;
	source: string | null;
	medium: string | null;
	campaign: string | null;
	last_channel: string | null;
	last_source: string | null;
	last_medium: string | null;
	last_campaign: string | null;
	contact_name?: string | null;
	contact_email?: string | null;
	crm_lead?: string | null;
}
export interface Journey {
	visitors: Visitor[];
	entries: Entry[];
	next_start: number | null;
}

export type HitKind = "page" | "click" | "form" | "identify" | "consent" | "conversion" | "event";
/** One thing that happened in a visit. */
export interface Hit {
	key: string;
	at: string;
	kind: HitKind;
	text: string;
	/** What it was about, where the text does not say so. */
	about: string;
}

const KINDS: Record<string, HitKind> = { PAGE_VIEW: "page", FORM_SUBMIT: "form", IDENTIFY: "identify", CONSENT: "consent", CONVERSION: "conversion" };

/** Clicks and events of a visit in the order of time. */
export function hitsOf({ clicks, events }: Pick<Session, "clicks" | "events">): Hit[] {
	const hits = [
		...clicks.map((click): Hit => ({ key: click.name, at: click.click_timestamp, kind: "click", text: textOfClick(click), about: click.campaign ?? "" })),
		...events.map((event): Hit => ({ key: event.name, at: event.timestamp, kind: KINDS[event.event_type] ?? "event", ...textOfEvent(event) })),
	];
	return hits.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
}

export function textOfClick({ event_type, short_code }: Pick<Click, "event_type" | "short_code">): string {
	const code = short_code ? `/r/${short_code}` : __("a short link");
	return event_type === "QR Scan" ? __("Scanned the QR code of {0}", [code]) : __("Clicked {0}", [code]);
}

function textOfEvent({ event_type, event_name, page_title, page_url, value, currency }: Event): { text: string; about: string } {
	const path = pathOf(page_url);
	const page = page_title || path;
	const amount = value ? money(value, currency ?? "") : "";
	switch (event_type) {
		case "PAGE_VIEW":
			return { text: page || __("Saw a page"), about: page_title ? path : "" };
		case "FORM_SUBMIT":
			return { text: event_name ? __("Sent the form {0}", [event_name]) : __("Sent a form"), about: page };
		case "IDENTIFY":
			return { text: __("Said who they are"), about: page };
		case "CONSENT":
			return { text: __("Answered about consent"), about: page };
		case "CONVERSION":
			return { text: __("Converted: {0}", [event_name || event_type]), about: [amount, page].filter(Boolean).join(" · ") };
		default:
			return { text: event_name || event_type, about: [amount, page].filter(Boolean).join(" · ") };
	}
}

/** The path of an address, without its host and what stands behind `?`; the text itself where it is no address. */
export function pathOf(url: string | null): string {
	try {
		return new URL(url!).pathname;
	} catch {
		return url ?? "";
	}
}

/** `source / medium`, as far as they are known. */
export const origin = (source: string | null | undefined, medium: string | null | undefined): string => [source, medium].filter(Boolean).join(" / ");

/** What else is known of a visit. */
export function factsOf(visit: Session): string[] {
	return [
		visit.page_views === 1 ? __("1 page") : visit.page_views ? __("{0} pages", [number(visit.page_views)]) : "",
		visit.duration_seconds ? duration(visit.duration_seconds) : "",
		[visit.device_type && __(visit.device_type), visit.browser, visit.os].filter(Boolean).join(", "),
		[visit.city, country(visit.country)].filter(Boolean).join(", "),
		visit.domain ?? "",
	].filter(Boolean);
}

/** How a visitor is called where their name is not known, or not to be told. */
export const shortId = (id: string): string => __("Visitor {0}", [id.replace(/^v_/, "").slice(0, 6)]);
export const nameOf = (visitor: Pick<Visitor, "name" | "contact_name" | "contact_email">): string =>
	visitor.contact_name || visitor.contact_email || shortId(visitor.name);

/** Entries by the day at the site, in order; `dayOf` tells the day of an instant. */
export function byDay(entries: Entry[], dayOf: (at: string) => string): { day: string; entries: Entry[] }[] {
	const days: { day: string; entries: Entry[] }[] = [];
	for (const entry of entries) {
		const day = dayOf(entry.at);
		const last = days[days.length - 1];
		if (last?.day === day) last.entries.push(entry);
		else days.push({ day, entries: [entry] });
	}
	return days;
}
