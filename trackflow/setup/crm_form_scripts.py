"""Puts TrackFlow's CRM Form Scripts into Frappe CRM, each once, and takes them out again.

One that an administrator changed, disabled or deleted stays so; uninstalling removes those of our names, and those that were
renamed and not changed.
"""

import frappe

from trackflow.constants.crm_form_scripts import FORM_SCRIPTS, FormScript
from trackflow.setup.memory import forget, recall, remember

DOCTYPE = "CRM Form Script"
ADDED = "trackflow_crm_form_scripts_added"


def ensure_form_scripts() -> None:
	"""Add what was never added here."""
	if not frappe.db.exists("DocType", DOCTYPE):
		return
	added = recall(ADDED)
	for script in FORM_SCRIPTS:
		if script.name not in added and frappe.db.exists("DocType", script.doctype):
			_add(script)
			added.add(script.name)
	remember(ADDED, added)


def remove_form_scripts() -> None:
	if frappe.db.exists("DocType", DOCTYPE):
		names, texts = ({getattr(script, field) for script in FORM_SCRIPTS} for field in ("name", "text"))
		for row in frappe.get_all(DOCTYPE, fields=["name", "script"], order_by="name"):
			if row.name in names or row.script in texts:
				frappe.delete_doc(
					DOCTYPE, row.name, ignore_permissions=True, force=True, delete_permanently=True
				)


def forget_form_scripts() -> None:
	"""Forget what was added: CRM was removed, and comes back without them."""
	forget(ADDED)


def _add(script: FormScript) -> None:
	if frappe.db.exists(DOCTYPE, script.name):
		return
	row = {"doctype": DOCTYPE, "dt": script.doctype, "view": "Form", "enabled": 1, "script": script.text}
	frappe.get_doc(row).insert(ignore_permissions=True, set_name=script.name)
