/** What a short link is to people: its address, whether it works, what its form holds. Pure, but for asking `boot()` for hosts. */
import { boot } from "@/data/boot";

export const STATUSES = [{ label: "Active" }, { label: "Paused" }, { label: "Expired" }, { label: "Archived" }];

export interface Link {
	name: string;
	title: string;
	short_code: string;
	domain: string | null;
	status: string;
	starts_on: string | null;
	expiry_date: string | null;
	max_clicks: number;
	click_count: number;
	scan_count: number;
}

export function shortUrl({ short_code, domain }: Pick<Link, "short_code" | "domain">): string {
	const before = boot().short_urls;
	return (before[domain ?? ""] ?? before[""]) + short_code;
}

/** Which links have short URLs on a host, whether they name it or it is the primary one: what their QR codes say tells it. */
export const onHost = (host: string): [string, string, unknown] => ["qr_code", "like", `%://${host}/%`];

/** As it is read aloud, or typed from a poster. */
export const spoken = (url: string): string => url.replace(/^https?:\/\//, "");

export interface State {
	/** In English, for `__()`. */
	label: string;
	theme: "green" | "orange" | "red" | "gray" | "blue";
	/** Whether visitors get to the destination. */
	works: boolean;
	/** Since or from when, where it is a moment's doing. */
	moment?: string;
}

const THEMES: Record<string, State["theme"]> = { Paused: "orange", Expired: "red", Archived: "gray" };

/** What visitors meet at a moment of the site (`2026-03-31 18:00`), as `redirect.decision` has it. */
export function stateOf(link: Omit<Link, "name" | "title" | "short_code" | "domain">, now: string): State {
	if (link.status !== "Active") return { label: link.status, theme: THEMES[link.status] ?? "gray", works: false };
	if (link.starts_on && link.starts_on > now) return { label: "Scheduled", theme: "blue", works: false, moment: link.starts_on };
	if (link.expiry_date && link.expiry_date <= now) return { label: "Expired", theme: "red", works: false, moment: link.expiry_date };
	if (link.max_clicks && link.click_count + link.scan_count >= link.max_clicks) return { label: "Used up", theme: "red", works: false };
	return { label: "Active", theme: "green", works: true };
}

/** The parameters of an address, in their order. */
export function parametersOf(url: string): { name: string; value: string }[] {
	const query = url.split("#")[0].split("?").slice(1).join("?");
	return [...new URLSearchParams(query)].map(([name, value]) => ({ name, value }));
}

/** What is edited here; the rest is in the desk. */
export const FORM = {
	target_url: "",
	title: "",
	campaign: "",
	source: "",
	medium: "",
	campaign_id: "",
	content: "",
	term: "",
	short_code: "",
	domain: "",
	starts_on: "",
	expiry_date: "",
	max_clicks: "",
	tags: "",
};
export type Form = typeof FORM;
const NAMES = Object.keys(FORM) as (keyof Form)[];
/** Kept for the next link of the same kind. */
const SHARED: (keyof Form)[] = ["campaign", "source", "medium", "campaign_id", "domain", "tags"];

export const nextForm = (form: Form): Form => ({ ...FORM, ...Object.fromEntries(SHARED.map((name) => [name, form[name]])) });

/** A stored link as its form shows it. */
export function formOf(link: Record<string, any>): Form {
	const texts = NAMES.map((name) => [name, link[name] ? String(link[name]) : ""]);
	const form: Form = { ...FORM, ...Object.fromEntries(texts) };
	return { ...form, starts_on: forInput(form.starts_on), expiry_date: forInput(form.expiry_date) };
}

/** What was entered, by field, as the server takes it; what is empty is left out. */
export function valuesOf(form: Form): Record<string, string> {
	return Object.fromEntries(NAMES.map((name) => [name, stored(name, form[name])]).filter(([, value]) => value));
}

/** What differs, as a document takes it: emptied fields too. */
export function changesOf(form: Form, before: Form): Record<string, string | number | null> {
	const changed = NAMES.filter((name) => form[name].trim() !== before[name].trim());
	return Object.fromEntries(
		changed.map((name) => [name, name === "max_clicks" ? Number(form[name]) || 0 : stored(name, form[name]) || null]),
	);
}

const isMoment = (name: string) => name === "starts_on" || name === "expiry_date";
const stored = (name: string, text: string) => (isMoment(name) ? text.trim().replace("T", " ") : text.trim());
/** `2026-03-31 18:00:00.000000` as an input of date and time has it. */
const forInput = (text: string) => text.slice(0, 16).replace(" ", "T");

export interface Preview {
	short_code: string | null;
	short_url: string | null;
	qr_code: string | null;
	destination_url: string | null;
	errors: Said[];
	warnings: (Said & { suggestion?: string })[];
}
export interface Said {
	field: string;
	message: string;
}

/** What is said of each field, the first thing alone. */
export function byField(said: (Said & { suggestion?: string })[]): Record<string, string> {
	const found: Record<string, string> = {};
	for (const { field, message, suggestion } of said) found[field] ??= suggestion ? `${message} ${suggestion}` : message;
	return found;
}
