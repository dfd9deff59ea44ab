"""Days whose daily figures are to be worked out again (ROL-1, ROL-2).

A mark is a row of its own, written in the transaction of the change that it is about, so that both are stored or neither.
Whoever works a day out reads its marks first and the day's data in a later snapshot, and deletes these marks alone: one that
comes meanwhile stays, and nobody waits for anybody.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta

import frappe
from frappe.query_builder.functions import Max, Min
from frappe.utils import getdate, now_datetime

from trackflow import bulk
from trackflow.day_range import each_day
from trackflow.jobs import enqueue

MARK = "Rollup Day"
# What a mark is about: figures of spend and credits, or those of clicks and visits.
COSTS, CLICKS = "Costs", "Clicks"
RUN_SECONDS = 6 * 60 * 60
# Marks of a day that are read at once; what is left is read with the next run.
AT_ONCE = 10_000
# What is noted this long before midnight may be committed after it, when the day may be worked out already.
UNTIL_COMMITTED = timedelta(minutes=15)
# Where something is that daily figures come from, or are.
DATED = {
	"Daily Campaign Metric": "date",
	"Conversion": "conversion_date",
	"Daily Rollup": "date",
}


def mark(days: Iterable[date]) -> None:
	"""Note that something of these days changed, by one statement whatever their number. The caller's transaction stores it.

	The job that works days out is queued for after it, once however many ask. Today is worked out tomorrow: until then its
	figures are summed up for whoever asks.
	"""
	some = set(days)
	note(some)
	if some and min(some) < getdate():
		queue_run()


def note(days: Iterable[date], about: str = COSTS) -> None:
	"""The same for who works them out at once."""
	rows = [
		{"name": frappe.generate_hash(length=16), "date": day, "about": about} for day in sorted(set(days))
	]
	bulk.insert(MARK, rows)


def mark_clicks(moments: Iterable[datetime]) -> None:
	"""Note that hits or sessions of these moments changed, as far as they are of days that are over, or will be when the caller commits:
	until the hour's job has worked such a day out again, it is told by its rows."""
	some = list(moments)
	today = datetime.combine((now_datetime() + UNTIL_COMMITTED).date(), time.min)
	if some and min(some) < today:
		note({moment.date() for moment in some if moment < today}, CLICKS)


def queue_run() -> None:
	"""Queue the job that works marked days out. One that runs already takes new marks along; what it misses at its very end is
	taken by the scheduler's next run."""
	enqueue("trackflow.rollups.run.run_marked", job_id="rollup", queue="long", timeout=RUN_SECONDS)


def all_days() -> list[date]:
	"""All days from the first to the last one that has costs, conversions or figures, up to today."""
	ends: list[date] = []
	for doctype, field in DATED.items():
		table = frappe.qb.DocType(doctype)
		[found] = frappe.qb.from_(table).select(Min(table[field]), Max(table[field])).run()
		ends += [getdate(end) for end in found if end]
	return each_day(min(ends), min(max(ends), getdate())) if ends else []


def mark_all() -> None:
	"""Mark all days: after a change of what all figures depend on."""
	mark(all_days())


def mark_campaign(campaign: str) -> None:
	"""The same for all days whose figures name this campaign."""
	rows = frappe.get_all(
		"Daily Rollup", filters={"campaign": campaign}, pluck="date", distinct=True, order_by="date"
	)
	mark(map(getdate, rows))


def days(first: date | None, last: date, about: str = COSTS) -> list[date]:
	"""The days with marks up to the last one, in order."""
	filters = [["about", "=", about], ["date", "<=", last], *([["date", ">=", first]] if first else [])]
	rows = frappe.get_all(MARK, filters=filters, pluck="date", distinct=True, order_by="date")
	return [getdate(day) for day in rows]


def of(day: date, about: str = COSTS) -> list[str]:
	"""The names of a day's marks."""
	filters = {"date": day, "about": about}
	return frappe.get_all(MARK, filters=filters, pluck="name", order_by="name", limit=AT_ONCE)


def take(names: Collection[str]) -> list[str]:
	"""Lock these marks until the transaction's end; answers those that nobody else took meanwhile."""
	return list(bulk.lock(MARK, names))


def forget_before(day: date, about: str = COSTS) -> None:
	"""Delete the marks of days before that one."""
	frappe.db.delete(MARK, {"date": ("<", day), "about": about})
