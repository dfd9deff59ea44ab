"""How the sync is doing: for the app, the doctor, the page of health (SYN-1, RPT-3)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Sum
from frappe.utils import now_datetime

from trackflow import runs
from trackflow.config import get_config
from trackflow.exceptions import StreamUnavailable
from trackflow.health.finding import BROKEN, FINE, NOTE
from trackflow.sync import circuit, options, run, state
from trackflow.sync.intake import LOG
from trackflow.sync.provider import ProviderError
from trackflow.sync.schedule import ERROR, NOT_FOUND, PENDING, SYNCED

Row = dict[str, Any]

STATES = (PENDING, SYNCED, NOT_FOUND, ERROR)
JOB = f"{run.job.__module__}.{run.job.__qualname__}"
# The job comes every five minutes.
LATE = timedelta(hours=1)
# Of how long errors are told.
RECENT = timedelta(days=7)


def figures() -> Row:
	"""Forms by state, how many are due, and what all workers know of the CRM; None where Redis is out of reach."""
	table = frappe.qb.DocType(LOG)
	due = Sum(Case().when(table.due_at <= now_datetime(), 1).else_(0))
	query = frappe.qb.from_(table).select(table.status, Count("*"), due).groupby(table.status)
	found = {state: (number, int(due or 0)) for state, number, due in query.run()}
	return {
		"is_on": get_config().form_sync is not None,
		"forms": {one: found.get(one, (0, 0))[0] for one in STATES},
		"due": found.get(PENDING, (0, 0))[1],
		"crm": _crm(),
	}


def examined() -> tuple[str, str]:
	"""A mark and a sentence, as the doctor says them."""
	of = options.read()
	if not of.is_on:
		return FINE, "Off: forms are told to no outside CRM."
	if said := state.trouble():
		return BROKEN, f"No form is synced to {of.provider}: {said}"
	if (found := state.current()).state != circuit.CLOSED:
		return (
			BROKEN,
			f"{of.provider} fails; the circuit breaker is {found.state.replace('_', '-')}, and forms wait.",
		)
	late = run.waiting(now_datetime() - LATE)
	if late and not _seconds_of_pause():
		return (
			BROKEN,
			f"{late:,} forms should have been synced an hour ago. Is there a worker for the queue long?",
		)
	failed = frappe.db.count(LOG, {"status": ERROR, "due_at": (">=", now_datetime() - RECENT)})
	waiting = frappe.db.count(LOG, {"status": PENDING})
	text = f"{waiting:,} forms wait to be synced to {of.provider}"
	if failed:
		return (
			NOTE,
			f"{text}; {failed:,} of the last 7 days ended in an error. The list CRM Sync Log has the reasons.",
		)
	return FINE, f"{text}."


@contextmanager
def in_words() -> Iterator[None]:
	"""While somebody waits for the CRM's answer: what goes wrong there is said, as an error of the caller's."""
	try:
		yield
	except ProviderError as error:
		frappe.throw(str(error), title=_("CRM Sync"))
	except StreamUnavailable:
		frappe.throw(_("The queue Redis is out of reach: nothing is sent without the circuit breaker."))


def _crm() -> Row | None:
	try:
		last = runs.last().get(JOB)
		return {
			"circuit": state.current().state,
			"pause_seconds": _seconds_of_pause(),
			"trouble": state.trouble(),
			"last_run": last and last.at,
			"last_rows": last and last.rows,
			"last_error": (last and last.error) or "",
		}
	except StreamUnavailable:
		return None


def _seconds_of_pause() -> int:
	return max(0, round(state.paused_until() - time.time()))
