"""Sums over clicks, sessions, touches and events of a scope, made by the database. Each function is one statement, whose answer
has at most a line for each day, or MOST lines.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce, Count, Date, Sum
from pypika.analytics import Sum as OfAll
from pypika.functions import NullIf

from trackflow.analytics import texts
from trackflow.analytics.change import with_others
from trackflow.analytics.scope import Period, Scope
from trackflow.tracking import click_figures
from trackflow.tracking.click_figures import FIGURES, number

Row = dict[str, Any]

# Lines of a list; what is below is one line without a name.
MOST = 50
# Hosts that differ in their port or spelling are put together of so many.
HOSTS = 1000
# What can be added over days and channels; visitors cannot.
DAY_FIGURES = ("sessions", "page_views", "visits", "bounces", "seconds")
SESSION_FIGURES = (*DAY_FIGURES, "visitors")


def clicks_by_day(scope: Scope, period: Period) -> dict[str, Row]:
	"""FIGURES of clicks by day; days without any are missing."""
	click = frappe.qb.DocType("Click Event")
	day = Date(click.click_timestamp)
	query = frappe.qb.from_(click).select(day.as_("day"), *click_figures.figures(click)).groupby(day)
	rows = scope.narrow(period.of(query, click.click_timestamp), click.domain).run(as_dict=True)
	return {str(row.day): {name: int(row[name] or 0) for name in FIGURES} for row in rows}


def sessions_by_day(scope: Scope, period: Period) -> list[Row]:
	"""DAY_FIGURES by `day` and `channel`, so that one reading of the sessions serves both. A session is one touch. A visit is a session that
	saw a page: only such a one can bounce or last."""
	session = frappe.qb.DocType("Visitor Session")
	day, channel = Date(session.session_start), Coalesce(session.channel, "")
	query = frappe.qb.from_(session).select(day.as_("day"), channel.as_("channel"), *day_figures(session))
	query = scope.narrow(period.of(query, session.session_start), session.domain).groupby(day, channel)
	return [
		{"day": str(row.day), "channel": row.channel, **{name: int(row[name] or 0) for name in DAY_FIGURES}}
		for row in query.run(as_dict=True)
	]


def visitors_by_day(scope: Scope, period: Period) -> dict[str, int]:
	"""Different visitors of each day."""
	session = frappe.qb.DocType("Visitor Session")
	day = Date(session.session_start)
	query = frappe.qb.from_(session).select(day, Count(session.visitor_id).distinct()).groupby(day)
	rows = scope.narrow(period.of(query, session.session_start), session.domain).run()
	return {str(one): int(visitors) for one, visitors in rows}


def added_by(rows: Iterable[Row], key: str) -> dict[str, Row]:
	"""DAY_FIGURES of rows, by what they have under a key."""
	groups: dict[str, list[Row]] = {}
	for row in rows:
		groups.setdefault(row[key], []).append(row)
	return {group: added(some, DAY_FIGURES) for group, some in groups.items()}


def session_figures(session: Any) -> list[Any]:
	"""The sums of SESSION_FIGURES, under these names."""
	return [*day_figures(session), Count(session.visitor_id).distinct().as_("visitors")]


def day_figures(session: Any) -> list[Any]:
	"""The sums of DAY_FIGURES, under these names."""
	is_visit = session.page_views > 0
	return [
		Count("*").as_("sessions"),
		Sum(session.page_views).as_("page_views"),
		number(is_visit).as_("visits"),
		number(is_visit & (session.is_bounce == 1)).as_("bounces"),
		Sum(Case().when(is_visit, session.duration_seconds).else_(0)).as_("seconds"),
	]


def visitors(scope: Scope, period: Period) -> int:
	"""How many different visitors came."""
	session = frappe.qb.DocType("Visitor Session")
	query = period.of(frappe.qb.from_(session), session.session_start)
	if scope.domains is not None:
		query = scope.narrow(query, session.domain)
		return query.select(Count(session.visitor_id).distinct()).run()[0][0]
	# An index has visitors in order, with their times: MariaDB drops the double ones as it reads it, in a fifth of the time of
	# COUNT(DISTINCT). It has no domain: with one, each row would be looked up for it.
	different = query.select(session.visitor_id).distinct().as_("different")
	return frappe.qb.from_(different).select(Count(different.visitor_id)).run()[0][0]


def sessions_by_campaign(scope: Scope, period: Period) -> Row:
	"""The campaigns with most sessions: ours, else what the address said. Sessions without one are in none."""
	session = frappe.qb.DocType("Visitor Session")
	campaign = Coalesce(NullIf(session.link_campaign, ""), NullIf(session.campaign, ""))
	query = scope.narrow(period.of(frappe.qb.from_(session), session.session_start), session.domain).where(
		campaign.isnotnull()
	)
	return largest(query, campaign, {"sessions": Count("*")})


def clicks_by_link(scope: Scope, period: Period) -> Row:
	"""The links that most people clicked or scanned."""
	click = frappe.qb.DocType("Click Event")
	human = click_figures.is_human(click)
	query = scope.narrow(period.of(frappe.qb.from_(click), click.click_timestamp), click.domain).where(human)
	return largest(query, Coalesce(click.tracked_link, ""), {"clicks": Count("*")})


def views_by_page(scope: Scope, period: Period) -> Row:
	"""The pages that were seen most often, without what stands behind ? and # in their addresses."""
	event = frappe.qb.DocType("Visitor Event")
	query = (
		scope.narrow(period.of(frappe.qb.from_(event), event.timestamp), event.domain)
		.where(event.event_type == "PAGE_VIEW")
		.where(event.counted == 1)
	)
	return largest(query, texts.page(event.page_url), {"views": Count("*")})


