"""The start page: what is there, for people who may see it."""

import frappe

no_cache = 1


def get_context(context: frappe._dict) -> None:
	context.site = frappe.local.site
	context.modules, context.apps = {}, []
	if frappe.session.user == "Guest":
		return
	apps = frappe.get_hooks("add_to_apps_screen")
	context.apps = [
		app for app in apps if not app.get("has_permission") or frappe.call(app["has_permission"])
	]
	rows = frappe.get_all(
		"DocType", filters={"istable": 0}, fields=["name", "module"], order_by="module asc, name asc"
	)
	for row in rows:
		if frappe.has_permission(row.name, "read"):
			context.modules.setdefault(row.module, []).append(row.name)
