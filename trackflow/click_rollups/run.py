"""Works out the clicks and visits of days that are over (ROL-2): each hour those that were not yet, or that changed since.

A day is one transaction, and rows that are right already are not touched, as with daily figures of spend (`rollups.run`). Yesterday
is over at three in the morning, when what comes late has come. Days of which something was deleted by its age stay as they are.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import reduce

import frappe
from frappe.query_builder.functions import Min
from frappe.utils import getdate, now_datetime

from trackflow import bulk
from trackflow.click_rollups import sources
from trackflow.click_rollups.rows import FIELDS, ROLLUP, of_day
from trackflow.collisions import retried
from trackflow.day_range import each_day, moments
from trackflow.garbage import seldom_collected
from trackflow.privacy import aged, due
from trackflow.rollups import marks
from trackflow.rollups.run import Done, Tell, work_out
from trackflow.runs import recorded

# What these figures are worked out from, and they themselves.
RESTS_ON = (*due.HITS, "Touch Point", "Visitor", ROLLUP)
NIGHT_HOUR = 3


@recorded
@seldom_collected()
def run_hourly() -> Done:
	"""The scheduler's job."""
	return run(until=last_day())


def run(first: date | None = None, until: date | None = None, tell: Tell | None = None) -> Done:
	"""Work out the days that were not yet, or that changed, up to yesterday or an earlier day. A day that fails is left as it was,
	and is in the Error Log."""
	return _run(waiting(first, until), tell)


def rebuild(first: date | None = None, until: date | None = None, tell: Tell | None = None) -> Done:
	"""Work out all days of a range again that have hits or sums, as far as what they rest on is there."""
	return _run(_with_something(_days(first, until)), tell)


def waiting(first: date | None = None, until: date | None = None) -> list[date]:
	"""The days of a range, up to yesterday, that are to be worked out: those that changed, and those with hits that were not yet."""
	days = _days(first, until)
	done = worked_out(days[0], days[-1], horizon()) if days else ()
	return _with_something([day for day in days if day not in done])


def worked_out(first: date, last: date, since: datetime | None) -> set[date]:
	"""The days of a range whose stored figures are to be told: those of their hits, or, where hits are gone since a `horizon`, those
	that there were. Two statements."""
	changed = {day for day in marks.days(first, last, marks.CLICKS) if is_whole(day, since)}
	return _stored(first, last) - changed


def last_day() -> date:
	"""The last day that is over. Before three in the morning hits of yesterday may still come."""
	return (now_datetime() - timedelta(days=1, hours=NIGHT_HOUR)).date()


def horizon() -> datetime | None:
	"""Since when all that these figures rest on is there; None where nothing was deleted by its age."""
	return aged.deleted_until(RESTS_ON)


def first_day() -> date | None:
	"""The day of the oldest hit, session or sum that is there: sums may be of hits that somebody deleted. One statement."""
	return _first_of({**sources.HITS, ROLLUP: "date"})


def _stored(first: date, last: date) -> set[date]:
	filters = {"grain": sources.DAY, "date": ("between", (first, last))}
	return set(map(getdate, frappe.get_all(ROLLUP, filters, pluck="date", order_by="date")))


def _with_something(days: list[date]) -> list[date]:
	"""Those of these days, in order, that have sums, marks or hits."""
	if not days:
		return []
	known = _stored(days[0], days[-1]) | set(marks.days(days[0], days[-1], marks.CLICKS))
	hits = set(_with_hits([day for day in days if day not in known]))
	return [day for day in days if day in known or day in hits]


def _with_hits(days: list[date]) -> Iterator[date]:
	"""Those of these days, in order, on which there was something: years may lie between them. A statement for each that there is."""
	there = date.min
	for day in days:
		if there < day:
			there = _first_of(sources.HITS, day) or date.max
		if there == day:
			yield day


def _first_of(fields: Mapping[str, str], since: date | None = None) -> date | None:
	parts = []
	for doctype, field in fields.items():
		table = frappe.qb.DocType(doctype)
		part = frappe.qb.from_(table).select(Min(table[field]).as_("at"))
		parts.append(part.where(table[field] >= since) if since else part)
	oldest = reduce(lambda one, other: one.union_all(other), parts).as_("oldest")
	[[first]] = frappe.qb.from_(oldest).select(Min(oldest.at)).run()
	return getdate(first) if first else None


def is_whole(day: date, since: datetime | None) -> bool:
	"""Nothing of the day was deleted, where since that moment everything is there."""
	return not since or since <= moments(day, day)[0]


def _days(first: date | None, until: date | None) -> list[date]:
	"""The days of a range on which there may be something, that are over and whole."""
	oldest, since = first_day(), horizon()
	if not oldest:
		return []
	begin = max(oldest, first or oldest)
	end = min(until or date.max, getdate() - timedelta(days=1))
	return [day for day in each_day(begin, end) if is_whole(day, since)]


def _run(days: list[date], tell: Tell | None) -> Done:
	done = Done()
	if since := horizon():
		marks.forget_before(since.date(), marks.CLICKS)
	for number, day in enumerate(days, 1):
		# Two runs on one day wait for each other, and the second one sees what the first one wrote.
		if not marks.of(day, marks.CLICKS):
			marks.note([day], marks.CLICKS)
		frappe.db.commit()
		work_out(day, roll_up, f"TrackFlow: the clicks of {day} could not be summed up", done)
		if tell:
			tell(number, len(days))
	frappe.db.commit()
	return done


@retried
def roll_up(day: date) -> int:
	"""Make the rows of a marked day what they should be, in one transaction; returns rows written. Marks that come meanwhile stay."""
	frappe.db.commit()
	names = marks.of(day, marks.CLICKS)
	# The marks are read before the data's snapshot begins: what belongs to them is in it.
	frappe.db.commit()
	taken = marks.take(names)
	if not taken:
		return 0
	written = 0
	if is_whole(day, horizon()):
		stored = bulk.load(ROLLUP, {"date": day}, FIELDS)
		written = len(bulk.sync(ROLLUP, of_day(day), stored))
	bulk.delete(marks.MARK, taken)
	frappe.db.commit()
	return written
