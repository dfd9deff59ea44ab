"""Standard documents of an app's modules into the database: at install and at every migrate."""

import os

import frappe
from frappe.modules.import_file import import_file_by_path
from frappe.utils import update_progress_bar

# Folders of a module whose documents are looked at; kinds that this host lacks are skipped.
IMPORTABLE_DOCTYPES = (
	"doctype",
	"report",
	"number_card",
	"dashboard_chart",
	"dashboard",
	"workspace",
	"print_format",
	"web_form",
	"notification",
	"client_script",
	"custom_field",
	"property_setter",
)


def sync_all(force: bool = False, reset_permissions: bool = False) -> None:
	frappe.local.flags.in_patch = True
	for app in frappe.get_installed_apps():
		sync_for(app, force, reset_permissions=reset_permissions)
	frappe.local.flags.in_patch = False
	frappe.clear_cache()


def sync_for(app_name: str, force: bool = False, reset_permissions: bool = False) -> None:
	files = []
	for module in frappe.local.app_modules.get(app_name) or ():
		folder = os.path.dirname(frappe.get_module(f"{app_name}.{module}").__file__)
		files = get_doc_files(files, folder)
	for i, path in enumerate(files):
		import_file_by_path(path, force=force, ignore_version=True, reset_permissions=reset_permissions)
		frappe.db.commit()
		update_progress_bar(f"Updating DocTypes for {app_name}", i, len(files))


def get_doc_files(files: list[str], start_path: str) -> list[str]:
	"""JSON files of a module, in the order in which they are imported."""
	found = list(files)
	for kind in IMPORTABLE_DOCTYPES:
		folder = os.path.join(start_path, kind)
		for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
			path = os.path.join(folder, name, f"{name}.json")
			if os.path.exists(path) and path not in found:
				found.append(path)
	return found


def remove_orphan_doctypes() -> None:
	"""Forget DocTypes whose files are gone. Their data stays."""
	from frappe.model.base_document import import_controller

	for doctype in frappe.get_all("DocType", {"custom": 0}, pluck="name", order_by="name asc"):
		try:
			import_controller(doctype)
		except ImportError:
			frappe.delete_doc("DocType", doctype, force=True, ignore_missing=True)
	frappe.db.commit()
