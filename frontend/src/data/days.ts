/** Days as `2026-03-31`, without a clock and without a time zone. Pure. */

export type Day = string;

const MILLISECONDS = 86_400_000;

/** The day that it is somewhere at an instant. */
export function dayIn(timeZone: string, instant: Date = new Date()): Day {
	const parts = new Intl.DateTimeFormat("en-US", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(instant);
	const get = (type: string) => parts.find((part) => part.type === type)!.value;
	return `${get("year").padStart(4, "0")}-${get("month")}-${get("day")}`;
}

export const addDays = (day: Day, days: number): Day => fromTime(toTime(day) + days * MILLISECONDS);

/** How many days, both ends included. */
export const daysBetween = (from: Day, to: Day): number => Math.round((toTime(to) - toTime(from)) / MILLISECONDS) + 1;

export const firstOfMonth = (day: Day): Day => `${day.slice(0, 8)}01`;

export function addMonths(day: Day, months: number): Day {
	const [year, month] = day.split("-").map(Number);
	return fromTime(Date.UTC(year, month - 1 + months, 1));
}

/** Whether it is one, and one that exists. */
export function isDay(text: unknown): text is Day {
	return typeof text === "string" && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(toTime(text)) && fromTime(toTime(text)) === text;
}

const toTime = (day: Day) => Date.parse(`${day}T00:00:00Z`);
const fromTime = (time: number): Day => new Date(time).toISOString().slice(0, 10);
