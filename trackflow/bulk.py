"""Writes many rows of one DocType at once, past the document lifecycle, for tables that no form writes.

`sync` makes rows be what they should be and touches no row that already is: the base of every rebuild. It never
commits.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import frappe
from frappe.utils import now_datetime

Row = dict[str, Any]
CHUNK = 500


def insert(doctype: str, rows: Iterable[Row], *, ignore_duplicates: bool = False) -> None:
	"""Insert rows that bring their `name`. Rows may differ in the fields they have; a missing one is NULL."""
	rows = list(rows)
	if not rows:
		return
	now, user = now_datetime(), frappe.session.user
	standard = {
		"creation": now,
		"modified": now,
		"owner": user,
		"modified_by": user,
		"docstatus": 0,
		"idx": 0,
	}
	fields = list(standard | dict.fromkeys(field for row in rows for field in row))
	values = [[{**standard, **row}.get(field) for field in fields] for row in rows]
	frappe.db.bulk_insert(doctype, fields, values, ignore_duplicates=ignore_duplicates, chunk_size=CHUNK)


def update(doctype: str, changes: Mapping[str, Row]) -> None:
	"""Set fields of rows by name. All rows of one call must change the same fields."""
	if changes:
		frappe.db.bulk_update(doctype, dict(changes), update_modified=False)


def delete(doctype: str, names: Collection[str]) -> None:
	"""Delete rows by name."""
	if names:
		frappe.db.delete(doctype, {"name": ("in", list(names))})


def load(doctype: str, filters: dict[str, Any], fields: Collection[str]) -> dict[str, Row]:
	"""Rows by name."""
	rows = frappe.get_all(doctype, filters=filters, fields=["name", *fields], order_by="name")
	return {row.name: row for row in rows}


@dataclass(frozen=True, slots=True)
class Differences:
	"""What `sync` wrote: rows that were added, changed (both by name, as desired) and names that vanished."""

	added: dict[str, Row]
	changed: dict[str, Row]
	vanished: list[str]

	def __len__(self) -> int:
		return len(self.added) + len(self.changed) + len(self.vanished)


def sync(doctype: str, desired: Mapping[str, Row], existing: Mapping[str, Row]) -> Differences:
	"""Make the rows named in `existing` be those of `desired` (both by name), writing only what differs.

	Only fields that `desired` names are compared and set.
	"""
	found = Differences(
		added={name: row for name, row in desired.items() if name not in existing},
		changed={
			name: row for name, row in desired.items() if name in existing and not same(row, existing[name])
		},
		vanished=[name for name in existing if name not in desired],
	)
	insert(doctype, found.added.values())
	update(doctype, {name: _without_name(row) for name, row in found.changed.items()})
	delete(doctype, found.vanished)
	return found


def same(row: Row, stored: Mapping[str, Any]) -> bool:
	"""Whether `stored` says what `row` says, read with the eyes of a database: NULL is empty, money has nine places."""
	return all(_same_value(value, stored.get(field)) for field, value in row.items())


def _same_value(one: Any, other: Any) -> bool:
	if one in (None, "") or other in (None, ""):
		return (one or None) == (other or None) or (one or 0) == (other or 0)
	if isinstance(one, int | float | Decimal) and isinstance(other, int | float | Decimal):
		return round(float(one), 9) == round(float(other), 9)
	if isinstance(one, datetime) or isinstance(other, datetime):
		return frappe.utils.get_datetime(one) == frappe.utils.get_datetime(other)
	return str(one) == str(other)


def _without_name(row: Row) -> Row:
	return {field: value for field, value in row.items() if field != "name"}
