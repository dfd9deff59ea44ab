/** Models side by side, as `compare_models` answers them. Pure, but for `__()`. */
import { moneys, money, NONE, number, percent, type Amount } from "@/data/formats";
import { __ } from "@/locale";

export interface Figures {
	conversions: number;
	value: Record<string, number>;
	/** In the reporting currency; null where a rate is missing. */
	converted_value: number | null;
	share: number | null;
	cpa: number | null;
	roas: number | null;
	/** Where in the journey the touches were; where that was asked for, and not of what has no touch. */
	positions?: Record<Place, Figures>;
}
export const PLACES = ["first", "middle", "last", "only"] as const;
export type Place = (typeof PLACES)[number];
/** Figures by model. */
export type Line = Record<string, Figures>;
export interface Comparison {
	from_date: string;
	to_date: string;
	models: { name: string; model_type: string; is_default: 0 | 1 }[];
	groups: { group: string; label: string; spend: number | null; figures: Line }[];
	others: Line | null;
	unattributed: Line;
	totals: Line;
	costs: { currency: string; others: number | null; total: number | null; notices: string[] };
}

export const GROUPS = ["channel", "campaign", "link", "source", "medium", "platform", "position"] as const;
export const GROUP_LABELS: Record<string, { label: string }> = {
	channel: { label: "Channel" },
	campaign: { label: "Campaign" },
	link: { label: "Link" },
	source: { label: "Source" },
	medium: { label: "Medium" },
	platform: { label: "Platform" },
	position: { label: "Position in the journey" },
};
export const POSITION_LABELS: Record<string, { label: string }> = {
	only: { label: "The only touch" },
	first: { label: "The first touch" },
	middle: { label: "A touch between" },
	last: { label: "The last touch" },
};
/** What a group is called. */
export function nameOfGroup(by: string, { group, label }: { group: string; label: string }): string {
	if (!group) return __("None");
	if (by === "position") return __(POSITION_LABELS[group]?.label ?? group);
	return by === "channel" ? __(label) : label;
}

/** What costs know: of these groups CPA and ROAS can be told. */
export const HAS_SPEND = ["campaign", "platform"];

export interface Metric {
	key: "conversions" | "value" | "share" | "cpa" | "roas";
	label: string;
	hint: string;
	/** By which figure the server chooses the groups that are told apart. */
	figure: "conversions" | "value";
	/** For bars; null where there is none. */
	of: (figures: Figures) => number | null;
	text: (figures: Figures, currency: string) => string;
	needsSpend?: boolean;
}
export const amountsOf = (value: Record<string, number>): Amount[] => Object.entries(value).map(([currency, one]) => ({ currency, value: one }));

export const METRICS: Metric[] = [
	{
		key: "conversions",
		label: "Conversions",
		hint: "Conversions of the types that the settings count. A model may share one out, so there are parts of one.",
		figure: "conversions",
		of: ({ conversions }) => conversions,
		text: ({ conversions }) => (conversions ? number(conversions) : NONE),
	},
	{
		key: "share",
		label: "Share",
		hint: "Of all conversions of the model, in per cent.",
		figure: "conversions",
		of: ({ share }) => share,
		text: ({ share }) => (share ? percent(share) : NONE),
	},
	{
		key: "value",
		label: "Value",
		hint: "Money of conversions whose value the settings count. Currencies are not added; bars go by the reporting currency.",
		figure: "value",
		of: ({ converted_value }) => converted_value,
		text: ({ value }) => moneys(amountsOf(value)),
	},
	{
		key: "cpa",
		label: "CPA",
		hint: "What one conversion cost: spend ÷ conversions, in the reporting currency.",
		figure: "conversions",
		of: ({ cpa }) => cpa,
		text: ({ cpa }, currency) => money(cpa, currency),
		needsSpend: true,
	},
	{
		key: "roas",
		label: "ROAS",
		hint: "What came back for one unit of spend: value ÷ spend.",
		figure: "value",
		of: ({ roas }) => roas,
		text: ({ roas }) => number(roas),
		needsSpend: true,
	},
];

/** The largest of a metric that any model gives to any group. */
export function mostOf(lines: Line[], metric: Metric): number {
	return Math.max(1e-9, ...lines.flatMap((line) => Object.values(line).map((figures) => metric.of(figures) ?? 0)));
}
