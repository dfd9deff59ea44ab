"""Works out the clicks and visits of days that are over (ROL-2): each hour those that were not yet, or that changed since.

A day is one transaction, and rows that are right already are not touched, as with daily figures of spend (`rollups.run`). Yesterday
is over at three in the morning, when what comes late has come. Days of which something was deleted by its age stay as they are.
"""

from datetime import date, datetime, timedelta

import frappe
from frappe.query_builder.functions import Min
from frappe.utils import cint, getdate, now_datetime

from trackflow import bulk
from trackflow.click_rollups import sources
from trackflow.click_rollups.rows import FIELDS, ROLLUP, of_day
from trackflow.collisions import retried
from trackflow.garbage import seldom_collected
from trackflow.jobs import TimeIsUp
from trackflow.privacy import aged, due
from trackflow.rollups import marks
from trackflow.rollups.run import Done, Tell
from trackflow.runs import recorded

# What these figures are worked out from, and they themselves.
RESTS_ON = (*due.HITS, "Touch Point", ROLLUP)
NIGHT_HOUR = 3
FIRST = {"Click Event": "click_timestamp", "Visitor Session": "session_start", "Visitor Event": "timestamp"}


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
	"""Work out all days of a range again, as far as what they rest on is there."""
	return _run(_days(first, until), tell)


def waiting(first: date | None = None, until: date | None = None) -> list[date]:
	"""The days of a range, up to yesterday, that are to be worked out."""
	days = _days(first, until)
	if not days:
		return []
	done = worked_out(days[0], days[-1])
	return [day for day in days if day not in done]


def worked_out(first: date, last: date) -> set[date]:
	"""The days of a range whose stored figures are those of their hits. Two statements."""
	stored = frappe.get_all(
		ROLLUP,
		filters={"grain": sources.DAY, "date": ("between", (first, last))},
		pluck="date",
		order_by="date",
	)
	return set(map(getdate, stored)) - set(marks.days(first, last, marks.CLICKS))


def last_day() -> date:
	"""The last day that is over. Before three in the morning hits of yesterday may still come."""
	return (now_datetime() - timedelta(days=1, hours=NIGHT_HOUR)).date()


def horizon() -> datetime | None:
	"""Since when all that these figures rest on is there; None where nothing is deleted."""
	settings = frappe.get_cached_doc("TrackFlow Settings")
	days = {doctype: cint(settings.get(f"retention_{frappe.scrub(doctype)}")) for doctype in RESTS_ON}
	found = [*due.cutoffs(now_datetime(), days).values()]
	# Days that are raised bring nothing back.
	if deleted := aged.deleted_until(RESTS_ON):
		found.append(deleted)
	return max(found, default=None)


def _days(first: date | None, until: date | None) -> list[date]:
	"""The days of a range on which there may be something, that are over and whole."""
	begins = [moment for moment in (_first_hit(), horizon()) if moment]
	if not begins:
		return []
	whole = horizon()
	begin = max(begins).date()
	if whole and whole > datetime.combine(begin, datetime.min.time()):
		begin += timedelta(days=1)
	begin, end = max(begin, first or begin), min(until or date.max, getdate() - timedelta(days=1))
	return marks.between(begin, end) if begin <= end else []


def _first_hit() -> datetime | None:
	found = []
	for doctype, field in FIRST.items():
		table = frappe.qb.DocType(doctype)
		[[moment]] = frappe.qb.from_(table).select(Min(table[field])).run()
		found += [frappe.utils.get_datetime(moment)] if moment else []
	return min(found, default=None)


def _run(days: list[date], tell: Tell | None) -> Done:
	done = Done()
	if days:
		marks.forget_before(days[0], marks.CLICKS)
	for number, day in enumerate(days, 1):
		# Two runs on one day wait for each other, and the second one sees what the first one wrote.
		marks.note([day], marks.CLICKS)
		frappe.db.commit()
		_work_out(day, done)
		if tell:
			tell(number, len(days))
	frappe.db.commit()
	return done


def _work_out(day: date, done: Done) -> None:
	try:
		written = roll_up(day)
	except TimeIsUp:
		raise
	except Exception:
		frappe.db.rollback()
		frappe.log_error(title=f"TrackFlow: the clicks of {day} could not be summed up")
		frappe.db.commit()
		done.failed.append(day)
	else:
		done.days += 1
		done.rows_written += written


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
	stored = bulk.load(ROLLUP, {"date": day}, FIELDS)
	written = len(bulk.sync(ROLLUP, of_day(day), stored))
	bulk.delete(marks.MARK, taken)
	frappe.db.commit()
	return written
