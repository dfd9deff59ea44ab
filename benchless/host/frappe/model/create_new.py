"""New documents with the defaults of their fields."""

import copy
from typing import Any

import frappe
from frappe.model import data_fieldtypes
from frappe.utils import cstr, now_datetime, nowdate, nowtime


def get_new_doc(
	doctype: str, parent_doc: Any = None, parentfield: str | None = None, as_dict: bool = False
) -> Any:
	"""A new document, or its values; the static part is kept per DocType and user."""
	templates = frappe.local.new_doc_templates
	if doctype not in templates:
		templates[doctype] = make_new_doc(doctype)
	doc = copy.deepcopy(templates[doctype])
	set_dynamic_default_values(doc, parent_doc, parentfield)
	return doc if as_dict else frappe.get_doc(doc)


def make_new_doc(doctype: str) -> frappe._dict:
	doc = frappe.get_doc({"doctype": doctype, "__islocal": 1, "owner": frappe.session.user, "docstatus": 0})
	for df in doc.meta.fields:
		if df.fieldtype in data_fieldtypes and df.fieldname != doc.meta.title_field:
			value = default_of(df)
			if value is not None:
				doc.set(df.fieldname, value)
	doc._fix_numeric_types()
	values = doc.get_valid_dict(sanitize=False)
	values.update({"doctype": doctype, "__islocal": 1})
	if not doc.meta.issingle:
		values["__unsaved"] = 1
	return values


def default_of(df: Any) -> Any:
	"""Default of a field: the user's or the site's for links, else the one in the DocType."""
	if df.fieldtype == "Link" and df.options != "User":
		user_default = frappe.db.get_default(df.fieldname) or frappe.db.get_default(frappe.scrub(df.options))
		if user_default and frappe.db.exists(df.options, user_default):
			return user_default
	default = df.default
	if default:
		if default == "__user":
			return frappe.session.user
		if default == "Today":
			return nowdate()
		return None if cstr(default).startswith(":") else default
	if df.fieldtype == "Select" and df.options and df.options not in ("[Select]", "Loading..."):
		return df.options.split("\n", 1)[0]
	return None


def set_dynamic_default_values(doc: dict, parent_doc: Any, parentfield: str | None) -> None:
	for df in frappe.get_meta(doc["doctype"]).fields:
		default = df.default
		if default and cstr(default).startswith(":"):
			reference = frappe.scrub(default[1:])
			name = parent_doc.get(reference) if parent_doc else frappe.db.get_default(reference)
			value = frappe.db.get_value(default[1:], name, df.fieldname) if name else None
			if value is not None and not doc.get(df.fieldname):
				doc[df.fieldname] = value
		elif default and df.fieldtype == "Datetime" and default.lower() == "now":
			doc[df.fieldname] = now_datetime()
		if df.fieldtype == "Time":
			# every time of day starts as now: so does Frappe
			doc[df.fieldname] = nowtime()
	if parent_doc:
		doc["parent"] = parent_doc.name
		doc["parenttype"] = parent_doc.doctype
	if parentfield:
		doc["parentfield"] = parentfield
