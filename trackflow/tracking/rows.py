"""Shapes: from a record of the stream to a row, from a row to a hit, from a session to its row and touch point.

Pure but for the site's time zone, which comes in as an argument. A row read back from the database gives the same hit
as the row that was written, so sessions can be derived again at any time.
"""

import json
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from trackflow.inert import inert_row, json_text
from trackflow.naming import key_name, timed_name
from trackflow.times import site_time
from trackflow.tracking.agents import describe
from trackflow.tracking.channels import CLICK_IDS
from trackflow.tracking.parameters import AD_FIELDS, LENGTH, UTM_FIELDS, ads_of, external_ids_of, host_of
from trackflow.tracking.sessions import CLICK, EVENT, Hit, Session

Row = dict[str, Any]

DEVICE_FIELDS = ("device_type", "browser", "os", "country", "region", "city")
_OWN_DETAILS = (*DEVICE_FIELDS, "screen", "viewport")
_PARAMETERS = tuple((field.removeprefix("utm_"), field) for field in UTM_FIELDS)
# Fields that a hit is made from; what `Hit` needs, by DocType.
CLICK_HIT_FIELDS = (
	"visitor_id", "session", "click_timestamp", "destination_url", "referrer", "tracked_link", "campaign", "domain",
	"is_internal", *UTM_FIELDS, *DEVICE_FIELDS,
)  # fmt: skip
EVENT_HIT_FIELDS = (
	"visitor", "session", "timestamp", "event_type", "event_name", "page_url", "referrer", "domain", "click_ref", "click_ids",
	"is_internal", "screen", "viewport", "event_data", *UTM_FIELDS, *DEVICE_FIELDS,
)  # fmt: skip
TOUCH_FROM_SESSION = (
	"channel", "platform", "source", "medium", "campaign", "link_campaign", "term", "content", "referrer",
	"tracked_link", "click_event", "domain",
)  # fmt: skip

# What `Session.derived` sets: the session's row, without its name.
SESSION_FIELDS = (
	"visitor_id", "session_start", "session_end", "page_views", "event_count", "entry_page", "exit_page",
	"duration_seconds", "is_bounce", "tracked_link", "link_campaign", "click_event", "source", "medium", "campaign",
	"term", "content", "channel", "platform", "referrer", "screen", "viewport", "domain", "is_internal",
	*CLICK_IDS, *AD_FIELDS, *DEVICE_FIELDS,
)  # fmt: skip


def event_name(public_key: str, event_id: str) -> str:
	"""The Visitor Event's name: its site key and event id, so that storing it twice is impossible."""
	return key_name("event", public_key, event_id)


def click_row(record: Mapping[str, Any], zone: ZoneInfo) -> Row:
	"""The Click Event of a click record."""
	row = {
		"name": record["id"],
		"visitor_id": record["visitor"] if record["counted"] else None,
		"tracked_link": record["link"],
		"variant": record["variant"],
		"short_code": record["code"],
		"campaign": record["campaign"] or None,
		"event_type": record["event_type"],
		"is_unique": 0,
		"click_timestamp": site_time(record["at"], zone),
		"page_url": record["url"],
		"destination_url": record["destination"],
		**_common(record),
	}
	return inert_row(row)


def event_row(record: Mapping[str, Any], zone: ZoneInfo) -> Row:
	"""The Visitor Event of an event record."""
	row = {
		"name": record["id"],
		"visitor": record["visitor"] if record["counted"] else None,
		"event_id": record["event_id"],
		"event_type": record["event_type"],
		"event_name": record["event_name"],
		"timestamp": site_time(record["at"], zone),
		"received_at": site_time(record["received"], zone),
		"page_url": record["url"],
		"page_title": record["title"],
		"value": record["value"],
		"currency": record["currency"] or None,
		"event_data": json_text(record["properties"]) if record["properties"] else None,
		"form_data": json_text(record["form"]) if record["form"] else None,
		"click_ref": record["click_ref"],
		"click_ids": json_text(record["click_ids"]) if record["click_ids"] else None,
		"screen": record["screen"],
		"viewport": record["viewport"],
		**_common(record),
	}
	return inert_row(row)


