/** Imports of costs as the server tells them. Words in English, for `__()`. Pure. */
import type { Amount } from "@/data/formats";
import { __ } from "@/locale";

export type Verdict = "new" | "changed" | "unchanged" | "refused";

export interface CostRow {
	row: number;
	verdict: Verdict;
	date?: string;
	platform?: string;
	campaign?: string;
	adset?: string;
	ad?: string;
	link_campaign?: string | null;
	impressions?: number | null;
	clicks?: number | null;
	spend?: number | null;
	currency?: string;
	/** How many rows of the file were summed into it. */
	rows?: number;
	changes?: Record<string, { old: unknown; new: unknown }>;
	message?: string;
}

/** What a file does, or did. */
export interface Report extends Record<Verdict, number> {
	format: string;
	decimal_mark: string;
	day_order: string;
	columns: Record<string, string>;
	from_date: string | null;
	to_date: string | null;
	summed: number;
	left_out: Record<string, number>;
	without_campaign: number;
	spend: Record<string, number>;
	ignored_columns: string[];
	rows: CostRow[];
}

export interface Imported {
	name: string;
	file_name: string;
	status: string;
	message: string | null;
	format: string | null;
	from_date: string | null;
	to_date: string | null;
	new: number;
	changed: number;
	unchanged: number;
	refused: number;
	left_out: number;
	by: string;
	at: string;
	undone_by: string | null;
	undone_at: string | null;
	can_undo: boolean;
	progress: { done: number; total: number } | null;
	report: Report | null;
}

export type Theme = "gray" | "green" | "orange" | "red" | "blue";
export const VERDICTS: { value: Verdict; label: string; theme: Theme }[] = [
	{ value: "refused", label: "Refused", theme: "red" },
	{ value: "changed", label: "Changed", theme: "orange" },
	{ value: "new", label: "New", theme: "green" },
	{ value: "unchanged", label: "Unchanged", theme: "gray" },
];
export const STATUSES: Record<string, { label: string; theme: Theme }> = {
	Draft: { label: "Draft", theme: "gray" },
	Queued: { label: "Under way", theme: "blue" },
	Imported: { label: "Imported", theme: "green" },
	Failed: { label: "Failed", theme: "red" },
	Undone: { label: "Undone", theme: "gray" },
	"Partly Undone": { label: "Partly undone", theme: "orange" },
};

/** What fields of a file and of a row are called. */
export const FIELDS: Record<string, { label: string }> = {
	day: { label: "Day" },
	start: { label: "Start of the range" },
	end: { label: "End of the range" },
	platform: { label: "Platform" },
	campaign_id: { label: "Campaign ID" },
	campaign: { label: "Campaign name" },
	adset_id: { label: "Ad set ID" },
	adset: { label: "Ad set name" },
	ad_id: { label: "Ad ID" },
	ad: { label: "Ad name" },
	impressions: { label: "Impressions" },
	clicks: { label: "Clicks" },
	spend: { label: "Spend" },
	currency: { label: "Currency" },
	campaign_name: { label: "Campaign name" },
	adset_name: { label: "Ad set name" },
	ad_name: { label: "Ad name" },
	link_campaign: { label: "Campaign of this site" },
};

export const FORMATS = ["Google Ads", "Meta", "LinkedIn", "TikTok", "Microsoft Ads", "Generic"];

export const amountsOf = (spend: Record<string, number>): Amount[] => Object.entries(spend).map(([currency, value]) => ({ currency, value }));

/** What a row is about, outermost first. */
export const entityOf = ({ platform, campaign, adset, ad }: CostRow): string => [platform, campaign, adset, ad].filter(Boolean).join(" › ");

export interface Column {
	number: number;
	header: string;
	samples: string[];
}

/** Which column says what, as the server takes it: by its header, or by its number where another column has the same one. */
export function mappingOf(columns: Column[], meanings: Record<number, string>): Record<string, string> {
	const count = (header: string) => columns.filter((column) => column.header === header).length;
	return Object.fromEntries(
		columns.filter(({ number }) => meanings[number]).map((column) => [meanings[column.number], count(column.header) === 1 ? column.header : `#${column.number}`]),
	);
}

/** What is wrong with a choice of columns; empty where it can be tried. */
export function wrongWith(columns: Column[], meanings: Record<number, string>): string {
	const chosen = columns.map(({ number }) => meanings[number]).filter(Boolean);
	const twice = chosen.find((field, index) => chosen.indexOf(field) !== index);
	if (twice) return __("Two columns are said to be the same.");
	if (!chosen.includes("spend")) return __("Say which column is the spend.");
	return chosen.includes("day") || chosen.includes("start") ? "" : __("Say which column is the day.");
}
