/** What the rows of a journey say, in words. Plain text: nothing here makes markup. */
export type Row = Record<string, any>;

/** An entry as it is told: what it is, what about it, and what happened in it, in the order of time. */
export type Told = [title: string, details: string, hits: string[]];

/** In the user's language, by the translations that CRM has loaded. */
export function say(text: string, ...values: unknown[]): string {
	const translate = (window as Row).__;
	if (typeof translate === "function") return translate(text, values);
	return text.replace(/{(\d)}/g, (_all, index) => String(values[index]));
}

export function tell(entry: Row): Told {
	if (entry.kind === "session") return visit(entry);
	if (entry.kind === "click") return [click(entry), joined([entry.campaign, entry.variant]), []];
	if (entry.kind === "conversion")
		return [
			joined([say("Conversion"), entry.conversion_type]),
			joined([money(entry.value, entry.currency), entry.crm_lead, entry.crm_deal]),
			[],
		];
	// A kind that a later version of the server knows.
	return [String(entry.kind), "", []];
}

export function summary(visitors: Row[]): string {
	const sum = (field: string) => visitors.reduce((total, row) => total + (row[field] || 0), 0);
	return joined([
		visitors.length === 1 ? say("1 browser") : say("{0} browsers", visitors.length),
		visitors[0].first_seen && say("first seen {0}", moment(visitors[0].first_seen)),
		say("{0} page views", sum("page_views")),
		say("engagement {0}", Math.round(sum("engagement_score"))),
	]);
}

export function moment(at: string): string {
	const date = new Date(at);
	return isNaN(+date) ? String(at) : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

function visit(row: Row): Told {
	const source = [row.source, row.medium, row.campaign || row.link_campaign].filter(Boolean).join(" / ");
	const clicks = (row.clicks || []).map((one: Row) => [one.click_timestamp, click(one)]);
	const events = (row.events || []).map((one: Row) => [one.timestamp, event(one)]);
	const hits = [...clicks, ...events].sort(([one], [other]) => Date.parse(one) - Date.parse(other));
	return [
		joined([say("Visit"), row.channel]),
		joined([source, row.device_type, row.country]),
		hits.map(([, text]) => text),
	];
}

const click = (row: Row): string => joined([say(row.event_type || "Click"), row.short_code]);

function event(row: Row): string {
	const page = row.page_title || pathOf(row.page_url);
	if (row.event_type === "PAGE_VIEW") return page || say("Page view");
	if (row.event_type === "FORM_SUBMIT") return joined([say("Form"), row.event_name, page]);
	return joined([row.event_name || row.event_type, page, money(row.value, row.currency)]);
}

const joined = (parts: unknown[]): string => parts.filter(Boolean).join(" · ");

function pathOf(url: string | null): string {
	try {
		return new URL(url!).pathname;
	} catch {
		return url || "";
	}
}

function money(value: number | null, currency: string | null): string {
	if (!value) return "";
	try {
		return value.toLocaleString(undefined, { style: "currency", currency: currency! });
	} catch {
		// No currency, or one that the browser does not know.
		return [value, currency].filter(Boolean).join(" ");
	}
}
