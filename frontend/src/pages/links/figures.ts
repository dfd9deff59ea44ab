/** What a link brought in a period, as `get_link_analytics` tells it. Words in English, for `__()`. Pure. */
import { money, number } from "@/data/formats";

export interface Totals {
	clicks: number;
	scans: number;
	bots: number;
	prefetches: number;
	blocked: number;
	expired: number;
	internal: number;
	unique_visitors: number;
	conversions: number;
	revenue: number;
	currency: string;
}
export interface Line {
	value: string;
	/** Clicks and scans of people. */
	clicks: number;
	bots: number;
}
export interface Analytics {
	from_date: string;
	to_date: string;
	totals: Totals;
	previous: { from_date: string; to_date: string; totals: Totals };
	visitors_estimated: boolean;
	by_day: ({ day: string } & Record<string, number>)[];
	by_country: Line[];
	by_device: Line[];
	by_browser: Line[];
	by_os: Line[];
	by_referrer: Line[];
	by_variant: Line[];
}

export interface Kind {
	key: string;
	label: string;
	hint: string;
	good: "up" | "down" | "none";
	of: (totals: Totals) => number;
	/** As people read it. */
	text: (value: number | null, totals: Totals) => string;
}

const count = (value: number | null) => number(value);

const robots = ({ bots, prefetches }: Totals) => bots + prefetches;

export const KINDS: Kind[] = [
	{ key: "clicks", label: "Clicks", hint: "Clicks of people. Scans and robots are counted apart.", good: "up", of: ({ clicks }) => clicks, text: count },
	{ key: "scans", label: "QR scans", hint: "Scans of the QR code by people.", good: "up", of: ({ scans }) => scans, text: count },
	{ key: "visitors", label: "Visitors", hint: "Different people who clicked or scanned.", good: "up", of: ({ unique_visitors }) => unique_visitors, text: count },
	{ key: "conversions", label: "Conversions", hint: "Credits under the default model, of the types that the settings count.", good: "up", of: ({ conversions }) => conversions, text: count },
	{ key: "revenue", label: "Value", hint: "Credited value under the default model.", good: "up", of: ({ revenue }) => revenue, text: (value, { currency }) => money(value, currency) },
	{ key: "robots", label: "Robots", hint: "Robots and previews. They are in no other figure.", good: "none", of: robots, text: count },
];

/** Requests that led nowhere, in words; empty where there were none. */
export function lost(totals: Totals): { expired: number; blocked: number } | null {
	return totals.expired || totals.blocked ? { expired: totals.expired, blocked: totals.blocked } : null;
}

/** In per cent; null from nothing. */
export const changeOf = (now: number, before: number): number | null => (before ? (100 * (now - before)) / Math.abs(before) : null);
