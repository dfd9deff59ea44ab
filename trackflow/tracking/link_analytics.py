"""What a link brought in a range of days, human and robot, summed up by the database in a fixed number of statements.

Days are the site's. People are counted clicks and scans; robots are bots and prefetches, as in the link's own figures
(RED-4). Conversions and revenue are credits under the default model, by the day of the conversion.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce, Count, Date, Sum
from frappe.utils import flt

from trackflow.day_range import day_range, moments
from trackflow.tracking import click_figures
from trackflow.tracking.click_figures import FIGURES, number
from trackflow.tracking.conversions import types_that_count
from trackflow.tracking.parameters import host_of
from trackflow.validation import readable

# Of a breakdown, the lines that bring most; what is below is one line without a name.
LINES = 50
# Referrers are stored as whole addresses: so many of them are put together by host.
REFERRERS = 1000

Row = dict[str, Any]


def link_analytics(link_name: str, from_date: str | None, to_date: str | None) -> Row:
	"""The figures of one link, which the user may read; the last 30 days by default."""
	link = readable("Tracked Link", link_name)
	first, last = day_range(from_date, to_date)
	clicks = _Clicks(link.name, first, last)
	days = clicks.by_day()
	variants = {row.name: row.variant_name for row in link.variants}
	return {
		"link": link.name,
		"short_code": link.short_code,
		"from_date": str(first),
		"to_date": str(last),
		"totals": {
			**{figure: sum(day[figure] for day in days) for figure in FIGURES},
			"unique_visitors": clicks.unique_visitors(),
			**_conversions(link, first, last),
		},
		"by_day": days,
		"by_country": clicks.by("country"),
		"by_device": clicks.by("device_type"),
		"by_browser": clicks.by("browser"),
		"by_os": clicks.by("os"),
		"by_referrer": clicks.by_referrer(),
		"by_variant": [
			{**line, "value": variants.get(line["value"], line["value"])} for line in clicks.by("variant")
		],
	}


class _Clicks:
	"""The clicks of a link in a range; each method is one statement."""

	def __init__(self, link: str, first: date, last: date) -> None:
		self.first, self.last = first, last
		begin, end = moments(first, last)
		self.table = click = frappe.qb.DocType("Click Event")
		self.human, self.robot = click_figures.is_human(click), click_figures.is_robot(click)
		self.query = (
			frappe.qb.from_(click)
			.where(click.tracked_link == link)
			.where(click.click_timestamp >= begin)
			.where(click.click_timestamp < end)
		)

	def by_day(self) -> list[Row]:
		"""A line for every day of the range, those without a click too."""
		day = Date(self.table.click_timestamp)
		rows = (
			self.query.select(day.as_("day"), *click_figures.figures(self.table))
			.groupby(day)
			.run(as_dict=True)
		)
		found = {str(row.day): row for row in rows}
		return [
			{"day": day, **{name: int(found.get(day, {}).get(name) or 0) for name in FIGURES}}
			for day in self._days()
		]

	def unique_visitors(self) -> int:
		visitor = Case().when(self.human, self.table.visitor_id)
		return self.query.select(Count(visitor).distinct()).run()[0][0]

	def by(self, field: str) -> list[Row]:
		"""People and robots by the values of a field, most people first."""
		rows = self._lines(field, LINES)
		return [{"value": value, "clicks": clicks, "bots": bots} for value, clicks, bots in rows]

	def by_referrer(self) -> list[Row]:
		"""The same by the host of the page that the click came from; "" came from nowhere that told."""
		clicks: Counter[str] = Counter()
		bots: Counter[str] = Counter()
		for value, human, robot in self._lines("referrer", REFERRERS):
			host = host_of(value) if value else ""
			clicks[host] += human
			bots[host] += robot
		lines = sorted(clicks, key=lambda host: (-clicks[host], -bots[host], host))[:LINES]
		return [{"value": host, "clicks": clicks[host], "bots": bots[host]} for host in lines]

	def _lines(self, field: str, limit: int) -> Iterable[tuple[str, int, int]]:
		# An empty value and none are one.
		value = Coalesce(self.table[field], "")
		clicks, bots = number(self.human), number(self.robot)
		rows = (
			self.query.where(self.human | self.robot)
			.select(value, clicks, bots)
			.groupby(value)
			.orderby(clicks, order=frappe.qb.desc)
			.orderby(bots, order=frappe.qb.desc)
			.orderby(value)
			.limit(limit)
			.run()
		)
		return [(value, int(human), int(robot)) for value, human, robot in rows]

	def _days(self) -> list[str]:
		return [
			str(self.first + timedelta(days=number)) for number in range((self.last - self.first).days + 1)
		]


def _conversions(link: Any, first: date, last: date) -> Row:
	"""Credits of the types that the settings count and value; amounts are added as they are, as on the link."""
	counted, valued = types_that_count()
	credit = frappe.qb.DocType("Link Conversion")
	begin, end = moments(first, last)
	((conversions, revenue),) = (
		frappe.qb.from_(credit)
		.select(
			Sum(Case().when(credit.conversion_type.isin(counted), credit.weight).else_(0)),
			Sum(Case().when(credit.conversion_type.isin(valued), credit.conversion_value).else_(0)),
		)
		.where(credit.tracked_link == link.name)
		.where(credit.conversion_date >= begin)
		.where(credit.conversion_date < end)
		.run()
	)
	return {"conversions": flt(conversions, 2), "revenue": flt(revenue, 2), "currency": link.currency}
