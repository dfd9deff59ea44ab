"""Which events webhooks tell, what they tell of each, and the messages that these become (WHK-1). Pure.

A message holds items of one event, in a bounded number and size, so that a batch of clicks is a few messages and not thousands. Of
persons it holds the ids that TrackFlow's own API speaks of, never a name or an address: who may know more asks with the key.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from trackflow.costs.exchange import as_number
from trackflow.times import iso
from trackflow.tracking.parameters import host_of

Item = dict[str, Any]
Row = Mapping[str, Any]

MOST_ITEMS = 500
# Of the items of one message. A single item is smaller by far, as every field has its length.
MOST_BYTES = 256 * 1024
PING = "ping"


class Event(NamedTuple):
	"""What a key's webhook needs for it: a scope, and that the key's user may read these documents. `by_document`: each item is of
	one of them, whose name it goes by; else it is told to whoever may read any."""

	scope: str
	doctype: str
	by_document: bool = True


EVENTS = {
	"link.created": Event("links:read", "Tracked Link"),
	"link.clicked": Event("events:read", "Click Event"),
	"visitor.identified": Event("events:read", "Visitor"),
	"lead.attributed": Event("conversions:read", "CRM Lead"),
	"conversion.created": Event("conversions:read", "Conversion"),
	"deal.won": Event("conversions:read", "CRM Deal"),
	"campaign.updated": Event("campaigns:read", "Link Campaign"),
	"waste.detected": Event("costs:read", "Daily Rollup", by_document=False),
	"limit.exceeded": Event("admin:read", "API Request Log", by_document=False),
}


class Message(NamedTuple):
	"""What is sent, as text, under an id that its receiver sees; how many items it holds."""

	id: str
	text: str
	items: int


def messages(
	event: str, items: Sequence[Item], created_at: str, new_id: Callable[[], str]
) -> Iterator[Message]:
	"""The messages that tell these items, in their order; of none at all one message without items."""
	texts = [json.dumps(item, separators=(",", ":"), default=str) for item in items]
	for some in _portions(texts) or [[]]:
		name = new_id()
		head = json.dumps({"id": name, "event": event, "created_at": created_at}, separators=(",", ":"))
		yield Message(name, f'{head[:-1]},"items":[{",".join(some)}]}}', len(some))


def is_message(text: str | None) -> bool:
	"""Whether a text is a message as `messages` makes them."""
	try:
		return isinstance(json.loads(text or "")["items"], list)
	except (ValueError, KeyError, TypeError):
		return False


def narrowed(text: str, keeps: Callable[[str], bool]) -> tuple[str, int]:
	"""A message's text with the items alone of whose text that is so, and how many these are."""
	message = json.loads(text)
	message["items"] = [item for item in message["items"] if keeps(json.dumps(item))]
	return json.dumps(message, separators=(",", ":")), len(message["items"])


def _portions(texts: Sequence[str]) -> list[list[str]]:
	"""In order, each within what a message may hold. JSON is ASCII here, so a character is a byte."""
	found: list[list[str]] = []
	size = 0
	for text in texts:
		size += len(text) + 1
		if not found or len(found[-1]) == MOST_ITEMS or size > MOST_BYTES:
			found.append([])
			size = len(text) + 1
		found[-1].append(text)
	return found


# What is told of a row. The documents' fields keep their names, but a document is told by what it is: "link", "conversion".


def link(row: Row, short_url: str, zone: ZoneInfo) -> Item:
	return {
		"link": row["name"],
		**_fields(row, ("title", "short_code", "target_url", "destination_url", "campaign", "domain")),
		"short_url": short_url,
		"created_at": _at(row["creation"], zone),
	}


def click(row: Row, zone: ZoneInfo) -> Item:
	"""A person's click, by its stored row. Who it was is not told: a click is nobody's until there is more."""
	return {
		"click": row["name"],
		"link": row["tracked_link"],
		**_fields(row, ("short_code", "variant", "campaign", "domain", "event_type", "country")),
		**_fields(row, ("device_type", "browser", "os")),
		"referrer_host": host_of(row["referrer"] or "") or None,
		"is_unique": bool(row["is_unique"]),
		"clicked_at": _at(row["click_timestamp"], zone),
	}


def identified(visitor: str, by: str, at: datetime, zone: ZoneInfo) -> Item:
	"""A visitor of whom it is known from now on who it is: `by` "email" or "lead"."""
	return {"visitor": visitor, "by": by, "identified_at": _at(at, zone)}


def conversion(row: Row, zone: ZoneInfo) -> Item:
	return {
		"conversion": row["name"],
		"type": row["conversion_type"],
		"visitor": row.get("visitor") or None,
		"link": row.get("tracked_link") or None,
		**_money(row),
		"converted_at": _at(row["conversion_date"], zone),
	}


def lead(name: str, row: Row, zone: ZoneInfo) -> Item:
	"""A lead and the fields that its credits gave it."""
	return {
		"lead": name,
		**{key: row.get(f"trackflow_{key}") or None for key in ("source", "medium", "campaign")},
		"touch_count": row.get("trackflow_touch_count") or 0,
		"first_touch_at": _at(row.get("trackflow_first_touch_date"), zone),
		"last_touch_at": _at(row.get("trackflow_last_touch_date"), zone),
	}


def deal(name: str, row: Row, zone: ZoneInfo) -> Item:
	"""A won deal, by its conversion."""
	return {
		"deal": name,
		"lead": row.get("crm_lead") or None,
		**_money(row),
		"won_at": _at(row["conversion_date"], zone),
	}


def campaign(row: Row, changed: Sequence[str]) -> Item:
	fields = ("campaign_id", "status", "platform", "budget", "currency", "start_date", "end_date")
	told = {key: str(row[key]) if key.endswith("_date") and row.get(key) else row.get(key) for key in fields}
	return {"campaign": row["name"], **told, "changed": sorted(changed)}


def waste(name: str, finding: Row, currency: str) -> Item:
	"""A finding as `get_waste` answers it, in short, under a name that stays while campaign, reason and severity do."""
	fields = (
		"platform",
		"campaign",
		"reason",
		"severity",
		"waste_spend",
		"waste_share",
		"words",
		"recommendation",
	)
	return {"finding": name, **{key: finding[key] for key in fields}, "currency": currency}


def limit(
	endpoint: str, key: str | None, refused: int, until: datetime, minutes: int, zone: ZoneInfo
) -> Item:
	"""How often a limit refused requests in the minutes up to that moment: of an endpoint, or of one API key."""
	return {
		"limit": endpoint,
		"key": key,
		"refused": refused,
		"minutes": minutes,
		"until": _at(until, zone),
	}


def _fields(row: Row, names: Sequence[str]) -> Item:
	return {name: row.get(name) or None for name in names}


def _money(row: Row) -> Item:
	value = as_number(Decimal(str(row.get("value") or 0)))
	return {"value": value, "currency": row.get("currency") or None}


def _at(moment: datetime | None, zone: ZoneInfo) -> str | None:
	return iso(moment, zone)
