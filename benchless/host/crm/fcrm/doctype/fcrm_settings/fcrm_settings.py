"""FCRM Settings: the base currency, and the entries of the user menu that apps bring by hook."""

import frappe
from frappe.model.document import Document


class FCRMSettings(Document):
	pass


def after_migrate() -> None:
	"""Add the hooks' entries that are missing, drop standard ones that no hook names any more."""
	settings = frappe.get_doc("FCRM Settings")
	wanted = {item["name1"]: item for item in frappe.get_hooks("standard_dropdown_items")}
	kept = [row for row in settings.dropdown_items if not row.is_standard or row.name1 in wanted]
	settings.set("dropdown_items", kept)
	known = {row.name1 for row in kept}
	for name, item in wanted.items():
		if name not in known:
			settings.append("dropdown_items", item)
	settings.save(ignore_permissions=True)
