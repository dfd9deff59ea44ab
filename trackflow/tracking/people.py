"""Persons: the visitors (phone, laptop, a cleared cookie) that are one human being.

Visitors are one person when they belong to one lead or said one e-mail address. Nothing is guessed. What was one person
stays one when it is erased.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

import frappe


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
