/** The figures of the overview: what each is called, counts, and when it is good news. Words in English, for `__()`. Pure. */
import { duration, number, percent } from "@/data/formats";

export interface Figure {
	value: number | null;
	previous: number | null;
	change: number | null;
}

export interface FigureKind {
	key: string;
	label: string;
	hint: string;
	good: "up" | "down" | "none";
	format: (value: number | null) => string;
	/** Whether there is a value for every day, to be drawn. */
	isDaily: boolean;
}

const count = (value: number | null) => number(value, 2);

export const FIGURES: FigureKind[] = [
	{ key: "visitors", label: "Visitors", hint: "Different people who were on your websites, or clicked a link.", good: "up", format: count, isDaily: true },
	{ key: "sessions", label: "Sessions", hint: "Visits that began in the period; a click whose page is not tracked is one without pages.", good: "up", format: count, isDaily: true },
	{ key: "page_views", label: "Page views", hint: "Pages that were seen in these sessions.", good: "up", format: count, isDaily: true },
	{ key: "clicks", label: "Clicks", hint: "Clicks of people on your short links. Robots and previews are not among them.", good: "up", format: count, isDaily: true },
	{ key: "scans", label: "QR scans", hint: "Scans of QR codes of your short links, by people.", good: "up", format: count, isDaily: true },
	{ key: "conversions", label: "Conversions", hint: "Leads, won deals and whatever else the settings count, as the model credits them, by the day of the conversion.", good: "up", format: count, isDaily: true },
	{ key: "bounce_rate", label: "Bounce rate", hint: "Visits that saw one page and did nothing more, in per cent of visits with a page.", good: "down", format: percent, isDaily: false },
	{ key: "average_seconds", label: "Time on site", hint: "From the first to the last page or event of a visit, on average.", good: "up", format: duration, isDaily: false },
	{ key: "pages_per_visit", label: "Pages per visit", hint: "Pages that a visit saw, on average.", good: "up", format: count, isDaily: false },
	{ key: "robots", label: "Robots", hint: "Clicks of bots and previews. They are in no other figure.", good: "none", format: count, isDaily: true },
];

export interface Lines<T> {
	lines: T[];
	others: Partial<T> | null;
}
export interface Credited {
	name: string;
	conversions: number;
	value: Record<string, number>;
}
export interface Overview {
	from_date: string;
	to_date: string;
	previous: { from_date: string; to_date: string };
	model: string;
	figures: Record<string, Figure>;
	visitors_estimated: boolean;
	value: ({ currency: string } & Figure)[];
	by_channel: { channel: string; touches: Figure }[];
	by_day: Record<string, any>[];
}

/** The other half of the answer: what led to most of it. */
export interface OverviewLists {
	campaigns: Lines<Credited & { sessions: number }>;
	links: Lines<Credited & { clicks: number; short_code: string; title: string | null }>;
	pages: Lines<{ name: string; views: number }>;
	referrers: Lines<{ name: string; sessions: number }>;
}

export interface Step {
	key: string;
	label: string;
	hint: string;
	value: number;
	/** Whether it is worked out of a rate that was rounded. */
	isEstimated: boolean;
}

/** From a visit that begins to what it was for. */
export function funnelOf(figures: Record<string, Figure>): Step[] {
	const of = (key: string) => figures[key]?.value ?? 0;
	const stayed = of("visits") * (1 - of("bounce_rate") / 100);
	return [
		{ key: "sessions", label: "Sessions", hint: "Began in the period", value: of("sessions"), isEstimated: false },
		{ key: "visits", label: "Saw a page", hint: "The others are clicks whose page is not tracked", value: of("visits"), isEstimated: false },
		// The rate has one place: below 1,000 visits it tells their number.
		{ key: "stayed", label: "Stayed", hint: "Saw a second page, or did something", value: Math.round(stayed), isEstimated: of("visits") >= 1000 },
		{ key: "conversions", label: "Conversions", hint: "Of the types that the settings count; some come without a visit", value: of("conversions"), isEstimated: false },
	];
}

/** Each currency's value by day beside the counts, so that it can be drawn: `value USD`. */
export function daysOf(overview: Overview): Record<string, any>[] {
	return overview.by_day.map((row) => ({
		...row,
		...Object.fromEntries(overview.value.map(({ currency }) => [`value ${currency}`, row.value?.[currency] ?? 0])),
	}));
}

/** Whether an address that a browser told is a page of one of these websites: only these are made links of. */
export function isOwnPage(address: string, domains: readonly string[]): boolean {
	try {
		const { protocol, host, hostname } = new URL(address);
		// A domain may be told with its port, or hold for all of them.
		return /^https?:$/.test(protocol) && (domains.includes(host) || domains.includes(hostname));
	} catch {
		return false;
	}
}
