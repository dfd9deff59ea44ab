"""What follows from sums of spend and of what it brought: ratios, and returns on spend (RPT-1). Pure; what has no denominator, or
is not known, is None."""

from decimal import Decimal
from typing import NamedTuple

from trackflow.rollups.grains import Figures


class Ratios(NamedTuple):
	"""`ctr` and `roi` are in per cent."""

	cpa: float | None
	roas: float | None
	ctr: float | None
	cpc: float | None
	roi: float | None


def ratios(of: Figures) -> Ratios:
	gain = None if of.value is None or of.spend is None else of.value - of.spend
	return Ratios(
		cpa=ratio(of.spend, of.conversions),
		roas=ratio(of.value, of.spend),
		ctr=ratio(100 * of.clicks, of.impressions),
		cpc=ratio(of.spend, of.clicks),
		roi=ratio(None if gain is None else 100 * gain, of.spend),
	)


def ratio(part: Decimal | float | None, whole: Decimal | float | None) -> float | None:
	return float(part) / float(whole) if part is not None and whole else None


def number(amount: Decimal | None) -> float | None:
	return None if amount is None else float(amount)
