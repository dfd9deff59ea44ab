"""Deletes what is older than the settings allow, in batches; clicks and sessions are archived before (RET-1).

What belongs to a person who converted stays as long as the conversion is somebody's. A conversion that is due becomes nobody's, and so
does what its credits rest on when it is due in turn (`kept`): conversions first, since the rest follows from them. Counters of links and
what was credited are no sums of rows that go, and do not change. What is left goes with the next run. Where the archive does not work,
nothing of visitors is deleted.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import frappe
from frappe.utils import now_datetime

from trackflow.click_rollups import run as click_rollups
from trackflow.privacy import aged, due, kept
from trackflow.privacy.archive import keeping, places, trouble
from trackflow.privacy.archive.places import PlaceError
from trackflow.privacy.due import CONVERSIONS, HITS, Table
from trackflow.runs import recorded

# Of the scheduler's long queue, which gives a job 25 minutes.
DAILY_SECONDS = 20 * 60


@dataclass(slots=True)
class Done:
	"""What a run did: how many rows it deleted, and how many it made nobody's, by DocType."""

	deleted: dict[str, int] = field(default_factory=lambda: {table.doctype: 0 for table in due.TABLES})
	kept: dict[str, int] = field(
		default_factory=lambda: {
			table.doctype: 0 for table in due.ALL if table is CONVERSIONS or table.credited
		}
	)

	@property
	def rows_written(self) -> int:
		return sum(self.deleted.values()) + sum(self.kept.values())


@recorded
def run_daily() -> Done:
	"""The scheduler's job."""
	try:
		done = run(max_seconds=DAILY_SECONDS)
	except keeping.Busy:
		return Done()
	if done.rows_written:
		frappe.logger("trackflow").info("Deleted by age: %s; nobody's: %s", done.deleted, done.kept)
	return done


def run(
	dry_run: bool = False,
	max_seconds: float = float("inf"),
	tell: Callable[[str, int, bool], None] | None = None,
) -> Done:
	"""Delete what is due, or make it nobody's; a dry run counts only. `tell` is called with a DocType, the rows so far, and whether these
	are kept. What is wrong with the archive is told by `trouble.current`. Raises keeping.Busy."""
	work = _Run(dry_run, time.monotonic() + max_seconds, tell)
	if dry_run or places.target() == places.OFF:
		work.go_through()
	else:
		with keeping.alone():
			work.go_through()
	return work.done


class _Run:
	"""One run: conversions, then table by table, until its time is over."""

	def __init__(self, dry_run: bool, end: float, tell: Callable[[str, int, bool], None] | None) -> None:
		self.dry_run, self.end, self.tell = dry_run, end, tell
		self.archives = places.target() != places.OFF
		self.cutoffs = due.cutoffs(now_datetime(), aged.days(), whole_days=self.archives)
		self.ageing = kept.Ageing()
		self.done = Done()

	def go_through(self) -> None:
		if not self._has_time(CONVERSIONS, self._conversions(), is_kept=True):
			return
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
			cutoff = self.cutoffs[table.doctype]
			try:
				if not (
					self._has_time(table, self._kept(table, cutoff), is_kept=True)
					and self._has_time(table, self._deleted(table, cutoff))
				):
					return
			except PlaceError as error:
				failed = True
				trouble.note(str(error))
		if not failed and not self.dry_run:
			trouble.clear()

	def _has_time(self, table: Table, numbers: Iterable[int], is_kept: bool = False) -> bool:
		"""Count what is done, batch by batch; False once the run's time is over."""
		counts = self.done.kept if is_kept else self.done.deleted
		for number in numbers:
			counts[table.doctype] += number
			if self.tell:
				self.tell(table.doctype, counts[table.doctype], is_kept)
			if time.monotonic() > self.end:
				return False
		return True

	def _tables(self) -> list[Table]:
		"""What is archived first: where that fails, the others of visitors wait."""
		some = [table for table in due.TABLES if table.doctype in self.cutoffs]
		return sorted(some, key=lambda table: not table.archived) if self.archives else some

	def _conversions(self) -> Iterator[int]:
		if cutoff := self.cutoffs.get(CONVERSIONS.doctype):
			yield from map(len, kept.due(cutoff)) if self.dry_run else self.ageing.conversions(cutoff)

	def _kept(self, table: Table, cutoff: datetime) -> Iterator[int]:
		if table.credited:
			yield from (
				map(len, aged.kept(table, cutoff, self._since))
				if self.dry_run
				else self.ageing.rows(table, cutoff)
			)

	def _deleted(self, table: Table, cutoff: datetime) -> Iterator[int]:
		if table.archived and self.archives and not self.dry_run:
			yield from keeping.archive_and_delete(table, cutoff)
			return
		for names in aged.due(table, cutoff, self._since):
			yield len(names) if self.dry_run else aged.delete(table, cutoff, names)

	@property
	def _since(self) -> datetime | None:
		"""Of a dry run, before when conversions would be nobody's by now."""
		return self.cutoffs.get(CONVERSIONS.doctype) if self.dry_run else None
