"""The whitelisted reads and writes of documents that /api/resource and remote clients use."""

import json
from typing import Any

import frappe
from frappe import _
from frappe.model import child_table_fields, default_fields, optional_fields

STANDARD_FIELDS = frozenset({*default_fields, *child_table_fields, *optional_fields})


@frappe.whitelist()
def get_list(
	doctype: str,
	fields: Any = None,
	filters: Any = None,
	group_by: str | None = None,
	order_by: str | None = None,
	limit_start: int | str | None = None,
	limit_page_length: int | str = 20,
	parent: str | None = None,
	debug: bool = False,
	as_dict: bool = True,
	or_filters: Any = None,
) -> list:
	fields, filters, or_filters = parse(fields), parse(filters), parse(or_filters)
	_refuse_unknown_fields(doctype, fields, filters, or_filters)
	return frappe.get_list(
		doctype,
		fields=fields,
		filters=filters,
		or_filters=or_filters,
		group_by=group_by,
		order_by=order_by,
		limit_start=int(limit_start or 0),
		limit_page_length=int(limit_page_length or 0),
		parent_doctype=parent,
		as_list=not as_dict,
	)


def _refuse_unknown_fields(doctype: str, fields: Any, *all_filters: Any) -> None:
	"""What is asked by plain name must be a field; expressions are the query's own business."""
	asked = [(doctype, one) for one in fields] if isinstance(fields, list) else []
	for filters in all_filters:
		if isinstance(filters, dict):
			asked += [(doctype, one) for one in filters]
		elif isinstance(filters, list):
			conditions = [one for one in filters if isinstance(one, list)]
			asked += [(one[0], one[1]) if len(one) > 3 else (doctype, one[0]) for one in conditions if one]
	for owner, fieldname in asked:
		if not (isinstance(fieldname, str) and fieldname.isidentifier()) or fieldname in STANDARD_FIELDS:
			continue
		if not frappe.get_meta(owner or doctype).has_field(fieldname):
			frappe.throw(f"{_('Field not permitted in query')}: {fieldname}", frappe.DataError)


@frappe.whitelist()
def get_count(doctype: str, filters: Any = None, debug: bool = False, cache: bool = False) -> int:
	frappe.has_permission(doctype, "read", throw=True)
	return frappe.db.count(doctype, parse(filters))


@frappe.whitelist()
def get(doctype: str, name: str | None = None, filters: Any = None, parent: str | None = None) -> dict:
	doc = frappe.get_doc(doctype, parse(filters)) if filters else frappe.get_doc(doctype, name)
	doc.check_permission("read")
	doc.apply_fieldlevel_read_permissions()
	return doc.as_dict()


@frappe.whitelist()
def get_value(
	doctype: str,
	fieldname: Any,
	filters: Any = None,
	as_dict: bool = True,
	debug: bool = False,
	parent: str | None = None,
) -> Any:
	if not frappe.has_permission(doctype, "read"):
		frappe.throw(_("No permission for {0}").format(_(doctype)), frappe.PermissionError)
	filters, fields = parse(filters), parse(fieldname)
	fields = [fields] if isinstance(fields, str) else fields
	if frappe.get_meta(doctype).issingle:
		single = frappe.get_doc(doctype)
		return {field: single.get(field) for field in fields} if as_dict else single.get(fields[0])
	if isinstance(filters, str):
		filters = {"name": filters}
	rows = frappe.get_list(doctype, fields=fields, filters=filters, limit_page_length=1, as_list=not as_dict)
	if as_dict:
		return rows[0] if rows else {}
	if not rows:
		return None
	return rows[0] if len(fields) > 1 else rows[0][0]


@frappe.whitelist(methods=["POST", "PUT"])
def set_value(doctype: str, name: str, fieldname: Any, value: Any = None) -> dict:
	values = parse(fieldname)
	if not isinstance(values, dict):
		values = {fieldname: value}
	doc = frappe.get_doc(doctype, name)
	doc.update(values)
	doc.save()
	return doc.as_dict()


@frappe.whitelist(methods=["POST", "PUT"])
def insert(doc: Any = None) -> dict:
	return frappe.get_doc(parse(doc)).insert().as_dict()


@frappe.whitelist(methods=["POST", "PUT"])
def save(doc: Any) -> dict:
	return frappe.get_doc(parse(doc)).save().as_dict()


@frappe.whitelist(methods=["DELETE", "POST"])
def delete(doctype: str, name: str) -> None:
	frappe.delete_doc(doctype, name, ignore_missing=False)


def parse(value: Any) -> Any:
	"""JSON where it is JSON; a plain name stays one."""
	if isinstance(value, str) and value[:1] in ("{", "["):
		return json.loads(value)
	return value
