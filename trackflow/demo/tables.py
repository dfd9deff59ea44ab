"""The demo story's figures, read from the database after it was told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import frappe
from frappe.query_builder.functions import Count, Sum
from frappe.utils import getdate

from trackflow.demo.people import COST_DAYS
from trackflow.demo.setting import CAMPAIGNS, LINKS
from trackflow.reports.spend import ratios
from trackflow.rollups import reading
from trackflow.rollups.grains import CAMPAIGN, Figures
from trackflow.tracking.conversions import name_of
from trackflow.waste import findings, words

if TYPE_CHECKING:
	from trackflow.demo.story import Told


@dataclass(frozen=True, slots=True)
class Table:
	"""A title, column heads, and rows of cells."""

	title: str
	head: Sequence[str]
	rows: Sequence[Sequence[Any]]


def of(told: "Told") -> list[Table]:
	"""The story in order: campaigns, links, clicks, visits, leads, deals, credits, spend, waste."""
	found = [_campaigns(), _links(), _clicks(told), _visits(told)]
	if told.leads:
		names = [name_of("Lead", lead) for lead in told.leads]
		deals = [name_of("Deal Won", deal) for deal in told.deals]
		found += [_leads(told), _deals(told), _credits("Leads by model and channel", names)]
		found += [_credits("Won deals by model and channel", deals, with_value=True), _by_campaign(deals)]
	return [*found, *_spend_and_waste()]


def _campaigns() -> Table:
	rows = frappe.get_all(
		"Link Campaign",
		filters={"name": ("in", list(CAMPAIGNS))},
		fields=["name", "campaign_id", "source", "medium", "status"],
		order_by="name",
		as_list=True,
	)
	return Table("Campaigns", ["Campaign", "utm_campaign", "Source", "Medium", "Status"], rows)


def _links() -> Table:
	rows = frappe.get_all(
		"Tracked Link",
		filters={"short_code": ("in", list(LINKS))},
		fields=[
			"short_code", "campaign", "click_count", "scan_count", "bot_count", "unique_visitor_count",
			"conversion_count", "revenue",
		],
		order_by="short_code",
		as_list=True,
	)  # fmt: skip
	head = ["Link", "Campaign", "Clicks", "Scans", "Robots", "Visitors", "Conversions", "Value"]
	return Table("Links, all runs (conversions and value under the default model)", head, rows)


def _clicks(told: "Told") -> Table:
	rows = frappe.get_all(
		"Click Event",
		filters={"creation": (">=", told.since)},
		fields=["short_code", "event_type", "device_type", "browser", "counted", "bot_reason"],
		order_by="click_timestamp, name",
		as_list=True,
	)
	return Table(
		"Clicks of this run", ["Link", "Type", "Device", "Browser", "Counted", "Robot because"], rows
	)


def _visits(told: "Told") -> Table:
	rows = frappe.get_all(
		"Visitor Session",
		filters={"creation": (">=", told.since)},
		fields=["visitor_id", "session_start", "channel", "platform", "source", "campaign", "page_views"],
		order_by="visitor_id, session_start",
		as_list=True,
	)
	rows = [[visitor, f"{start:%d %b %H:%M}", *rest] for visitor, start, *rest in rows]
	head = ["Visitor", "Began", "Channel", "Platform", "Source", "Campaign", "Pages"]
	return Table("Visits of this run (each is one touch point)", head, rows)


def _leads(told: "Told") -> Table:
	rows = frappe.get_all(
		"CRM Lead",
		filters={"name": ("in", told.leads)},
		fields=[
			"name", "first_name", "trackflow_source", "trackflow_medium", "trackflow_campaign", "trackflow_touch_count",
		],
		order_by="name",
		as_list=True,
	)  # fmt: skip
	return Table("Leads", ["Lead", "Name", "Source", "Medium", "Campaign", "Touches"], rows)


def _deals(told: "Told") -> Table:
	rows = frappe.get_all(
		"CRM Deal",
		filters={"name": ("in", told.deals)},
		fields=[
			"name", "status", "deal_value", "trackflow_first_touch_source", "trackflow_last_touch_source",
			"trackflow_marketing_influenced",
		],
		order_by="name",
		as_list=True,
	)  # fmt: skip
	return Table("Deals", ["Deal", "Status", "Value", "First source", "Last source", "Influenced"], rows)


def _credits(title: str, conversions: list[str], with_value: bool = False) -> Table:
	"""Credits by channel (rows) and model (columns); sums of weights, or of value."""
	credit = frappe.qb.DocType("Attribution Link")
	measure = Sum(credit.credited_value if with_value else credit.weight)
	rows = (
		frappe.qb.from_(credit)
		.select(credit.channel, credit.attribution_model, measure.as_("total"))
		.where(credit.conversion.isin(conversions or [""]))
		.groupby(credit.channel, credit.attribution_model)
		.run(as_dict=True)
	)
	models = sorted({row.attribution_model for row in rows})
	channels = sorted({row.channel for row in rows})
	cells = {(row.channel, row.attribution_model): row.total for row in rows}
	lines = [
		[channel, *(_number(cells.get((channel, model), 0)) for model in models)] for channel in channels
	]
	totals = [_number(sum(cells.get((channel, model), 0) for channel in channels)) for model in models]
	return Table(title, ["Channel", *models], [*lines, ["Sum", *totals]])


def _by_campaign(conversions: list[str]) -> Table:
	credit = frappe.qb.DocType("Attribution Link")
	rows = (
		frappe.qb.from_(credit)
		.select(credit.attribution_model, credit.campaign, Sum(credit.credited_value), Count(credit.name))
		.where(credit.conversion.isin(conversions or [""]))
		.groupby(credit.attribution_model, credit.campaign)
		.orderby(credit.attribution_model)
		.orderby(credit.campaign)
		.run()
	)
	lines = [
		[model, campaign or "(no campaign of ours)", _number(value), count]
		for model, campaign, value, count in rows
	]
	return Table("Won value by model and campaign", ["Model", "Campaign", "Value", "Credits"], lines)


def _spend_and_waste() -> list[Table]:
	"""What was spent on each campaign and brought, by first and last touch, and what of it is waste under the latter."""
	last = getdate()
	first = last - timedelta(days=COST_DAYS - 1)
	by_first = reading.read(first, last, CAMPAIGN, "First Touch")
	judged = findings.judged(first, last, CAMPAIGN, "Last Touch")
	spent = [
		[
			place.platform,
			place.campaign,
			_number(figures.spend or 0),
			_number(by_first.places.get(place, Figures()).value or 0),
			_number(figures.value or 0),
			*(
				"" if ratio is None else _number(ratio)
				for ratio in (ratios(figures).cpa, ratios(figures).roas)
			),
		]
		for place, figures in sorted(judged.read.places.items())
		if figures.spend
	]
	wasted = [
		[
			one.place.platform,
			one.place.campaign,
			_number(one.finding.waste),
			one.finding.severity,
			words.said(one.finding, findings.performance(one.figures), judged.read.currency),
			words.recommended(one.finding),
		]
		for one in judged.found
	]
	head = ["Platform", "Campaign", "Spend", "Value by First Touch", "Value by Last Touch", "CPA", "ROAS"]
	days = f"all runs, {COST_DAYS} days, in {judged.read.currency}"
	return [
		Table(f"Spend and what it brought ({days}; CPA and ROAS by Last Touch)", head, spent),
		Table(
			"Waste by Last Touch", ["Platform", "Campaign", "Waste", "Severity", "Why", "What to do"], wasted
		),
	]


def _number(value: float) -> str:
	return f"{value:,.2f}"
