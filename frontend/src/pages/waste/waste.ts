/** Spend that brought too little, as the server tells it. Words in English, for `__()`. Pure. */
import type { Theme } from "../spend/imports";
import type { Place } from "../spend/spend";

export type Severity = "high" | "medium" | "low";

export interface Finding extends Place {
	grain: string;
	reason: string;
	label: string;
	severity: Severity;
	waste_spend: number;
	waste_share: number;
	impressions: number;
	clicks: number;
	words: string;
	recommendation: string;
	explanation: {
		figures: Record<"spend" | "conversions" | "value" | "cpa" | "roas", number | null>;
		comparison: { figure: string; actual: number; target: number; target_set_in: string | null };
		severity: Record<string, any>;
	};
}

export interface Waste {
	from_date: string;
	to_date: string;
	currency: string;
	findings: Finding[];
	summary: {
		spend: number | null;
		waste: number;
		share: number | null;
		findings: number;
		by_severity: Record<Severity, number>;
		acknowledged: number;
		young: number;
	};
	notices: string[];
}

export interface Acknowledgement extends Place {
	name: string;
	grain: string;
	reason: string;
	label: string;
	note: string;
	until: string | null;
	amount: number;
	currency: string;
	is_over: boolean;
	by: string;
	at: string;
}

export const SEVERITIES: { value: Severity; label: string; theme: Theme }[] = [
	{ value: "high", label: "High", theme: "red" },
	{ value: "medium", label: "Medium", theme: "orange" },
	{ value: "low", label: "Low", theme: "gray" },
];

/** A finding's own part of what the grain tells apart, innermost first. */
export const partsOf = ({ platform, campaign, adset, ad }: Place): string[] => [ad, adset, campaign, platform].filter(Boolean);

/** What a finding is known by: the same at each asking. */
export const keyOf = (finding: Finding): string => JSON.stringify([finding.grain, finding.platform, finding.campaign, finding.adset, finding.ad, finding.reason]);
