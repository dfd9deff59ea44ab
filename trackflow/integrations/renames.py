"""Takes tracking data along when a CRM document is renamed: its name is kept as text, which Frappe does not follow."""

from collections.abc import Mapping

import frappe


def rename(columns: Mapping[str, str], old: str, new: str) -> None:
	"""Write `new` for `old` in one column of each of these DocTypes."""
	for doctype, column in columns.items():
		table = frappe.qb.DocType(doctype)
		frappe.qb.update(table).set(table[column], new).where(table[column] == old).run()
