"""What waste is called and what to do about it: all of it in one table."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from frappe import _

from trackflow.waste.judge import (
	CAMPAIGN,
	HIGH,
	HIGH_CPA,
	LOW,
	LOW_ROAS,
	MEDIUM,
	NO_CONVERSIONS,
	Finding,
	Performance,
)


class Words(NamedTuple):
	"""What is said of a rule, and what is recommended by severity."""

	label: str
	said: str
	recommended: Mapping[str, str]


def table() -> dict[str, Words]:
	"""The words by reason, in the language of whoever asks."""
	return {
		NO_CONVERSIONS: Words(
			_("No conversions"),
			_("{spend} were spent, and neither a conversion nor any value was credited."),
			{
				HIGH: _("Stop it until you know why: check the destination, the tracking of the landing page and the audience."),
				MEDIUM: _("Lower the budget, and check the destination and the tracking of the landing page."),
				LOW: _("Watch it: if nothing comes of it soon, stop it."),
			},
		),
		HIGH_CPA: Words(
			_("High cost per conversion"),
			_("A conversion cost {actual}, above the target of {target} {set_in}: {waste} of {spend} were spent beyond it."),
			{
				HIGH: _("Move most of this budget to what converts at the target, or stop it."),
				MEDIUM: _("Lower bids or budget, and narrow the audience to what converted."),
				LOW: _("Tune bids and the landing page; it is close to the target."),
			},
		),
		LOW_ROAS: Words(
			_("Low return"),
			_("Each unit spent brought {actual}, below the target of {target} {set_in}: {waste} of {spend} brought too little."),
			{
				HIGH: _("Stop it, or spend where the value comes from: little of this comes back."),
				MEDIUM: _("Lower the budget, and aim at customers who buy more."),
				LOW: _("Watch it: value may still come in late; else tune bids by value."),
			},
		),
	}  # fmt: skip


def said(found: Finding, of: Performance, currency: str) -> str:
	"""The finding as a sentence."""
	is_money = found.reason == HIGH_CPA

	def figure(number: Decimal) -> str:
		return money(number, currency) if is_money else f"{number:.2f}"

	return table()[found.reason].said.format(
		spend=money(of.spend, currency),
		waste=money(found.waste, currency),
		actual=figure(found.actual),
		target=figure(found.target.amount),
		set_in=_("of the campaign") if found.target.set_in == CAMPAIGN else _("of the settings"),
	)


def recommended(found: Finding) -> str:
	return table()[found.reason].recommended[found.severity]


def money(amount: Decimal, currency: str) -> str:
	return f"{amount:,.2f} {currency}"
