"""Figures beside those of the period before, rates, and what lies below a list's end. Pure.

A rate of nothing is None, never 0 and never infinite; so is the change from nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
Number = int | float | Decimal


def period_before(first: date, last: date) -> tuple[date, date]:
	"""The days before these, as many as they are."""
	return first - (last - first) - timedelta(days=1), first - timedelta(days=1)


def ratio(part: Number | None, whole: Number | None, places: int = 2, times: int = 1) -> float | None:
	"""`times` a part of a whole; None where there is no whole."""
	return round(float(times * (part or 0)) / float(whole), places) if whole else None


def percent(part: Number | None, whole: Number | None) -> float | None:
	"""The part in per cent of the whole."""
	return ratio(part, whole, times=100)


def compared(value: Number | None, previous: Number | None) -> Row:
	"""A figure, that of the period before, and the change in per cent of it."""
	change = None
	if value is not None and previous:
		change = percent(value - previous, abs(previous))
	return {"value": value, "previous": previous, "change": change}


def with_others(lines: Iterable[Row], totals: Mapping[str, Number]) -> Row:
	"""The lines of a list, and what all that is not in it has of these figures; None where that is nothing."""
	lines = list(lines)
	others = {
		name: max(total - sum(line[name] for line in lines), type(total)(0)) for name, total in totals.items()
	}
	return {"lines": lines, "others": others if any(others.values()) else None}
