/** The period that a page is about: one of these, or any range of days. In addresses as `period=…` or `from=…&to=…`. Pure. */
import { addDays, addMonths, dayIn, daysBetween, firstOfMonth, isDay, type Day } from "./days";

export interface Period {
	/** A preset's, or "custom". */
	name: string;
	from: Day;
	to: Day;
}

/** What the API takes at most. */
export const MOST_DAYS = 1100;
export const DEFAULT_PERIOD = "last-30-days";

/** From today, the day that it is at the site. Labels in English, for `__()`. */
export const PRESETS: { name: string; label: string; range: (today: Day) => [Day, Day] }[] = [
	{ name: "today", label: "Today", range: (today) => [today, today] },
	{ name: "yesterday", label: "Yesterday", range: (today) => [addDays(today, -1), addDays(today, -1)] },
	{ name: "last-7-days", label: "Last 7 days", range: (today) => [addDays(today, -6), today] },
	{ name: "last-30-days", label: "Last 30 days", range: (today) => [addDays(today, -29), today] },
	{ name: "last-90-days", label: "Last 90 days", range: (today) => [addDays(today, -89), today] },
	{ name: "this-month", label: "This month", range: (today) => [firstOfMonth(today), today] },
	{ name: "last-month", label: "Last month", range: (today) => [addMonths(today, -1), addDays(firstOfMonth(today), -1)] },
	{ name: "this-year", label: "This year", range: (today) => [`${today.slice(0, 4)}-01-01`, today] },
];

type Query = Record<string, unknown>;

/** What the address asks for; the default where it asks for nothing that there is. */
export function periodOf(query: Query, timeZone: string, now: Date = new Date()): Period {
	const { from, to } = query;
	if (isDay(from) && isDay(to) && from <= to && daysBetween(from, to) <= MOST_DAYS) return { name: "custom", from, to };
	const preset = PRESETS.find(({ name }) => name === query.period) ?? PRESETS.find(({ name }) => name === DEFAULT_PERIOD)!;
	const [first, last] = preset.range(dayIn(timeZone, now));
	return { name: preset.name, from: first, to: last };
}

/** How the address asks for a period; the default is not named. */
export function queryOf(period: { name: string; from?: Day; to?: Day }): Record<string, string | undefined> {
	const isCustom = period.name === "custom";
	return {
		period: isCustom || period.name === DEFAULT_PERIOD ? undefined : period.name,
		from: isCustom ? period.from : undefined,
		to: isCustom ? period.to : undefined,
	};
}
