"""What a link brought in a range of days, human and robot. A fixed number of statements.

Days are the site's. People are counted clicks and scans; robots are bots and prefetches, as in the link's own figures
(RED-4). Conversions and revenue are credits under the default model, by the day of the conversion.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Sum
from frappe.utils import flt

from trackflow.analytics.sums import summed
from trackflow.click_rollups import breakdowns, sources
from trackflow.click_rollups.breakdowns import Numbers
from trackflow.click_rollups.reading import Days, People
from trackflow.day_range import day_range, each_day, moments
from trackflow.tracking.click_figures import FIGURES
from trackflow.tracking.conversions import types_that_count
from trackflow.validation import readable

# Of a breakdown, the lines that bring most; what is below is one line without a name.
LINES = 50

Row = dict[str, Any]


def link_analytics(link_name: str, from_date: str | None, to_date: str | None) -> Row:
	"""The figures of one link, which the user may read; the last 30 days by default."""
	link = readable("Tracked Link", link_name)
	first, last = day_range(from_date, to_date)
	clicks = _Clicks(link.name, first, last)
	by_day = clicks.by_day()
	totals = {figure: sum(day[figure] for day in by_day) for figure in FIGURES}
	visitors = clicks.unique_visitors(sum(totals.values()))
	variants = {row.name: row.variant_name for row in link.variants}
	breakdown = clicks.breakdown()
	return {
		"link": link.name,
		"short_code": link.short_code,
		"from_date": str(first),
		"to_date": str(last),
		"totals": {**totals, "unique_visitors": visitors.number, **_conversions(link, first, last)},
		"visitors_estimated": visitors.estimated,
		"by_day": by_day,
		"by_country": breakdown["country"],
		"by_device": breakdown["device_type"],
		"by_browser": breakdown["browser"],
		"by_os": breakdown["os"],
		"by_referrer": breakdown["referrer"],
		"by_variant": [
			{**line, "value": variants.get(line["value"], line["value"])} for line in clicks.by_variant()
		],
	}


class _Clicks:
	"""The clicks of a link in a range."""

	def __init__(self, link: str, first: date, last: date) -> None:
		self.link, self.first, self.last = link, first, last
		self.only = {"tracked_link": link}
		self.days = Days(first, last)

	def by_day(self) -> list[Row]:
		"""A line for every day of the range, those without a click too. One statement."""
		found = {row["day"]: row for row in self._sums("day", FIGURES)}
		nothing = dict.fromkeys(FIGURES, 0)
		return [
			{**nothing, **found.get(day, {}), "day": day} for day in map(str, each_day(self.first, self.last))
		]

	def unique_visitors(self, clicks: int) -> People:
		"""How many different people clicked or scanned, of so many clicks of any kind."""
		return self.days.visitors(sources.CLICKS_BY_LINK, self.first, self.last, clicks, self.only)

	def by_variant(self) -> list[Row]:
		"""People and robots by the variant that they were led to, most people first. One statement."""
		rows = self._sums("variant", ("clicks", "scans", "bots", "prefetches"))
		found = {
			row["variant"]: (row["clicks"] + row["scans"], row["bots"] + row["prefetches"]) for row in rows
		}
		return _lines(found)

	def breakdown(self) -> dict[str, list[Row]]:
		"""The same by country, device, browser, system and the host of the page that the click came from; "" is not known."""
		found = self.days.breakdown(self.link, self.first, self.last)
		return {field: _lines(values) for field, values in found.items()}

	def _sums(self, by: str, figures: Iterable[str]) -> list[Row]:
		figures = tuple(figures)
		table = self.days.table(sources.CLICKS_BY_LINK, self.first, self.last, (by,), figures, self.only)
		return summed(table, (by,), figures)


def _lines(found: Mapping[str, Numbers]) -> list[Row]:
	some = breakdowns.ordered({value: numbers for value, numbers in found.items() if any(numbers)})
	return [{"value": value, "clicks": people, "bots": robots} for value, (people, robots) in some[:LINES]]


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
