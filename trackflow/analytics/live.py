"""The last minutes, and the newest of what happened: clicks of people and events, as they are stored.

What is told of a hit says nothing of who it was: no address, no agent, no form, and pages without what stands behind ? in their
addresses. The visitor's id is for those who may read visitors; the caller says whether it is given.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.query_builder.functions import Coalesce, Count
from frappe.utils import get_system_timezone, now_datetime
from pypika.functions import Cast
from pypika.terms import Function, LiteralValue

from trackflow.analytics import links
from trackflow.analytics.scope import Scope
from trackflow.analytics.sums import largest
from trackflow.times import iso
from trackflow.tracking import texts
from trackflow.tracking.click_figures import is_human, number

Row = dict[str, Any]

DOCTYPES = ("Click Event", "Visitor Event", "Visitor Session")
MINUTES = 30
NEWEST = 20
# As long as "2026-03-02 12:30".
_MINUTE = 16
_EVENT_FIELDS = (
	"name", "timestamp", "event_type", "event_name", "page_url", "page_title", "referrer", "domain", "country", "device_type",
	"visitor",
)  # fmt: skip
_CLICK_FIELDS = (
	"name", "click_timestamp", "event_type", "tracked_link", "short_code", "campaign", "referrer", "domain", "country",
	"device_type", "visitor_id",
)  # fmt: skip


def realtime(scope: Scope, tells_visitors: bool) -> Row:
	"""The last 30 minutes as JSON."""
	now = now_datetime()
	# Whole minutes, the present one among them.
	since = now.replace(second=0, microsecond=0) - timedelta(minutes=MINUTES - 1)
	hits = _hits(scope, since)
	clicked = _links(scope, since)
	return {
		**scope.named,
		"since": iso(since, _zone()),
		"active_visitors": frappe.qb.from_(hits).select(Count(hits.visitor).distinct()).run()[0][0],
		"by_minute": _by_minute(hits, since),
		"pages": _pages(scope, since),
		"channels": _channels(hits),
		"links": {**clicked, "lines": links.labelled(clicked["lines"])},
		"newest": newest(scope, since, now, NEWEST, tells_visitors),
	}


def newest(scope: Scope, since: datetime, until: datetime, limit: int, tells_visitors: bool) -> list[Row]:
	"""The newest clicks and events from `since` until `until`, newest first."""
	found = [*_newest_events(scope, since, until, limit), *_newest_clicks(scope, since, until, limit)]
	found.sort(key=lambda row: (row["at"], row["name"]), reverse=True)
	zone = _zone()
	for row in found[:limit]:
		row["at"] = iso(row["at"], zone)
		if not tells_visitors:
			del row["visitor_id"]
	return found[:limit]


def _hits(scope: Scope, since: datetime) -> Any:
	"""Every hit of a person since then: `visitor`, `session`, `at`, and whether it is a click."""
	event, click = frappe.qb.DocType("Visitor Event"), frappe.qb.DocType("Click Event")
	events = (
		frappe.qb.from_(event)
		.select(
			event.visitor.as_("visitor"),
			event.session.as_("session"),
			event.timestamp.as_("at"),
			LiteralValue("0").as_("is_click"),
		)
		.where((event.timestamp >= since) & (event.counted == 1))
	)
	clicks = (
		frappe.qb.from_(click)
		.select(click.visitor_id, click.session, click.click_timestamp, LiteralValue("1"))
		.where((click.click_timestamp >= since) & is_human(click))
	)
	return scope.narrow(events, event.domain).union_all(scope.narrow(clicks, click.domain)).as_("hits")


def _by_minute(hits: Any, since: datetime) -> list[Row]:
	"""A line for each minute, those without a hit too."""
	minute = Function("SUBSTR", Cast(hits.at, "CHAR"), 1, _MINUTE)
	rows = (
		frappe.qb.from_(hits)
		.select(
			minute, Count(hits.visitor).distinct(), number(hits.is_click == 0), number(hits.is_click == 1)
		)
		.groupby(minute)
		.run()
	)
	found = {row[0]: row[1:] for row in rows}
	zone = _zone()
	moments = (since + timedelta(minutes=number) for number in range(MINUTES))
	return [
		{
			"minute": iso(moment, zone),
			**dict(
				zip(
					("visitors", "events", "clicks"),
					map(int, found.get(str(moment)[:_MINUTE], (0, 0, 0))),
					strict=True,
				)
			),
		}
		for moment in moments
	]


def _pages(scope: Scope, since: datetime) -> Row:
	event = frappe.qb.DocType("Visitor Event")
	query = (
		frappe.qb.from_(event)
		.where((event.timestamp >= since) & (event.counted == 1))
		.where(event.event_type == "PAGE_VIEW")
	)
	visitors = Count(event.visitor).distinct()
	return largest(
		scope.narrow(query, event.domain),
		texts.page(event.page_url),
		{"views": Count("*")},
		{"visitors": visitors},
	)


def _channels(hits: Any) -> list[Row]:
	"""Through which channels those came who are there now; a visitor counts once in each."""
	session = frappe.qb.DocType("Visitor Session")
	channel, visitors = Coalesce(session.channel, ""), Count(hits.visitor).distinct()
	rows = (
		frappe.qb.from_(hits)
		.join(session)
		.on(session.name == hits.session)
		.select(channel, visitors)
		.groupby(channel)
		.orderby(visitors, order=frappe.qb.desc)
		.orderby(channel)
		.run()
	)
	return [{"channel": name, "visitors": visitors} for name, visitors in rows]


def _links(scope: Scope, since: datetime) -> Row:
	click = frappe.qb.DocType("Click Event")
	query = frappe.qb.from_(click).where((click.click_timestamp >= since) & is_human(click))
	return largest(
		scope.narrow(query, click.domain), Coalesce(click.tracked_link, ""), {"clicks": Count("*")}
	)


def _newest_events(scope: Scope, since: datetime, until: datetime, limit: int) -> Iterator[Row]:
	event = frappe.qb.DocType("Visitor Event")
	query = frappe.qb.from_(event).where(event.counted == 1)
	for row in _latest(scope, query, event, event.timestamp, _EVENT_FIELDS, since, until, limit):
		yield {
			"kind": "event",
			"name": row.name,
			"at": row.timestamp,
			"type": row.event_type,
			"event_name": row.event_name,
			"page": texts.plain_page(row.page_url),
			"title": row.page_title,
			**_common(row),
			"visitor_id": row.visitor,
		}


def _newest_clicks(scope: Scope, since: datetime, until: datetime, limit: int) -> Iterator[Row]:
	click = frappe.qb.DocType("Click Event")
	query = frappe.qb.from_(click).where(is_human(click))
	for row in _latest(scope, query, click, click.click_timestamp, _CLICK_FIELDS, since, until, limit):
		yield {
			"kind": "click",
			"name": row.name,
			"at": row.click_timestamp,
			"type": row.event_type,
			"tracked_link": row.tracked_link,
			"short_code": row.short_code,
			"campaign": row.campaign,
			**_common(row),
			"visitor_id": row.visitor_id,
		}


def _latest(
	scope: Scope,
	query: Any,
	table: Any,
	at: Any,
	fields: tuple[str, ...],
	since: datetime,
	until: datetime,
	limit: int,
) -> list[Row]:
	return (
		scope.narrow(query, table.domain)
		.where((at >= since) & (at <= until))
		.select(*(table[field] for field in fields))
		.orderby(at, table.name, order=frappe.qb.desc)
		.limit(limit)
		.run(as_dict=True)
	)


def _common(row: Row) -> Row:
	return {
		"referrer": texts.plain_page(row["referrer"]),
		**{field: row[field] for field in ("domain", "country", "device_type")},
	}


def _zone() -> ZoneInfo:
	return ZoneInfo(get_system_timezone())
