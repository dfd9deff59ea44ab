"""What a campaign brought and cost in a period, by day, by channel and by link, beside its budget and its expected ROI.

A fixed number of statements. A session belongs to the campaign whose touch it began with; conversions are credits of its touches
under a model; spend are the rows of Daily Campaign Metric that are its. docs/analytics.md says what each figure counts.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import frappe
from frappe.query_builder.functions import Coalesce, Sum
from frappe.utils import flt

from trackflow.analytics import change, credited, links, money, sums
from trackflow.analytics.credited import Credited
from trackflow.analytics.money import Amount
from trackflow.analytics.scope import Period, Scope
from trackflow.click_rollups import sources
from trackflow.click_rollups.reading import Days, People
from trackflow.click_rollups.sources import Source
from trackflow.costs import rates
from trackflow.costs.exchange import exact
from trackflow.day_range import each_day
from trackflow.tracking import visit_figures
from trackflow.tracking.click_figures import FIGURES

Row = dict[str, Any]

DOCTYPES = ("Attribution Link", "Click Event", "Daily Campaign Metric", "Touch Point", "Visitor Session")


def stats(campaign: Any, period: Period, model: str) -> Row:
	"""The figures of a Link Campaign, which the user may read, as JSON. `model` is an active one."""
	of_model = Credited(model, Scope(), campaign.name)
	of = _Hits(campaign.name, period)
	clicks, sessions = of.clicks_by_day(), of.sessions_by_day()
	credits_by_day, costs = of_model.by_day(period), _costs(campaign.name, period.last)
	total = sums.added(sessions.values(), visit_figures.FIGURES)
	visitors, visitors_of = of.visitors(total["sessions"]), of.visitors_by_day(total["sessions"])
	return {
		"campaign": campaign.name,
		"campaign_id": campaign.campaign_id,
		"status": campaign.status,
		**period.named,
		"model": model,
		"totals": {
			**sums.added(clicks.values(), FIGURES),
			"sessions": total["sessions"],
			"visitors": visitors.number,
			"page_views": total["page_views"],
			"bounce_rate": change.percent(total["bounces"], total["visits"]),
			"average_seconds": change.ratio(total["seconds"], total["visits"]),
			"conversions": credited.conversions(credits_by_day),
			"value": credited.amounts(credits_by_day),
		},
		**_money(campaign, period, credits_by_day, costs),
		"visitors_estimated": any(one.estimated for one in (visitors, *visitors_of.values())),
		"by_day": _by_day(period, clicks, sessions, visitors_of, credits_by_day, costs),
		"by_channel": _by_channel(of.channels(), of_model.by_channel(period)),
		"by_link": _by_link(of.links(), period, of_model),
	}


def _money(campaign: Any, period: Period, credits_by_day: list[Row], costs: list[Row]) -> Row:
	"""Spend as it was booked, then all in the reporting currency; and the budget, in the campaign's own."""
	spent = [Amount(row["day"], row["currency"], row["spend"]) for row in costs]
	spend = [one for one in spent if one.day >= period.first]
	value = [Amount(date.fromisoformat(row["grp"]), row["currency"], row["value"]) for row in credits_by_day]
	first = min((one.day for one in spent), default=period.first)
	reporting = rates.load(min(first, period.first), period.last)
	own = rates.load(first, period.last, campaign.currency or reporting.into)
	figures = money.returns(
		money.converted(spend, reporting),
		money.converted(value, reporting),
		credited.conversions(credits_by_day),
	)
	budget = money.against_budget(exact(campaign.budget), money.converted(spent, own))
	of_period = [row for row in costs if row["day"] >= period.first]
	return {
		"spend": money.by_currency(spend),
		"impressions": sum(row["impressions"] for row in of_period),
		"paid_clicks": sum(row["clicks"] for row in of_period),
		"returns": {
			"currency": reporting.into,
			**figures,
			"expected_roi": flt(campaign.expected_roi) or None,
		},
		"budget": {"currency": own.into, **budget},
		"missing_rates": [
			{"day": str(day), "currency": currency}
			for day, currency in sorted(reporting.missing | own.missing)
		],
	}


