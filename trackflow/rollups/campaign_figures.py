"""The figures of Link Campaigns: sums of the daily figures under the default model, of all days, and of today's rows (ROL-2).

Recomputed, never added to, with the campaigns locked. Money is in the campaign's own currency: what was spent or earned in it is
taken as it is, the rest converted at each day's rate; where a rate is not known, so are not the sums, and the campaign says so. Clicks and visitors are those of its links. Ratios are worked out when they
are looked at.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce, Sum
from frappe.utils import getdate

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.costs import rates
from trackflow.costs.exchange import exact, held
from trackflow.costs.rates import reporting_currency
from trackflow.jobs import enqueue
from trackflow.rollups.grains import CAMPAIGN, ZERO, Amounts, Figures, amounts_of, folded
from trackflow.rollups.rows import Day
from trackflow.runs import recorded

Row = dict[str, Any]

AT_ONCE = 200
# Conversions credited at once whose campaigns are summed up right away.
FEW = 20
FIELDS = ("total_clicks", "unique_visitors", "conversions", "revenue", "spend", "figures_notice")


def after_credits(conversions: list[str]) -> None:
	"""What is called when credits were written: the campaigns that got some have other figures now. Those that lost some are seen
	to by the next run of the scheduler. Where a backlog is worked off, all of them are summed up once it is.
	"""
	if len(conversions) > FEW:
		enqueue("trackflow.rollups.campaign_figures.recount_all", job_id="campaign-figures", queue="long")
		return
	credit = frappe.qb.DocType("Attribution Link")
	rows = (
		frappe.qb.from_(credit)
		.select(credit.campaign)
		.distinct()
		.where(bulk.among(credit.conversion, conversions))
		.where(credit.campaign != "")
		.run()
	)
	recount(campaign for (campaign,) in rows)


@recorded
def recount_all() -> int:
	"""Make the figures of all campaigns what they should be; returns campaigns written."""
	return recount(frappe.get_all("Link Campaign", pluck="name", order_by="name"))


def recount(campaigns: Iterable[str]) -> int:
	"""The same for some campaigns. Ends the transaction."""
	names = sorted(set(campaigns))
	if not names:
		return 0
	frappe.db.commit()
	model = frappe.db.get_value("Attribution Model", {"is_default": 1})
	return sum(_recount(names[start : start + AT_ONCE], model) for start in range(0, len(names), AT_ONCE))


@retried
def _recount(names: list[str], model: str) -> int:
	frappe.db.commit()
	stored = bulk.lock("Link Campaign", names, ("currency", *FIELDS))
	if not stored:
		return 0
	sums = _Sums(stored, model)
	clicks = _clicks(names)
	changed = {}
	for name, row in stored.items():
		desired = {**clicks.get(name, {"total_clicks": 0, "unique_visitors": 0}), **sums.of(name)}
		if not bulk.same(desired, row):
			changed[name] = desired
	bulk.update("Link Campaign", changed, is_locked=True)
	frappe.db.commit()
	return len(changed)


class _Amounts(NamedTuple):
	"""A campaign's part of a day, each amount by the currency that it is in; None where that is not known."""

	campaign: str
	day: date
	conversions: Decimal
	spend: Amounts | None
	value: Amounts | None


