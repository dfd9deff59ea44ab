"""Who gets a mailing: rows of CRM Leads, Contacts or an Email Group, as far as whoever sends it may read them (ROL-P).

Reads pages by name, so that thousands take no more memory than one page. Values of a recipient are what the template may use: no
field that not everybody may read, no password.
"""

from collections.abc import Collection
from typing import Any

import frappe
from frappe import _
from frappe.model import no_value_fields
from frappe.model.document import Document

from trackflow.validation import parsed

Row = dict[str, Any]

LEAD, CONTACT, GROUP = "CRM Lead", "Contact", "Email Group"
MEMBER = "Email Group Member"
# The DocType whose rows are recipients, and the field with the address.
SOURCES = {LEAD: (LEAD, "email"), CONTACT: (CONTACT, "email_id"), GROUP: (MEMBER, "email")}
PAGE = 500
LONGEST = 140


def check(mailing: Document) -> None:
	"""Refuse what names no recipients, in words."""
	doctype = source_of(mailing)
	if not frappe.db.exists("DocType", doctype):
		frappe.throw(_("There is no {0} on this site.").format(_(mailing.recipients_from)))
	if mailing.recipients_from != GROUP:
		mailing.email_group = None
	elif not mailing.email_group:
		frappe.throw(_("Choose an Email Group."))
	mailing.filters = frappe.as_json(conditions, indent=None) if (conditions := filters_of(mailing)) else None


def source_of(mailing: Document) -> str:
	return SOURCES[mailing.recipients_from][0]


def filters_of(mailing: Document) -> list[list[Any]]:
	"""The conditions of the list, each a field, an operator and a value."""
	found = parsed(mailing.filters or "[]", "Filters") if mailing.recipients_from != GROUP else []
	if isinstance(found, dict):
		found = [[field, "=", value] for field, value in found.items()]
	if not isinstance(found, list):
		frappe.throw(_('Filters must be a list such as [["status", "=", "New"]].'))
	meta = frappe.get_meta(source_of(mailing))
	return [_condition(meta, one) for one in found]


def _condition(meta: Any, one: Any) -> list[Any]:
	"""A condition on a field of the list's own: the desk puts the DocType first and a hidden mark behind."""
	if isinstance(one, list) and len(one) >= 4 and one[0] == meta.name:
		one = one[1:4]
	if (
		not isinstance(one, list)
		or len(one) != 3
		or not isinstance(one[0], str)
		or not isinstance(one[1], str)
	):
		frappe.throw(
			_("A filter needs a field, an operator and a value: {0}").format(frappe.as_json(one, indent=None))
		)
	if one[0] != "name" and not (
		meta.has_field(one[0]) or one[0] in ("creation", "modified", "owner", "_user_tags", "_assign")
	):
		frappe.throw(_("{0} has no field {1}.").format(_(meta.name), one[0]))
	return one


def page(mailing: Document, after: str = "", limit: int = PAGE) -> list[Row]:
	"""The next recipients behind the row named `after`, as `name` and `email`, for the present user."""
	doctype, field = SOURCES[mailing.recipients_from]
	filters = [[field, "is", "set"], *filters_of(mailing)]
	if mailing.recipients_from == GROUP:
		filters += [["email_group", "=", mailing.email_group], ["unsubscribed", "=", 0]]
	elif frappe.get_meta(doctype).has_field("unsubscribed"):
		filters.append(["unsubscribed", "=", 0])
	if after:
		filters.append(["name", ">", after])
	rows = frappe.get_list(
		doctype, filters=filters, fields=["name", field], order_by="name asc", limit_page_length=limit
	)
	return [{"name": row.name, "email": (row[field] or "").strip().lower()[:LONGEST]} for row in rows]


def number(mailing: Document, most: int) -> int:
	"""How many rows there are, `most` at most; addresses may be fewer."""
	return len(page(mailing, limit=most))


def fields_of(doctype: str) -> list[str]:
	"""The fields that a template may use."""
	return [
		"name",
		*(
			one.fieldname
			for one in frappe.get_meta(doctype).fields
			if not (one.fieldtype in (*no_value_fields, "Password") or one.permlevel or one.get("is_virtual"))
		),
	]


def values(doctype: str, names: Collection[str]) -> dict[str, Row]:
	"""What a template may use of these rows, by name."""
	if not names:
		return {}
	rows = frappe.get_all(
		doctype,
		filters={"name": ("in", list(names))},
		fields=fields_of(doctype),
		order_by="name",
		limit_page_length=0,
	)
	return {row.name: row for row in rows}
