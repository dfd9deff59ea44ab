"""A person's journey in the order of time: sessions with their events and clicks, other clicks, conversions. Reads only.

A page of it takes a bounded number of statements and rows, however long the journey is. Says nothing of who the person is;
who may read it is the caller's to ask.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone

from trackflow import bulk
from trackflow.times import iso

Row = dict[str, Any]

# What one person's browsers may be, and what one session shows of its events and clicks.
MOST_VISITORS = 100
MOST_HITS = 100
# How far a journey can be paged: each page reads what lies before it.
MOST_ENTRIES = 5_000

VISITOR_FIELDS = (
	"first_seen", "last_seen", "page_views", "engagement_score", "has_converted", "conversion_count", "country",
	"is_cookieless", "is_internal", "consent_status", "consent_at", "consent_policy_version", "channel", "source", "medium",
	"campaign", "last_channel", "last_source", "last_medium", "last_campaign",
)  # fmt: skip
SESSION_FIELDS = (
	"visitor_id", "session_start", "session_end", "duration_seconds", "page_views", "event_count", "is_bounce", "domain",
	"entry_page", "exit_page", "channel", "platform", "source", "medium", "campaign", "term", "content", "referrer",
	"tracked_link", "link_campaign", "device_type", "browser", "os", "country", "region", "city",
)  # fmt: skip
EVENT_FIELDS = (
	"name", "timestamp", "event_type", "event_name", "page_url", "page_title", "referrer", "value", "currency", "session",
)  # fmt: skip
CLICK_FIELDS = (
	"name", "click_timestamp", "event_type", "tracked_link", "short_code", "campaign", "variant", "destination_url",
	"referrer", "session", "visitor_id",
)  # fmt: skip
TOUCH_FIELDS = ("name", "occurred_at", "channel", "platform", "is_direct", "click_id_type", "session")
TOUCH_POINT_FIELDS = (
	"name", "visitor_id", "occurred_at", "channel", "platform", "source", "medium", "campaign", "link_campaign",
	"tracked_link", "is_direct", "session",
)  # fmt: skip
CONVERSION_FIELDS = (
	"name", "visitor", "conversion_date", "conversion_type", "value", "currency", "attribution_status", "crm_lead", "crm_deal",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Source:
	"""A DocType whose rows are entries of the journey, and the index that finds them in order."""

	kind: str
	doctype: str
	visitor: str
	at: str
	fields: tuple[str, ...]
	filters: tuple[tuple[str, Any], ...] = ()


_SOURCES = (
	_Source("session", "Visitor Session", "visitor_id", "session_start", SESSION_FIELDS),
	# Clicks of a session stand in it; those that led nowhere known stand for themselves.
	_Source(
		"click", "Click Event", "visitor_id", "click_timestamp", CLICK_FIELDS, (("session", ("is", "not set")),)
	),
	_Source("conversion", "Conversion", "visitor", "conversion_date", CONVERSION_FIELDS),
)  # fmt: skip


def visitors(ids: Collection[str]) -> list[Row]:
	"""These visitors, first seen first."""
	zone = ZoneInfo(get_system_timezone())
	# Not by get_all: Frappe v15 drops every field whose name holds "_seen", which it takes for a column of its own.
	rows = bulk.load("Visitor", {"name": ("in", sorted(ids))}, VISITOR_FIELDS).values() if ids else ()
	in_order = sorted(rows, key=lambda row: (row.first_seen or datetime.min, row.name))
	return [_spoken(row, zone) for row in in_order[:MOST_VISITORS]]


def entries(
	ids: Collection[str], start: int, limit: int, period: tuple[datetime, datetime] | None = None
) -> tuple[list[Row], bool]:
	"""The entries from `start` on, oldest first, and whether more come after them; of a period those that begin in it."""
	if not ids:
		# Frappe takes "in nothing" for rows without a visitor: these are other people's.
		return [], False
	wanted = min(start + limit, MOST_ENTRIES) + 1
	found = [
		(at, one.kind, name, one) for one in _SOURCES for name, at in _keys(one, sorted(ids), wanted, period)
	]
	found.sort(key=itemgetter(0, 1, 2))
	page = found[start : min(start + limit, MOST_ENTRIES)]
	rows = {one.kind: _rows(one, [name for _at, _kind, name, of in page if of is one]) for one in _SOURCES}
	_fill(rows["session"])
	zone = ZoneInfo(get_system_timezone())
	entries = [
		{"kind": kind, "at": iso(at, zone), **_spoken(rows[kind][name], zone)}
		for at, kind, name, _one in page
	]
	return entries, len(found) > start + len(page)


def touch_points(
	ids: Collection[str], first: date | None = None, last: date | None = None, limit: int = MOST_ENTRIES
) -> tuple[list[Row], int]:
	"""The last touch points of these visitors in a range of days, both included, in the order of time; and how many there are."""
	if not ids:
		return [], 0
	filters: list[list[Any]] = [["visitor_id", "in", sorted(ids)]]
	if first:
		filters.append(["occurred_at", ">=", datetime.combine(first, time.min)])
	if last:
		filters.append(["occurred_at", "<", datetime.combine(last + timedelta(days=1), time.min)])
	rows = frappe.get_all(
		"Touch Point",
		filters=filters,
		fields=list(TOUCH_POINT_FIELDS),
		order_by="occurred_at desc, name desc",
		limit=limit,
	)
	zone = ZoneInfo(get_system_timezone())
	return [_spoken(row, zone) for row in reversed(rows)], frappe.db.count("Touch Point", filters)


def _keys(
	source: _Source, ids: list[str], limit: int, period: tuple[datetime, datetime] | None
) -> Iterable[tuple[str, datetime]]:
	filters = [[source.visitor, "in", ids], *([field, *wanted] for field, wanted in source.filters)]
	if period:
		filters += [[source.at, ">=", period[0]], [source.at, "<", period[1]]]
	rows = frappe.get_all(
		source.doctype,
		filters=filters,
		fields=["name", source.at],
		order_by=f"{source.at}, name",
		limit=limit,
	)
	return ((row.name, row[source.at]) for row in rows)


def _rows(source: _Source, names: list[str]) -> dict[str, Row]:
	if not names:
		return {}
	rows = frappe.get_all(
		source.doctype, filters={"name": ("in", names)}, fields=["name", *source.fields], order_by="name"
	)
	return {row.name: row for row in rows}


def _fill(sessions: dict[str, Row]) -> None:
	"""Give sessions their events, clicks and touch point."""
	if not sessions:
		return
	events = _hits("Visitor Event", "timestamp", EVENT_FIELDS, sessions)
	clicks = _hits("Click Event", "click_timestamp", CLICK_FIELDS, sessions)
	touches = frappe.get_all(
		"Touch Point", filters={"session": ("in", list(sessions))}, fields=list(TOUCH_FIELDS), order_by="name"
	)
	touch_of = {touch.session: touch for touch in touches}
	for name, session in sessions.items():
		session["events"], session["clicks"] = events[name], clicks[name]
		session["touch_point"] = touch_of.get(name)


def _hits(doctype: str, at: str, fields: tuple[str, ...], sessions: dict[str, Row]) -> dict[str, list[Row]]:
	"""The first hits of each session: of all at once, but of a session that has many by itself."""
	hits: dict[str, list[Row]] = defaultdict(list)
	long = [name for name, row in sessions.items() if row["event_count"] > MOST_HITS]
	short = sorted(sessions.keys() - set(long))
	for names in filter(None, (short, *([name] for name in long))):
		rows = frappe.get_all(
			doctype,
			filters={"session": ("in", names)},
			fields=list(fields),
			order_by=f"{at}, name",
			limit=MOST_HITS * len(names),
		)
		for row in rows:
			if len(hits[row.session]) < MOST_HITS:
				hits[row.session].append(row)
	return hits


def _spoken(value: Any, zone: ZoneInfo) -> Any:
	"""A row as the API speaks: times with the site's offset, whatever is in it too."""
	if isinstance(value, datetime):
		return iso(value, zone)
	if isinstance(value, dict):
		return {key: _spoken(one, zone) for key, one in value.items()}
	return [_spoken(one, zone) for one in value] if isinstance(value, list) else value
