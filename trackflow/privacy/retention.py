"""Deletes what is older than the settings allow, in batches (RET-1): the tables that tracking fills.

What belongs to a person who converted stays as long as the conversion. Counters of links and what was credited are no sums of
these rows, and do not change. Every batch is a transaction of its own; what is left goes with the next run.
"""

import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Any

import frappe
from frappe.utils import cint, now_datetime

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.privacy import due
from trackflow.runs import recorded
from trackflow.tracking import people

Row = dict[str, Any]

BATCH = 1_000
# Of the scheduler's long queue, which gives a job 25 minutes.
DAILY_SECONDS = 20 * 60


@recorded
def run_daily() -> dict[str, int]:
	"""The scheduler's job; returns how many rows are gone, by DocType."""
	done = run(max_seconds=DAILY_SECONDS)
	if any(done.values()):
		frappe.logger("trackflow").info("Deleted by age: %s", done)
	return done


def run(
	dry_run: bool = False, max_seconds: float = float("inf"), tell: Callable[[str, int], None] | None = None
) -> dict[str, int]:
	"""Delete what is due; answers how many rows, by DocType. A dry run counts them only."""
	end = time.monotonic() + max_seconds
	cutoffs = due.cutoffs(now_datetime(), days())
	done: dict[str, int] = {}
	for table in due.TABLES:
		done[table.doctype] = 0
		if table.doctype not in cutoffs:
			continue
		for names in _due(table, cutoffs[table.doctype]):
			if not dry_run:
				_delete(table.doctype, names)
			done[table.doctype] += len(names)
			if tell:
				tell(table.doctype, done[table.doctype])
			if time.monotonic() > end:
				return done
	return done


def days() -> dict[str, int]:
	"""How long rows are kept, by DocType."""
	settings = frappe.get_cached_doc("TrackFlow Settings")
	return {table.doctype: cint(settings.get(table.setting)) for table in due.TABLES}


def horizon() -> datetime | None:
	"""Since when every hit and session is surely there; None where nothing is deleted."""
	return due.horizon(now_datetime(), days())


def _due(table: due.Table, cutoff: datetime) -> Iterator[list[str]]:
	"""The names of what is due, a batch at a time, oldest first. Goes past what stays."""
	last: tuple[datetime, str] | None = None
	while rows := _older(table, cutoff, last):
		last = (rows[-1]["at"], rows[-1]["name"])
		stays = _converted({row["visitor"] for row in rows if row["visitor"]}) if table.visitor else set()
		names = [row["name"] for row in rows if row["visitor"] not in stays or not row["visitor"]]
		if names:
			yield names


def _older(table: due.Table, cutoff: datetime, last: tuple[datetime, str] | None) -> list[Row]:
	rows = frappe.qb.DocType(table.doctype)
	at = rows[table.time]
	query = (
		frappe.qb.from_(rows)
		.select(rows.name, at.as_("at"), rows[table.visitor or "name"].as_("visitor"))
		.where(at < cutoff)
		.orderby(at, rows.name)
		.limit(BATCH)
	)
	if table.statuses:
		query = query.where(rows.status.isin(table.statuses))
	if last:
		query = query.where((at > last[0]) | ((at == last[0]) & (rows.name > last[1])))
	return query.run(as_dict=True)


def _converted(visitors: Collection[str]) -> set[str]:
	"""Those of these visitors whose person has a conversion."""
	persons = people.of_visitors(visitors)
	everybody = {one for person in persons.values() for one in person} | set(visitors)
	found = bulk.load("Conversion", {"visitor": ("in", everybody)}, ["visitor"]) if everybody else {}
	converted = {row["visitor"] for row in found.values()}
	return {one for one in visitors if persons.get(one, {one}) & converted or one in converted}


@retried
def _delete(doctype: str, names: list[str]) -> None:
	bulk.delete(doctype, names)
	frappe.db.commit()
