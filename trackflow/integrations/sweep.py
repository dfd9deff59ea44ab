"""Hourly: finds the recent leads and deals whose job was lost, or failed, and queues it again.

A queue can lose what was put into it, and a save must not wait for it: what counts is that sooner or later every lead has
its conversion, and every deal the one that it deserves, or none.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import frappe
from frappe.utils import now_datetime

from trackflow.integrations import crm_deal, crm_lead, waiting
from trackflow.integrations.visitor_reference import ERASED, FIELD
from trackflow.runs import recorded

Row = dict[str, Any]

# Documents older than this have been swept often enough, or were there before TrackFlow.
RECENT = timedelta(days=7)
AT_ONCE = 1000


@recorded
def sweep() -> int:
	"""Queue the attribution of recent leads and deals that lack what they should have; returns how many."""
	if "crm" not in frappe.get_installed_apps():
		return 0
	now = now_datetime()
	leads, deals = _leads(now - RECENT), _deals(now - RECENT)
	for lead in leads:
		waiting.add(lead)
	for deal in deals:
		crm_deal.queue(deal, now)
	# A scheduled job's queue calls wait for a commit, as all do.
	frappe.db.commit()
	return len(leads) + len(deals)


def _leads(since: Any) -> list[str]:
	found = []
	for rows in _recent(crm_lead.DOCTYPE, {"creation": (">=", since)}, ["name", FIELD]):
		credited = _conversions(crm_lead.CONVERSION, crm_lead.DOCTYPE, rows)
		found += [row.name for row in rows if row.name not in credited and row[FIELD] != ERASED]
	return found


def _deals(since: Any) -> list[str]:
	fields = ["name", "status", "lead", "currency", FIELD, crm_deal.value_field()]
	found = []
	for rows in _recent(crm_deal.DOCTYPE, {"modified": (">=", since)}, fields):
		won = {status for status in {row.status for row in rows} if crm_deal.is_won(status)}
		rows = [row for row in rows if row[FIELD] != ERASED]
		stored = _conversions(crm_deal.CONVERSION, crm_deal.DOCTYPE, rows)
		found += [row.name for row in rows if _differs(row, row.status in won, stored.get(row.name))]
	return found


def _differs(deal: Row, is_won: bool, conversion: Row | None) -> bool:
	if not is_won or not conversion:
		return is_won != bool(conversion)
	same_value = round(float(deal[crm_deal.value_field()] or 0), 9) == round(float(conversion.value or 0), 9)
	return not same_value or (deal.lead or None) != (conversion.crm_lead or None)


def _recent(doctype: str, filters: Row, fields: list[str]) -> Iterator[list[Row]]:
	"""All recent documents, a page at a time: an import alone may be many pages."""
	last = ""
	while rows := frappe.get_all(
		doctype, filters={**filters, "name": (">", last)}, fields=fields, order_by="name", limit=AT_ONCE
	):
		yield rows
		last = rows[-1].name


def _conversions(conversion_type: str, doctype: str, rows: list[Row]) -> dict[str, Row]:
	names = [row.name for row in rows]
	found = frappe.get_all(
		"Conversion",
		filters={
			"conversion_type": conversion_type,
			"source_doctype": doctype,
			"source_name": ("in", names or [""]),
		},
		fields=["source_name", "value", "crm_lead"],
		order_by="name",
	)
	return {row.source_name: row for row in found}
