"""All models side by side for a range of days, with what was spent on them (ATT-7). Reads only; a range's days are the site's.

Credits are summed up by the database, by one statement whatever their number, and so are costs. Sums of a currency that has to be
converted come day by day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce, Date, Sum
from frappe.utils import getdate
from pypika.functions import NullIf
from pypika.queries import QueryBuilder, Table
from pypika.terms import Term, ValueWrapper

from trackflow.attribution.comparison import PLACES, Comparison, Credited, Figures, Line, compare
from trackflow.attribution.spending import Spending, cpa, missing, roas, with_spenders
from trackflow.costs import rates as exchange_rates
from trackflow.costs.exchange import Rates, as_number
from trackflow.day_range import moments
from trackflow.tracking.conversions import types_that_count

Row = dict[str, Any]

CHANNEL, CAMPAIGN, LINK, PLATFORM, POSITION = "channel", "campaign", "link", "platform", "position"
# What a touch says of itself, which its credit does not repeat.
OF_TOUCH = ("source", "medium", PLATFORM)
GROUPS = (CHANNEL, CAMPAIGN, LINK, *OF_TOUCH, POSITION)
CONVERSIONS, VALUE = FIGURES = ("conversions", "value")
# Groups that are told apart: those that have most of a figure over all models.
MOST_GROUPS = 50


@dataclass(frozen=True, slots=True)
class Compared:
	"""What models credit, and what was spent, both in the currency of the rates too."""

	found: Comparison
	spending: Spending
	rates: Rates

	@property
	def notices(self) -> list[str]:
		"""What to know of the money, in words; nothing where all of it is known."""
		said = []
		for currency, (days, count) in missing(self.rates).items():
			named = ", ".join(map(str, days)) + (
				_(" and {0} more days").format(count - len(days)) if count > len(days) else ""
			)
			said.append(
				_("No exchange rate from {0} to {1} for {2}: figures that rest on it are empty.").format(
					currency or _("amounts without a currency"), self.rates.into, named
				)
			)
		return said


def active_models() -> list[Row]:
	"""The active models, the default one first: `name`, `model_type`, `is_default`."""
	return frappe.get_all(
		"Attribution Model",
		filters={"is_active": 1},
		fields=["name", "model_type", "is_default"],
		order_by="is_default desc, name",
	)


def compared(
	first: date,
	last: date,
	group_by: str,
	models: Sequence[str],
	conversion_type: str = "",
	figure: str = CONVERSIONS,
	by_position: bool = False,
) -> Compared:
	"""What these models credit to each group, of conversions of these days: those of one type, else of the types that the
	settings count and value. A group "" are touches that have none. The largest ones by a figure are told apart, and on demand
	in each of them the positions of touches. With it what was spent on these days. By three statements."""
	by_value, rates = figure == VALUE, exchange_rates.load(first, last)
	credits = _credits(first, last, group_by, models, *types_of(conversion_type), by_position, rates.into)
	rows = (
		Credited(*row, date.fromisoformat(str(day)) if day else None)
		for *row, day in _sums(credits, by_value)
	)
	found = compare(rows, models, by_value, rates)
	spending = _spent(first, last, group_by, rates)
	return Compared(with_spenders(found, spending, MOST_GROUPS), spending, rates)


def link_labels(comparison: Comparison) -> dict[str, str]:
	"""The short codes of the links that are the groups; one that is gone has none."""
	rows = frappe.get_all(
		"Tracked Link",
		filters={"name": ("in", list(comparison.groups) or [""])},
		fields=["name", "short_code"],
		order_by="name",
	)
	return {row.name: row.short_code for row in rows}


def comparison_answer(
	first: date,
	last: date,
	group_by: str,
	conversion_type: str = "",
	figure: str = CONVERSIONS,
	by_position: bool = False,
) -> dict[str, Any]:
	"""The comparison as JSON: `groups`, `others`, `unattributed` and `totals`, with figures by model, and in these by position if
	`by_position`. Arguments are checked."""
	for value, choices in ((group_by, GROUPS), (figure, FIGURES)):
		if value not in choices:
			frappe.throw(_("{0} is none of: {1}.").format(value, ", ".join(choices)))
	models = active_models()
	names = [model.name for model in models]
	whole = compared(first, last, group_by, names, conversion_type, figure, by_position)
	found, spending = whole.found, whole.spending
	labels = link_labels(found) if group_by == LINK else {}
	others = spending.of_others(found.groups) if found.others else None

	def of_model(name: str, one: Figures) -> Row:
		return {**_figures(one), "share": found.share(name, one)}

	def figures(line: Line, spend: Decimal | None = None) -> Row:
		told = {
			name: {
				**of_model(name, one),
				"cpa": as_number(cpa(spend, one)),
				"roas": as_number(roas(spend, one)),
			}
			for name, one in line.items()
		}
		if by_position and line is not found.unattributed:
			for name, one in line.items():
				places = ((place, one.places.get(place, Figures())) for place in PLACES)
				told[name]["positions"] = {place: of_model(name, some) for place, some in places}
		return told

	return {
		"from_date": str(first),
		"to_date": str(last),
		"group_by": group_by,
		"by_position": by_position,
		"models": models,
		"groups": [
			{
				"group": group,
				"label": labels.get(group, group),
				"spend": as_number(spending.of(group)),
				"figures": figures(line, spending.of(group)),
			}
			for group, line in found.groups.items()
		],
		"others": figures(found.others, others) if found.others else None,
		"unattributed": figures(found.unattributed),
		"totals": figures(found.totals, spending.total),
		"costs": {
			"currency": whole.rates.into,
			"others": as_number(others),
			"total": as_number(spending.total),
			"notices": whole.notices,
		},
	}


def types_of(conversion_type: str) -> tuple[list[str], list[str]]:
	"""The types that are counted, and those whose value counts."""
	return ([conversion_type], [conversion_type]) if conversion_type else types_that_count()


def _credits(
	first: date,
	last: date,
	group_by: str,
	models: Sequence[str],
	counted: Sequence[str],
	valued: Sequence[str],
	by_position: bool,
	into: str,
) -> QueryBuilder:
	"""The credits, one a row: `model`, `is_unattributed`, `grp`, `currency`, `conversions`, `value`, `place`, and `day` where the
	value has to be converted into another currency."""
	credit, touch, campaign = map(frappe.qb.DocType, ("Attribution Link", "Touch Point", "Link Campaign"))
	begin, end = moments(first, last)
	groups: dict[str, Term] = {
		CHANNEL: credit.channel,
		# Ours, else what the address said, as on leads.
		CAMPAIGN: Coalesce(NullIf(credit.campaign, ""), touch.campaign),
		LINK: credit.tracked_link,
		# Where the visit says none, the campaign's, as costs and credits meet in daily figures.
		PLATFORM: Coalesce(NullIf(touch.platform, ""), campaign.platform),
		POSITION: _place(credit),
	}
	group = groups[group_by] if group_by in groups else touch[group_by]
	query = (
		frappe.qb.from_(credit)
		.select(
			credit.attribution_model.as_("model"),
			# A touch has a place in the journey, from 1 on.
			Case().when(credit.position > 0, 0).else_(1).as_("is_unattributed"),
			Coalesce(group, "").as_("grp"),
			Coalesce(credit.currency, "").as_("currency"),
			Case().when(credit.conversion_type.isin(counted), credit.weight).else_(0).as_("conversions"),
			Case().when(credit.conversion_type.isin(valued), credit.credited_value).else_(0).as_("value"),
			(_place(credit) if by_position else ValueWrapper("")).as_("place"),
			Case()
			.when((credit.currency == into) | credit.conversion_type.notin(valued or [""]), "")
			.else_(Date(credit.conversion_date))
			.as_("day"),
		)
		.where(credit.attribution_model.isin(models or [""]))
		.where((credit.conversion_date >= begin) & (credit.conversion_date < end))
		.where(credit.conversion_type.isin([*counted, *valued]))
	)
	if group_by in (CAMPAIGN, *OF_TOUCH):
		query = query.left_join(touch).on(touch.name == credit.touch_point)
	if group_by == PLATFORM:
		query = query.left_join(campaign).on(campaign.name == credit.campaign)
	return query


def _place(credit: Table) -> Term:
	"""Which of PLACES a credit's touch has; "" for none."""
	position, count = credit.position, credit.touch_count
	return (
		Case()
		.when(position < 1, "")
		.when(count == 1, "only")
		.when(position == 1, "first")
		.when(position == count, "last")
		.else_("middle")
	)


