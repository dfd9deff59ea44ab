"""Keeps the status changes of leads and deals: who, when, from, to, and the campaign (CRM-5).

A document's first row, which comes from nothing, is its entry: reports count it by that row's time, campaign, source and
medium, which follow the document's own fields. The others say what it had when it moved.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.model.document import Document
from frappe.utils import get_system_timezone, now_datetime

from trackflow import bulk
from trackflow.integrations import visitor_reference
from trackflow.integrations.renames import rename
from trackflow.integrations.shield import shielded
from trackflow.times import iso

Row = dict[str, Any]

LEADS, DEALS = "Lead Status Change", "Deal Stage Change"
# Of a deal: the field that every one of its rows tells.
_LEAD = "lead"
# Columns of either: the document, where it comes from, where it goes; then by the document's field what is kept of it.
_COLUMNS = {LEADS: ("lead_id", "from_status", "to_status"), DEALS: ("deal_id", "from_stage", "to_stage")}
_KEPT = {
	LEADS: {
		"trackflow_campaign": "source_campaign",
		"trackflow_source": "source_source",
		"trackflow_medium": "source_medium",
	},
	DEALS: {
		"trackflow_campaign": "campaign",
		"trackflow_source": "source",
		"trackflow_medium": "medium",
		_LEAD: "lead_id",
	},
}
_OF_STATUS = {"CRM Lead Status": LEADS, "CRM Deal Status": DEALS}


def note_lead(doc: Document) -> None:
	"""Keep a lead's new status."""
	_note(LEADS, doc, now_datetime())


def note_deal(doc: Document) -> None:
	"""Keep a deal's new stage; of a new deal also the status that CRM gave its lead, past all hooks, when it made the deal."""
	at = now_datetime()
	if doc.get_doc_before_save() is None and doc.get("lead"):
		_note_converted(doc.lead, at)
	_note(DEALS, doc, at)


def is_changed(doc: Document) -> bool:
	"""Whether a save sets another status. Asks nobody."""
	return _former(doc) != doc.status


def fields_of(doctype: str) -> tuple[str, ...]:
	"""The fields of a lead (`doctype` LEADS) or deal (DEALS) that its changes keep."""
	return tuple(_KEPT[doctype])


def steps_of(doctype: str, name: str) -> list[Row]:
	"""The kept changes of a lead (`doctype` LEADS) or deal (DEALS), oldest first: `from`, `to`, `at`."""
	document, former, status = _COLUMNS[doctype]
	rows = frappe.get_all(
		doctype,
		filters={document: name},
		fields=[former, status, "change_date"],
		order_by="change_date, name",
	)
	zone = ZoneInfo(get_system_timezone())
	return [{"from": row[former], "to": row[status], "at": iso(row.change_date, zone)} for row in rows]


def follow(doctype: str, documents: Mapping[str, Row]) -> None:
	"""Take over what became known of leads (`doctype` LEADS) or deals (DEALS) after they were made: their fields by name, of all
	the same, as they are called on the document. Which lead a deal has, all its rows say; the rest is its entry's."""
	if not documents:
		return
	document, former, _status = _COLUMNS[doctype]
	rows = bulk.load(doctype, {document: ("in", documents)}, [document, former])
	entries = {name: row for name, row in rows.items() if row[former] is None}
	given = next(iter(documents.values()))
	of_entry = [field for field in _KEPT[doctype] if field in given and field != _LEAD]
	of_all = [field for field in _KEPT[doctype] if field in given and field == _LEAD]
	for some, fields in ((entries, of_entry), (rows, of_all)):
		if fields:
			changes = {
				name: {_KEPT[doctype][field]: documents[row[document]][field] or None for field in fields}
				for name, row in some.items()
			}
			bulk.update(doctype, changes)


@shielded
def after_rename(
	doc: Document, method: str | None = None, old: str = "", new: str = "", merge: bool = False
) -> None:
	"""Hook of CRM's statuses: what was kept under the old name is kept under the new one."""
	doctype = _OF_STATUS[doc.doctype]
	for column in _COLUMNS[doctype][1:]:
		rename(doc.doctype, {doctype: column}, old, new)


def _note(doctype: str, doc: Document, at: datetime) -> None:
	former = _former(doc)
	if former != doc.status and not visitor_reference.is_erased(doc):
		_insert(doctype, doc, former, at)


def _former(doc: Document) -> str | None:
	before = doc.get_doc_before_save()
	return before.status if before else None


def _note_converted(lead: str, at: datetime) -> None:
	if not frappe.db.exists("CRM Lead", lead):
		return
	doc = frappe.get_doc("CRM Lead", lead)
	former = frappe.get_all(
		LEADS, filters={"lead_id": lead}, pluck="to_status", order_by="change_date desc", limit=1
	)
	if former and former[0] != doc.status and not visitor_reference.is_erased(doc):
		_insert(LEADS, doc, former[0], at)


def _insert(doctype: str, doc: Document, former: str | None, at: datetime) -> None:
	values = (doc.name, former, doc.status)
	row = {"name": frappe.generate_hash(length=20), "change_date": at, "changed_by": frappe.session.user}
	row |= dict(zip(_COLUMNS[doctype], values, strict=True))
	row |= {column: doc.get(field) for field, column in _KEPT[doctype].items()}
	bulk.insert(doctype, [row])
