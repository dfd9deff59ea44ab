"""Keeps the status changes of leads and deals: who, when, from, to, and the campaign (CRM-5)."""

from typing import Any

import frappe
from frappe.model.document import Document
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.integrations import visitor_reference

Row = dict[str, Any]


def note_lead(doc: Document) -> None:
	"""Keep a lead's new status."""
	changed = _change(doc)
	if changed:
		former, row = changed
		row |= {"lead_id": doc.name, "from_status": former, "to_status": doc.status}
		row |= {
			"source_campaign": doc.get("trackflow_campaign"),
			"source_medium": doc.get("trackflow_medium"),
		}
		bulk.insert("Lead Status Change", [row])


def note_deal(doc: Document) -> None:
	"""Keep a deal's new stage."""
	changed = _change(doc)
	if changed:
		former, row = changed
		row |= {"deal_id": doc.name, "from_stage": former, "to_stage": doc.status}
		bulk.insert("Deal Stage Change", [{**row, "campaign": doc.get("trackflow_campaign")}])


def is_changed(doc: Document) -> bool:
	"""Whether a save sets another status. Asks nobody."""
	return _former(doc) != doc.status


def _former(doc: Document) -> str | None:
	before = doc.get_doc_before_save()
	return before.status if before else None


def _change(doc: Document) -> tuple[str | None, Row] | None:
	former = _former(doc)
	if former == doc.status or visitor_reference.is_erased(doc):
		return None
	name = frappe.generate_hash(length=20)
	return former, {"name": name, "change_date": now_datetime(), "changed_by": frappe.session.user}
