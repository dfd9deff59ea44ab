"""Sums of daily figures over a range of days, at one grain under one model; today's are summed up from what is there (ROL-1, ROL-2).

Two statements, and a handful more where the range includes today. Spend and value of which a part is not known are None.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import frappe
from frappe import _
from frappe.query_builder.functions import Coalesce, Max, Sum
from frappe.utils import getdate
from pypika.terms import Criterion

from trackflow import bulk
from trackflow.costs.exchange import exact
from trackflow.costs.rates import reporting_currency
from trackflow.rollups import marks
from trackflow.rollups.grains import GRAINS, ORGANIZATION, Figures, Place
from trackflow.rollups.rows import Day

ROLLUP = "Daily Rollup"
# Days that a notice names.
NAMED = 3


@dataclass(slots=True)
class Range:
	"""Sums by place, `total` of all, and what keeps them from being complete."""

	currency: str
	places: dict[Place, Figures]
	total: Figures
	lacking: dict[str, list[date]] = field(default_factory=dict)
	waiting: int = 0

	@property
	def notices(self) -> list[str]:
		"""What to know of these sums, in words; nothing where they are complete."""
		said = [
			_(
				"No exchange rate from {0} to {1} for {2}: what was spent or brought on these days is not known."
			).format(currency, self.currency, days_in_words(days))
			for currency, days in sorted(self.lacking.items())
		]
		if self.waiting:
			said.append(
				_("Days of this range that changed and are about to be worked out: {0}.").format(self.waiting)
			)
		return said


def read(first: date, last: date, grain: str, model: str) -> Range:
	"""The sums of these days (both included)."""
	currency = reporting_currency()
	found: dict[Place, Figures] = {}
	spelled: dict[Place, Place] = {}
	missing = lacking(first, last, model)
	live = Day(getdate()).figures(model) if first <= getdate() <= last else {}
	stored = _stored(first, last, grain, model, currency)
	for place, figures in (*stored, *live.get(grain, {}).items()):
		found.setdefault(spelled.setdefault(place.folded, place), Figures()).add(figures)
	for one in live.get(ORGANIZATION, {}).values():
		for of in sorted(one.spend_lacks | one.value_lacks):
			missing.setdefault(of, []).append(getdate())
	total = Figures()
	for figures in found.values():
		total.add(figures)
	waiting = len([day for day in marks.days(first, last) if day != getdate()])
	return Range(currency, found, total, missing, waiting)


def day_by_day(
	first: date, last: date, grain: str, model: str, only: Collection[Place] | None = None
) -> dict[date, dict[Place, Figures]]:
	"""The sums of places by day, and by place as it is folded; days without any are missing. `only` leaves out other places, since
	there may be many; one that is made of the parts of these may be among them. One statement, and those of today where it is
	among them."""
	table = frappe.qb.DocType(ROLLUP)
	keys = [table.date, *_parts(table, grain)]
	wanted = None if only is None else _made_of(table, grain, only)
	sums = _summed(first, last, grain, model, reporting_currency(), keys, wanted)
	found: dict[date, dict[Place, Figures]] = defaultdict(dict)
	for (day, *place), figures in sums:
		of_day = found[getdate(day)]
		of_day.setdefault(Place(*map(bulk.of_hex, place)).folded, Figures()).add(figures)
	if first <= getdate() <= last:
		for place, figures in Day(getdate()).figures(model)[grain].items():
			found[getdate()].setdefault(place.folded, Figures()).add(figures)
	return dict(found)


def by_day(first: date, last: date, model: str) -> dict[date, Figures]:
	"""The sums of all, day by day; days without any are missing."""
	days = day_by_day(first, last, ORGANIZATION, model)
	return {day: places[Place()] for day, places in days.items()}


def _made_of(table: Any, grain: str, places: Collection[Place]) -> Criterion:
	return Criterion.all(
		_is_among(table[part], {place[number] for place in places})
		for number, part in enumerate(_parts_of(grain))
	)


def _is_among(part: Any, names: Collection[str]) -> Criterion:
	terms = [part.isnull() | (part == "")] if "" in names else []
	if some := [name for name in names if name]:
		terms.append(bulk.among(part, some))
	return Criterion.any(terms)


def _stored(first: date, last: date, grain: str, model: str, currency: str) -> list[tuple[Place, Figures]]:
	sums = _summed(first, last, grain, model, currency, _parts(frappe.qb.DocType(ROLLUP), grain))
	return [(Place(*map(bulk.of_hex, place)), figures) for place, figures in sums]


def _parts(table: Any, grain: str) -> list[Any]:
	return [bulk.as_hex(table[part]).as_(f"part_{part}") for part in _parts_of(grain)]


def _parts_of(grain: str) -> Sequence[str]:
	"""The parts of a place that a grain tells apart; the others are empty."""
	return Place._fields[: GRAINS[grain]]


def _summed(
	first: date, last: date, grain: str, model: str, currency: str, keys: list[Any], only: Any = None
) -> list[tuple[list[Any], Figures]]:
	"""The sums of the days before today by these keys, of the rows that fulfil `only`; a group may come more than once."""
	table = frappe.qb.DocType(ROLLUP)
	query = (
		frappe.qb.from_(table)
		.select(
			*keys,
			table.currency,
			Sum(table.impressions),
			Sum(table.clicks),
			Sum(table.conversions),
			Sum(table.spend),
			Sum(table.conversion_value),
			Max(Coalesce(table.spend_without_rate, "")),
			Max(Coalesce(table.value_without_rate, "")),
		)
		.where((table.grain == grain) & (table.attribution_model == model))
		.where((table.date >= first) & (table.date <= last) & (table.date != getdate()))
		.groupby(*keys, table.currency)
	)
	rows = (query.where(only) if only is not None else query).run()
	found = []
	for *group, of, impressions, clicks, conversions, spend, value, spend_lacks, value_lacks in rows:
		# What is still in a former reporting currency waits to be worked out in this one.
		stale = {of} if of != currency else set()
		lacks_spend, lacks_value = ({some} - {""} | stale for some in (spend_lacks, value_lacks))
		figures = Figures(
			int(impressions or 0),
			int(clicks or 0),
			exact(conversions),
			None if lacks_spend else exact(spend),
			None if lacks_value else exact(value),
			spend_lacks=lacks_spend,
			value_lacks=lacks_value,
		)
		found.append((group, figures))
	return found


def lacking(first: date, last: date, model: str) -> dict[str, list[date]]:
	"""The days before today on which amounts could not be converted, by currency."""
	table = frappe.qb.DocType(ROLLUP)
	rows = (
		frappe.qb.from_(table)
		.select(table.date, table.spend_without_rate, table.value_without_rate)
		.where((table.grain == ORGANIZATION) & (table.attribution_model == model))
		.where((table.date >= first) & (table.date <= last) & (table.date != getdate()))
		.where((table.spend_without_rate != "") | (table.value_without_rate != ""))
		.orderby(table.date)
		.run()
	)
	found: dict[str, list[date]] = defaultdict(list)
	for day, *named in rows:
		for currency in sorted({one for text in named if text for one in text.split(", ")}):
			found[currency].append(getdate(day))
	return dict(found)


def model_named(name: str) -> str:
	"""The active model of that name, the default one if none is named."""
	filters = {"is_active": 1, **({"name": name} if name else {"is_default": 1})}
	found = frappe.db.get_value("Attribution Model", filters)
	if not found:
		frappe.throw(_("{0} is no active attribution model.").format(name or _("Default")))
	return found


def days_in_words(days: list[date]) -> str:
	"""The first of these days, and how many more there are."""
	named = ", ".join(map(str, days[:NAMED]))
	return named if len(days) <= NAMED else _("{0} and {1} more days").format(named, len(days) - NAMED)
