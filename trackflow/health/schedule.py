"""How often the scheduler's jobs are due, and which have not run for too long. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from croniter import croniter

# What Frappe makes of the words of hooks; "_long" and the like only name another queue.
SECONDS = {"hourly": 3600, "daily": 86400, "weekly": 7 * 86400, "monthly": 31 * 86400}
# A job that is late by its own period and this much is not coming.
PATIENCE_SECONDS = 15 * 60
LOOKED_AT = 24


def periods(events: Mapping[str, Any]) -> dict[str, int]:
	"""By dotted path, the longest time in seconds between two runs that `scheduler_events` of hooks ask for."""
	return dict(_each(events))


def is_overdue(period: int, last_run: float, now: float) -> bool:
	"""Whether a job that ended last at `last_run` should have run since."""
	return now - last_run > 2 * period + PATIENCE_SECONDS


def _each(events: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
	for frequency, jobs in events.items():
		if frequency == "cron":
			for expression, of_cron in jobs.items():
				yield from ((job, _gap(expression)) for job in of_cron)
		else:
			yield from ((job, SECONDS[frequency.partition("_")[0]]) for job in jobs)


def _gap(expression: str) -> int:
	"""The longest time between two of a cron expression's; a year's shape shows in so many of them."""
	times = croniter(expression, datetime(2026, 1, 1))
	found = [times.get_next(datetime) for _run in range(LOOKED_AT)]
	return int(max((after - before).total_seconds() for before, after in pairwise(found)))
