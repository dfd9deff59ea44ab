"""Puts TrackFlow's fields into Frappe's documents and, with a side panel section and form scripts, into Frappe CRM, where it is
installed, and takes them out again.

A layout that people changed is never overwritten: our section is appended once, and who removes it keeps it removed.
"""

import json
from typing import Any

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

from trackflow.constants.crm_layouts import SECTION_NAME, SIDE_PANEL, SIDE_PANEL_DOCTYPES, side_panel_section
from trackflow.constants.custom_fields import CUSTOM_FIELDS, Field, fieldnames
from trackflow.setup.crm_form_scripts import ensure_form_scripts, forget_form_scripts, remove_form_scripts
from trackflow.setup.memory import forget, recall, remember

LAYOUT = "CRM Fields Layout"
ADDED = "trackflow_crm_layouts_added"

Layout = list[dict[str, Any]]


def ensure_crm() -> None:
	"""Add the custom fields that are missing to every DocType that should have some and exists; sections and form scripts once."""
	if missing := _missing_fields():
		create_custom_fields(missing)
	if frappe.db.exists("DocType", LAYOUT):
		_add_sections()
	ensure_form_scripts()


def remove_from_crm() -> None:
	"""Take fields, their values and every mention in layouts out again.

	Frappe keeps the column of a removed custom field; it is emptied here, and `bench trim-tables` drops it.
	"""
	if frappe.db.exists("DocType", LAYOUT):
		for name in frappe.get_all(LAYOUT, pluck="name", order_by="name"):
			_remove_from_layout(name)
	for doctype in CUSTOM_FIELDS:
		_remove_fields(doctype)
	remove_form_scripts()
	forget_crm()


def forget_crm() -> None:
	"""Forget what was put into it once: CRM was removed, and comes back with fresh layouts and without scripts."""
	forget(ADDED)
	forget_form_scripts()


def _missing_fields() -> dict[str, list[Field]]:
	"""Fields that somebody relabelled or moved are there, and stay as they are."""
	found = {}
	for doctype, fields in CUSTOM_FIELDS.items():
		if frappe.db.exists("DocType", doctype):
			there = frappe.get_all("Custom Field", {"dt": doctype}, pluck="fieldname", order_by="fieldname")
			found[doctype] = [field for field in fields if field["fieldname"] not in there]
	return {doctype: fields for doctype, fields in found.items() if fields}


def _add_sections() -> None:
	added = recall(ADDED)
	for doctype in SIDE_PANEL_DOCTYPES:
		name = frappe.db.get_value(LAYOUT, {"dt": doctype, "type": SIDE_PANEL})
		if name and doctype not in added:
			_append_section(name, doctype)
			added.add(doctype)
	remember(ADDED, added)


def _append_section(name: str, doctype: str) -> None:
	doc = frappe.get_doc(LAYOUT, name)
	layout = _parse(doc.layout)
	if layout is None or _mentions(layout, fieldnames(doctype)):
		return
	doc.layout = json.dumps([*layout, side_panel_section(doctype)])
	doc.save(ignore_permissions=True)


def _remove_from_layout(name: str) -> None:
	doc = frappe.get_doc(LAYOUT, name)
	layout = _parse(doc.layout)
	ours = fieldnames(doc.dt)
	if layout is None or not ours or not _mentions(layout, [*ours, SECTION_NAME]):
		return
	doc.layout = json.dumps(_without(layout, set(ours)))
	doc.save(ignore_permissions=True)


def _parse(text: str | None) -> Layout | None:
	"""The layout, or None if it is nothing that we understand: then it is left alone."""
	try:
		layout = json.loads(text or "[]")
	except ValueError:
		return None
	return layout if isinstance(layout, list) else None


def _mentions(layout: Layout, names: list[str]) -> bool:
	text = json.dumps(layout)
	return any(f'"{name}"' in text for name in names)


def _without(node: Any, names: set[str]) -> Any:
	"""The layout without our section, and without our fields wherever else somebody put them."""
	if isinstance(node, dict):
		return {key: _without(value, names) for key, value in node.items()}
	if isinstance(node, list):
		return [
			_without(item, names)
			for item in node
			if not (isinstance(item, str) and item in names)
			and not (isinstance(item, dict) and item.get("name") == SECTION_NAME)
		]
	return node


def _remove_fields(doctype: str) -> None:
	fields = fieldnames(doctype)
	for name in frappe.get_all("Custom Field", {"dt": doctype, "fieldname": ("in", fields)}, pluck="name"):
		frappe.delete_doc("Custom Field", name, ignore_permissions=True, force=True, delete_permanently=True)
	if frappe.db.exists("DocType", doctype):
		_empty_columns(doctype, [field for field in fields if frappe.db.has_column(doctype, field)])
		frappe.clear_cache(doctype=doctype)


def _empty_columns(doctype: str, columns: list[str]) -> None:
	if not columns:
		return
	kinds = {field["fieldname"]: field["fieldtype"] for field in CUSTOM_FIELDS[doctype]}
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.update(table)
	for column in columns:
		query = query.set(table[column], 0 if kinds[column] in ("Int", "Float", "Check") else None)
	query.run()
