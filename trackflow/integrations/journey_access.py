"""Whose journey a user may see, and what of the CRM in it (ROL-P): one answer for the API and the report.

A visitor's takes permission to read visitors; that of a lead or deal the same and permission to read the document, or permission to
change it.
"""

from collections.abc import Collection, Iterable
from typing import Any, NoReturn

import frappe
from frappe import _

from trackflow.exceptions import UnknownVisitorError
from trackflow.integrations import crm_deal, crm_lead, visitor_reference
from trackflow.tracking import identity, people, timeline
from trackflow.validation import plain_text

Row = dict[str, Any]


def person(visitor_id: str, lead: str, deal: str) -> list[str]:
	"""The visitors of the person who is asked for, as far as the user may ask."""
	if len([one for one in (visitor_id, lead, deal) if one]) != 1:
		frappe.throw(_("Name one visitor, lead or deal."))
	if lead or deal:
		module = crm_lead if lead else crm_deal
		module.check(lead or deal, visitor_reference.permission_for_data())
		ids = module.visitors_of(lead or deal)
	else:
		frappe.has_permission("Visitor", "read", throw=True)
		ids = {visitor(visitor_id)}
	return sorted(ids.union(*people.of_visitors(ids).values()))[: timeline.MOST_VISITORS]


def visitor(visitor_id: str) -> str:
	"""The id, of a visitor whom the user may read."""
	visitor_id = plain_text(visitor_id, "visitor_id")
	if not identity.is_visitor_id(visitor_id) or not frappe.db.exists("Visitor", visitor_id):
		unknown()
	frappe.has_permission("Visitor", "read", doc=visitor_id, throw=True)
	return visitor_id


def unknown() -> NoReturn:
	frappe.throw(_("There is no such visitor."), UnknownVisitorError)


def hide_references(entries: Iterable[Row]) -> None:
	"""CRM data only as far as the user's own CRM roles go. By a list for each DocType, whatever the number of entries."""
	entries = list(entries)
	for field, doctype in (("crm_lead", "CRM Lead"), ("crm_deal", "CRM Deal")):
		known = _readable(doctype, {entry[field] for entry in entries if entry.get(field)})
		for entry in entries:
			if field in entry and entry[field] not in known:
				del entry[field]


def may_read(doctype: str, name: str | None) -> bool:
	"""Whether the user may read this document of the CRM, which exists."""
	return bool(name) and name in _readable(doctype, {name})


def _readable(doctype: str, names: Collection[str]) -> set[str]:
	"""Those of these documents of the CRM that are there, and that the user may read."""
	if not names or "crm" not in frappe.get_installed_apps() or not frappe.has_permission(doctype, "read"):
		return set()
	return set(frappe.get_list(doctype, filters={"name": ("in", sorted(names))}, pluck="name", limit=0))
