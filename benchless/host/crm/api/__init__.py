"""Who may open CRM."""

import frappe

APP_ROLES = {"System Manager", "Sales User", "Sales Manager"}


@frappe.whitelist()
def check_app_permission() -> bool:
	return frappe.session.user == "Administrator" or bool(APP_ROLES.intersection(frappe.get_roles()))
