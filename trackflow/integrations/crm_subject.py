"""A data subject in Frappe CRM: the leads, deals and organizations that tracking data hang on, and TrackFlow's own fields
there (CRM-8). What else CRM keeps about a person is CRM's: it is neither exported nor erased.

An erased lead or deal carries a mark where its visitor stood (`visitor_reference.ERASED`), and is not attributed again.
"""

from collections.abc import Collection, Iterator
from typing import Any

import frappe
from frappe.query_builder.functions import Lower

from trackflow import bulk
from trackflow.constants.custom_fields import CUSTOM_FIELDS, fieldnames
from trackflow.integrations.visitor_reference import ERASED, FIELD

Row = dict[str, Any]
LEAD, DEAL, ORGANIZATION = "CRM Lead", "CRM Deal", "CRM Organization"


def leads_of(emails: Collection[str]) -> set[str]:
	"""The leads with one of these addresses, in whatever case they were typed."""
	return _named(LEAD, "email", emails, is_address=True)


def deals_of(emails: Collection[str], leads: Collection[str], visitors: Collection[str]) -> set[str]:
	"""The deals of these leads, addresses and visitors."""
	found = _named(DEAL, "lead", leads) | _named(DEAL, FIELD, visitors)
	return found | _named(DEAL, "email", emails, is_address=True)


def organizations_of(visitors: Collection[str]) -> set[str]:
	"""The organizations whose figures are those of one of these visitors."""
	return _named(ORGANIZATION, FIELD, visitors)


def visitors_of(leads: Collection[str], deals: Collection[str]) -> set[str]:
	"""The visitors whom these leads and deals name themselves, unless they belong to the lead of somebody else."""
	named: set[str] = set()
	for doctype, names in ((LEAD, leads), (DEAL, deals)):
		if names and _has(doctype, FIELD):
			filters = {"name": ("in", sorted(names)), FIELD: ("is", "set")}
			named |= set(frappe.get_all(doctype, filters=filters, pluck=FIELD, order_by="name"))
	if not named:
		return set()
	rows = bulk.load("Visitor", {"name": ("in", named)}, ["crm_lead"])
	return {name for name, row in rows.items() if not row.crm_lead or row.crm_lead in leads}


def documents(
	leads: Collection[str], deals: Collection[str], organizations: Collection[str]
) -> Iterator[tuple[str, list[Row]]]:
	"""TrackFlow's own fields on these documents, by DocType."""
	for doctype, names in ((LEAD, leads), (DEAL, deals), (ORGANIZATION, organizations)):
		if names and frappe.db.exists("DocType", doctype):
			fields = [field for field in fieldnames(doctype) if _has(doctype, field)]
			yield doctype, list(bulk.load(doctype, {"name": ("in", names)}, fields).values())


def forget(leads: Collection[str], deals: Collection[str], organizations: Collection[str]) -> dict[str, int]:
	"""Empty TrackFlow's fields on these documents, which are locked meanwhile, and mark leads and deals as erased. Answers how
	many documents changed. Part of the caller's transaction."""
	changed: dict[str, int] = {}
	for doctype, names in ((LEAD, leads), (DEAL, deals), (ORGANIZATION, organizations)):
		if not names or not _has(doctype, FIELD):
			continue
		kinds = {field["fieldname"]: field["fieldtype"] for field in CUSTOM_FIELDS[doctype]}
		empty = {
			field: 0 if kinds[field] in ("Int", "Check", "Float") else None
			for field in kinds
			if _has(doctype, field)
		}
		if doctype != ORGANIZATION:
			empty[FIELD] = ERASED
		stored = bulk.lock(doctype, names, list(empty))
		wrong = {name: empty for name, row in stored.items() if not bulk.same(empty, row)}
		bulk.update(doctype, wrong, is_locked=True)
		for name in wrong:
			frappe.clear_document_cache(doctype, name)
		changed[doctype] = len(wrong)
	return changed


def _named(doctype: str, field: str, values: Collection[str], is_address: bool = False) -> set[str]:
	if not values or not _has(doctype, field):
		return set()
	table = frappe.qb.DocType(doctype)
	column = Lower(table[field]) if is_address else table[field]
	query = frappe.qb.from_(table).select(table.name).where(column.isin(sorted(values)))
	return {name for (name,) in query.orderby(table.name).run()}


def _has(doctype: str, field: str) -> bool:
	return bool(frappe.db.exists("DocType", doctype)) and frappe.get_meta(doctype).has_field(field)
