"""What the desk's workspace tells of the last days, today among them: number cards and charts (UI-2).

The figures are the API's (`analytics.overview`, `waste.findings`), each by a handful of statements of its own: past days are told
by their sums, today by its rows. Nothing is counted anew.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.utils import fmt_money, formatdate, getdate

from trackflow.analytics import credited, sums
from trackflow.analytics.credited import Credited
from trackflow.analytics.scope import Period, Scope
from trackflow.analytics.sums import Sums
from trackflow.click_rollups.reading import Days
from trackflow.costs.rates import reporting_currency
from trackflow.day_range import each_day
from trackflow.rollups import reading
from trackflow.rollups.grains import ORGANIZATION, Figures
from trackflow.waste import findings

Row = dict[str, Any]
# What Frappe's number cards take: a value, with where a click on it leads, or a text that is shown as it is, as HTML.
Card = Row | str
# What its charts take; nothing where there is nothing to show.
Chart = Row

WEEK, MONTH = 7, findings.DAYS
# What the legend of half a page has room for.
MOST = 6
# As short as a day can be said below a chart.
DAY = "d MMM"


def clicks() -> Card:
	"""Clicks and scans of people."""
	period = _last(WEEK)
	by_day = _sums(period).clicks_by_day(period).values()
	return _report(sum(day["clicks"] + day["scans"] for day in by_day), "Link Performance", period)


def visitors() -> Card:
	"""Different visitors of the sessions; ≈ where they are estimated."""
	period = _last(WEEK)
	of = _sums(period)
	people = of.visitors(period, sum(row["sessions"] for row in of.sessions_by_day(period)))
	if people.estimated:
		return f"≈ {fmt_money(people.number, precision=0)}"
	return _list(people.number, "Visitor", last_seen=[">=", str(period.first)])


def conversions() -> Card:
	"""Credits of the default model."""
	period = _last(MONTH)
	number = credited.conversions(_credited().by_day(period))
	return _report(round(number, 2), "Attribution Model Comparison", period)


def value() -> Card:
	"""What these conversions were worth."""
	return _of_money("value")


def spend() -> Card:
	"""What was spent on all platforms."""
	return _of_money("spend")


def waste() -> Card:
	"""What of the spend was waste, by campaign."""
	found = findings.of_days_until(getdate(), 0)
	return _money(found["summary"]["waste"], found["currency"], "Spend and Waste", _last(MONTH))


def not_stored() -> Card:
	"""Clicks and events that could not be stored, and wait for somebody to mend what is wrong."""
	failed = {"status": "Failed"}
	return _list(frappe.db.count("Click Queue", failed), "Click Queue", **failed)


def clicks_and_visitors() -> Chart:
	"""Clicks and scans of people, and different visitors, day by day."""
	period = _last(MONTH)
	of = _sums(period)
	by_day = of.clicks_by_day(period)
	people = of.visitors_by_day(period, sum(row["sessions"] for row in of.sessions_by_day(period)))
	every = list(map(str, each_day(period.first, period.last)))
	clicked = [by_day[day]["clicks"] + by_day[day]["scans"] if day in by_day else 0 for day in every]
	came = [people[day].number if day in people else 0 for day in every]
	is_estimated = any(one.estimated for one in people.values())
	visitors_label = _("Visitors (≈)") if is_estimated else _("Visitors")
	return _chart(_labels(every), (_("Clicks and Scans"), clicked), (visitors_label, came))


def visits_by_channel() -> Chart:
	"""Sessions by channel, most first."""
	period = _last(MONTH)
	by_channel = sums.added_by(_sums(period).sessions_by_day(period), "channel")
	return _by_channel({name: row["sessions"] for name, row in by_channel.items()}, _("Sessions"))


def conversions_by_channel() -> Chart:
	"""Credits of the default model by channel, most first."""
	rows = _credited().by_channel(_last(MONTH))
	names = {row["grp"] for row in rows}
	found = {name: credited.conversions([row for row in rows if row["grp"] == name]) for name in names}
	return _by_channel(found, _("Conversions"))


def spend_and_value() -> Chart:
	"""What was spent, and what conversions were worth, day by day. A chart has no place for what is not known: its name says so."""
	period = _last(MONTH)
	found = reading.by_day(period.first, period.last, reading.model_named(""))
	every = each_day(period.first, period.last)
	figures = [found.get(day, Figures()) for day in every]
	of_spend = _named_amounts(_("Spend"), [one.spend for one in figures])
	of_value = _named_amounts(_("Value"), [one.value for one in figures])
	return _chart(_labels(every), of_spend, of_value)


def waste_by_campaign() -> Chart:
	"""The campaigns with most waste, or the platform where no campaign is known."""
	found = findings.of_days_until(getdate(), MOST + 1)
	lines = [
		(one["campaign"] or one["platform"] or _("None"), one["waste_spend"]) for one in found["findings"]
	]
	return _largest(lines, found["summary"]["waste"], f"{_('Waste')} ({found['currency']})")


def _last(number: int) -> Period:
	"""So many days up to today."""
	return Period(getdate() - timedelta(days=number - 1), getdate())


def _sums(period: Period) -> Sums:
	return Sums(Scope(), Days(period.first, period.last))


def _credited() -> Credited:
	return Credited(credited.model_of(""), Scope())


def _of_money(figure: str) -> Card:
	period = _last(MONTH)
	read = reading.read(period.first, period.last, ORGANIZATION, reading.model_named(""))
	amount: Decimal | None = getattr(read.total, figure)
	known = None if amount is None else float(amount)
	return _money(known, read.currency, "Campaign Performance", period)


def _money(amount: float | None, currency: str, report: str, period: Period) -> Card:
	"""Frappe's cards know one currency, the site's own: an amount in another one is a text."""
	if amount is None:
		return _("Not known")
	if currency == frappe.defaults.get_defaults().get("currency"):
		return {**_report(amount, report, period), "fieldtype": "Currency"}
	return fmt_money(amount, currency=currency)


def _report(value: float, name: str, period: Period) -> Row:
	return {"value": value, "route": ["query-report", name], "route_options": period.named}


def _list(value: float, doctype: str, **filters: Any) -> Row:
	return {"value": value, "route": ["List", doctype, "List"], "route_options": filters}


def _by_channel(found: dict[str, float], label: str) -> Chart:
	lines = sorted(found.items(), key=lambda line: (-line[1], line[0]))
	named = [(_(name) if name else _("None"), number) for name, number in lines if number]
	return _largest(named, sum(found.values()), label)


def _largest(lines: Sequence[tuple[str, float]], total: float, label: str) -> Chart:
	"""The first of these lines, of which the total is known, and what all others have together."""
	shown = list(lines if len(lines) <= MOST else lines[: MOST - 1])
	others = round(total - sum(number for _name, number in shown), 6)
	if others > 0:
		shown.append((_("Others"), others))
	return _chart((name for name, _number in shown), (label, [number for _name, number in shown]))


def _named_amounts(label: str, amounts: Sequence[Decimal | None]) -> tuple[str, list[float]]:
	currency = reporting_currency()
	is_known = None not in amounts
	name = f"{label} ({currency})" if is_known else _("{0} ({1}, partly not known)").format(label, currency)
	return name, [float(amount or 0) for amount in amounts]


def _labels(every: Iterable[date | str]) -> list[str]:
	return [formatdate(day, DAY) for day in every]


def _chart(labels: Iterable[str], *series: tuple[str, Sequence[float]]) -> Chart:
	if not any(any(values) for _name, values in series):
		return {}
	datasets = [{"name": name, "values": list(values)} for name, values in series]
	return {"labels": list(labels), "datasets": datasets}
