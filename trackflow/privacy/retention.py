"""Deletes what is older than the settings allow, in batches; clicks and sessions are archived before (RET-1).

What belongs to a person who converted stays as long as the conversion. Counters of links and what was credited are no sums of
these rows, and do not change. What is left goes with the next run. Where the archive does not work, nothing of visitors is deleted.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime

import frappe
from frappe.utils import now_datetime

from trackflow.click_rollups import run as click_rollups
from trackflow.privacy import aged, due
from trackflow.privacy.archive import keeping, places, trouble
from trackflow.privacy.archive.places import PlaceError
from trackflow.privacy.due import HITS, Table
from trackflow.runs import recorded

# Of the scheduler's long queue, which gives a job 25 minutes.
DAILY_SECONDS = 20 * 60


@recorded
def run_daily() -> dict[str, int]:
	"""The scheduler's job; returns how many rows are gone, by DocType."""
	try:
		done = run(max_seconds=DAILY_SECONDS)
	except keeping.Busy:
		return {}
	if any(done.values()):
		frappe.logger("trackflow").info("Deleted by age: %s", done)
	return done


def run(
	dry_run: bool = False, max_seconds: float = float("inf"), tell: Callable[[str, int], None] | None = None
) -> dict[str, int]:
	"""Delete what is due; answers how many rows, by DocType. A dry run counts them only. What is wrong with the archive is told by
	`trouble.current`. Raises keeping.Busy."""
	work = _Run(dry_run, time.monotonic() + max_seconds, tell)
	if dry_run or places.target() == places.OFF:
		work.go_through()
	else:
		with keeping.alone():
			work.go_through()
	return work.done


def horizon() -> datetime | None:
	"""Since when every hit and session is surely there; None where nothing is deleted."""
	return due.horizon(now_datetime(), aged.days(), aged.deleted_until())


class _Run:
	"""One run: table by table, until its time is over."""

	def __init__(self, dry_run: bool, end: float, tell: Callable[[str, int], None] | None) -> None:
		self.dry_run, self.end, self.tell = dry_run, end, tell
		self.archives = places.target() != places.OFF
		self.cutoffs = due.cutoffs(now_datetime(), aged.days(), whole_days=self.archives)
		self.done = {table.doctype: 0 for table in due.TABLES}

	def go_through(self) -> None:
		if not self.dry_run and (
			due_of_hits := [self.cutoffs[one] for one in (*HITS, "Visitor") if one in self.cutoffs]
		):
			# What is deleted can be summed up no more. It goes all the same where that fails: what was promised to visitors counts.
			click_rollups.run(until=max(due_of_hits).date())
		failed = False
		for table in self._tables():
			if failed and table.visitor:
				# What belongs together goes together: a session without its touch points would be derived again.
				continue
			try:
				for number in self._deleted(table, self.cutoffs[table.doctype]):
					self.done[table.doctype] += number
					if self.tell:
						self.tell(table.doctype, self.done[table.doctype])
					if time.monotonic() > self.end:
						return
			except PlaceError as error:
				failed = True
				trouble.note(str(error))
		if not failed and not self.dry_run:
			trouble.clear()

	def _tables(self) -> list[Table]:
		"""What is archived first: where that fails, the others of visitors wait."""
		some = [table for table in due.TABLES if table.doctype in self.cutoffs]
		return sorted(some, key=lambda table: not table.archived) if self.archives else some

	def _deleted(self, table: Table, cutoff: datetime) -> Iterator[int]:
		if table.archived and self.archives and not self.dry_run:
			yield from keeping.archive_and_delete(table, cutoff)
			return
		for names in aged.due(table, cutoff):
			yield len(names) if self.dry_run else aged.delete(table, cutoff, names)
