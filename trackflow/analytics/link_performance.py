"""The links of a period side by side: clicks of people and robots, who came, what became of it. A fixed number of statements.

What counts as a click is `click_figures`' to say, as for the figures of one link. Conversions are credits under one model, by the
day of the conversion.
"""

from dataclasses import dataclass
from typing import Any

import frappe
from frappe.query_builder.functions import Sum
from pypika.functions import Concat
from pypika.terms import Function

from trackflow.analytics import change, credited, sums
from trackflow.analytics.credited import Credited
from trackflow.analytics.scope import Period, Scope
from trackflow.click_rollups import sources
from trackflow.click_rollups.reading import Days, People
from trackflow.tracking.click_figures import FIGURES

Row = dict[str, Any]

# Links that are told apart: those that most people clicked or scanned.
MOST_LINKS = 500
_OF_LINK = ("title", "short_code", "campaign", "domain")


@dataclass(frozen=True, slots=True)
class Wanted:
	"""Which links: of a campaign, on a domain, with a tag; "" for any."""

	campaign: str = ""
	domain: str = ""
	tag: str = ""


@dataclass(frozen=True, slots=True)
class Performance:
	"""Lines by link, most people first; `others` has the clicks of links below, if there are any. `estimated`: some figures of
	visitors are."""

	lines: list[Row]
	others: Row | None
	estimated: bool


def performance(period: Period, wanted: Wanted, model: str) -> Performance:
	"""The links that were asked for in the period. `model` is an active one."""
	days = Days(period.first, period.last)
	clicked = _clicks(days, period, wanted)
	names = sorted(line["name"] for line in clicked["lines"])
	links = _links(names)
	visitors = _visitors(days, period, clicked["lines"])
	sessions = _sessions(days, period, names)
	credits: dict[str, list[Row]] = {}
	for row in Credited(model, Scope()).by_link(period, names):
		credits.setdefault(row["grp"], []).append(row)
	lines = [
		{
			**dict.fromkeys(_OF_LINK, ""),
			**links.get(line["name"], {}),
			**line,
			"unique_visitors": visitors.get(line["name"], People(0)).number,
			**sessions.get(line["name"], {"sessions": 0, "bounce_rate": None}),
			"conversions": credited.conversions(credits.get(line["name"], [])),
			"value": credited.amounts(credits.get(line["name"], [])),
		}
		for line in clicked["lines"]
	]
	estimated = any(one.estimated for one in visitors.values())
	return Performance(lines, clicked["others"], estimated)


def _clicks(days: Days, period: Period, wanted: Wanted) -> Row:
	link = frappe.qb.DocType("Tracked Link")
	table = days.table(sources.CLICKS_BY_LINK, period.first, period.last, ("tracked_link",), FIGURES)
	query = frappe.qb.from_(table).where(table.tracked_link > "")
	if wanted != Wanted():
		query = _only(query.join(link).on(link.name == table.tracked_link), link, wanted)
	figures = {
		"people": Sum(table.clicks + table.scans),
		"clicks": Sum(table.clicks),
		"scans": Sum(table.scans),
		"robots": Sum(table.bots + table.prefetches),
	}
	return sums.largest(query, table.tracked_link, figures, limit=MOST_LINKS)


def _only(query: Any, link: Any, wanted: Wanted) -> Any:
	for field in ("campaign", "domain"):
		if value := getattr(wanted, field):
			query = query.where(link[field] == value)
	if wanted.tag:
		# Tags stand between commas, with or without a blank.
		tags = Concat(",", Function("REPLACE", link.tags, ", ", ","), ",")
		query = query.where(Function("LOCATE", f",{wanted.tag.strip()},", tags) > 0)
	return query


def _visitors(days: Days, period: Period, lines: list[Row]) -> dict[str, People]:
	"""Who clicked or scanned each of these links."""
	clicks = sum(line["people"] + line["robots"] for line in lines)
	only = {"tracked_link": [line["name"] for line in lines] or [""]}
	source = sources.CLICKS_BY_LINK
	return days.visitors_by(source, "tracked_link", period.first, period.last, clicks, only)


def _links(names: list[str]) -> dict[str, Row]:
	rows = frappe.get_all(
		"Tracked Link", filters={"name": ("in", names or [""])}, fields=["name", *_OF_LINK], order_by="name"
	)
	return {row.name: row for row in rows}


def _sessions(days: Days, period: Period, names: list[str]) -> dict[str, Row]:
	"""Sessions that began with these links, and how many of them saw one page and left."""
	by, only = ("tracked_link",), {"tracked_link": names or [""]}
	figures = ("sessions", "visits", "bounces")
	table = days.table(sources.SESSIONS_BY_LINK, period.first, period.last, by, figures, only)
	return {
		row["tracked_link"]: {
			"sessions": row["sessions"],
			"bounce_rate": change.percent(row["bounces"], row["visits"]),
		}
		for row in sums.summed(table, by, figures)
	}
