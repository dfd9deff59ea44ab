"""What the tally's counts come to: rates, response times, refusals by reason. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

Figures = Mapping[str, int]
Row = dict[str, Any]

# Whose answers are timed, by the words of `access.limits`; "api" are requests of people's API with a key.
ENDPOINTS = ("redirects", "events", "api")
# Minutes that count as now: the last full ones.
NOW_MINUTES = 5
QUANTILES = {"p50_ms": 50, "p95_ms": 95, "p99_ms": 99}
TOO_MANY = "too_many"


def added(minutes: Iterable[Figures]) -> Counter[str]:
	"""The sums of figures over minutes."""
	total: Counter[str] = Counter()
	for figures in minutes:
		total.update(figures)
	return total


def under(figures: Figures, prefix: str) -> dict[str, int]:
	"""The figures whose names begin with `prefix.`, by what follows."""
	start = f"{prefix}."
	return {name[len(start) :]: number for name, number in sorted(figures.items()) if name.startswith(start)}


def answers(figures: Figures, endpoint: str) -> Row:
	"""An endpoint's answers: how many, by status, and what part of them failed."""
	by_status = under(figures, f"{endpoint}.status")
	total, errors = sum(by_status.values()), failed(by_status)
	return {"answers": total, "by_status": by_status, "errors": errors, "error_rate": percent(errors, total)}


def failed(by_status: Mapping[str, int]) -> int:
	"""The answers that are ours to mend."""
	return sum(number for status, number in by_status.items() if status.startswith("5"))


def times(figures: Figures, endpoint: str) -> Row | None:
	"""How long an endpoint's answers took: the mean, and the upper ends of the groups in which the quantiles lie, None beyond the
	last group. None altogether where there was no answer."""
	groups = under(figures, f"{endpoint}.ms")
	total = sum(groups.values())
	if not total:
		return None
	mean = figures.get(f"{endpoint}.microseconds", 0) / total / 1000
	found = {name: _quantile(groups, total * share / 100) for name, share in QUANTILES.items()}
	return {"mean_ms": round(mean, 3), **found}


def _quantile(groups: Mapping[str, int], wanted: float) -> int | None:
	seen = 0
	for bound in sorted(groups, key=float):
		seen += groups[bound]
		if seen >= wanted:
			return None if bound == "inf" else int(bound)
	return None


def refusals(figures: Figures) -> dict[str, dict[str, int]]:
	"""What was refused, by endpoint and reason; too many requests are `limit_hits`."""
	found: dict[str, dict[str, int]] = {}
	for endpoint, reason, number in _refused(figures):
		if reason != TOO_MANY:
			found.setdefault(endpoint, {})[reason] = number
	return found


def limit_hits(figures: Figures) -> dict[str, int]:
	"""Requests above a limit, by endpoint."""
	return {endpoint: number for endpoint, reason, number in _refused(figures) if reason == TOO_MANY}


def _refused(figures: Figures) -> Iterable[tuple[str, str, int]]:
	for name, number in sorted(figures.items()):
		endpoint, found, reason = name.partition(".refused.")
		if found:
			yield endpoint, reason, number


def a_minute(minutes: list[Figures], name: str) -> Row:
	"""A figure by the minute: now (the last full minutes), and over all that are given, of which the first is still running."""
	full = minutes[1:]
	recent = full[:NOW_MINUTES]
	return {"now": _mean(recent, name), "hour": _mean(full, name)}


def _mean(minutes: list[Figures], name: str) -> float:
	return round(sum(one.get(name, 0) for one in minutes) / len(minutes), 2) if minutes else 0.0


def percent(part: int, whole: int) -> float | None:
	"""The part in per cent; None of nothing."""
	return round(100 * part / whole, 3) if whole else None
