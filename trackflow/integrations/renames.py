"""Takes tracking data along when a CRM document is renamed.

Its name is kept as text, which Frappe does not follow; where it is a Dynamic Link Frappe may not either: it remembers for
hours which DocTypes a field leads to, and rows that were written in bulk told it nothing.
"""

from collections.abc import Mapping

import frappe


def rename(doctype: str, columns: Mapping[str, str], old: str, new: str) -> None:
	"""Write `new` for `old` where a document of `doctype` is meant: in one column of each of `columns`' DocTypes, and as
	the source of conversions."""
	for holder, column in columns.items():
		table = frappe.qb.DocType(holder)
		frappe.qb.update(table).set(table[column], new).where(table[column] == old).run()
	conversion = frappe.qb.DocType("Conversion")
	is_source = (conversion.source_doctype == doctype) & (conversion.source_name == old)
	frappe.qb.update(conversion).set(conversion.source_name, new).where(is_source).run()
