/**
 * Forms: hidden fields for those marked `data-trackflow`, so that any back end can pass the visitor on (EVT-6), and
 * FORM_SUBMIT events that say which fields there were, never what was typed.
 */
import { on } from "./browser";
import { flush } from "./outbox";
import { record } from "./pages";
import { clickId, visitorId } from "./visitor";

/** Put the visitor and the click into the marked forms; take them out where they may not be known any more. */
export const fillForms = (): void => {
	// Asked on every page: a landing page without a form must remember its click too.
	const click = clickId();
	document.querySelectorAll<HTMLFormElement>("form[data-trackflow]").forEach((form) => {
		put(form, "trackflow_visitor_id", visitorId());
		put(form, "tfclid", click);
	});
};

export const watchForms = (): void =>
	on<SubmitEvent>(["submit"], ({ target }) => {
		const form = target as HTMLFormElement;
		fillForms();
		record("FORM_SUBMIT", {
			properties: {
				// Attributes, not properties: a field named "id" or "name" hides those of its form.
				form_id: form.getAttribute("id"),
				form_name: form.getAttribute("name"),
				fields: Array.from(form.querySelectorAll<HTMLInputElement>("[name]:not([type=hidden])"), ({ name }) => name),
			},
		});
		// The website's server may look for the visitor as soon as it has the form.
		flush();
	});

const put = (form: HTMLFormElement, name: string, value: string): void => {
	const field: HTMLInputElement =
		form.querySelector(`[name=${name}]`) ||
		form.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name }));
	field.value = value;
};
