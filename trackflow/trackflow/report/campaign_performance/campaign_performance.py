"""Campaign Performance: budget and spend of campaigns, what they brought, and their return against the expected one (RPT-1).
docs/reports.md says what is counted."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.query_builder.functions import Sum
from frappe.utils import escape_html, flt

from trackflow.click_rollups import sources
from trackflow.click_rollups.reading import Days
from trackflow.costs import rates
from trackflow.reports import desk
from trackflow.reports.spend import number, ratio, ratios
from trackflow.rollups import reading
from trackflow.rollups.grains import CAMPAIGN, ZERO, Figures, folded

Row = dict[str, Any]

STATUSES = ("", "Planned", "Active", "Paused", "Completed", "Cancelled")
MOST_BARS = 10


@desk.answered
def execute(filters: Row) -> desk.Answer:
	"""The columns, rows, message and chart; a line for each campaign, the one with most spend first, then by value."""
	days = desk.days(filters)
	status = desk.choice(filters, "status", STATUSES)
	read = reading.read(*days, CAMPAIGN, reading.model_named(desk.text(filters, "attribution_model")))
	report = _Report(read, *days)
	rows = report.rows(status)
	message = "<br>".join(escape_html(one) for one in (*read.notices, *report.notices())) or None
	ending = [] if status or not (rows or read.places) else report.ending()
	return _columns(), [*rows, *ending], message, report.chart(rows)


def _columns() -> list[Row]:
	money: Row = {"fieldtype": "Currency", "options": "currency"}
	return [
		desk.column("campaign", _("Campaign"), width=180),
		desk.column("status", _("Status"), width=90),
		desk.column("budget", _("Budget"), **money),
		desk.column("spend", _("Spend"), **money),
		desk.column("budget_used", _("Spend of the Budget"), "Percent"),
		desk.column("value", _("Value"), **money),
		desk.column("roi", _("ROI"), "Percent", 90),
		desk.column("expected_roi", _("Expected ROI"), "Percent"),
		desk.column("roi_difference", _("ROI against Expected"), "Float", 140, precision=1),
		desk.column("link_clicks", _("Clicks on Links"), "Int"),
		desk.column("impressions", _("Impressions"), "Int"),
		desk.column("ad_clicks", _("Clicks on Ads"), "Int"),
		desk.column("conversions", _("Conversions"), "Float", precision=2),
		desk.column("cpa", _("CPA"), **money),
		desk.column("roas", _("ROAS"), "Float", 80, precision=2),
		desk.column("currency", _("Currency"), width=90),
	]


class _Report:
	"""The sums of a range by campaign, whatever the platform, with what campaigns say of themselves."""

	def __init__(self, read: reading.Range, first: date, last: date) -> None:
		self._read = read
		self._figures: dict[str, Figures] = defaultdict(Figures)
		for place, figures in read.places.items():
			self._figures[place.folded.campaign].add(figures)
		self._campaigns = frappe.get_all(
			"Link Campaign",
			fields=["name", "status", "budget", "currency", "expected_roi"],
			order_by="name",
		)
		self._clicks = _clicks(first, last)
		self._rates, self._last = rates.load(last, last), last

	def rows(self, status: str) -> list[Row]:
		found = [self._row(one) for one in self._campaigns if status in ("", one.status)]
		shown = [row for row in found if status or _says_something(row)]
		return sorted(shown, key=lambda row: (-(row["spend"] or 0), -(row["value"] or 0), row["campaign"]))

	def ending(self) -> list[Row]:
		"""What belongs to no campaign here, and the total."""
		ours = {folded(one.name) for one in self._campaigns}
		others = Figures()
		for name, figures in self._figures.items():
			if name not in ours:
				others.add(figures)
		lines = [] if others.is_nothing and others.spend == 0 else [self._line(_("No Link Campaign"), others)]
		return [*lines, self._line(_("Total"), self._read.total)]

	def notices(self) -> list[str]:
		"""Budgets that no rate converts."""
		return [
			_("No exchange rate from {0} to {1} for {2}: budgets in {0} are not shown.").format(
				currency, self._read.currency, day
			)
			for day, currency in sorted(self._rates.missing)
		]

	def chart(self, rows: list[Row]) -> Row | None:
		bars = [row for row in rows if row["spend"] or row["value"]][:MOST_BARS]
		series = ((_("Spend"), "spend"), (_("Value"), "value"))
		found = desk.chart(
			[row["campaign"] for row in bars],
			[(label, [row[field] or 0 for row in bars]) for label, field in series],
		)
		return found and {**found, "fieldtype": "Currency"}

	def _row(self, campaign: Row) -> Row:
		figures = self._figures.get(folded(campaign.name), Figures())
		budget = self._budget(campaign)
		expected = flt(campaign.expected_roi) or None
		line = self._line(campaign.name, figures)
		roi = line["roi"]
		return {
			**line,
			"status": _(campaign.status),
			"budget": number(budget),
			"budget_used": ratio(None if figures.spend is None else 100 * figures.spend, budget),
			"expected_roi": expected,
			"roi_difference": None if roi is None or expected is None else roi - expected,
			"link_clicks": self._clicks.get(campaign.name, 0),
		}

	def _line(self, label: str, figures: Figures) -> Row:
		of = ratios(figures)
		return {
			# What only a campaign has; the desk shows 0 for what is not said.
			**dict.fromkeys(
				("status", "budget", "budget_used", "expected_roi", "roi_difference", "link_clicks")
			),
			"campaign": desk.group_label(label),
			"spend": number(figures.spend),
			"value": number(figures.value),
			"roi": of.roi,
			"impressions": figures.impressions,
			"ad_clicks": figures.clicks,
			"conversions": float(figures.conversions),
			"cpa": of.cpa,
			"roas": of.roas,
			"currency": self._read.currency,
		}

	def _budget(self, campaign: Row) -> Decimal | None:
		"""In the currency of the report, at the rate of the range's last day; None for none."""
		amount = Decimal(str(campaign.budget or 0))
		if amount == ZERO:
			return None
		return self._rates.convert(amount, campaign.currency or self._read.currency, self._last)


def _clicks(first: date, last: date) -> dict[str, int]:
	"""Clicks and scans of people on the links of each campaign in these days."""
	table = Days(first, last).table(sources.CLICKS_BY_LINK, first, last, ("campaign",), ("clicks", "scans"))
	rows = (
		frappe.qb.from_(table)
		.select(table.campaign, Sum(table.clicks + table.scans))
		.where(table.campaign != "")
		.groupby(table.campaign)
		.run()
	)
	return {campaign: int(clicks) for campaign, clicks in rows}


def _says_something(row: Row) -> bool:
	"""Whether the period has anything of a campaign: one that is not known was spent."""
	figures = ("value", "link_clicks", "impressions", "ad_clicks", "conversions")
	return row["spend"] != 0 or any(row[figure] for figure in figures)
