"""Rows that are due by their age: which, and their deletion, a batch at a time (RET-1).

What belongs to a person who converted is not due. What a credit rests on does not go: it becomes nobody's (`kept`). Of either it is
remembered until when (`deleted_until`): days that somebody raises afterwards bring nothing back, and no rebuild may take what is left
for all that there was.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import frappe
from frappe.utils import cint, get_datetime, now_datetime

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.privacy import due as by_days
from trackflow.privacy.due import ALL, CONVERSIONS, HITS, Table
from trackflow.tracking import identity, people

Row = dict[str, Any]

BATCH = 1_000
_MARK = "trackflow_deleted_until"


def days() -> dict[str, int]:
	"""How long rows are kept, by DocType."""
	settings = frappe.get_cached_doc("TrackFlow Settings")
	return {table.doctype: cint(settings.get(table.setting)) for table in ALL}


def due(table: Table, cutoff: datetime, since: datetime | None = None) -> Iterator[list[str]]:
	"""The names of what is due to be deleted, a batch at a time, oldest first. Goes past what stays. With `since` as if conversions of
	before then were nobody's."""
	for rows in _older(table, cutoff):
		if names := _going(table, rows, since):
			yield names


def kept(table: Table, cutoff: datetime, since: datetime | None = None) -> Iterator[dict[str, str]]:
	"""The same of what is due and stays, since a credit rests on it, and is still somebody's: whose, by name."""
	for rows in _older(table, cutoff, of_somebody=True):
		credited = _credited(table, _strangers(table, rows, since))
		if credited:
			yield {row["name"]: row["visitor"] for row in rows if row["name"] in credited}


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
		names = _going(table, rows)
	if names:
		remember(table, cutoff)
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


def kept_until() -> datetime | None:
	"""Before when conversions were made nobody's; None where none were."""
	return deleted_until([CONVERSIONS.doctype])


def horizon() -> datetime | None:
	"""Since when every hit and session is surely there; None where nothing is deleted."""
	return by_days.horizon(now_datetime(), days(), deleted_until())


def forget_deletions() -> None:
	"""As if nothing had been deleted: for a site whose records are emptied."""
	marks = [_mark_of(table.doctype) for table in ALL]
	filters = {"parent": "__global", "defkey": ("in", marks), "defvalue": ("is", "set")}
	# Each that is set makes Frappe forget all that it remembers of the site.
	for mark in frappe.get_all("DefaultValue", filters, pluck="defkey", order_by="name"):
		frappe.db.set_global(mark, None)


def remember(table: Table, cutoff: datetime) -> None:
	"""Part of the transaction that deletes, or makes rows nobody's. Read past the cache, which may be of before another's commit."""
	key = _mark_of(table.doctype)
	known = frappe.db.get_value("DefaultValue", {"defkey": key, "parent": "__global"}, "defvalue")
	if not known or get_datetime(known) < cutoff:
		frappe.db.set_global(key, str(cutoff))


def _mark_of(doctype: str) -> str:
	return f"{_MARK}:{doctype}"


def _older(table: Table, cutoff: datetime, of_somebody: bool = False) -> Iterator[list[Row]]:
	"""Rows of before then, a batch at a time, oldest first."""
	rows = frappe.qb.DocType(table.doctype)
	at = rows[table.time]
	query = _query(table, cutoff).orderby(at, rows.name).limit(BATCH)
	if of_somebody:
		query = query.where(rows[table.visitor].not_like(identity.ANY_ERASED))
	found = query.run(as_dict=True)
	while found:
		yield found
		last = found[-1]
		after = (at > last["at"]) | ((at == last["at"]) & (rows.name > last["name"]))
		found = query.where(after).run(as_dict=True)


def _query(table: Table, cutoff: datetime) -> Any:
	rows = frappe.qb.DocType(table.doctype)
	at, before = rows[table.time], cutoff.date() if table.by_day else cutoff
	whose = rows[table.visitor or "name"]
	query = frappe.qb.from_(rows).select(rows.name, at.as_("at"), whose.as_("visitor")).where(at < before)
	return query.where(rows.status.isin(table.statuses)) if table.statuses else query


def _going(table: Table, rows: list[Row], since: datetime | None = None) -> list[str]:
	names = _strangers(table, rows, since)
	credited = _credited(table, names)
	return [name for name in names if name not in credited]


def _strangers(table: Table, rows: list[Row], since: datetime | None) -> list[str]:
	"""Those of these rows that are nobody's, or of a person who did not convert."""
	stays = _converted({row["visitor"] for row in rows if row["visitor"]}, since) if table.visitor else set()
	return [row["name"] for row in rows if row["visitor"] not in stays or not row["visitor"]]


def _converted(visitors: Collection[str], since: datetime | None) -> set[str]:
	"""Those of these visitors whose person has a conversion."""
	persons = people.of_visitors(visitors)
	everybody = {one for person in persons.values() for one in person} | set(visitors)
	filters = {"visitor": ("in", everybody), **({"conversion_date": (">=", since)} if since else {})}
	found = bulk.load(CONVERSIONS.doctype, filters, ["visitor"])
	converted = {row["visitor"] for row in found.values()}
	return {one for one in visitors if persons.get(one, {one}) & converted or one in converted}


def _credited(table: Table, names: Collection[str]) -> set[str]:
	"""Those of these touches, or of these visits, on which a credit rests: its reports ask what platform, source or ad that was."""
	if not table.credited or not names:
		return set()
	credit, touch = frappe.qb.DocType("Attribution Link"), frappe.qb.DocType("Touch Point")
	if table.doctype == "Touch Point":
		query = (
			frappe.qb.from_(credit).select(credit.touch_point).where(bulk.among(credit.touch_point, names))
		)
	else:
		query = frappe.qb.from_(touch).join(credit).on(credit.touch_point == touch.name).select(touch.session)
		query = query.where(bulk.among(touch.session, names))
	return {name for (name,) in query.distinct().run()}
