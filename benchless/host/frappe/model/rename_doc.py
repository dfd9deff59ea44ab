"""Renaming a document, its child rows and everything that links to it."""

from typing import Any

import frappe
from frappe import _
from frappe.model.delete_doc import get_link_fields
from frappe.model.dynamic_links import get_dynamic_link_map
from frappe.model.naming import validate_name
from frappe.utils.password import rename_password

__all__ = ["get_link_fields", "rename_doc"]


def rename_doc(
	doctype: str | None = None,
	old: str | None = None,
	new: str = "",
	force: bool = False,
	merge: bool = False,
	ignore_permissions: bool = False,
	ignore_if_exists: bool = False,
	show_alert: bool = True,
	rebuild_search: bool = True,
	doc: Any = None,
	validate: bool = True,
) -> str:
	"""Returns the new name. Merging of two documents is not part of this host."""
	doc = doc or frappe.get_doc(doctype, old)
	doctype, old, new = doc.doctype, doc.name, validate_name(doc.doctype, new)
	if merge:
		frappe.throw(_("{0} not allowed to be merged").format(_(doctype)))
	if validate:
		if old == new:
			frappe.throw(_("No changes made because old and new name are the same."))
		if not (ignore_permissions or doc.has_permission("write")):
			frappe.throw(_("You need write permission to rename"), frappe.PermissionError)
		if not (force or doc.meta.allow_rename):
			frappe.throw(_("{0} not allowed to be renamed").format(_(doctype)))
		if frappe.db.exists(doctype, new) and new.lower() != old.lower():
			if ignore_if_exists:
				return new
			frappe.throw(_("{0} {1} already exists").format(_(doctype), new), frappe.DuplicateEntryError)
	doc.run_method("before_rename", old, new, merge)
	_write(doctype, "name", old, new)
	if (doc.meta.autoname or "").startswith("field:"):
		_write(doctype, doc.meta.autoname[6:], old, new)
	for df in doc.meta.get_table_fields():
		_write(df.options, "parent", old, new, parenttype=doctype)
	for field in get_link_fields(doctype):
		if field.issingle:
			if frappe.db.get_single_value(field.parent, field.fieldname, cache=False) == old:
				frappe.db.set_single_value(field.parent, field.fieldname, new)
		elif frappe.db.table_exists(field.parent):
			_write(field.parent, field.fieldname, old, new)
	for field in get_dynamic_link_map().get(doctype, []):
		if not frappe.get_meta(field.parent).issingle:
			_write(field.parent, field.fieldname, old, new, **{field.options: doctype})
	rename_password(doctype, old, new)
	frappe.clear_document_cache(doctype)
	frappe.get_doc(doctype, new).run_method("after_rename", old, new, merge)
	return new


def _write(doctype: str, fieldname: str, old: str, new: str, **filters: Any) -> None:
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.update(table).set(table[fieldname], new).where(table[fieldname] == old)
	for key, value in filters.items():
		query = query.where(table[key] == value)
	query.run()
	frappe.clear_document_cache(doctype)
