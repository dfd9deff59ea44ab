"""What a campaign brought and cost in a period, by day, by channel and by link, beside its budget and its expected ROI.

A fixed number of statements. A session belongs to the campaign whose touch it began with; conversions are credits of its touches
under a model; spend are the rows of Daily Campaign Metric that are its. docs/analytics.md says what each figure counts.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import frappe
from frappe.query_builder.functions import Coalesce, Count, Date, Sum
from frappe.utils import flt

from trackflow.analytics import change, credited, links, money, sums
from trackflow.analytics.credited import Credited
from trackflow.analytics.money import Amount
from trackflow.analytics.scope import Period, Scope
from trackflow.costs import rates
from trackflow.costs.exchange import exact
from trackflow.tracking import click_figures
from trackflow.tracking.click_figures import FIGURES, number

Row = dict[str, Any]

DOCTYPES = ("Attribution Link", "Click Event", "Daily Campaign Metric", "Touch Point", "Visitor Session")
_NO_SESSION = dict.fromkeys(sums.SESSION_FIGURES, 0)


def stats(campaign: Any, period: Period, model: str) -> Row:
	"""The figures of a Link Campaign, which the user may read, as JSON. `model` is an active one."""
	of_model = Credited(model, Scope(), campaign.name)
	clicks, sessions = _clicks_by_day(campaign.name, period), _sessions_by_day(campaign.name, period)
	credits_by_day, costs = of_model.by_day(period), _costs(campaign.name, period.last)
	total = _total(campaign.name, period)
	return {
		"campaign": campaign.name,
		"campaign_id": campaign.campaign_id,
		"status": campaign.status,
		**period.named,
		"model": model,
		"totals": {
			**sums.added(clicks.values(), FIGURES),
			**{name: total[name] for name in ("sessions", "visitors", "page_views")},
			"bounce_rate": change.percent(total["bounces"], total["visits"]),
			"average_seconds": change.ratio(total["seconds"], total["visits"]),
			"conversions": credited.conversions(credits_by_day),
			"value": credited.amounts(credits_by_day),
		},
		**_money(campaign, period, credits_by_day, costs),
		"by_day": _by_day(period, clicks, sessions, credits_by_day, costs),
		"by_channel": _by_channel(campaign.name, period, of_model),
		"by_link": _by_link(campaign.name, period, of_model),
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
			**{name: sessions.get(day, _NO_SESSION)[name] for name in ("sessions", "visitors")},
			"conversions": credited.conversions(credits.get(day, [])),
			"value": credited.amounts(credits.get(day, [])),
			"spend": money.by_currency(spent.get(day, [])),
		}
		for day in map(str, change.days(period.first, period.last))
	]


def _clicks_by_day(campaign: str, period: Period) -> dict[str, Row]:
	click = frappe.qb.DocType("Click Event")
	day = Date(click.click_timestamp)
	query = frappe.qb.from_(click).where(click.campaign == campaign)
	query = period.of(query, click.click_timestamp).groupby(day)
	rows = query.select(day.as_("day"), *click_figures.figures(click)).run(as_dict=True)
	return {str(row.day): {name: int(row[name] or 0) for name in FIGURES} for row in rows}


def _touches(campaign: str, period: Period) -> tuple[Any, Any, Any]:
	"""The campaign's touches with their sessions; a session has one touch, and the touch has the index."""
	touch, session = frappe.qb.DocType("Touch Point"), frappe.qb.DocType("Visitor Session")
	query = frappe.qb.from_(touch).join(session).on(session.name == touch.session)
	query = period.of(query.where(touch.link_campaign == campaign), touch.occurred_at)
	return touch, session, query


def _sessions_by_day(campaign: str, period: Period) -> dict[str, Row]:
	touch, session, query = _touches(campaign, period)
	day = Date(touch.occurred_at)
	rows = query.select(day.as_("day"), *sums.session_figures(session)).groupby(day).run(as_dict=True)
	return {str(row.day): {name: int(row[name] or 0) for name in sums.SESSION_FIGURES} for row in rows}


def _total(campaign: str, period: Period) -> Row:
	_touch, session, query = _touches(campaign, period)
	(row,) = query.select(*sums.session_figures(session)).run(as_dict=True)
	return {name: int(row[name] or 0) for name in sums.SESSION_FIGURES}


def _by_channel(campaign: str, period: Period, of_model: Credited) -> list[Row]:
	touch, _session, query = _touches(campaign, period)
	found = sums.largest(query, Coalesce(touch.channel, ""), {"sessions": Count("*")})["lines"]
	rows = of_model.by_channel(period)
	names = {line["name"].casefold() for line in found}
	# A channel may have conversions of the period by touches before it.
	others = sorted({row["grp"] for row in rows if row["grp"].casefold() not in names})
	found += [{"name": name, "sessions": 0} for name in others]
	return [
		{"channel": line["name"], "sessions": line["sessions"], **credited.of_group(rows, line["name"])}
		for line in found
	]


def _by_link(campaign: str, period: Period, of_model: Credited) -> Row:
	click = frappe.qb.DocType("Click Event")
	human, robot = click_figures.is_human(click), click_figures.is_robot(click)
	query = period.of(frappe.qb.from_(click).where(click.campaign == campaign), click.click_timestamp)
	figures = {"clicks": number(human), "robots": number(robot)}
	found = sums.largest(query.where(human | robot), Coalesce(click.tracked_link, ""), figures)
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
