/** What was spent, as the server tells it, and how it is drawn. Words in English, for `__()`. Pure. */
import { money, number } from "@/data/formats";
import { __ } from "@/locale";
import type { Figure } from "../overview/figures";

export interface Place {
	platform: string;
	campaign: string;
	adset: string;
	ad: string;
}
export type FigureName = "spend" | "value" | "conversions" | "cpa" | "roas" | "impressions" | "clicks" | "ctr" | "cpc";
export type Line = Place & Record<FigureName, Figure>;
export interface Day {
	day: string;
	spend: number | null;
	value: number | null;
	conversions: number;
	/** The spend of each of the series. */
	by: (number | null)[];
}
export interface Spend {
	from_date: string;
	to_date: string;
	currency: string;
	figures: Record<FigureName, Figure>;
	series: Place[];
	by_day: Day[];
	lines: Line[];
	total: number;
	notices: string[];
}

/** What lines and series can be of; `value` is the API's word. */
export const GRAINS = [
	{ value: "platform", label: "Platforms", part: "platform", none: { label: "No platform" } },
	{ value: "campaign", label: "Campaigns", part: "campaign", none: { label: "No campaign" } },
	{ value: "adset", label: "Ad sets", part: "adset", none: { label: "No ad set" } },
	{ value: "ad", label: "Ads", part: "ad", none: { label: "No ad" } },
] as const;
export type Grain = (typeof GRAINS)[number]["value"];

export interface Kind {
	key: FigureName;
	label: string;
	hint: string;
	good: "up" | "down" | "none";
	isMoney?: boolean;
	/** Whether there is a value for every day, to be drawn. */
	isDaily?: boolean;
}
export const KINDS: Kind[] = [
	{ key: "spend", label: "Spend", hint: "What was spent on all of it, in the reporting currency, at each day's rate.", good: "none", isMoney: true, isDaily: true },
	{ key: "value", label: "Value", hint: "What the conversions were worth that the model credits to it.", good: "up", isMoney: true, isDaily: true },
	{ key: "roas", label: "ROAS", hint: "Value for each unit that was spent.", good: "up", isDaily: true },
	{ key: "conversions", label: "Conversions", hint: "Conversions of the types that the settings count, as the model credits them. One can be shared out.", good: "up", isDaily: true },
	{ key: "cpa", label: "CPA", hint: "What a conversion cost.", good: "down", isMoney: true, isDaily: true },
	{ key: "cpc", label: "CPC", hint: "What a click on an ad cost, as the platform counts clicks.", good: "down", isMoney: true },
];

export const formatOf = (kind: Pick<Kind, "isMoney">, currency: string) => (value: number | null | undefined) =>
	kind.isMoney ? money(value, currency) : number(value);

/** The name of a place at a grain: its last part. What has none is that, in words: conversions that no advertising led to, too. */
export const nameOf = (place: Place, grain: Grain): string => {
	const { part, none } = GRAINS.find(({ value }) => value === grain)!;
	return place[part] || __(none.label);
};

/** What a place belongs to, outermost first, as far as it is known. */
export const parentsOf = (place: Place, grain: Grain): string[] => {
	const depth = GRAINS.findIndex(({ value }) => value === grain);
	return GRAINS.slice(0, depth).flatMap(({ part }) => place[part] || []);
};

export const keyOf = (place: Place): string => JSON.stringify([place.platform, place.campaign, place.adset, place.ad]);

const ratio = (part: number | null, whole: number | null) => (part === null || !whole ? null : part / whole);

/** A figure day by day: of spend a column for each series, and one for what else was spent. */
export function drawn(spend: Spend, kind: Kind, grain: Grain): { rows: Record<string, any>[]; series: { key: string; label: string; isMuted?: boolean }[] } {
	if (kind.key === "spend" && spend.series.length > 1) {
		const rest = (day: Day) => (day.spend === null || day.by.includes(null) ? null : day.spend - day.by.reduce<number>((sum, one) => sum + one!, 0));
		const others = spend.by_day.some((day) => (rest(day) ?? 0) > 0.005);
		return {
			rows: spend.by_day.map((day) => ({ day: day.day, ...Object.fromEntries(day.by.map((one, index) => [`s${index}`, one])), rest: rest(day) })),
			series: [
				...spend.series.map((place, index) => ({ key: `s${index}`, label: nameOf(place, grain) })),
				...(others ? [{ key: "rest", label: __("All others"), isMuted: true }] : []),
			],
		};
	}
	const values: Record<string, (day: Day) => number | null> = {
		spend: (day) => day.spend,
		value: (day) => day.value,
		conversions: (day) => day.conversions,
		cpa: (day) => ratio(day.spend, day.conversions),
		roas: (day) => ratio(day.value, day.spend),
	};
	return {
		rows: spend.by_day.map((day) => ({ day: day.day, now: values[kind.key](day), spend: day.spend })),
		series: [
			{ key: "now", label: __(kind.label) },
			...(kind.key === "value" ? [{ key: "spend", label: __("Spend"), isMuted: true }] : []),
		],
	};
}
