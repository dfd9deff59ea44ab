"""What a campaign brought and cost in a period, beside the period before; by day, by channel and by link; its budget and expected ROI.

A fixed number of statements. A session belongs to the campaign whose touch it began with; conversions are credits of its touches
under a model; spend are the rows of Daily Campaign Metric that are its. docs/analytics.md says what each figure counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
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
from trackflow.costs.exchange import Rates, exact
from trackflow.day_range import each_day
from trackflow.tracking import visit_figures
from trackflow.tracking.click_figures import FIGURES

Row = dict[str, Any]

DOCTYPES = ("Attribution Link", "Click Event", "Daily Campaign Metric", "Touch Point", "Visitor Session")


@dataclass(frozen=True, slots=True)
class _Found:
	"""What there is of a period: clicks and sessions by day, credits, costs."""

	clicks: dict[str, Row]
	sessions: dict[str, Row]
	credits: list[Row]
	costs: list[Row]

	def within(self, period: Period) -> "_Found":
		first, last = period.named.values()
		return _Found(
			{day: row for day, row in self.clicks.items() if first <= day <= last},
			{day: row for day, row in self.sessions.items() if first <= day <= last},
			[row for row in self.credits if first <= row["grp"] <= last],
			[row for row in self.costs if first <= str(row["day"]) <= last],
		)

	@property
	def hits(self) -> int:
		return sum(row["sessions"] for row in self.sessions.values())

	@property
	def spend(self) -> list[Amount]:
		return [Amount(row["day"], row["currency"], row["spend"]) for row in self.costs]

	def totals(self, visitors: People) -> Row:
		total = sums.added(self.sessions.values(), visit_figures.FIGURES)
		return {
			**sums.added(self.clicks.values(), FIGURES),
			"sessions": total["sessions"],
			"visitors": visitors.number,
			"page_views": total["page_views"],
			"bounce_rate": change.percent(total["bounces"], total["visits"]),
			"average_seconds": change.ratio(total["seconds"], total["visits"]),
			"conversions": credited.conversions(self.credits),
			"value": credited.amounts(self.credits),
		}

	def returns(self, reporting: Rates) -> Row:
		value = [
			Amount(date.fromisoformat(row["grp"]), row["currency"], row["value"]) for row in self.credits
		]
		conversions = credited.conversions(self.credits)
		return money.returns(
			money.converted(self.spend, reporting), money.converted(value, reporting), conversions
		)


def stats(campaign: Any, period: Period, model: str) -> Row:
	"""The figures of a Link Campaign, which the user may read, as JSON. `model` is an active one."""
	before = period.before
	of, of_model = _Hits(campaign.name, before.first, period.last), Credited(model, Scope(), campaign.name)
	everything = _Found(
		of.clicks_by_day(),
		of.sessions_by_day(),
		of_model.by_day(Period(before.first, period.last)),
		_costs(campaign.name, period.last),
	)
	now, then = everything.within(period), everything.within(before)
	visitors, former = of.visitors(period, now.hits), of.visitors(before, then.hits)
	visitors_of = of.visitors_by_day(period, now.hits)
	first = min((row["day"] for row in everything.costs), default=before.first)
	reporting = rates.load(min(first, before.first), period.last)
	own = rates.load(first, period.last, campaign.currency or reporting.into)
	return {
		"campaign": campaign.name,
		"campaign_id": campaign.campaign_id,
		"status": campaign.status,
		**period.named,
		"model": model,
		"totals": now.totals(visitors),
		"spend": money.by_currency(now.spend),
		"impressions": sum(row["impressions"] for row in now.costs),
		"paid_clicks": sum(row["clicks"] for row in now.costs),
		"returns": {
			"currency": reporting.into,
			**now.returns(reporting),
			"expected_roi": flt(campaign.expected_roi) or None,
		},
		"budget": {"currency": own.into, **_budget(campaign, everything, own)},
		"previous": {**before.named, "totals": then.totals(former), "returns": then.returns(reporting)},
		"missing_rates": [
			{"day": str(day), "currency": currency}
			for day, currency in sorted(reporting.missing | own.missing)
		],
		"visitors_estimated": any(one.estimated for one in (visitors, former, *visitors_of.values())),
		"by_day": _by_day(period, now, visitors_of),
		"by_channel": _by_channel(of.channels(period), of_model.by_channel(period)),
		"by_link": _by_link(of.links(period), period, of_model),
	}


def _budget(campaign: Any, everything: _Found, own: Rates) -> Row:
	"""The budget and what was spent of it, from the campaign's first day on, in its own currency."""
	return money.against_budget(exact(campaign.budget), money.converted(everything.spend, own))


