"""Amounts: as they are stored, as JSON has them, and in one currency by the rates of their days (ROL-1). Pure.

A day without a rate takes the newest one of the seven days before it, since banks publish none at weekends and on holidays.
What has none then either is None: a figure is never guessed.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

DAYS_BEFORE = 7
# As many as the database keeps of an amount.
_PLACES = 10**9
_STORED = Decimal("1E-9")
# The largest amount that a column of Frappe's has room for.
LARGEST = Decimal(10) ** 12 - _STORED


def exact(number: Decimal | float | str | None) -> Decimal:
	"""A figure from the database, of nine places; nothing is 0."""
	return Decimal(str(number or 0)).quantize(_STORED)


def held(amount: Decimal) -> Decimal:
	"""The amount, or the largest that a column has room for: values that somebody makes up on a website must not keep a day, or a link,
	from being worked out."""
	return max(-LARGEST, min(LARGEST, amount))


def as_number(amount: Decimal | None) -> float | None:
	"""A figure as JSON has it, of nine places; None where it is not known."""
	return None if amount is None else round(float(amount), 9)


class Rate(NamedTuple):
	"""What one unit of a currency is worth in another on a day."""

	day: date
	from_currency: str
	to_currency: str
	rate: Decimal


class Rates:
	"""Converts into one currency, and remembers in `missing` of which (day, currency) it had no rate."""

	def __init__(self, into: str, rates: Iterable[Rate] = ()) -> None:
		self.into = into
		self.missing: set[tuple[date, str]] = set()
		self._factors: dict[str, dict[date, Fraction]] = defaultdict(dict)
		stored = [rate for rate in rates if rate.rate > 0]
		# A rate of the pair itself goes before one that is the other way round.
		for rate in stored:
			if rate.from_currency == into:
				self._factors[rate.to_currency][rate.day] = 1 / Fraction(rate.rate)
		for rate in stored:
			if rate.to_currency == into:
				self._factors[rate.from_currency][rate.day] = Fraction(rate.rate)
		self._days = {currency: sorted(factors) for currency, factors in self._factors.items()}

	def convert(self, amount: Decimal, currency: str, day: date) -> Decimal | None:
		"""The amount in the currency of these rates, of nine places; None where there is no rate for that day. Nothing is nothing
		in every currency."""
		if currency == self.into or not amount:
			return amount
		factor = self.factor(currency, day)
		if factor is None:
			self.missing.add((day, currency))
			return None
		return Decimal(round(Fraction(amount) * factor * _PLACES)).scaleb(-9)

	def factor(self, currency: str, day: date) -> Fraction | None:
		"""What one unit is worth on that day."""
		if currency == self.into:
			return Fraction(1)
		days = self._days.get(currency, [])
		before = bisect_right(days, day)
		if not before or days[before - 1] < day - timedelta(days=DAYS_BEFORE):
			return None
		return self._factors[currency][days[before - 1]]


def days_told_by(day: date) -> tuple[date, date]:
	"""The first and the last day whose figures may rest on a rate of this day."""
	return day, day + timedelta(days=DAYS_BEFORE)
