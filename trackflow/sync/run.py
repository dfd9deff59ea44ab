"""Works off forms that are due: finds the person in the CRM, and writes what is known to the record that is there (SYN-1).

Never creates one. Each form is stored as soon as it is done; a worker that is killed between the CRM's answer and that leaves it
pending, and the next one writes the same values to the same person again. What stops a run (an open circuit, a CRM that wants to be
left alone, settings that do not work) is no attempt of anybody's form.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import get_system_timezone, now_datetime

from trackflow.exceptions import StreamUnavailable
from trackflow.jobs import TimeIsUp, enqueue
from trackflow.runs import note_failure, recorded
from trackflow.sync import claims, gather, leaving, mapping, matching, options, schedule, state
from trackflow.sync.circuit import Circuit
from trackflow.sync.fields import values_of
from trackflow.sync.intake import LOG
from trackflow.sync.matching import Person
from trackflow.sync.provider import (
	Budget,
	CircuitOpen,
	Clock,
	Gone,
	Later,
	PassingError,
	Provider,
	ProviderError,
	Refused,
	Rejected,
)
from trackflow.sync.schedule import ERROR, NOT_FOUND, PENDING, SYNCED, Outcome
from trackflow.times import site_time

Row = dict[str, Any]
Payload = dict[str, str | int | float]

BATCH, MOST = 50, 10_000
# Of one form: two searches and an update, with all attempts and pauses.
BUDGET_SECONDS = 30.0
# How long a batch is this worker's; near its end what is left of it goes back.
CLAIM_SECONDS = 10 * 60
RUN_SECONDS, JOB_TIMEOUT = 20 * 60, 25 * 60
LATER, WITHDRAWN = "later", "withdrawn"
# Of who waits for the answer on a screen.
PATIENCE_SECONDS = 20.0
MOST_PREVIEWED = 20


class Stopped(NamedTuple):
	"""What ended a run before its time, in words, and when it makes sense to go on (seconds since 1970; 0 for at once)."""

	text: str = ""
	until: float = 0.0


class Report(NamedTuple):
	"""What a run did, by state; how many forms wait that are due."""

	done: Counter[str]
	stopped: Stopped
	waiting: int

	@property
	def rows_written(self) -> int:
		return sum(self.done[one] for one in (SYNCED, NOT_FOUND, ERROR))


@recorded
def queue() -> int:
	"""Every five minutes: give up what waited too long, and queue the job where forms are due; answers how many."""
	while claims.give_up_old(now_datetime()):
		pass
	if not options.read().is_on:
		return 0
	due = waiting()
	if due:
		queue_job()
	return due


def queue_job() -> None:
	"""One at a time: it looks for what is due until nothing is, and the next five minutes look after it."""
	enqueue("trackflow.sync.run.job", job_id="crm-sync", queue="long", timeout=JOB_TIMEOUT)


@recorded
def job() -> Report:
	"""Job: work off what is due."""
	return work()


def waiting(now: datetime | None = None) -> int:
	"""How many forms are due."""
	return frappe.db.count(LOG, {"status": PENDING, "due_at": ("<=", now or now_datetime())})


def work(
	limit: int = MOST,
	clock: Clock = time,
	tell: Callable[[int], None] | None = None,
	hear: Callable[[Circuit], None] | None = None,
) -> Report:
	"""Work off up to `limit` forms; `tell` is told how many are done, `hear` of the circuit's changes. Ends the transaction."""
	return _Run(options.read(), options.connect(clock, hear), clock, tell or (lambda _number: None)).go(limit)


