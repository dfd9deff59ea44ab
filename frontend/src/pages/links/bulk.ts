/** Many links at once: from what people paste to the CSV that the server reads. Pure. */

/** What all of the pasted addresses get; empty values are left out. */
export interface Shared {
	campaign: string;
	source: string;
	medium: string;
	domain: string;
	tags: string;
}
export const SHARED: Shared = { campaign: "", source: "", medium: "", domain: "", tags: "" };
const HEADERS: Record<keyof Shared, string> = { campaign: "Campaign", source: "Source", medium: "Medium", domain: "Domain", tags: "Tags" };

/** Whether a text is a list of addresses; else it is a table, whose first line names the columns. */
export const isAddresses = (text: string): boolean => /^\s*https?:\/\//i.test(text);

/** The CSV of what was pasted: a table as it is, addresses with what they share beside each. */
export function csvOf(text: string, shared: Shared): string {
	if (!isAddresses(text)) return text;
	const names = (Object.keys(HEADERS) as (keyof Shared)[]).filter((name) => shared[name].trim());
	const addresses = text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
	return table([["Target URL", ...names.map((name) => HEADERS[name])], ...addresses.map((address) => [address, ...names.map((name) => shared[name].trim())])]);
}

const table = (rows: string[][]): string => rows.map((row) => row.map(cell).join(",")).join("\n");

const cell = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);

/** Where one target is linked from; what is empty comes from the campaign, or is made. */
export interface Place {
	title: string;
	source: string;
	medium: string;
	content: string;
	short_code: string;
}
const PLACE: Place = { title: "", source: "", medium: "", content: "", short_code: "" };
export const newPlace = (values: Partial<Place> = {}): Place => ({ ...PLACE, ...values });

/** Usual places, with tags that channels know. */
export const PLACES: { label: string; source: string; medium: string }[] = [
	{ label: "Newsletter", source: "newsletter", medium: "email" },
	{ label: "LinkedIn", source: "linkedin", medium: "social" },
	{ label: "Facebook", source: "facebook", medium: "social" },
	{ label: "Instagram", source: "instagram", medium: "social" },
	{ label: "YouTube", source: "youtube", medium: "video" },
	{ label: "Google Ads", source: "google", medium: "cpc" },
	{ label: "Meta ads", source: "facebook", medium: "paid-social" },
	{ label: "LinkedIn ads", source: "linkedin", medium: "paid-social" },
	{ label: "Partner", source: "partner", medium: "referral" },
];

/** The CSV of one target and its places. */
export function csvOfPlaces(target: string, places: Place[], { campaign, domain, tags }: Shared): string {
	const header = ["Target URL", "Campaign", "Domain", "Tags", "Title", "Source", "Medium", "Content", "Short Code"];
	const rows = places.map((one) => [target, campaign, domain, tags, one.title, one.source, one.medium, one.content, one.short_code]);
	return table([header, ...rows.map((row) => row.map((text) => text.trim()))]);
}

export interface PreviewRow {
	row: number;
	title: string;
	target_url: string;
	short_code: string;
	notes: string[];
	errors: { field: string; message: string }[];
}
export interface ImportPreview {
	format: string;
	ignored_columns: string[];
	new: number;
	failed: number;
	/** So many rows were tried out, the others looked over. */
	tried: number;
	/** Those that are listed: all, or so many as a person looks at. */
	rows: PreviewRow[];
}

export interface MadeRow {
	row: number;
	name?: string;
	short_code?: string;
	short_url?: string;
	errors?: { field: string; message: string }[];
}
export interface ImportState {
	import_id: string;
	status: "queued" | "running" | "done" | "failed";
	total: number;
	done: number;
	message?: string;
	created?: number;
	failed?: number;
	rows?: MadeRow[];
}

export const isOver = ({ status }: ImportState): boolean => status === "done" || status === "failed";
