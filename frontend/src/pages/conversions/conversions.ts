/** Conversions as the API tells them (trackflow/api/conversion.py). Pure, but for `__()`. */
import { moneys, percent } from "@/data/formats";
import { __ } from "@/locale";

export interface Conversion {
	name: string;
	conversion_type: string;
	at: string;
	value: number;
	currency: string | null;
	visitor: string | null;
	source_doctype: string | null;
	attribution_status: string | null;
	crm_lead?: string;
	crm_deal?: string;
	touches: number;
	credits: { channel: string; campaign: string; share: number; value: number }[];
	/** Channels and campaigns that are not told apart. */
	more_credits: number;
}
export interface TypeSummary {
	conversion_type: string;
	conversions: number;
	value: Record<string, number>;
	pending: number;
	failed: number;
	is_counted: boolean;
	is_valued: boolean;
	no_visitor: number;
	no_touch: number;
}
export interface Summary {
	types: TypeSummary[];
}

export const UNATTRIBUTED = "Unattributed";
export const STATUSES = ["Done", "Pending", "Failed"];
export const STATUS_LABELS: Record<string, string> = { Done: "Credited", Pending: "Waiting", Failed: "Failed" };
export const STATUS_THEMES: Record<string, "green" | "orange" | "red"> = { Done: "green", Pending: "orange", Failed: "red" };

export const amounts = (value: Record<string, number>): string =>
	Object.keys(value).length ? moneys(Object.entries(value).map(([currency, one]) => ({ currency, value: one }))) : "";

/** What each channel gets of a conversion, the most first; campaigns of one channel together. */
export function channelsOf({ credits }: Pick<Conversion, "credits">): { channel: string; share: number }[] {
	const shares = new Map<string, number>();
	for (const { channel, share } of credits) shares.set(channel, (shares.get(channel) ?? 0) + share);
	return [...shares].map(([channel, share]) => ({ channel, share })).sort((one, other) => other.share - one.share);
}

const MOST = 2;

/** In words: Email 60 %, Paid Search 30 % and 2 others; of one channel its name. */
export function credited(conversion: Pick<Conversion, "credits" | "more_credits">): string {
	const channels = channelsOf(conversion);
	if (channels.length === 1 && !conversion.more_credits) return __(channels[0].channel);
	const told = channels.slice(0, MOST).map(({ channel, share }) => `${__(channel)} ${percent(100 * share, 0)}`);
	return andOthers(told, channels.length - MOST, conversion.more_credits > 0);
}

/** The campaigns that take part, the one that gets most first. */
export function campaigns({ credits, more_credits }: Pick<Conversion, "credits" | "more_credits">): string {
	const names = [...new Set(credits.map(({ campaign }) => campaign).filter(Boolean))];
	return andOthers(names.slice(0, 1), names.length - 1, names.length > 0 && more_credits > 0);
}

/** How many others are not known where the list was cut. */
function andOthers(told: string[], others: number, isCut: boolean): string {
	const text = told.join(", ");
	if (isCut) return __("{0} and others", [text]);
	return others > 0 ? __("{0} +{1}", [text, others]) : text;
}