class _Sums:
	"""Sums by campaign. Of a campaign that is not in the reporting currency, what is in its own is taken as it is, the rest converted
	day by day.
	"""

	def __init__(self, campaigns: dict[str, Row], model: str) -> None:
		self._currency = reporting_currency()
		self._of = {folded(name): row.currency or self._currency for name, row in campaigns.items()}
		self._figures: dict[str, Figures] = defaultdict(Figures)
		foreign = {name for name in campaigns if self._of[folded(name)] != self._currency}
		self._add_reported(_stored(set(campaigns) - foreign, model))
		amounts = _amounts(foreign, model)
		for place, figures in Day(getdate()).figures(model, campaigns)[CAMPAIGN].items():
			# A database may take for one what only looks alike.
			into = self._of.get(folded(place.campaign))
			if into == self._currency:
				self._figures[folded(place.campaign)].add(figures)
			elif into:
				originals = figures.original, figures.original_value
				amounts.append(_Amounts(place.campaign, getdate(), figures.conversions, *originals))
		self._add_converted(amounts)

	def of(self, name: str) -> Row:
		figures = self._figures[folded(name)]
		unknown = figures.spend is None or figures.value is None
		return {
			"conversions": figures.conversions,
			"revenue": held(figures.value or ZERO),
			"spend": held(figures.spend or ZERO),
			"figures_notice": _("An exchange rate is missing, so spend or revenue is not known.")
			if unknown
			else None,
		}

	def _add_reported(self, found: Iterable[tuple[str, str, Figures]]) -> None:
		for name, currency, figures in found:
			if currency != self._currency:
				# Waits to be worked out in the new reporting currency.
				figures.spend = figures.value = None
			self._figures[folded(name)].add(figures)

	def _add_converted(self, found: list[_Amounts]) -> None:
		if not found:
			return
		days = [one.day for one in found]
		self._rates = {
			into: rates.load(min(days), max(days), into) for into in sorted(set(self._of.values()))
		}
		self._rates.setdefault(self._currency, rates.load(min(days), max(days)))
		for one in found:
			# A database may take for one what only looks alike.
			if into := self._of.get(folded(one.campaign)):
				spend, value = (self._sum(amounts, into, one.day) for amounts in (one.spend, one.value))
				self._figures[folded(one.campaign)].add(
					Figures(conversions=one.conversions, spend=spend, value=value)
				)

	def _sum(self, amounts: Amounts | None, into: str, day: date) -> Decimal | None:
		if amounts is None:
			return None
		found = [self._converted(amount, currency, into, day) for currency, amount in amounts.items()]
		return None if None in found else sum(found, ZERO)

	def _converted(self, amount: Decimal, currency: str, into: str, day: date) -> Decimal | None:
		"""By the pair of the two currencies; where there is no such rate, by way of the reporting currency."""
		direct = self._rates[into].convert(amount, currency, day)
		if direct is not None:
			return direct
		reported = self._rates[self._currency].convert(amount, currency, day)
		return None if reported is None else self._rates[into].convert(reported, self._currency, day)


def _stored(names: Collection[str], model: str) -> list[tuple[str, str, Figures]]:
	"""Sums of the days before today: campaign, currency, figures."""
	if not names:
		return []
	table = frappe.qb.DocType("Daily Rollup")
	keys = (bulk.as_hex(table.campaign).as_("key"), table.currency)
	lacks = Sum(
		Case()
		.when(
			(Coalesce(table.spend_without_rate, "") != "") | (Coalesce(table.value_without_rate, "") != ""), 1
		)
		.else_(0)
	)
	rows = (
		_past(names, model)
		.select(*keys, Sum(table.conversions), Sum(table.spend), Sum(table.conversion_value), lacks)
		.groupby(*keys)
		.run()
	)
	return [
		(
			bulk.of_hex(campaign),
			currency,
			Figures(
				conversions=exact(conversions),
				spend=None if lacking else exact(spend),
				value=None if lacking else exact(value),
			),
		)
		for campaign, currency, conversions, spend, value, lacking in rows
	]


def _amounts(names: Collection[str], model: str) -> list[_Amounts]:
	"""The rows of the days before today."""
	if not names:
		return []
	table = frappe.qb.DocType("Daily Rollup")
	rows = (
		_past(names, model)
		.select(table.campaign, table.date, table.conversions, table.currency)
		.select(table.original_spend, table.spend, table.spend_without_rate)
		.select(table.original_value, table.conversion_value, table.value_without_rate)
		.run()
	)
	return [
		_Amounts(
			campaign,
			getdate(day),
			exact(conversions),
			_originals(currency, *amounts[:3]),
			_originals(currency, *amounts[3:]),
		)
		for campaign, day, conversions, currency, *amounts in rows
	]


def _originals(currency: str, text: str | None, amount: Any, lacks: str | None) -> Amounts | None:
	"""By currency, as the row keeps it. Where it keeps none, such as one of a version that did not, the amount as it was converted."""
	if text:
		return amounts_of(text)
	return None if lacks else {currency: exact(amount)}


def _past(names: Collection[str], model: str) -> Any:
	table = frappe.qb.DocType("Daily Rollup")
	return (
		frappe.qb.from_(table)
		.where((table.grain == CAMPAIGN) & (table.attribution_model == model) & (table.date < getdate()))
		.where(bulk.among(table.campaign, names))
	)


def _clicks(names: Collection[str]) -> dict[str, Row]:
	"""Clicks and scans of people, and visitors, of the links of each campaign."""
	link = frappe.qb.DocType("Tracked Link")
	rows = (
		frappe.qb.from_(link)
		.select(link.campaign, Sum(link.click_count + link.scan_count), Sum(link.unique_visitor_count))
		.where(bulk.among(link.campaign, names))
		.groupby(link.campaign)
		.run()
	)
	return {
		campaign: {"total_clicks": int(clicks or 0), "unique_visitors": int(visitors or 0)}
		for campaign, clicks, visitors in rows
	}
