/**
 * Forms: hidden fields, so that any back end can pass the visitor on (EVT-6), and events that say which form it was and
 * which fields it has, never what was typed.
 */
import { flush, record } from "./outbox";
import { capture } from "./pages";
import { forms, off } from "./tag";
import { visitorId } from "./visitor";

/** Put the visitor and the click into the forms; take them out where they may not be known any more. */
export const fillForms = (): void => {
	// Never unasked into forms of other websites, nor where the fields would become part of an address (RED-6).
	document.querySelectorAll<HTMLFormElement>("form[data-trackflow]" + (forms ? ',form[method=post i]:not([action*="//"])' : "")).forEach((form) => {
		if (!form.trackflow_visitor_id) {
			const field = document.createElement("input");
			field.type = "hidden";
			field.name = "trackflow_visitor_id";
			form.append(field);
		}
		form.trackflow_visitor_id.value = visitorId();
	});
};

export const startForm = ({ target: { form } }: { target: HTMLInputElement }): void => {
	if (form && !off.includes("focus")) capture("form_start", nameOf(form));
};

export const submitForm = ({ target: form }: { target: HTMLFormElement }): void => {
	fillForms();
	if (!off.includes("form"))
		record("FORM_SUBMIT", undefined, {
			...nameOf(form),
			fields: [...form.querySelectorAll<HTMLInputElement>("[name]:not([type=hidden])")].map((field) => field.name),
		});
	// The website's server may look for the visitor as soon as it has the form.
	flush();
};

/** By its attributes, not its properties: a field named "id" or "name" hides those of its form. */
const nameOf = (form: HTMLFormElement) => ({ form_id: form.getAttribute("id"), form_name: form.getAttribute("name") });
