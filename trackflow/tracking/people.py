"""Persons: the visitors (phone, laptop, a cleared cookie) that are one human being.

Visitors are one person when they belong to one lead or said one e-mail address. Nothing is guessed. What was one person
stays one when it is erased.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

import frappe

from trackflow import bulk
from trackflow.config import get_config

GUARDED_LEVEL = "HIPAA"
# Where a visitor was, by DocType: its visitor, and the host. A touch point is there when its session was deleted by its age.
_PLACES = (
	("Visitor Event", "visitor"), ("Click Event", "visitor_id"), ("Visitor Session", "visitor_id"), ("Touch Point", "visitor_id"),
)  # fmt: skip


def of_leads(leads: Collection[str]) -> dict[str, set[str]]:
	"""The visitors that belong to each of these leads."""
	return _grouped("crm_lead", leads)


def of_visitors(visitor_ids: Collection[str]) -> dict[str, set[str]]:
	"""For each visitor the visitors of the same person, itself included."""
	ids = sorted({one for one in visitor_ids if one})
	if not ids:
		return {}
	rows = frappe.get_all(
		"Visitor",
		filters={"name": ("in", ids)},
		fields=["name", "crm_lead", "contact_email", "erased_person"],
		order_by="name",
	)
	by_lead = _grouped("crm_lead", {row.crm_lead for row in rows})
	by_email = _grouped("contact_email", {row.contact_email for row in rows})
	by_mark = _grouped("erased_person", {row.erased_person for row in rows})
	persons = {one: {one} for one in ids}
	for row in rows:
		persons[row.name] |= by_lead.get(row.crm_lead, set()) | by_email.get(row.contact_email, set())
		persons[row.name] |= by_mark.get(row.erased_person, set())
	return persons


def on_guarded_domains(ids: Collection[str]) -> set[str]:
	"""Those of these visitors that were on a domain of the level HIPAA, as far as that is stored."""
	hosts = sorted(
		name for name, domain in get_config().domains.items() if domain.privacy_level == GUARDED_LEVEL
	)
	if not hosts or not ids:
		return set()
	found: set[str] = set()
	for doctype, visitor in _PLACES:
		table = frappe.qb.DocType(doctype)
		query = (
			frappe.qb.from_(table)
			.select(table[visitor])
			.distinct()
			.where(bulk.among(table[visitor], ids) & table.domain.isin(hosts))
		)
		found |= {name for (name,) in query.run()}
	return found


def _grouped(field: str, values: Iterable[str | None]) -> dict[str, set[str]]:
	wanted = sorted({value for value in values if value})
	if not wanted:
		return {}
	groups: dict[str, set[str]] = defaultdict(set)
	for row in frappe.get_all(
		"Visitor", filters={field: ("in", wanted)}, fields=["name", field], order_by="name"
	):
		groups[row[field]].add(row.name)
	return groups
