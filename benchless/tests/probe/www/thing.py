"""A page with a dynamic route."""

import frappe

no_cache = 1


def get_context(context: frappe._dict) -> frappe._dict:
	if frappe.form_dict.thing == "secret":
		frappe.throw("Not for you", frappe.PermissionError)
	if frappe.form_dict.thing == "elsewhere":
		frappe.redirect("/probe-page")
	if frappe.form_dict.thing == "broken":
		raise RuntimeError("boom")
	context.title = context.thing = frappe.form_dict.thing
	return {"greeting": "English"}
