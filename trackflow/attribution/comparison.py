"""Models side by side: sums of credits put together by group, of each model (ATT-7). Pure.

Sums are decimals of nine places, as they are stored, so that groups, others and what is unattributed add up to the totals.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from trackflow.costs.exchange import Rates, exact

ZERO = Decimal(0)
# Where a touch is in the journey: there is no other, or it is the first, between, the last.
PLACES = ("only", "first", "middle", "last")


class Credited(NamedTuple):
	"""A sum of credits of one model, group and currency, and of one of PLACES where these are told apart; `group` is None for
	groups that are not told apart. What is unattributed has no group and no place, whatever it says. Of a currency that has
	to be converted it is the sum of one `day`."""

	model: str
	is_unattributed: bool
	group: str | None
	currency: str
	conversions: Decimal | float
	value: Decimal | float
	place: str = ""
	day: date | None = None


@dataclass(slots=True)
class Figures:
	"""What a model credits: conversions, and money by currency; in all, and by PLACES where these are told apart. `converted` is the
	money in one currency, None where a rate is missing."""

	conversions: Decimal = ZERO
	value: dict[str, Decimal] = field(default_factory=dict)
	places: dict[str, "Figures"] = field(default_factory=dict)
	converted: Decimal | None = ZERO

	def add(self, row: Credited, converted: Decimal | None) -> None:
		if row.place:
			self.places.setdefault(row.place, Figures()).add(row._replace(place=""), converted)
		known = self.converted is not None and converted is not None
		self.converted = self.converted + converted if known else None
		self.conversions += exact(row.conversions)
		if amount := exact(row.value):
			self.value[row.currency] = self.value.get(row.currency, ZERO) + amount

	def share_of(self, total: "Figures") -> float | None:
		"""The share of a total's conversions in per cent; None of nothing."""
		return round(float(100 * self.conversions / total.conversions), 2) if total.conversions else None


# Figures by model.
Line = Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class Comparison:
	"""Lines by group, the largest first by the first model, ties by all models together; `others` are the groups that are not told apart, if there are any."""

	groups: Mapping[str, Line]
	others: Line | None
	unattributed: Line
	totals: Line

	def share(self, model: str, figures: Figures) -> float | None:
		return figures.share_of(self.totals[model])

	@property
	def currencies(self) -> list[str]:
		return sorted({currency for figures in self.totals.values() for currency in figures.value})


def compare(
	rows: Iterable[Credited], models: Iterable[str], by_value: bool = False, rates: Rates | None = None
) -> Comparison:
	"""Put sums together; each line has all of these models, and no row may be of another one. `by_value`: groups are sorted by
	money, whatever its currency, instead of conversions. Without `rates` no money is converted."""
	names = list(models)

	def nothing() -> dict[str, Figures]:
		return {name: Figures() for name in names}

	groups: dict[str, dict[str, Figures]] = defaultdict(nothing)
	others, unattributed, totals = None, nothing(), nothing()
	for row in rows:
		if row.is_unattributed:
			line = unattributed
		elif row.group is None:
			line = others = others or nothing()
		else:
			line = groups[row.group]
		converted = rates.convert(exact(row.value), row.currency, row.day) if rates else None
		line[row.model].add(row, converted)
		totals[row.model].add(row, converted)
	ordered = sorted(groups.items(), key=lambda item: (*_size(item[1], by_value), item[0]))
	return Comparison(dict(ordered), others, unattributed, totals)


def at_place(line: Line, place: str) -> Line:
	"""The part of a line that touches at this place have."""
	return {model: figures.places.get(place, Figures()) for model, figures in line.items()}


def _size(line: Line, by_value: bool) -> tuple[Any, ...]:
	"""Sorts a line, the largest first."""
	conversions = [-figures.conversions for figures in line.values()]
	values = [-sum(figures.value.values(), ZERO) for figures in line.values()]
	figures, others = (values, conversions) if by_value else (conversions, values)
	return figures[:1], sum(figures), others[:1], sum(others)
