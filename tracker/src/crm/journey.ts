/**
 * The journey of the person behind a lead or a deal, in a dialog of Frappe CRM: visits, clicks and conversions, oldest first.
 *
 * Much of it is what strangers sent, and all of it is shown as text: no address of theirs becomes a link. Who may see it is the
 * server's to say; what it refuses is shown in its words.
 */
import { html, type Markup } from "./html";
import { moment, type Row, say, summary, tell } from "./words";

export type Person = { lead: string } | { deal: string };

interface Journey {
	visitors: Row[];
	entries: Row[];
	next_start: number | null;
}

const METHOD = "/api/method/trackflow.api.visitor.get_journey";
const LIMIT = 50;
/** Of what happened in a visit, how much is shown before somebody asks for the rest. */
const MOST_HITS = 6;

// CRM's style sheet holds what CRM uses, and its colours, in the light and the dark.
const TEXT = "text-base text-ink-gray-8";
const FAINT = "color:var(--ink-gray-5,#7c7c7c);font-size:12px";
const LINE = "border-left:2px solid var(--outline-gray-2,#e2e2e2);margin-left:4px;padding:0 0 16px 14px";

/** Open the dialog, by the function that CRM gives to its form scripts. What goes wrong is what the dialog says. */
export async function showJourney(person: Person, createDialog: (options: Row) => void): Promise<void> {
	const title = say("TrackFlow journey");
	try {
		const journey = await read(person, 0);
		createDialog({ title, size: "2xl", html: content(person, journey).text });
	} catch (error) {
		createDialog({ title, message: (error as Error).message });
	}
}

document.addEventListener("click", ({ target }) => {
	const button = target instanceof Element && target.closest<HTMLButtonElement>("[data-trackflow-more]");
	if (button) void showMore(button);
});

async function showMore(button: HTMLButtonElement): Promise<void> {
	button.disabled = true;
	try {
		const { person, start } = JSON.parse(button.dataset.trackflowMore!);
		const journey = await read(person, start);
		button.previousElementSibling!.insertAdjacentHTML("beforeend", items(journey).text);
		button.outerHTML = more(person, journey).text;
	} catch (error) {
		button.disabled = false;
		button.title = (error as Error).message;
	}
}

async function read(person: Person, start: number): Promise<Journey> {
	const query = new URLSearchParams({ ...person, start: String(start), limit: String(LIMIT) });
	const response = await fetch(`${METHOD}?${query}`, { headers: { Accept: "application/json" } });
	const answer = await response.json().catch(() => ({}));
	if (!response.ok || !answer.message) throw new Error(reason(answer));
	return answer.message;
}

function reason(answer: Row): string {
	try {
		const [first] = JSON.parse(answer._server_messages);
		// Frappe's messages may hold markup; only the words are wanted.
		return new DOMParser().parseFromString(JSON.parse(first).message, "text/html").body.textContent!;
	} catch {
		return say("The journey could not be read.");
	}
}

function content(person: Person, journey: Journey): Markup {
	if (!journey.visitors.length) return html`<p class="${TEXT}">${say("No visitor is known for this person yet.")}</p>`;
	return html`
		<div data-trackflow-journey tabindex="0" style="max-height:65vh;overflow-y:auto;overflow-wrap:anywhere">
			<p style="${FAINT};margin:0 0 16px">${summary(journey.visitors)}</p>
			<ol class="${TEXT}" style="list-style:none;margin:0;padding:0;line-height:1.5">${items(journey)}</ol>
			${more(person, journey)}
		</div>`;
}

const items = ({ entries }: Journey): Markup => html`${entries.map(item)}`;

function item(entry: Row): Markup {
	const [title, details, hits] = tell(entry);
	const rest = hits.slice(MOST_HITS);
	return html`
		<li style="${LINE}">
			<div style="${FAINT}">${moment(entry.at)}</div>
			<div style="font-weight:500">${title}</div>
			<div style="${FAINT}">${details}</div>
			${list(hits.slice(0, MOST_HITS))}
			${rest.length > 0 && html`<details><summary style="${FAINT}">${say("{0} more", rest.length)}</summary>${list(rest)}</details>`}
		</li>`;
}

const list = (lines: string[]): Markup =>
	html`<ul style="list-style:none;margin:0;padding:0">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;

function more(person: Person, { next_start: start }: Journey): Markup {
	if (start === null) return html``;
	const place = JSON.stringify({ person, start });
	return html`<button type="button" class="${TEXT}" style="text-decoration:underline" data-trackflow-more="${place}">
		${say("Show more")}
	</button>`;
}
