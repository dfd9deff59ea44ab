"""Indexes stand beside their DocType and are made here; making them again changes nothing.

Frappe calls a DocType's `on_doctype_update` only when its JSON changed, so a migrate asks for all of them again.
"""

from collections.abc import Mapping, Sequence

import frappe
from frappe.modules import load_doctype_module

from trackflow.constants.app import MODULE


def add_indexes(doctype: str, indexes: Mapping[str, Sequence[str]]) -> None:
	"""Add the named indexes that `doctype` does not have yet. Names are unique in the whole database (SQLite)."""
	for name, fields in indexes.items():
		frappe.db.add_index(doctype, list(fields), index_name=name)


def missing_indexes() -> list[str]:
	"""Names of declared indexes that the database does not have."""
	return [
		name
		for doctype in _our_doctypes()
		for name in getattr(load_doctype_module(doctype), "INDEXES", {})
		if not frappe.db.has_index(f"tab{doctype}", name)
	]


def ensure_indexes() -> None:
	"""Add whatever index of ours is missing."""
	for doctype in _our_doctypes():
		declare = getattr(load_doctype_module(doctype), "on_doctype_update", None)
		if declare:
			declare()


def _our_doctypes() -> list[str]:
	return frappe.get_all("DocType", {"module": MODULE}, pluck="name", order_by="name")
