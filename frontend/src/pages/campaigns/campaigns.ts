/** What a campaign is to people, what its form holds, and what it brought, as `get_campaign_stats` tells it. Words in English. Pure. */
import { money, moneys, number, percent, type Amount } from "@/data/formats";

export const STATUSES = [{ label: "Planned" }, { label: "Active" }, { label: "Paused" }, { label: "Completed" }, { label: "Cancelled" }];
export const TYPES = [
	{ label: "Email" }, { label: "Social" }, { label: "Search" }, { label: "Display" }, { label: "Video" }, { label: "Affiliate" }, { label: "Event" },
	{ label: "Print" }, { label: "Referral" }, { label: "Other" },
];
export const THEMES: Record<string, "gray" | "green" | "orange" | "blue" | "red"> = {
	Planned: "gray",
	Active: "green",
	Paused: "orange",
	Completed: "blue",
	Cancelled: "red",
};

/** In per cent; null where nothing was spent, or a part is not known. */
export function roiOf({ revenue, spend, figures_notice }: { revenue: number; spend: number; figures_notice: string | null }): number | null {
	return figures_notice || !spend ? null : (100 * (revenue - spend)) / spend;
}

/** What is edited here; the rest is in the desk. */
export const FORM = {
	campaign_name: "",
	campaign_id: "",
	status: "Active",
	campaign_type: "",
	start_date: "",
	end_date: "",
	source: "",
	medium: "",
	platform: "",
	external_campaign_id: "",
	currency: "",
	budget: "",
	expected_roi: "",
	target_cpa: "",
	target_roas: "",
	description: "",
};
export type Form = typeof FORM;
const NAMES = Object.keys(FORM) as (keyof Form)[];
const AMOUNTS: readonly string[] = ["budget", "expected_roi", "target_cpa", "target_roas"];

export const formOf = (campaign: Record<string, any>): Form => ({
	...FORM,
	...Object.fromEntries(NAMES.map((name) => [name, campaign[name] ? String(campaign[name]) : ""])),
});

const stored = (name: string, text: string) => (AMOUNTS.includes(name) ? Number(text) || 0 : text.trim() || null);

/** What was entered, as a new document takes it. */
export const valuesOf = (form: Form): Record<string, unknown> =>
	Object.fromEntries(NAMES.filter((name) => String(form[name]).trim()).map((name) => [name, stored(name, String(form[name]))]));

/** What differs from what it was. */
export const changesOf = (form: Form, before: Form): Record<string, unknown> =>
	Object.fromEntries(NAMES.filter((name) => String(form[name]) !== before[name]).map((name) => [name, stored(name, String(form[name]))]));

interface Totals {
	clicks: number;
	scans: number;
	bots: number;
	prefetches: number;
	sessions: number;
	visitors: number;
	page_views: number;
	bounce_rate: number | null;
	average_seconds: number | null;
	conversions: number;
	value: Record<string, number>;
}
export interface Returns {
	spend: number | null;
	value: number | null;
	cpa: number | null;
	roas: number | null;
	roi: number | null;
}
export interface Stats {
	campaign: string;
	from_date: string;
	to_date: string;
	model: string;
	totals: Totals;
	spend: Record<string, number>;
	returns: Returns & { currency: string; expected_roi: number | null };
	budget: { currency: string; budget: number | null; spent: number | null; used: number | null; left: number | null };
	previous: { from_date: string; to_date: string; totals: Totals; returns: Returns };
	missing_rates: { day: string; currency: string }[];
	visitors_estimated: boolean;
	by_day: Day[];
	by_channel: { channel: string; sessions: number; conversions: number; value: Record<string, number> }[];
	by_link: { lines: LinkLine[]; others: { clicks: number } | null };
}
export interface Day {
	day: string;
	clicks: number;
	scans: number;
	bots: number;
	prefetches: number;
	sessions: number;
	visitors: number;
	conversions: number;
	value: Record<string, number>;
	spend: Record<string, number>;
}
export interface LinkLine {
	name: string;
	clicks: number;
	robots: number;
	short_code: string | null;
	title: string | null;
	conversions: number;
	value: Record<string, number>;
}

export const amountsOf = (sums: Record<string, number>): Amount[] => Object.entries(sums).map(([currency, value]) => ({ currency, value }));

