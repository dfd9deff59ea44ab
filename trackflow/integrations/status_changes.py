"""Keeps the status changes of leads and deals: who, when, from, to, and the campaign (CRM-5).

A document's first row, which comes from nothing, is its entry: reports count it by that row's time, campaign, source and
medium, which follow the document's own fields. The others say what it had when it moved.
"""

from datetime import datetime
from typing import Any

import frappe
from frappe.model.document import Document
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.integrations import visitor_reference
from trackflow.integrations.renames import rename
from trackflow.integrations.shield import shielded

Row = dict[str, Any]

LEADS, DEALS = "Lead Status Change", "Deal Stage Change"
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
		"lead": "lead_id",
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


def fields_of(doctype: str) -> tuple[str, ...]:
	"""The fields of a lead (`doctype` LEADS) or deal (DEALS) that its changes keep."""
	return tuple(_KEPT[doctype])


def follow(doctype: str, name: str, fields: Row) -> None:
	"""Take over what became known of a lead (`doctype` LEADS) or deal (DEALS) after it was made: its fields, by their names
	on the document. Which lead a deal has, all its rows say; the rest is its entry's."""
	document, former, _status = _COLUMNS[doctype]
	table = frappe.qb.DocType(doctype)
	values = {column: fields[field] for field, column in _KEPT[doctype].items() if field in fields}
	everywhere = {column: values.pop(column) for column in ("lead_id",) if column in values}
	for some, condition in ((values, table[former].isnull()), (everywhere, table[document].isnotnull())):
		query = frappe.qb.update(table).where(table[document] == name).where(condition)
		for column, value in some.items():
			query = query.set(table[column], value or None)
		if some:
			query.run()


@shielded
def after_rename(
	doc: Document, method: str | None = None, old: str = "", new: str = "", merge: bool = False
) -> None:
	"""Hook of CRM's statuses: what was kept under the old name is kept under the new one."""
	doctype = _OF_STATUS[doc.doctype]
	for column in _COLUMNS[doctype][1:]:
		rename(doc.doctype, {doctype: column}, old, new)


def _note(doctype: str, doc: Document, at: datetime) -> None:
	before = doc.get_doc_before_save()
	former = before.status if before else None
	if former != doc.status and not visitor_reference.is_erased(doc):
		_insert(doctype, doc, former, at)


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
