"""The links of a period side by side: clicks of people and robots, who came, what became of it. A fixed number of statements.

What counts as a click is `click_figures`' to say, as for the figures of one link. Conversions are credits under one model, by the
day of the conversion.
"""

from dataclasses import dataclass
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Count
from pypika.functions import Concat
from pypika.terms import Function

from trackflow.analytics import change, credited, sums
from trackflow.analytics.credited import Credited
from trackflow.analytics.scope import Period, Scope
from trackflow.tracking import click_figures
from trackflow.tracking.click_figures import number

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
	"""Lines by link, most people first; `others` has the clicks of links below, if there are any."""

	lines: list[Row]
	others: Row | None


def performance(period: Period, wanted: Wanted, model: str) -> Performance:
	"""The links that were asked for in the period. `model` is an active one."""
	clicked = _clicks(period, wanted)
	names = sorted(line["name"] for line in clicked["lines"])
	links = _links(names)
	sessions = _sessions(period, names)
	credits: dict[str, list[Row]] = {}
	for row in Credited(model, Scope()).by_link(period, names):
		credits.setdefault(row["grp"], []).append(row)
	lines = [
		{
			**dict.fromkeys(_OF_LINK, ""),
			**links.get(line["name"], {}),
			**line,
			**sessions.get(line["name"], {"sessions": 0, "bounce_rate": None}),
			"conversions": credited.conversions(credits.get(line["name"], [])),
			"value": credited.amounts(credits.get(line["name"], [])),
		}
		for line in clicked["lines"]
	]
	return Performance(lines, clicked["others"])


def _clicks(period: Period, wanted: Wanted) -> Row:
	click, link = frappe.qb.DocType("Click Event"), frappe.qb.DocType("Tracked Link")
	human = click_figures.is_human(click)
	query = period.of(frappe.qb.from_(click), click.click_timestamp).where(click.tracked_link > "")
	if wanted != Wanted():
		query = _only(query.join(link).on(link.name == click.tracked_link), link, wanted)
	figures = {
		"people": number(human),
		"clicks": number(human & (click.event_type == "Click")),
		"scans": number(human & (click.event_type == "QR Scan")),
		"robots": number(click_figures.is_robot(click)),
	}
	visitors = Count(Case().when(human, click.visitor_id)).distinct()
	return sums.largest(query, click.tracked_link, figures, {"unique_visitors": visitors}, MOST_LINKS)


def _only(query: Any, link: Any, wanted: Wanted) -> Any:
	for field in ("campaign", "domain"):
		if value := getattr(wanted, field):
			query = query.where(link[field] == value)
	if wanted.tag:
		# Tags stand between commas, with or without a blank.
		tags = Concat(",", Function("REPLACE", link.tags, ", ", ","), ",")
		query = query.where(Function("LOCATE", f",{wanted.tag.strip()},", tags) > 0)
	return query


def _links(names: list[str]) -> dict[str, Row]:
	rows = frappe.get_all(
		"Tracked Link", filters={"name": ("in", names or [""])}, fields=["name", *_OF_LINK], order_by="name"
	)
	return {row.name: row for row in rows}


def _sessions(period: Period, names: list[str]) -> dict[str, Row]:
	"""Sessions that began with these links, and how many of them saw one page and left."""
	session = frappe.qb.DocType("Visitor Session")
	is_visit = session.page_views > 0
	rows = (
		period.of(frappe.qb.from_(session), session.session_start)
		.where(session.tracked_link.isin(names or [""]))
		.select(
			session.tracked_link, Count("*"), number(is_visit), number(is_visit & (session.is_bounce == 1))
		)
		.groupby(session.tracked_link)
		.run()
	)
	return {
		name: {"sessions": sessions, "bounce_rate": change.percent(bounces, visits)}
		for name, sessions, visits, bounces in rows
	}
