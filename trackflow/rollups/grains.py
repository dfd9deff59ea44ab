"""Puts costs and credits of one day together at five grains (ROL-1). Pure.

All grains are sums of the same amounts, each converted once where it stands, with nine places: so they sum alike, and nothing
is left over. What has no platform, campaign, ad set or ad is in the row whose name there is empty.
"""

import json
import unicodedata
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from trackflow.costs.exchange import Rates
from trackflow.naming import SEPARATOR

ORGANIZATION, PLATFORM, CAMPAIGN, AD_SET, AD = "Organization", "Platform", "Campaign", "Ad Set", "Ad"
# How many parts of a place each grain tells apart.
GRAINS = {ORGANIZATION: 0, PLATFORM: 1, CAMPAIGN: 2, AD_SET: 3, AD: 4}
ZERO = Decimal(0)
_BY_LETTERS = {grain.replace(" ", "").lower(): grain for grain in GRAINS}
# By what they are of: a currency, a type of conversions.
Amounts = dict[str, Decimal]


class Place(NamedTuple):
	"""What something was spent on or credited to; "" where there is none."""

	platform: str = ""
	campaign: str = ""
	adset: str = ""
	ad: str = ""

	def at(self, grain: str) -> "Place":
		return Place(*self[: GRAINS[grain]])

	@property
	def folded(self) -> "Place":
		"""The same for all spellings: people type platforms, and visitors' addresses say ads in any case."""
		return Place(*map(folded, self))


def folded(text: str) -> str:
	"""The same for all spellings of a name that differ by case, by blanks, or by how accents are written."""
	return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def grain_named(text: str) -> str:
	"""The grain that is meant by any spelling, such as `CAMPAIGN`, `ad_set` or `Ad Set`; what means none stays as it is."""
	return _BY_LETTERS.get(text.replace("_", "").replace(" ", "").lower(), text)


class Cost(NamedTuple):
	place: Place
	currency: str
	impressions: int
	clicks: int
	spend: Decimal


class Credited(NamedTuple):
	"""Credits of one model, summed up."""

	place: Place
	currency: str
	conversion_type: str
	conversions: Decimal
	value: Decimal


class Counted(NamedTuple):
	"""The conversion types that count, and those whose value counts."""

	types: Container[str]
	valued: Container[str]


@dataclass(slots=True)
class Figures:
	"""Sums of one place. Spend and value are None as soon as a part of them could not be converted; `original` and `original_value`
	are the two by the currencies that they were in."""

	impressions: int = 0
	clicks: int = 0
	conversions: Decimal = ZERO
	spend: Decimal | None = ZERO
	value: Decimal | None = ZERO
	original: Amounts = field(default_factory=dict)
	original_value: Amounts = field(default_factory=dict)
	others: Amounts = field(default_factory=dict)
	spend_lacks: set[str] = field(default_factory=set)
	value_lacks: set[str] = field(default_factory=set)

	def add(self, other: "Figures") -> None:
		self.impressions += other.impressions
		self.clicks += other.clicks
		self.conversions += other.conversions
		self.spend = _sum(self.spend, other.spend)
		self.value = _sum(self.value, other.value)
		for mine, its in (
			(self.original, other.original),
			(self.original_value, other.original_value),
			(self.others, other.others),
		):
			for key, amount in its.items():
				mine[key] = mine.get(key, ZERO) + amount
		self.spend_lacks |= other.spend_lacks
		self.value_lacks |= other.value_lacks

	@property
	def is_nothing(self) -> bool:
		amounts = self.original or self.original_value or self.others
		return not (self.impressions or self.clicks or self.conversions or amounts)


def figures_by_grain(
	day: date, costs: Iterable[Cost], credits: Iterable[Credited], rates: Rates, counted: Counted
) -> dict[str, dict[Place, Figures]]:
	"""The figures of a day by grain and place; what has none is not in it."""
	atoms = _atoms(day, costs, credits, rates, counted)
	found: dict[str, dict[Place, Figures]] = {grain: {} for grain in GRAINS}
	for place, figures in atoms.items():
		for grain in GRAINS:
			found[grain].setdefault(place.at(grain), Figures()).add(figures)
	return {
		grain: {place: one for place, one in some.items() if not one.is_nothing}
		for grain, some in found.items()
	}


def amounts_text(amounts: Amounts) -> str | None:
	"""Amounts by name as the JSON that is stored; None for none."""
	some = {name: format(amount.normalize(), "f") for name, amount in sorted(amounts.items()) if amount}
	return json.dumps(some, ensure_ascii=False) if some else None


def amounts_of(text: str) -> Amounts:
	"""What `amounts_text` wrote."""
	return {name: Decimal(amount) for name, amount in json.loads(text).items()}


def _atoms(
	day: date, costs: Iterable[Cost], credits: Iterable[Credited], rates: Rates, counted: Counted
) -> dict[Place, Figures]:
	costs, credits = sorted(costs), sorted(credits)
	spelled = _Spelling(row.place for row in (*costs, *credits))
	atoms: dict[Place, Figures] = {}
	for place, figures in (*_spent(day, costs, rates), *_brought(day, credits, rates, counted)):
		atoms.setdefault(spelled.of(place), Figures()).add(figures)
	return atoms


def _spent(day: date, costs: Iterable[Cost], rates: Rates) -> Iterator[tuple[Place, Figures]]:
	for cost in costs:
		spend = rates.convert(cost.spend, cost.currency, day)
		yield (
			cost.place,
			Figures(
				impressions=cost.impressions,
				clicks=cost.clicks,
				spend=spend,
				original={cost.currency: cost.spend} if cost.spend else {},
				spend_lacks={cost.currency or "?"} if spend is None else set(),
			),
		)


def _brought(
	day: date, credits: Iterable[Credited], rates: Rates, counted: Counted
) -> Iterator[tuple[Place, Figures]]:
	for row in credits:
		counts = row.conversion_type in counted.types
		earned = row.value if row.conversion_type in counted.valued else ZERO
		value = rates.convert(earned, row.currency, day)
		yield (
			row.place,
			Figures(
				conversions=row.conversions if counts else ZERO,
				value=value,
				original_value={row.currency: earned} if earned else {},
				others={} if counts else {row.conversion_type: row.conversions},
				value_lacks={row.currency or "?"} if value is None else set(),
			),
		)


class _Spelling:
	"""One spelling for what `folded` takes for one: the first one that comes, costs before credits. It holds no separator of
	names, by which a visitor could make two places one row."""

	def __init__(self, places: Iterable[Place]) -> None:
		self._parts: dict[tuple[int, str], str] = {}
		for place in places:
			for number, (part, folded) in enumerate(zip(place, place.folded, strict=True)):
				self._parts.setdefault((number, folded), part.strip().replace(SEPARATOR, " "))

	def of(self, place: Place) -> Place:
		return Place(*(self._parts[number, part] for number, part in enumerate(place.folded)))


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
	return None if one is None or other is None else one + other
