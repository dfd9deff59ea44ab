"""What was spent on the groups of a comparison, and what each model makes of it: CPA and ROAS (ATT-7). Pure.

Costs know campaigns and platforms. What was spent in a currency without a rate is None, and so is all that contains it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from trackflow.attribution.comparison import ZERO, Comparison, Figures
from trackflow.costs.exchange import Rates

_PLACES = Decimal("1E-9")
# Days without a rate that are named.
_NAMED_DAYS = 3

Amount = Decimal | None


@dataclass(slots=True)
class Spending:
	"""What was spent, in one currency: in all, and by group where costs know the group. Case tells no groups apart."""

	knows_groups: bool
	total: Amount = ZERO
	_groups: dict[str, Amount] = field(default_factory=dict)
	_names: dict[str, str] = field(default_factory=dict)

	def add(self, group: str, amount: Amount) -> None:
		self.total = plus(self.total, amount)
		if self.knows_groups:
			key = group.casefold()
			self._names.setdefault(key, group)
			self._groups[key] = plus(self._groups.get(key, ZERO), amount)

	def of(self, group: str) -> Amount:
		return self._groups.get(group.casefold(), ZERO) if self.knows_groups else None

	def of_others(self, told: Iterable[str]) -> Amount:
		"""What was spent on all groups but these."""
		if not self.knows_groups:
			return None
		known = {group.casefold() for group in told}
		rest: Amount = ZERO
		for key, amount in self._groups.items():
			rest = rest if key in known else plus(rest, amount)
		return rest

	def beside(self, told: Iterable[str]) -> list[str]:
		"""The groups that something was spent on and that are not among these, the most expensive first."""
		known = {group.casefold() for group in told}
		rest = [key for key, amount in self._groups.items() if key not in known and amount != 0]
		# What is not known may be any amount.
		rest.sort(key=lambda key: (self._groups[key] is not None, -(self._groups[key] or ZERO), key))
		return [self._names[key] for key in rest]


def with_spenders(found: Comparison, spending: Spending, most: int) -> Comparison:
	"""The same comparison with the groups that were paid for and brought nothing, as far as there is room among the groups that
	are told apart."""
	if found.others is not None:
		return found
	beside = spending.beside(found.groups)
	groups = {**found.groups}
	for name in beside[: max(most - len(groups), 0)]:
		groups[name] = nothing(found)
	others = nothing(found) if len(groups) < len(found.groups) + len(beside) else None
	return replace(found, groups=groups, others=others)


def nothing(found: Comparison) -> Mapping[str, Figures]:
	return {model: Figures() for model in found.totals}


def cpa(spend: Amount, figures: Figures) -> Amount:
	"""What one conversion cost; None where that is not known, or where there is none."""
	if spend is None or not figures.conversions:
		return None
	return (spend / figures.conversions).quantize(_PLACES)


def roas(spend: Amount, figures: Figures) -> Amount:
	"""What was earned for one unit of spend; None where that is not known, or where nothing was spent."""
	if not spend or figures.converted is None:
		return None
	return (figures.converted / spend).quantize(_PLACES)


def plus(one: Amount, other: Amount) -> Amount:
	return None if one is None or other is None else one + other


def missing(rates: Rates) -> dict[str, tuple[list[date], int]]:
	"""The days for which a rate was missing, by currency: the first ones, and how many there are."""
	days: dict[str, list[date]] = {}
	for day, currency in sorted(rates.missing):
		days.setdefault(currency, []).append(day)
	return {currency: (some[:_NAMED_DAYS], len(some)) for currency, some in sorted(days.items())}
