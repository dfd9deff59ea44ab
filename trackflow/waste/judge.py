"""Says whether spend was wasted, by which rule, and how badly (WST-1). Pure: amounts are of one currency.

- `no_conversions`: nothing was credited, neither a conversion nor value; all of the spend is waste.
- `high_cpa`: a conversion cost more than the target; waste is what was spent beyond it.
- `low_roas`: the spend brought less than the target; waste is what should have sufficed for that value, taken from the spend.

Where several hold, the one with most waste speaks. Spend below the least that is judged never is: so little says nothing.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from trackflow.costs.exchange import as_number

NO_CONVERSIONS, HIGH_CPA, LOW_ROAS = REASONS = ("no_conversions", "high_cpa", "low_roas")
LOW, MEDIUM, HIGH = SEVERITIES = ("low", "medium", "high")
CAMPAIGN, SETTINGS = "campaign", "settings"
ZERO = Decimal(0)
_PLACES = Decimal("1E-9")


class Performance(NamedTuple):
	"""What was spent and what it brought; spend or value None where it is not known."""

	spend: Decimal | None
	conversions: Decimal
	value: Decimal | None


class Target(NamedTuple):
	"""A target, and where it was set. 0 is none."""

	amount: Decimal = ZERO
	set_in: str = SETTINGS


class Targets(NamedTuple):
	cpa: Target = Target()
	roas: Target = Target()


class Bounds(NamedTuple):
	"""From which amount and share of the spend on waste is of high or of medium severity, and the least spend that is judged."""

	high_amount: Decimal
	high_percent: Decimal
	medium_amount: Decimal
	medium_percent: Decimal
	least_spend: Decimal = ZERO


class Finding(NamedTuple):
	"""What was wasted and why: `figure` is what the rule looks at, `actual` what it is, `target` what it was held to."""

	reason: str
	severity: str
	waste: Decimal
	share: Decimal
	figure: str
	actual: Decimal
	target: Target

	def explanation(self, of: Performance, bounds: Bounds) -> dict[str, Any]:
		"""Rule, figures and comparison as JSON."""
		return {
			"rule": self.reason,
			"figures": {
				"spend": as_number(of.spend),
				"conversions": as_number(of.conversions),
				"value": as_number(of.value),
				"cpa": as_number(_ratio(of.spend, of.conversions)),
				"roas": as_number(_ratio(of.value, of.spend)),
			},
			"comparison": {
				"figure": self.figure,
				"actual": as_number(self.actual),
				"target": as_number(self.target.amount),
				"target_set_in": self.target.set_in if self.reason != NO_CONVERSIONS else None,
			},
			"waste": {"spend": as_number(self.waste), "share": as_number(self.share)},
			"severity": {
				"is": self.severity,
				**{
					severity: {"from_amount": as_number(amount), "from_share": as_number(percent)}
					for severity, amount, percent in _steps(bounds)
				},
			},
		}


def judge(of: Performance, targets: Targets, bounds: Bounds) -> Finding | None:
	"""The finding about this spend; None where there is nothing to say."""
	if of.spend is None or of.spend <= 0 or of.spend < bounds.least_spend:
		return None
	found = max(_broken(of, of.spend, targets), key=lambda rule: rule[1], default=None)
	if found is None or found[1] <= 0:
		return None
	reason, waste, figure, actual, target = found
	share = (100 * waste / of.spend).quantize(_PLACES)
	return Finding(reason, severity_of(waste, share, bounds), waste, share, figure, actual, target)


def severity_of(waste: Decimal, share: Decimal, bounds: Bounds) -> str:
	"""Both the amount and the share must reach the bound."""
	for severity, amount, percent in _steps(bounds):
		if waste >= amount and share >= percent:
			return severity
	return LOW


def _broken(
	of: Performance, spend: Decimal, targets: Targets
) -> Iterator[tuple[str, Decimal, str, Decimal, Target]]:
	"""The rules that are broken, with waste, figure, what it is and the target; the first one goes before its equals."""
	if of.conversions <= 0 and of.value is not None and of.value <= 0:
		yield NO_CONVERSIONS, spend, "conversions", of.conversions, Target()
	if targets.cpa.amount > 0 and of.conversions > 0:
		allowed = targets.cpa.amount * of.conversions
		if spend > allowed:
			yield HIGH_CPA, _rounded(spend - allowed), "cpa", spend / of.conversions, targets.cpa
	if targets.roas.amount > 0 and of.value is not None:
		earned = max(of.value, ZERO) / targets.roas.amount
		if spend > earned:
			yield LOW_ROAS, _rounded(spend - earned), "roas", of.value / spend, targets.roas


def _steps(bounds: Bounds) -> tuple[tuple[str, Decimal, Decimal], ...]:
	return (
		(HIGH, bounds.high_amount, bounds.high_percent),
		(MEDIUM, bounds.medium_amount, bounds.medium_percent),
	)


def _rounded(amount: Decimal) -> Decimal:
	return amount.quantize(_PLACES)


def _ratio(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
	return part / whole if part is not None and whole else None
