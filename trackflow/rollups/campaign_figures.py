"""The figures of Link Campaigns: sums of the daily figures under the default model, of all days, and of today's rows (ROL-2).

Recomputed, never added to, with the campaigns locked. Money is in the campaign's own currency, at each day's rate; where a day's is not
known, so are not the sums, and the campaign says so. Clicks and visitors are those of its links. Ratios are worked out when they
are looked at.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce, Sum
from frappe.utils import getdate

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.costs import rates
from trackflow.costs.exchange import Rates
from trackflow.costs.rates import reporting_currency
from trackflow.jobs import enqueue
from trackflow.rollups.grains import CAMPAIGN, ZERO, Figures, exact, folded
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


class _Sums:
	"""Sums by campaign; those in another currency are converted day by day."""

	def __init__(self, campaigns: dict[str, Row], model: str) -> None:
		self._currency = reporting_currency()
		self._of = {folded(name): row.currency or self._currency for name, row in campaigns.items()}
		self._figures: dict[str, Figures] = defaultdict(Figures)
		foreign = {name for name in campaigns if self._of[folded(name)] != self._currency}
		found = [*_stored(set(campaigns) - foreign, model, False), *_stored(foreign, model, True)]
		live = Day(getdate()).figures(model, campaigns)[CAMPAIGN].items()
		found += [(place.campaign, getdate(), self._currency, figures) for place, figures in live]
		self._rates = self._rates_for([day for _name, day, *_rest in found])
		for name, day, currency, figures in found:
			# A database may take for one what only looks alike.
			if folded(name) in self._of:
				self._add(folded(name), day, currency, figures)

	def of(self, name: str) -> Row:
		figures = self._figures[folded(name)]
		unknown = figures.spend is None or figures.value is None
		return {
			"conversions": figures.conversions,
			"revenue": figures.value or ZERO,
			"spend": figures.spend or ZERO,
			"figures_notice": _("An exchange rate is missing, so spend or revenue is not known.")
			if unknown
			else None,
		}

	def _add(self, name: str, day: date, currency: str, figures: Figures) -> None:
		into = self._of[name]
		if currency != self._currency:
			# Waits to be worked out in the new reporting currency.
			figures.spend = figures.value = None
		elif into != currency:
			figures.spend = self._converted(figures.spend, into, day)
			figures.value = self._converted(figures.value, into, day)
		self._figures[name].add(figures)

	def _converted(self, amount: Decimal | None, into: str, day: date) -> Decimal | None:
		return None if amount is None else self._rates[into].convert(amount, self._currency, day)

	def _rates_for(self, days: list[date]) -> dict[str, Rates]:
		"""A statement for each other currency that campaigns are in."""
		others = sorted(set(self._of.values()) - {self._currency}) if days else []
		return {into: rates.load(min(days), max(days), into) for into in others}


def _stored(names: Collection[str], model: str, by_day: bool) -> list[tuple[str, date, str, Figures]]:
	"""Sums of the days before today: campaign, day, currency, figures; one of each day where amounts have to be converted."""
	if not names:
		return []
	table = frappe.qb.DocType("Daily Rollup")
	keys = (bulk.as_hex(table.campaign).as_("key"), table.currency, *([table.date] if by_day else []))
	lacks = Sum(
		Case()
		.when(
			(Coalesce(table.spend_without_rate, "") != "") | (Coalesce(table.value_without_rate, "") != ""), 1
		)
		.else_(0)
	)
	rows = (
		frappe.qb.from_(table)
		.select(*keys, Sum(table.conversions), Sum(table.spend), Sum(table.conversion_value), lacks)
		.where((table.grain == CAMPAIGN) & (table.attribution_model == model) & (table.date < getdate()))
		.where(bulk.among(table.campaign, names))
		.groupby(*keys)
		.run()
	)
	found = []
	for campaign, currency, *rest in rows:
		day = getdate(rest.pop(0)) if by_day else getdate()
		conversions, spend, value, lacking = rest
		figures = Figures(
			conversions=exact(conversions),
			spend=None if lacking else exact(spend),
			value=None if lacking else exact(value),
		)
		found.append((bulk.of_hex(campaign), day, currency, figures))
	return found


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
