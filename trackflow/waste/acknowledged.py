"""What somebody knows of and wants to hear of no more, for people: listed, and taken back."""

from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone, getdate

from trackflow.rollups.grains import Place
from trackflow.times import iso
from trackflow.validation import readable
from trackflow.waste import words
from trackflow.waste.findings import ACKNOWLEDGEMENT

Row = dict[str, Any]
_FIELDS = (
	"name",
	"grain",
	*Place._fields,
	"reason",
	"until",
	"amount",
	"currency",
	"note",
	"owner",
	"creation",
)


def listed(start: int, limit: int) -> Row:
	"""A page of them, and how many there are."""
	rows = frappe.get_list(
		ACKNOWLEDGEMENT,
		fields=list(_FIELDS),
		order_by="creation desc, name",
		limit_start=start,
		limit_page_length=limit,
	)
	return {
		"acknowledgements": [told(row) for row in rows],
		"total": frappe.db.count(ACKNOWLEDGEMENT),
		"start": start,
	}


def withdraw(name: str) -> Row:
	"""Delete one, for who may."""
	doc = readable(ACKNOWLEDGEMENT, name)
	doc.delete()
	return told(doc)


def told(row: Any) -> Row:
	"""An acknowledgement as JSON, whether it is a row or a document."""
	until = getdate(row.until) if row.until else None
	return {
		**{
			field: row.get(field) or ""
			for field in ("name", "grain", *Place._fields, "reason", "note", "currency")
		},
		"label": words.table()[row.reason].label,
		"until": str(until) if until else None,
		"amount": float(row.amount or 0),
		"is_over": bool(until and until < getdate()),
		"by": row.owner,
		"at": iso(row.creation, ZoneInfo(get_system_timezone())),
	}
