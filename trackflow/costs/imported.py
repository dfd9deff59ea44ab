"""Imports of costs as people look at them: a list of them, and one with what became of its rows (CST-1)."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_datetime, get_system_timezone

from trackflow.costs import imports, store
from trackflow.costs.imports import ENTRY, IMPORT
from trackflow.privacy import aged
from trackflow.times import iso
from trackflow.validation import readable

Row = dict[str, Any]

_COUNTS = ("new_count", "changed_count", "unchanged_count", "refused_count", "left_out_count")
_FIELDS = (
	"name", "file", "status", "message", "detected_format", "first_day", "last_day", *_COUNTS, "imported_by", "imported_on",
	"undone_by", "undone_on", "owner", "creation",
)  # fmt: skip


def listed(start: int, limit: int) -> Row:
	"""A page of the imports, the newest first, and how many there are."""
	frappe.has_permission(IMPORT, "read", throw=True)
	rows = frappe.get_list(
		IMPORT,
		fields=list(_FIELDS),
		order_by="creation desc, name",
		limit_start=start,
		limit_page_length=limit,
	)
	deleted, may_undo = aged.deleted_until([ENTRY]), _may_undo()
	return {
		"imports": [_told(row, deleted, may_undo) for row in rows],
		"total": frappe.db.count(IMPORT),
		"start": start,
	}


def told(name: str) -> Row:
	"""An import with the report on its rows, or, where a job writes it, how far it is."""
	doc = readable(IMPORT, name)
	reached = imports.reached(doc.name) if doc.status == imports.QUEUED else None
	return {
		**_told(doc, aged.deleted_until([ENTRY]), _may_undo()),
		"progress": dict(zip(("done", "total"), reached, strict=True)) if reached else None,
		"report": json.loads(doc.report) if doc.report else None,
	}


def _told(row: Any, deleted: datetime | None, may_undo: bool) -> Row:
	zone = ZoneInfo(get_system_timezone())
	is_gone = bool(deleted and row.imported_on and get_datetime(row.imported_on) < deleted)
	return {
		"name": row.name,
		"file_name": unquote((row.file or "").rpartition("/")[2]),
		"status": row.status,
		"message": row.message,
		"format": row.detected_format,
		"from_date": str(row.first_day) if row.first_day else None,
		"to_date": str(row.last_day) if row.last_day else None,
		**{count.removesuffix("_count"): row.get(count) or 0 for count in _COUNTS},
		"by": row.imported_by or row.owner,
		"at": iso(get_datetime(row.imported_on or row.creation), zone),
		"undone_by": row.undone_by,
		"undone_at": iso(get_datetime(row.undone_on), zone) if row.undone_on else None,
		"can_undo": may_undo and row.status in (imports.IMPORTED, imports.PARTLY) and not is_gone,
	}


def _may_undo() -> bool:
	of_costs = all(frappe.has_permission(store.DOCTYPE, ptype) for ptype in imports.UNDO_TAKES)
	return bool(of_costs and frappe.has_permission(IMPORT, "write"))