def sessions_by_referrer(scope: Scope, period: Period) -> Row:
	"""The hosts outside that most sessions came from."""
	session = frappe.qb.DocType("Visitor Session")
	query = scope.narrow(period.of(frappe.qb.from_(session), session.session_start), session.domain).where(
		session.referrer > ""
	)
	found: Counter[str] = Counter()
	hosts = largest(query, texts.host(session.referrer), {"sessions": Count("*")}, limit=HOSTS)
	for row in hosts["lines"]:
		found[texts.plain_host(row["name"])] += row["sessions"]
	total = found.total() + (hosts["others"] or {}).get("sessions", 0)
	lines = [{"name": host, "sessions": sessions} for host, sessions in found.most_common(MOST)]
	return with_others(lines, {"sessions": total})


def sessions_by(scope: Scope, period: Period, field: str) -> Row:
	"""Sessions by a field of Visitor Session; "" is not known."""
	session = frappe.qb.DocType("Visitor Session")
	query = scope.narrow(period.of(frappe.qb.from_(session), session.session_start), session.domain)
	return largest(query, Coalesce(session[field], ""), {"sessions": Count("*")})


def largest(
	query: Any,
	group: Any,
	figures: Mapping[str, Any],
	also: Mapping[str, Any] | None = None,
	limit: int = MOST,
) -> Row:
	"""`lines`: the groups with most of the first of these figures, with their `name`, and `others`: what the groups below have of
	these figures together, None where there are none. What is in `also` cannot be added, and has no sum."""
	terms = {**figures, **(also or {})}
	first = next(iter(figures.values()))
	rows = (
		query.select(group, *terms.values(), *(OfAll(term).over() for term in figures.values()))
		.groupby(group)
		.orderby(first, order=frappe.qb.desc)
		.orderby(group)
		.limit(limit)
		.run()
	)
	lines = [
		{"name": row[0], **{one: int(value or 0) for one, value in zip(terms, row[1:], strict=False)}}
		for row in rows
	]
	totals = [int(value or 0) for value in rows[0][1 + len(terms) :]] if rows else []
	return with_others(lines, dict(zip(figures, totals, strict=False)))


def added(rows: Iterable[Mapping[str, int]], names: Iterable[str]) -> dict[str, int]:
	"""The sums of these figures over rows."""
	rows = list(rows)
	return {name: sum(row[name] for row in rows) for name in names}