def _by_day(
	period: Period,
	clicks: dict[str, Row],
	sessions: dict[str, Row],
	visitors: dict[str, People],
	credits_by_day: list[Row],
	costs: list[Row],
) -> list[Row]:
	credits: dict[str, list[Row]] = {}
	for row in credits_by_day:
		credits.setdefault(row["grp"], []).append(row)
	spent: dict[str, list[Amount]] = {}
	for row in costs:
		spent.setdefault(str(row["day"]), []).append(Amount(row["day"], row["currency"], row["spend"]))
	no_click = dict.fromkeys(FIGURES, 0)
	return [
		{
			"day": day,
			**{name: clicks.get(day, no_click)[name] for name in ("clicks", "scans", "bots", "prefetches")},
			"sessions": sessions[day]["sessions"] if day in sessions else 0,
			"visitors": visitors[day].number if day in visitors else 0,
			"conversions": credited.conversions(credits.get(day, [])),
			"value": credited.amounts(credits.get(day, [])),
			"spend": money.by_currency(spent.get(day, [])),
		}
		for day in map(str, each_day(period.first, period.last))
	]


class _Hits:
	"""Clicks on a campaign's links, and sessions of its touches."""

	def __init__(self, campaign: str, period: Period) -> None:
		self.only, self.first, self.last = {"campaign": campaign}, period.first, period.last
		self.days = Days(self.first, self.last)

	def clicks_by_day(self) -> dict[str, Row]:
		table = self._table(sources.CLICKS_BY_LINK, ("day",), FIGURES)
		return {row["day"]: row for row in sums.summed(table, ("day",), FIGURES)}

	def sessions_by_day(self) -> dict[str, Row]:
		table = self._table(sources.SESSIONS_BY_CAMPAIGN, ("day",), visit_figures.FIGURES)
		return {row["day"]: row for row in sums.summed(table, ("day",), visit_figures.FIGURES)}

	def visitors(self, sessions: int) -> People:
		return self.days.visitors(sources.SESSIONS_BY_CAMPAIGN, self.first, self.last, sessions, self.only)

	def visitors_by_day(self, sessions: int) -> dict[str, People]:
		source = sources.SESSIONS_BY_CAMPAIGN
		return self.days.visitors_by_day(source, self.first, self.last, sessions, self.only)

	def channels(self) -> list[Row]:
		"""The channels with most sessions."""
		table = self._table(sources.SESSIONS_BY_CAMPAIGN, ("channel",), ("sessions",))
		figures = {"sessions": Sum(table.sessions)}
		return sums.largest(frappe.qb.from_(table), Coalesce(table.channel, ""), figures)["lines"]

	def links(self) -> Row:
		"""The links that people clicked most."""
		table = self._table(sources.CLICKS_BY_LINK, ("tracked_link",), FIGURES)
		figures = {
			"clicks": Sum(table.clicks + table.scans),
			"robots": Sum(table.bots + table.prefetches),
		}
		query = frappe.qb.from_(table).having(figures["clicks"] + figures["robots"] > 0)
		return sums.largest(query, Coalesce(table.tracked_link, ""), figures)

	def _table(self, source: Source, by: Sequence[str], figures: Iterable[str]) -> Any:
		return self.days.table(source, self.first, self.last, by, figures, self.only)


def _by_channel(found: list[Row], credits: list[Row]) -> list[Row]:
	names = {line["name"].casefold() for line in found}
	# A channel may have conversions of the period by touches before it.
	others = sorted({row["grp"] for row in credits if row["grp"].casefold() not in names})
	lines = found + [{"name": name, "sessions": 0} for name in others]
	return [
		{"channel": line["name"], "sessions": line["sessions"], **credited.of_group(credits, line["name"])}
		for line in lines
	]


def _by_link(found: Row, period: Period, of_model: Credited) -> Row:
	rows = of_model.by_link(period, {line["name"] for line in found["lines"]})
	lines = [{**line, **credited.of_group(rows, line["name"])} for line in links.labelled(found["lines"])]
	return {**found, "lines": lines}


def _costs(campaign: str, last: date) -> list[Row]:
	"""What was booked until a day, by day and currency: the budget is for all of it."""
	metric = frappe.qb.DocType("Daily Campaign Metric")
	currency = Coalesce(metric.currency, "")
	rows = (
		frappe.qb.from_(metric)
		.select(metric.date, currency, Sum(metric.spend), Sum(metric.impressions), Sum(metric.clicks))
		.where(metric.link_campaign == campaign)
		.where(metric.date <= last)
		.groupby(metric.date, currency)
		.run()
	)
	return [
		{
			"day": day,
			"currency": of,
			"spend": exact(spend),
			"impressions": int(impressions or 0),
			"clicks": int(clicks or 0),
		}
		for day, of, spend, impressions, clicks in rows
	]
