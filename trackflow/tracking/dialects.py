"""Other spellings of an event that the collector takes, put into ours: `eventType`, `siteId`, `eventData`, `anonId`. Pure.

Whatever is in the body, the answer is a dict; what is wrong in it is said by whoever reads it. Bodies in our own spelling pass
unchanged.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from trackflow.tracking.identity import is_visitor_id

BATCH = "batch"
# Our name, and how others write it, best first.
_SPELLINGS = {
	"publicKey": ("publicKey", "siteId", "site_id", "pixelId", "pixel_id", "clientId", "client_id"),
	"eventId": ("eventId", "event_id"),
	"visitorId": ("visitorId", "visitor_id"),
	"anonymousId": ("anonymousId", "anonId", "anon_id"),
	"sessionId": ("sessionId", "session_id"),
	"sentAt": ("sentAt", "sent_at"),
	"policyVersion": ("policyVersion", "policy_version"),
}  # fmt: skip
_SAME = (
	"timestamp", "consent", "url", "title", "referrer", "screen", "viewport", "value", "valueMicros", "currency", "name",
)  # fmt: skip
# What a batch says once for all its events.
_COMMON = (
	"visitorId",
	"anonymousId",
	"sessionId",
	"consent",
	"url",
	"title",
	"referrer",
	"screen",
	"viewport",
)
_TYPES = {
	"pageview": "PAGE_VIEW",
	"page_view": "PAGE_VIEW",
	"page": "PAGE_VIEW",
	"form_submit": "FORM_SUBMIT",
	"identify": "IDENTIFY",
	"consent": "CONSENT",
	"conversion": "CONVERSION",
	"purchase": "CONVERSION",
}


def translated(data: dict[str, Any], origin: str, received: float) -> dict[str, Any]:
	"""A body in our spelling. `origin` is the page's, for a `path` without a host; `received` tells events apart that have
	neither an id nor a time."""
	if "eventType" not in data and "event_type" not in data:
		return data
	outer = _renamed(data, origin)
	events = data.get("events")
	if data.get("eventType", data.get("event_type")) != BATCH:
		return {**outer, "events": [_event(data, {}, origin, received, 0)]}
	if not isinstance(events, list):
		return {**outer, "events": events}
	common = {name: outer[name] for name in _COMMON if name in outer}
	return {
		**outer,
		"events": [
			_event(one, common, origin, received, index) if isinstance(one, dict) else one
			for index, one in enumerate(events)
		],
	}


def _event(
	raw: dict[str, Any], common: Mapping[str, Any], origin: str, received: float, index: int
) -> dict[str, Any]:
	event = {**common, **_renamed(raw, origin)}
	spelled = raw.get("eventType", raw.get("event_type"))
	if isinstance(spelled, str):
		event["type"] = _TYPES.get(spelled.lower(), "CUSTOM")
		if event["type"] in ("CUSTOM", "CONVERSION"):
			event.setdefault("name", spelled)
	else:
		event["type"] = spelled
	properties = raw.get("eventData", raw.get("event_data"))
	if properties is not None:
		event["properties"] = properties
		if event["type"] == "CONVERSION" and isinstance(properties, dict):
			event = {
				**{name: properties[name] for name in ("value", "currency") if name in properties},
				**event,
			}
	event.setdefault("eventId", _id_of(event, received, index))
	return event


def _renamed(raw: dict[str, Any], origin: str) -> dict[str, Any]:
	page = raw.get("page_data", raw.get("pageData"))
	found = (
		{name: page[name] for name in ("url", "title", "referrer") if name in page}
		if isinstance(page, dict)
		else {}
	)
	found |= {name: raw[name] for name in _SAME if name in raw}
	for name, spellings in _SPELLINGS.items():
		for spelling in spellings:
			if raw.get(spelling) is not None:
				found[name] = raw[spelling]
				break
	if isinstance(found.get("visitorId"), str) and not is_visitor_id(found["visitorId"]):
		# Theirs are not made as ours are.
		found.setdefault("anonymousId", found["visitorId"])
		del found["visitorId"]
	path = raw.get("path")
	if "url" not in found and isinstance(path, str) and path.startswith("/") and origin:
		found["url"] = f"{origin}{path}"
	return found


def _id_of(event: dict[str, Any], received: float, index: int) -> str:
	"""The id of an event that brings none: of what it says and when it happened, so that sending it again does not double
	it. Without a time of its own each is another."""
	when = "" if event.get("timestamp") is not None else f"{received!r} {index}"
	text = json.dumps(event, sort_keys=True) + when
	return hashlib.sha256(text.encode()).hexdigest()[:32]
