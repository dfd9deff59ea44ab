"""What was spent on what and what it brought, beside the period before: figures, days, and a line for each platform, campaign, ad set
or ad.

Sums of daily figures, in the reporting currency; what is not known is None, and a notice says why. A fixed number of statements,
whatever there is.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from trackflow.analytics import change, money
from trackflow.analytics.change import compared
from trackflow.analytics.scope import Period
from trackflow.costs.exchange import as_number
from trackflow.day_range import each_day
from trackflow.rollups import reading
from trackflow.rollups.grains import GRAINS, ORGANIZATION, PLATFORM, Figures, Place, folded

Row = dict[str, Any]
Places = dict[Place, Figures]

CHOICES = tuple(grain for grain in GRAINS if grain != ORGANIZATION)
FIGURES = ("spend", "value", "conversions", "cpa", "roas", "impressions", "clicks", "ctr", "cpc")
SORTS = ("name", "change", *FIGURES)
# Entities that days tell apart; what else was spent on a day is one sum.
TOLD_APART = 5


class Wanted(NamedTuple):
	"""What is asked for. `platform` narrows everything, `search` (in any part of a name) the lines alone; "" narrows nothing."""

	period: Period
	grain: str
	model: str
	platform: str
	search: str
	sort: str
	is_descending: bool
	start: int
	limit: int


def spend(wanted: Wanted) -> Row:
	"""The answer as JSON: `figures` and `by_day` of everything, and a page of the `total` lines."""
	period = wanted.period
	read = _read(wanted, period)
	now, then = (_of_platform(one.places, wanted.platform) for one in (read, _read(wanted, period.before)))
	lines = _sorted(_lines(now, then, wanted.search), wanted)
	return {
		**period.named,
		"previous": period.before.named,
		"grain": wanted.grain,
		"attribution_model": wanted.model,
		"platform": wanted.platform or None,
		"currency": read.currency,
		"figures": _compared(_sum(now.values()), _sum(then.values())),
		**_days(wanted, now),
		"lines": lines[wanted.start : wanted.start + wanted.limit],
		"total": len(lines),
		"start": wanted.start,
		"notices": read.notices,
	}


def _read(wanted: Wanted, period: Period) -> reading.Range:
	return reading.read(period.first, period.last, wanted.grain, wanted.model)


def _of_platform(places: Places, platform: str) -> Places:
	return {
		place: one
		for place, one in places.items()
		if not platform or folded(place.platform) == folded(platform)
	}


def _lines(now: Places, then: Places, search: str) -> list[Row]:
	"""A line for every place of the two periods; those of both are spelled as in the later one."""
	spelled = {place.folded: place for place in (*then, *now)}
	found = [{place.folded: one for place, one in places.items()} for places in (now, then)]
	return [
		{**place._asdict(), **_compared(*(one.get(key) or Figures() for one in found))}
		for key, place in spelled.items()
		if any(folded(search) in part for part in key)
	]


def _sorted(lines: list[Row], wanted: Wanted) -> list[Row]:
	"""By a figure, what has none at the end; equal ones by name."""
	lines.sort(key=_name)
	if wanted.sort == "name":
		return lines[::-1] if wanted.is_descending else lines
	figure, of = ("spend", "change") if wanted.sort == "change" else (wanted.sort, "value")
	known = [line for line in lines if line[figure][of] is not None]
	known.sort(key=lambda line: line[figure][of], reverse=wanted.is_descending)
	return known + [line for line in lines if line[figure][of] is None]


def _name(line: Row) -> tuple[str, ...]:
	return tuple(folded(line[part]) for part in Place._fields)


def _sum(figures: Iterable[Figures]) -> Figures:
	total = Figures()
	for one in figures:
		total.add(one)
	return total


def _compared(now: Figures, then: Figures) -> Row:
	values = [_values(one) for one in (now, then)]
	return {name: compared(*(one[name] for one in values)) for name in FIGURES}


def _values(figures: Figures) -> Row:
	spend = figures.spend
	return {
		**money.returns(spend, figures.value, figures.conversions),
		"conversions": as_number(figures.conversions),
		"impressions": figures.impressions,
		"clicks": figures.clicks,
		"ctr": change.percent(figures.clicks, figures.impressions),
		"cpc": None if spend is None else change.ratio(spend, figures.clicks),
	}


def _days(wanted: Wanted, places: Places) -> Row:
	"""Spend, value and conversions day by day, with the spend of the entities that cost most: `series` says which these are."""
	period, grain, model = wanted.period, wanted.grain, wanted.model
	by_platform = reading.day_by_day(period.first, period.last, PLATFORM, model)
	costly = sorted(
		(place for place, one in places.items() if one.spend), key=lambda one: (-places[one].spend, one)
	)
	costly = costly[:TOLD_APART]
	by_place = by_platform
	if grain != PLATFORM and costly:
		by_place = reading.day_by_day(period.first, period.last, grain, model, costly)
	lines = []
	for day in each_day(period.first, period.last):
		total = _sum(_of_platform(by_platform.get(day, {}), wanted.platform).values())
		of_place = by_place.get(day, {})
		lines.append(
			{
				"day": str(day),
				"spend": as_number(total.spend),
				"value": as_number(total.value),
				"conversions": as_number(total.conversions),
				"by": [as_number(of_place.get(place.folded, Figures()).spend) for place in costly],
			}
		)
	return {"series": [place._asdict() for place in costly], "by_day": lines}
