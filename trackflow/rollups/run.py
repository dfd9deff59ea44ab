"""Works out the daily figures of marked days (ROL-1): at night, by job soon after a change, by command for any range.

A day is one transaction. Rows that are right already are not touched, so a rebuild of unchanged data changes nothing; a day
that fails stays marked and is tried again. Two runs on one day wait for each other: they share at least one mark, which the
first one locks until its rows are stored. Days whose costs or credits were partly deleted by age stay as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import frappe
from frappe.utils import getdate, now_datetime

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.garbage import seldom_collected
from trackflow.jobs import TimeIsUp
from trackflow.privacy import aged, due
from trackflow.rollups import campaign_figures, marks
from trackflow.rollups.rows import FIELDS, Day
from trackflow.runs import note_failure, recorded

Tell = Callable[[int, int], None]

# What daily figures are worked out from, and they themselves: gone by age, none is made anew. Conversions, credits, and the touch
# points and sessions that these rest on are kept for good, if as nobody's.
RESTS_ON = ("Daily Campaign Metric", "TrackFlow Exchange Rate", "Daily Rollup")


@dataclass(slots=True)
class Done:
	"""What a run did."""

	days: int = 0
	rows_written: int = 0
	failed: list[date] = field(default_factory=list)

	def as_dict(self) -> dict[str, Any]:
		return {
			"days": self.days,
			"rows_written": self.rows_written,
			"failed": [str(day) for day in self.failed],
		}


@recorded
def mark_yesterday() -> None:
	"""At three in the morning: yesterday is over, changed or not; a job of the long queue works it out with all marked days."""
	marks.mark([yesterday()])


def run_nightly(tell: Tell | None = None) -> Done:
	"""The same at once, as the command does it."""
	frappe.db.commit()
	marks.note([yesterday()])
	frappe.db.commit()
	return run_marked(tell=tell)


@recorded
@seldom_collected()
def run_marked(first: date | None = None, last: date | None = None, tell: Tell | None = None) -> Done:
	"""Work out all marked days of a range, up to yesterday; new marks that come meanwhile too."""
	done = Done()
	frappe.db.commit()
	if start := horizon():
		marks.forget_before(start)
		frappe.db.commit()
	until = min(last or yesterday(), yesterday())
	while some := [day for day in marks.days(first, until) if day not in done.failed]:
		for number, day in enumerate(some, 1):
			work_out(day, roll_up, f"TrackFlow: the figures of {day} could not be worked out", done)
			if tell:
				tell(number, len(some))
		frappe.db.commit()
	campaign_figures.recount_all()
	return done


def rebuild(first: date | None = None, last: date | None = None, tell: Tell | None = None) -> Done:
	"""Work out the days of a range again, as far as there is anything of them; all of them where it has no ends."""
	frappe.db.commit()
	until = min(last or yesterday(), yesterday())
	marks.note(day for day in marks.all_days() if (first or day) <= day <= until)
	frappe.db.commit()
	return run_marked(first, last, tell)


def yesterday() -> date:
	return getdate() - timedelta(days=1)


def horizon() -> date | None:
	"""The first day whose figures can still be worked out; None where nothing that they rest on is deleted."""
	days = {doctype: number for doctype, number in aged.days().items() if doctype in RESTS_ON}
	cutoffs = list(due.cutoffs(now_datetime(), days).values())
	# Days that are raised bring nothing back.
	if deleted := aged.deleted_until(RESTS_ON):
		cutoffs.append(deleted)
	return max(cutoffs).date() + timedelta(days=1) if cutoffs else None


def active_models() -> list[str]:
	return frappe.get_all("Attribution Model", filters={"is_active": 1}, pluck="name", order_by="name")


def work_out(day: date, roll_up: Callable[[date], int], trouble: str, done: Done) -> None:
	"""Have a day's rows written, and note what became of it: one that fails is in the Error Log, and the others go on."""
	try:
		written = roll_up(day)
	except TimeIsUp:
		raise
	except Exception:
		frappe.db.rollback()
		note_failure(trouble)
		frappe.db.commit()
		done.failed.append(day)
	else:
		done.days += 1
		done.rows_written += written


@retried
def roll_up(day: date) -> int:
	"""Make the rows of a marked day what they should be, in one transaction that begins with its marks locked; returns rows
	written. Nothing where somebody else has just done so."""
	frappe.db.commit()
	names = marks.of(day)
	# The marks are read before the data's snapshot begins: what belongs to them is in it.
	frappe.db.commit()
	taken = marks.take(names)
	if not taken:
		return 0
	facts = Day(day)
	models = active_models()
	written = sum(_sync(day, model, facts) for model in models)
	written += _remove_others(day, models)
	bulk.delete(marks.MARK, taken)
	frappe.db.commit()
	return written


def _sync(day: date, model: str, facts: Day) -> int:
	stored = bulk.load("Daily Rollup", {"date": day, "attribution_model": model}, FIELDS)
	return len(bulk.sync("Daily Rollup", facts.rows(model), stored))


def _remove_others(day: date, models: list[str]) -> int:
	"""Remove the day's rows of models that are not active any more."""
	rows = frappe.get_all(
		"Daily Rollup",
		filters={"date": day, "attribution_model": ("not in", models or [""])},
		pluck="name",
		order_by="name",
	)
	bulk.delete("Daily Rollup", rows)
	return len(rows)