class _Run:
	def __init__(
		self, of: options.Options, provider: Provider, clock: Clock, tell: Callable[[int], None]
	) -> None:
		self._options, self._provider, self._clock, self._tell = of, provider, clock, tell
		self._zone = ZoneInfo(get_system_timezone())
		self._end = clock.monotonic() + RUN_SECONDS
		self._checked = False
		self._done: Counter[str] = Counter()
		self._stopped = Stopped()

	def go(self, limit: int) -> Report:
		left = min(limit, MOST)
		while left > 0 and not self._stopped.text and self._clock.monotonic() < self._end:
			now = self._now()
			rows = claims.take(now, now + timedelta(seconds=CLAIM_SECONDS), min(BATCH, left))
			if not rows:
				break
			left -= len(rows)
			self._batch(rows)
		return Report(self._done, self._stopped, waiting(self._now()))

	def _now(self) -> datetime:
		return site_time(self._clock.time(), self._zone)

	def _batch(self, rows: list[Row]) -> None:
		until = min(self._end, self._clock.monotonic() + CLAIM_SECONDS - 2 * BUDGET_SECONDS)
		persons: dict[str, list[Row]] = {}
		for row in rows:
			key = matching.person_key(row.email or "", row.first_name or "", row.last_name or "")
			persons.setdefault(key, []).append(row)
		try:
			while persons and not self._stopped.text and self._clock.monotonic() < until:
				self._person(persons.pop(next(iter(persons))))
				self._tell(sum(self._done.values()))
		finally:
			# Also where this worker is told to end.
			self._put_back([row for some in persons.values() for row in some])

	def _put_back(self, rows: Sequence[Row]) -> None:
		if rows:
			frappe.db.rollback()
			due = max(self._now(), site_time(self._stopped.until, self._zone))
			self._done[LATER] += claims.give_back(rows, due)

	def _person(self, rows: list[Row]) -> None:
		"""Sync the forms of one person: what is known as of the last one. Read only now: a consent may have been withdrawn, or the
		person erased, while others of the batch were synced."""
		rows = claims.held(rows)
		forms = gather.of(rows)
		withdrawn = [row for row in rows if not leaving.may_leave(forms[row.name].sender)]
		if withdrawn:
			self._done[WITHDRAWN] += claims.drop(withdrawn)
		rows = [row for row in rows if row not in withdrawn]
		if not rows:
			return
		payload: Payload = {}
		try:
			last = max(rows, key=lambda row: (str(forms[row.name].facts.event.get("timestamp")), row.name))
			outcome, payload = self._sync(last, forms[last.name])
			state.note_trouble("")
		except (CircuitOpen, Later, Refused, StreamUnavailable) as error:
			self._stop(error)
			self._put_back(rows)
			return
		except PassingError as error:
			outcome = schedule.unreachable(max(row.attempts for row in rows), self._now(), str(error))
		except ProviderError as error:
			outcome = Outcome(ERROR, schedule.REFUSED, message=str(error))
		except TimeIsUp:
			self._put_back(rows)
			raise
		except Exception:
			note_failure("TrackFlow: a form could not be synced")
			outcome = Outcome(ERROR, schedule.REFUSED, message=_("It went wrong here: see the Error Log."))
		number = claims.settle(rows, outcome, payload, self._now())
		self._done[LATER if outcome.status == PENDING else outcome.status] += number

	def _sync(self, row: Row, form: gather.Form) -> tuple[Outcome, Payload]:
		budget = Budget(BUDGET_SECONDS, self._clock)
		outcome, values = planned(self._provider, self._options, row, form, budget)
		if outcome.status != SYNCED or not values:
			return outcome, {}
		try:
			self._provider.update(outcome.remote_id, values, budget)
		except Gone:
			return Outcome(NOT_FOUND, schedule.NOBODY, message=_("The person was there a moment ago.")), {}
		except Rejected:
			self._check_fields(budget)
			raise
		return outcome, values

	def _check_fields(self, budget: Budget) -> None:
		"""Once a run: is it the mapping that the CRM does not take? Then it is nobody's form that is wrong."""
		if self._checked:
			return
		self._checked = True
		if problems := mapping.held_to(self._options.fields, self._provider.fields(budget)):
			raise Refused(" ".join(options.in_words(problems)))

	def _stop(self, error: ProviderError | StreamUnavailable) -> None:
		until, text = 0.0, str(error)
		if isinstance(error, Later):
			until = self._clock.time() + error.seconds
			state.pause(until)
		elif isinstance(error, Refused):
			state.note_trouble(text)
		elif isinstance(error, StreamUnavailable):
			text = _("The queue Redis is out of reach.")
		self._stopped = Stopped(text, until)


def planned(
	provider: Provider, of: options.Options, row: Row, form: gather.Form, budget: Budget
) -> tuple[Outcome, Payload]:
	"""Whom a form belongs to, and what would be written to the record. Asks the CRM, and changes nothing."""
	found = _found(provider, row, budget)
	if outcome := schedule.found([one.id for one in found]):
		return outcome._replace(message=_said(outcome, found)), {}
	values = mapping.written(
		of.fields, values_of(form.facts, of.language), leaving.withheld(form.sender.level)
	)
	return Outcome(SYNCED, "" if values else schedule.NOTHING, remote_id=found[0].id), values


def preview(limit: int = 5) -> list[Row]:
	"""What would become of the next forms; of the last ones where none waits. Changes nothing, here or there."""
	of, provider = options.read(), options.connect()
	fields = list(claims.FIELDS)
	number = min(max(limit, 1), MOST_PREVIEWED)
	rows = frappe.get_all(
		LOG, filters={"status": PENDING}, fields=["name", *fields], order_by="due_at, name", limit=number
	)
	rows = rows or frappe.get_all(LOG, fields=["name", *fields], order_by="creation desc, name", limit=number)
	forms = gather.of(rows)
	budget = Budget(PATIENCE_SECONDS)
	return [_previewed(provider, of, row, forms[row.name], budget) for row in rows]


def remote_fields() -> tuple[list[mapping.RemoteField], list[str]]:
	"""The CRM's fields as they are now, and what is wrong with the mapping, in words."""
	fields = list(options.connect().fields(Budget(PATIENCE_SECONDS)))
	problems = options.in_words(mapping.held_to(options.read().fields, fields))
	state.note_trouble(" ".join(problems))
	return fields, problems


def _found(provider: Provider, row: Row, budget: Budget) -> Sequence[Person]:
	"""By the e-mail address; only where nobody has it, by first and last name."""
	if row.email and (found := matching.by_email(provider.search_email(row.email, budget), row.email)):
		return found
	name = matching.full_name(row.first_name or "", row.last_name or "")
	if not name:
		return []
	return matching.by_name(provider.search_name(name, budget), row.first_name, row.last_name)


def _said(outcome: Outcome, found: Sequence[Person]) -> str:
	if not found:
		return _("Nobody there has this address or this name.")
	ids = ", ".join(one.id for one in found[:10])
	return _("{0} persons have this address or name: {1}. Join them there, then retry.").format(
		len(found), ids
	)


def _previewed(provider: Provider, of: options.Options, row: Row, form: gather.Form, budget: Budget) -> Row:
	told = {"name": row.name, "email": row.email, "first_name": row.first_name, "last_name": row.last_name}
	if not leaving.may_leave(form.sender):
		return {**told, "status": WITHDRAWN, "message": _("Nothing of this form may leave."), "values": {}}
	outcome, values = planned(provider, of, row, form, budget)
	labels = {one.remote: one.label or one.source for one in of.fields}
	return {
		**told,
		"status": outcome.status,
		"message": outcome.message,
		"remote_id": outcome.remote_id,
		"values": {labels[key]: value for key, value in values.items()},
	}
