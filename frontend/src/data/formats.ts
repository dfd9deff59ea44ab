/** Numbers, amounts, days and times as the site, or the user, writes them; words beside them are of the user's language. Pure, but for
 * asking `boot()` how that is. */
import { __ } from "@/locale";
import { boot } from "./boot";

export interface Amount {
	currency: string;
	value: number;
}

/** What stands where there is no figure; never a zero that nobody counted. */
export const NONE = "–";

/** The signs of Frappe's number format: `#.###,##` groups with points. */
export function signsOf(format: string): { group: string; decimal: string; isIndian: boolean } {
	const signs = [...format.matchAll(/#?([.,' ]{1,2})#/g)].map((found) => found[1]);
	const places = /##$/.test(format) && !/###$/.test(format);
	const decimal = places ? signs[signs.length - 1] : signs[0] === "." ? "," : ".";
	const group = places ? signs.slice(0, -1).pop() ?? "" : signs[0] ?? "";
	return { group, decimal, isIndian: /#,##,###/.test(format) };
}

/** Made once each: making one takes much longer than writing a number. */
const makers = new Map<string, Intl.NumberFormat>();
function maker(language: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
	const key = JSON.stringify([language, options]);
	if (!makers.has(key)) makers.set(key, new Intl.NumberFormat(language, { numberingSystem: "latn", useGrouping: "always", ...options } as Intl.NumberFormatOptions));
	return makers.get(key)!;
}

function written(value: number, options: Intl.NumberFormatOptions): string {
	const { group, decimal, isIndian } = signsOf(boot().formats.number);
	// The language says where a currency stands and how thousands are called; the format, which signs there are.
	return maker(isIndian ? "en-IN" : boot().language, options)
		.formatToParts(value)
		.map(({ type, value: text }) => (type === "group" ? group.replace(" ", "\u00a0") : type === "decimal" ? decimal : text))
		.join("");
}

type Maybe = number | null | undefined;
const isNumber = (value: Maybe): value is number => typeof value === "number" && Number.isFinite(value);

/** With as many places as it has, `places` at most. */
export function number(value: Maybe, places = 2): string {
	return isNumber(value) ? written(value, { maximumFractionDigits: places }) : NONE;
}

/** For where there is little room: 12.3K. */
export function compact(value: Maybe): string {
	if (!isNumber(value)) return NONE;
	return Math.abs(value) < 10_000 ? number(value, 2) : written(value, { notation: "compact", maximumFractionDigits: 1 });
}

/** Of a value in per cent. */
export function percent(value: Maybe, places = 1): string {
	return isNumber(value) ? `${written(value, { maximumFractionDigits: places })} %` : NONE;
}

/** With its sign: for changes. */
export function signedPercent(value: Maybe): string {
	if (!isNumber(value)) return NONE;
	const places = Math.abs(value) < 10 ? 1 : 0;
	return `${written(value, { maximumFractionDigits: places, signDisplay: "exceptZero" })} %`;
}

/** An amount in its own currency, with as many places as the currency has. */
export function money(value: Maybe, currency: string): string {
	if (!isNumber(value)) return NONE;
	const precision = boot().formats.currency_precision;
	const places = precision === null ? {} : { minimumFractionDigits: precision, maximumFractionDigits: precision };
	try {
		return written(value, { style: "currency", currency, currencyDisplay: "narrowSymbol", ...places });
	} catch {
		// A currency of the site's own making, which no standard knows.
		return `${written(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ${currency}`;
	}
}

/** Amounts of several currencies stand side by side; they are never added. */
export function moneys(amounts: readonly Amount[] | null | undefined): string {
	return amounts?.length ? amounts.map(({ value, currency }) => money(value, currency)).join(" · ") : NONE;
}

/** Seconds in words: 45s, 3m 20s, 2h 5m. */
export function duration(seconds: Maybe): string {
	if (!isNumber(seconds)) return NONE;
	const whole = Math.round(seconds);
	if (whole < 60) return __("{0}s", [whole]);
	const minutes = Math.floor(whole / 60);
	if (minutes < 60) return whole % 60 ? __("{0}m {1}s", [minutes, whole % 60]) : __("{0}m", [minutes]);
	const hours = Math.floor(minutes / 60);
	if (hours < 48) return minutes % 60 ? __("{0}h {1}m", [hours, minutes % 60]) : __("{0}h", [hours]);
	return __("{0} days", [number(hours / 24, 1)]);
}

/** A day as the site writes days; takes a date or the beginning of a time. */
export function day(value: string | null | undefined): string {
	const found = /^(\d{4})-(\d\d)-(\d\d)/.exec(value ?? "");
	if (!found) return NONE;
	const [, year, month, date] = found;
	return boot().formats.date.replace("yyyy", year).replace("mm", month).replace("dd", date);
}

/** A day where the year is plain: 31 Mar. */
export function shortDay(value: string): string {
	const instant = new Date(`${value.slice(0, 10)}T00:00:00Z`);
	return new Intl.DateTimeFormat(boot().language, { timeZone: "UTC", day: "numeric", month: "short" }).format(instant);
}

/** Day and time at the site: of instants with an offset (the API's), and of times without one (the database's, which are the site's). */
export function dateTime(value: string | null | undefined): string {
	const local = atSite(value);
	return local ? `${day(local)} ${local.slice(11, 16)}` : NONE;
}

/** The time of the day at the site. */
export function time(value: string | null | undefined): string {
	return atSite(value)?.slice(11, 16) ?? NONE;
}

/** `2026-03-31 18:00` at the site; null where there is no time. */
export function atSite(value: string | null | undefined): string | null {
	if (!value) return null;
	if (!/(Z|[+-]\d\d:?\d\d)$/.test(value.slice(10))) return /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(value) ? value : null;
	const instant = new Date(value);
	if (Number.isNaN(instant.getTime())) return null;
	const options = { timeZone: boot().time_zone.site, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const;
	const parts = Object.fromEntries(new Intl.DateTimeFormat("en-US", options).formatToParts(instant).map((part) => [part.type, part.value]));
	return `${parts.year.padStart(4, "0")}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}`;
}

/** A country in the user's language; it comes as two letters, and what are none stays as it is. */
export function country(code: string | null | undefined): string {
	try {
		return code ? (new Intl.DisplayNames([boot().language], { type: "region" }).of(code) ?? code) : "";
	} catch {
		return code!;
	}
}

/** Where somebody was, and on what: Germany, Mobile, Chrome; as far as it is known. */
export function whereabouts(hit: { country?: string | null; device_type?: string | null; browser?: string | null } | null | undefined): string {
	return [country(hit?.country), hit?.device_type && __(hit.device_type), hit?.browser].filter(Boolean).join(", ");
}

/** How long ago an instant was, in words. */
export function ago(value: string, now: Date = new Date()): string {
	const seconds = Math.round((now.getTime() - new Date(value).getTime()) / 1000);
	const words = new Intl.RelativeTimeFormat(boot().language, { numeric: "auto" });
	if (seconds < 60) return words.format(-Math.max(0, seconds), "second");
	if (seconds < 3600) return words.format(-Math.floor(seconds / 60), "minute");
	if (seconds < 86_400) return words.format(-Math.floor(seconds / 3600), "hour");
	return words.format(-Math.floor(seconds / 86_400), "day");
}