def _by_day(period: Period, found: _Found, visitors: dict[str, People]) -> list[Row]:
	credits: dict[str, list[Row]] = {}
	for row in found.credits:
		credits.setdefault(row["grp"], []).append(row)
	spent: dict[str, list[Amount]] = {}
	for amount in found.spend:
		spent.setdefault(str(amount.day), []).append(amount)
	no_click = dict.fromkeys(FIGURES, 0)
	return [
		{
			"day": day,
			**{
				name: found.clicks.get(day, no_click)[name]
				for name in ("clicks", "scans", "bots", "prefetches")
			},
			"sessions": found.sessions[day]["sessions"] if day in found.sessions else 0,
			"visitors": visitors[day].number if day in visitors else 0,
			"conversions": credited.conversions(credits.get(day, [])),
			"value": credited.amounts(credits.get(day, [])),
			"spend": money.by_currency(spent.get(day, [])),
		}
		for day in map(str, each_day(period.first, period.last))
	]


class _Hits:
	"""Clicks on a campaign's links, and sessions of its touches; by day of all days, else of a period within."""

	def __init__(self, campaign: str, first: date, last: date) -> None:
		self.only, self.days = {"campaign": campaign}, Days(first, last)
		self.all = Period(first, last)

	def clicks_by_day(self) -> dict[str, Row]:
		table = self._table(sources.CLICKS_BY_LINK, self.all, ("day",), FIGURES)
		return {row["day"]: row for row in sums.summed(table, ("day",), FIGURES)}

	def sessions_by_day(self) -> dict[str, Row]:
		table = self._table(sources.SESSIONS_BY_CAMPAIGN, self.all, ("day",), visit_figures.FIGURES)
		return {row["day"]: row for row in sums.summed(table, ("day",), visit_figures.FIGURES)}

	def visitors(self, of: Period, sessions: int) -> People:
		source = sources.SESSIONS_BY_CAMPAIGN
		return self.days.visitors(source, of.first, of.last, sessions, self.only)

	def visitors_by_day(self, of: Period, sessions: int) -> dict[str, People]:
		source = sources.SESSIONS_BY_CAMPAIGN
		return self.days.visitors_by_day(source, of.first, of.last, sessions, self.only)

	def channels(self, of: Period) -> list[Row]:
		"""The channels with most sessions."""
		table = self._table(sources.SESSIONS_BY_CAMPAIGN, of, ("channel",), ("sessions",))
		figures = {"sessions": Sum(table.sessions)}
		return sums.largest(frappe.qb.from_(table), Coalesce(table.channel, ""), figures)["lines"]

	def links(self, of: Period) -> Row:
		"""The links that people clicked most."""
		table = self._table(sources.CLICKS_BY_LINK, of, ("tracked_link",), FIGURES)
		figures = {
			"clicks": Sum(table.clicks + table.scans),
			"robots": Sum(table.bots + table.prefetches),
		}
		query = frappe.qb.from_(table).having(figures["clicks"] + figures["robots"] > 0)
		return sums.largest(query, Coalesce(table.tracked_link, ""), figures)

	def _table(self, source: Source, of: Period, by: Sequence[str], figures: Iterable[str]) -> Any:
		return self.days.table(source, of.first, of.last, by, figures, self.only)


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
