/**
 * Forms: hidden fields, so that any back end can pass the visitor on (EVT-6), and events that say which form it was and
 * which fields it has, never what was typed.
 */
import { flush, record } from "./outbox";
import { capture } from "./pages";
import { off, tag } from "./tag";
import { visitorId } from "./visitor";

/**
 * Put the visitor into the forms that are marked and those that the tag selects; take them out where they may not be known
 * any more. Where the tag says nothing, "undefined" is an element that no page has. No selector at all is no reason to lose
 * what else happens on the page.
 */
export const fillForms = (): void => {
	try {
		document.querySelectorAll<HTMLFormElement>("form[data-trackflow]," + tag.forms).forEach((form) => {
			if (!form.trackflow_visitor_id) {
				const field = document.createElement("input");
				field.type = "hidden";
				field.name = "trackflow_visitor_id";
				form.append(field);
			}
			form.trackflow_visitor_id.value = visitorId();
		});
	} catch {}
};

export const startForm = ({ target: { form } }: { target: HTMLInputElement }): void => {
	if (form) capture("focus", nameOf(form));
};

export const submitForm = ({ target: form }: { target: HTMLFormElement }): void => {
	fillForms();
	if (!off.includes("form"))
		record(
			"",
			{
				...nameOf(form),
				fields: [...form.querySelectorAll<HTMLInputElement>("[name]:not([type=hidden])")].map((field) => field.name),
			},
			{ type: "FORM_SUBMIT" },
		);
	// The website's server may look for the visitor as soon as it has the form.
	flush();
};

/** By its attributes, not its properties: a field named "id" or "name" hides those of its form. */
const nameOf = (form: HTMLFormElement) => ({ form_id: form.getAttribute("id") || form.getAttribute("name") });