def _common(record: Mapping[str, Any]) -> Row:
	agent = None if "device_type" in record else describe(record["user_agent"])
	return {
		"domain": record["domain"] or None,
		"referrer": record["referrer"],
		**{name: record["utm"].get(name, "") for name in UTM_FIELDS},
		"device_type": agent.device_type if agent else record["device_type"],
		"browser": agent.browser if agent else record["browser"],
		"os": agent.os if agent else record["os"],
		**{name: record.get(name) or "" for name in ("country", "region", "city")},
		"ip_address": record["address"],
		"user_agent": record["user_agent"],
		"is_bot": int(record["is_bot"]),
		"bot_reason": record["bot_reason"],
		"is_internal": int(record["is_internal"]),
		"counted": int(record["counted"]),
	}


def click_hit(row: Mapping[str, Any]) -> Hit:
	"""The hit of a counted Click Event."""
	return Hit(
		id=row["name"],
		at=row["click_timestamp"],
		kind=CLICK,
		url=row["destination_url"] or "",
		referrer=row["referrer"] or "",
		tracked_link=row["tracked_link"] or "",
		link_campaign=row["campaign"] or "",
		external_ids=external_ids_of(row["destination_url"] or ""),
		details=_details(row, row["destination_url"] or ""),
		**_parameters(row),
	)


def event_hit(row: Mapping[str, Any]) -> Hit:
	"""The hit of a counted Visitor Event. A referrer on the page's own host is no referrer."""
	referrer = row["referrer"] or ""
	click_ids = _json(row["click_ids"])
	return Hit(
		id=row["name"],
		at=row["timestamp"],
		kind=EVENT,
		event_type=row["event_type"],
		event_name=row["event_name"] or "",
		url=row["page_url"] or "",
		referrer="" if _same_host(referrer, row["page_url"] or "") else referrer,
		click_ids=tuple((name, click_ids[name]) for name in CLICK_IDS if click_ids.get(name)),
		click_ref=row["click_ref"] or "",
		external_ids=external_ids_of(row["page_url"] or "", referrer),
		details=_details(row, row["page_url"] or "", referrer),
		**_parameters(row),
	)


def session_row(visitor_id: str, session: Session) -> Row:
	"""The Visitor Session of a session; its name follows from its start, the visitor and the first hit. Figures of days find it by that."""
	row = {
		"name": timed_name(session.start, "session", visitor_id, session.first.id),
		"visitor_id": visitor_id,
		**session.derived(),
	}
	return inert_row(row)


def touch_row(session: Mapping[str, Any]) -> Row:
	"""The one touch point of a Visitor Session's row (TCH-1)."""
	click_id = next(((name, session[name]) for name in CLICK_IDS if session.get(name)), ("", ""))
	return {
		"name": timed_name(session["session_start"], "touch", session["name"]),
		"session": session["name"],
		"visitor_id": session["visitor_id"],
		"occurred_at": session["session_start"],
		**{name: session.get(name) or None for name in TOUCH_FROM_SESSION},
		"click_id_type": click_id[0],
		"click_id": click_id[1],
		"landing_url": session["entry_page"],
		"is_direct": int(session["channel"] == "Direct"),
	}


def _parameters(row: Mapping[str, Any]) -> dict[str, str]:
	return {name: row[field] or "" for name, field in _PARAMETERS}


def _details(row: Mapping[str, Any], *urls: str) -> tuple[tuple[str, object], ...]:
	"""Device, place and advertisement; what the website itself says of the ad goes before what its address says."""
	said, ads = _json(row.get("event_data")), ads_of(*urls)
	return (
		*[(name, row.get(name) or "") for name in _OWN_DETAILS],
		*[(name, str(said.get(name) or ads.get(name) or "")[:LENGTH]) for name in AD_FIELDS],
		("domain", row["domain"] or None),
		("is_internal", int(row["is_internal"] or 0)),
	)


def _json(text: Any) -> dict[str, Any]:
	value = json.loads(text) if isinstance(text, str) and text else text
	return value if isinstance(value, dict) else {}


def _same_host(one: str, other: str) -> bool:
	return host_of(one).removeprefix("www.") == host_of(other).removeprefix("www.")
