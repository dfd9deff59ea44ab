"""Which cached values belong to a user and to a DocType, for `frappe.clear_cache`."""

import frappe

USER_KEYS = ("roles", "user_permissions", "defaults", "bootinfo", "user_doc", "home_page")
DOCTYPE_KEYS = ("doctype_meta", "table_columns", "notifications")
GLOBAL_KEYS = ("app_hooks", "installed_apps", "app_modules", "installed_app_modules", "is_table", "db_tables")


def clear_user_cache(user: str | None = None) -> None:
	for key in USER_KEYS:
		if user:
			frappe.cache.hdel(key, user)
		else:
			frappe.cache.delete_value(key)
	frappe.local.role_permissions = {}


def clear_global_cache() -> None:
	frappe.cache.delete_value(list(GLOBAL_KEYS))


def clear_doctype_cache(doctype: str | None = None) -> None:
	"""Forget the metadata of a DocType and of those that show it as a table; of all without one."""
	clear_controller_cache(doctype)
	frappe.cache.delete_value(["is_table", "db_tables"])
	frappe.local.valid_columns = {}
	frappe.local.new_doc_templates = {}
	if not doctype:
		frappe.cache.delete_value(list(DOCTYPE_KEYS))
		return
	frappe.clear_document_cache(doctype)
	frappe.cache.hdel("doctype_meta", doctype)
	frappe.cache.hdel("table_columns", f"tab{doctype}")
	if frappe.db and not frappe.flags.in_install_db:
		for parent in frappe.get_all("DocField", {"fieldtype": "Table", "options": doctype}, pluck="parent"):
			frappe.cache.hdel("doctype_meta", parent)


def clear_controller_cache(doctype: str | None = None) -> None:
	known = frappe.controllers.get(frappe.local.site, {})
	if doctype:
		known.pop(doctype, None)
	else:
		known.clear()