def _sums(credits: QueryBuilder, by_value: bool) -> Sequence[Sequence[Any]]:
	"""Sums of credits by model and group, in the order of `Credited`; by one statement, so that all parts are of one moment.
	A group has one spelling, whichever a database takes for one, as they are told apart in one place."""
	ranked, credit = credits.as_("ranked"), credits.as_("credit")
	sizes = Sum(ranked.value if by_value else ranked.conversions), Sum(ranked.conversions + ranked.value)
	largest = (
		frappe.qb.from_(ranked)
		.select(ranked.grp)
		.where(ranked.is_unattributed == 0)
		.groupby(ranked.grp)
		.orderby(*sizes, order=frappe.qb.desc)
		.orderby(ranked.grp)
		.limit(MOST_GROUPS)
		.as_("largest")
	)
	keys = (credit.model, credit.is_unattributed, largest.grp, credit.currency)
	sums = (Sum(credit.conversions), Sum(credit.value))
	return (
		frappe.qb.from_(credit)
		.left_join(largest)
		.on(largest.grp == credit.grp)
		.select(*keys, *sums, credit.place, credit.day)
		.groupby(*keys, credit.place, credit.day)
		.run()
	)


def _spent(first: date, last: date, group_by: str, rates: Rates) -> Spending:
	"""What was spent on these days, by one statement: sums by group, and by day where it has to be converted."""
	cost = frappe.qb.DocType("Daily Campaign Metric")
	# As in daily figures: our campaign, else the platform's name for one that is not ours.
	groups = {
		CAMPAIGN: Coalesce(NullIf(cost.link_campaign, ""), cost.external_campaign_id),
		PLATFORM: cost.platform,
	}
	group = Coalesce(groups.get(group_by, ValueWrapper("")), "").as_("grp")
	day = Case().when(cost.currency == rates.into, None).else_(cost.date).as_("day")
	currency = Coalesce(cost.currency, "").as_("of_currency")
	rows = (
		frappe.qb.from_(cost)
		.select(group, currency, day, Sum(cost.spend))
		.where((cost.date >= first) & (cost.date <= last))
		.groupby(group, currency, day)
		.orderby(group, currency, day)
		.run()
	)
	spending = Spending(group_by in groups)
	for name, of, at, amount in rows:
		exact = Decimal(str(amount or 0))
		spending.add(name, rates.convert(exact, of, getdate(at) if at else None))
	return spending


def _figures(figures: Figures) -> Row:
	return {
		"conversions": float(figures.conversions),
		"value": amounts(figures.value),
		"converted_value": as_number(figures.converted),
	}


def amounts(value: Mapping[str, Decimal]) -> dict[str, float]:
	"""Money by currency as JSON."""
	return {currency: float(amount) for currency, amount in sorted(value.items())}
