"""Rows that are due by their age: which, and their deletion, a batch at a time (RET-1).

What belongs to a person who converted is not due. What was deleted is remembered (`deleted_until`): days that somebody raises
afterwards bring nothing back, and no rebuild may take what is left for all that there was.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import frappe
from frappe.utils import cint, get_datetime

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.privacy.due import HITS, TABLES, Table
from trackflow.tracking import people

Row = dict[str, Any]

BATCH = 1_000
_MARK = "trackflow_deleted_until"


def days() -> dict[str, int]:
	"""How long rows are kept, by DocType."""
	settings = frappe.get_cached_doc("TrackFlow Settings")
	return {table.doctype: cint(settings.get(table.setting)) for table in TABLES}


def due(table: Table, cutoff: datetime) -> Iterator[list[str]]:
	"""The names of what is due, a batch at a time, oldest first. Goes past what stays."""
	last: tuple[datetime, str] | None = None
	while rows := _older(table, cutoff, last):
		last = (rows[-1]["at"], rows[-1]["name"])
		if names := _not_converted(table, rows):
			yield names


def delete_due(table: Table, cutoff: datetime, names: Collection[str]) -> int:
	"""Delete those of these rows that are due as they are now, in a transaction of its own; answers how many."""
	return _delete(table, cutoff, names, looks=True)


def delete(table: Table, cutoff: datetime, names: Collection[str]) -> int:
	"""The same of rows of which that is known."""
	return _delete(table, cutoff, names, looks=False)


@retried
def _delete(table: Table, cutoff: datetime, names: Collection[str], looks: bool) -> int:
	# As of now.
	frappe.db.commit()
	if looks:
		rows = (
			_query(table, cutoff)
			.where(bulk.among(frappe.qb.DocType(table.doctype).name, names))
			.run(as_dict=True)
		)
		names = _not_converted(table, rows)
	if names:
		_remember(table, cutoff)
		bulk.delete(table.doctype, names)
	frappe.db.commit()
	return len(names)


def deleted_until(doctypes: Collection[str] = HITS) -> datetime | None:
	"""Before when rows of one of these were deleted, by default hits or sessions; None where none were."""
	rows = frappe.get_all(
		"DefaultValue",
		filters={"defkey": ("in", [_mark_of(doctype) for doctype in doctypes]), "parent": "__global"},
		pluck="defvalue",
		order_by="defkey",
	)
	return max((get_datetime(text) for text in rows if text), default=None)


def forget_deletions() -> None:
	"""As if nothing had been deleted: for a site whose records are emptied."""
	marks = [_mark_of(table.doctype) for table in TABLES]
	filters = {"parent": "__global", "defkey": ("in", marks), "defvalue": ("is", "set")}
	# Each that is set makes Frappe forget all that it remembers of the site.
	for mark in frappe.get_all("DefaultValue", filters, pluck="defkey", order_by="name"):
		frappe.db.set_global(mark, None)


def _remember(table: Table, cutoff: datetime) -> None:
	"""Part of the transaction that deletes. Read past the cache, which may be of before another's commit."""
	key = _mark_of(table.doctype)
	known = frappe.db.get_value("DefaultValue", {"defkey": key, "parent": "__global"}, "defvalue")
	if not known or get_datetime(known) < cutoff:
		frappe.db.set_global(key, str(cutoff))


def _mark_of(doctype: str) -> str:
	return f"{_MARK}:{doctype}"


def _older(table: Table, cutoff: datetime, last: tuple[datetime, str] | None) -> list[Row]:
	rows = frappe.qb.DocType(table.doctype)
	at = rows[table.time]
	query = _query(table, cutoff).orderby(at, rows.name).limit(BATCH)
	if last:
		query = query.where((at > last[0]) | ((at == last[0]) & (rows.name > last[1])))
	return query.run(as_dict=True)


def _query(table: Table, cutoff: datetime) -> Any:
	rows = frappe.qb.DocType(table.doctype)
	at, before = rows[table.time], cutoff.date() if table.by_day else cutoff
	whose = rows[table.visitor or "name"]
	query = frappe.qb.from_(rows).select(rows.name, at.as_("at"), whose.as_("visitor")).where(at < before)
	return query.where(rows.status.isin(table.statuses)) if table.statuses else query


def _not_converted(table: Table, rows: list[Row]) -> list[str]:
	stays = _converted({row["visitor"] for row in rows if row["visitor"]}) if table.visitor else set()
	return [row["name"] for row in rows if row["visitor"] not in stays or not row["visitor"]]


def _converted(visitors: Collection[str]) -> set[str]:
	"""Those of these visitors whose person has a conversion."""
	persons = people.of_visitors(visitors)
	everybody = {one for person in persons.values() for one in person} | set(visitors)
	found = bulk.load("Conversion", {"visitor": ("in", everybody)}, ["visitor"]) if everybody else {}
	converted = {row["visitor"] for row in found.values()}
	return {one for one in visitors if persons.get(one, {one}) & converted or one in converted}
