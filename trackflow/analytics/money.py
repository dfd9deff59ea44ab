"""Spend and value in one currency, and what they come to. Pure.

An amount without a rate for its day is not guessed: then the sum is None, and so is what would follow from it.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from trackflow.analytics.change import percent, ratio
from trackflow.costs.exchange import Rates, as_number


class Amount(NamedTuple):
	"""Money of a day, in its currency."""

	day: date
	currency: str
	amount: Decimal


def by_currency(amounts: Iterable[Amount]) -> dict[str, float]:
	"""The sums of each currency; those of nothing are left out."""
	sums: dict[str, Decimal] = defaultdict(Decimal)
	for one in amounts:
		sums[one.currency] += one.amount
	return {currency: float(amount) for currency, amount in sorted(sums.items()) if amount}


def converted(amounts: Iterable[Amount], rates: Rates) -> Decimal | None:
	"""All of it in the currency of these rates, each by the rate of its day."""
	# All are asked for, so that the rates tell all that they miss.
	found = [rates.convert(one.amount, one.currency, one.day) for one in amounts]
	return None if None in found else sum((one for one in found if one is not None), Decimal(0))


def returns(spend: Decimal | None, value: Decimal | None, conversions: float) -> dict[str, Any]:
	"""Cost per conversion, value per unit of spend, and what was earned over it in per cent; None of what is not known or divided by
	nothing. Conversions that cost nothing cost 0 each, as in the comparison of models and in daily figures."""
	has_both = spend is not None and value is not None
	return {
		"spend": as_number(spend),
		"value": as_number(value),
		"cpa": ratio(spend, conversions) if spend is not None else None,
		"roas": ratio(value, spend, 4) if has_both else None,
		"roi": percent(value - spend, spend) if has_both else None,
	}


def against_budget(budget: Decimal, spent: Decimal | None) -> dict[str, Any]:
	"""What was spent of a budget; no budget is none."""
	return {
		"budget": as_number(budget) or None,
		"spent": as_number(spent),
		"used": percent(spent, budget) if spent is not None else None,
		"left": as_number(budget - spent) if budget and spent is not None else None,
	}
