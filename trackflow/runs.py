"""What jobs leave behind: when each last ran, how long, how many rows, and whether it failed; in the queue Redis and, as a line of
JSON, in the log. Of a run that had nothing to do there is no line.

`recorded` goes around the function that a scheduler or `jobs.enqueue` names. The drain tells of itself (`stream.drain`).
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

import frappe
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.stream import connection

P = ParamSpec("P")
T = TypeVar("T")

RUNS_KEY = "runs"


class Run(NamedTuple):
	"""The last run of a job: when it ended (seconds since 1970), how long it took, the rows it wrote where it says so, and the kind
	of error that ended it."""

	at: float
	seconds: float
	rows: int | None = None
	error: str = ""


def recorded(job: Callable[P, T]) -> Callable[P, T]:
	"""Let a job leave a record of each run. What it answers counts as rows: a number, numbers by what they are of, or
	something with `rows_written`."""
	name = f"{job.__module__}.{job.__qualname__}"

	@wraps(job)
	def run(*arguments: P.args, **named: P.kwargs) -> T:
		began = time.monotonic()
		try:
			answer = job(*arguments, **named)
		except BaseException as error:
			# Its kind alone: a message may hold what was worked on.
			_note(name, Run(time.time(), time.monotonic() - began, error=type(error).__name__))
			raise
		_note(name, Run(time.time(), time.monotonic() - began, _rows(answer)))
		return answer

	return run


def last() -> dict[str, Run]:
	"""The last run of each job, by its dotted path. Raises StreamUnavailable if Redis is out of reach."""
	try:
		found = connection.connect().hgetall(connection.key(RUNS_KEY))
	except RedisError as error:
		raise StreamUnavailable(str(error)) from error
	return {name.decode(): Run(*json.loads(run)) for name, run in found.items()}


def log(event: str, *, is_error: bool = False, **values: Any) -> None:
	"""One line of JSON for machines that read logs. No personal data, no secrets."""
	logger = frappe.logger("trackflow")
	if logger.getEffectiveLevel() > logging.INFO:
		# Frappe's default leaves out all but errors.
		logger.setLevel(logging.INFO)
	line = json.dumps({"event": event, **values}, default=str)
	logger.log(logging.ERROR if is_error else logging.INFO, "%s", line)


def _note(name: str, run: Run) -> None:
	if run.error or run.rows != 0:
		# A job that looks every minute and finds nothing would soon fill the log.
		_log_run(name, run)
	try:
		connection.connect().hset(connection.key(RUNS_KEY), name, json.dumps(run))
	except (RedisError, OSError, StreamUnavailable):
		# The work is what counts.
		return


def _log_run(name: str, run: Run) -> None:
	values = {"job": name, "seconds": round(run.seconds, 3), "rows": run.rows, "error": run.error or None}
	log("job", is_error=bool(run.error), **values)


def _rows(answer: object) -> int | None:
	answer = getattr(answer, "rows_written", answer)
	if isinstance(answer, Mapping):
		return sum(one for one in answer.values() if isinstance(one, int))
	return answer if isinstance(answer, int) and not isinstance(answer, bool) else None


def note_failure(title: str) -> None:
	"""Note in the Error Log what went wrong just now, and where. Frappe would add the values of all variables, which tell of persons,
	and no erasure reaches that log."""
	frappe.log_error(title=title, message=frappe.get_traceback())