type Part = { totals: Totals; returns: Returns };
export type Chart = "clicks" | "visitors" | "conversions" | "money";

export interface Kind {
	key: string;
	label: string;
	hint: string;
	good: "up" | "down" | "none";
	of: (part: Part) => number | null;
	/** As people read it. */
	text: (value: number | null, stats: Stats, part: Part) => string;
	/** What is drawn when it is chosen. */
	chart?: Chart;
}

const count = (value: number | null) => number(value);
const inReporting = (value: number | null, { returns }: Stats) => money(value, returns.currency);

export const KINDS: Kind[] = [
	{ key: "clicks", label: "Clicks", hint: "Clicks and QR scans of people on the campaign's links.", good: "up", of: ({ totals }) => totals.clicks + totals.scans, text: count, chart: "clicks" },
	{ key: "visitors", label: "Visitors", hint: "Different people whose visit the campaign brought.", good: "up", of: ({ totals }) => totals.visitors, text: count, chart: "visitors" },
	{ key: "conversions", label: "Conversions", hint: "Credits of the campaign's touches under the chosen model, by the day of the conversion.", good: "up", of: ({ totals }) => totals.conversions, text: count, chart: "conversions" },
	{
		key: "value",
		label: "Value",
		hint: "What these conversions are worth, in the reporting currency by each day's rate.",
		good: "up",
		of: ({ returns }) => returns.value,
		// Without a rate the sums of each currency are all that is known.
		text: (value, stats, { totals }) => (value === null ? moneys(amountsOf(totals.value)) : inReporting(value, stats)),
		chart: "money",
	},
	{
		key: "spend",
		label: "Spend",
		hint: "What the platforms reported, in the reporting currency by each day's rate.",
		good: "none",
		of: ({ returns }) => returns.spend,
		text: (value, stats, part) => (value === null && part === stats ? moneys(amountsOf(stats.spend)) : inReporting(value, stats)),
		chart: "money",
	},
	{ key: "roi", label: "ROI", hint: "(Value − spend) ÷ spend.", good: "up", of: ({ returns }) => returns.roi, text: (value) => percent(value), chart: "money" },
	{ key: "cpa", label: "Cost per conversion", hint: "Spend ÷ conversions.", good: "down", of: ({ returns }) => returns.cpa, text: inReporting, chart: "money" },
	{ key: "roas", label: "ROAS", hint: "Value ÷ spend.", good: "up", of: ({ returns }) => returns.roas, text: count, chart: "money" },
];

/** In per cent; null from nothing. */
export const changeOf = (now: number | null, before: number | null): number | null =>
	now === null || !before ? null : (100 * (now - before)) / Math.abs(before);

/** Currencies that anything was spent or brought in, in these days. */
export const currenciesOf = (days: Day[]): string[] => [...new Set(days.flatMap(({ value, spend }) => [...Object.keys(spend), ...Object.keys(value)]))].sort();

/** Days with the fields that charts draw: `spend USD` and `value USD` for each currency, robots together. */
export function drawnDays(days: Day[]): Record<string, any>[] {
	const currencies = currenciesOf(days);
	return days.map((one) => ({
		...one,
		robots: one.bots + one.prefetches,
		...Object.fromEntries(currencies.flatMap((currency) => [[`spend ${currency}`, one.spend[currency] ?? 0], [`value ${currency}`, one.value[currency] ?? 0]])),
	}));
}

export interface Finding {
	platform: string;
	campaign: string;
	reason: string;
	severity: "high" | "medium" | "low";
	waste_spend: number;
	waste_share: number | null;
	words: string;
	recommendation: string;
}
export interface Waste {
	currency: string;
	findings: Finding[];
	notices: string[];
}
export const SEVERITIES: Record<string, { label: string; theme: "red" | "orange" | "gray" }> = {
	high: { label: "High", theme: "red" },
	medium: { label: "Medium", theme: "orange" },
	low: { label: "Low", theme: "gray" },
};

/** Those of one campaign; the sums of days fold case, as databases do. */
export const wasteOf = ({ findings }: Waste, campaign: string): Finding[] => findings.filter((one) => one.campaign.toLowerCase() === campaign.toLowerCase());
