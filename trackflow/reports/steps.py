"""A journey as lines, one for each step: visits, clicks, events, conversions (RPT-1). Pure.

Reads the entries of `tracking.timeline`. Whatever visitors say is made neutral for spreadsheets.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from trackflow.links.csv_text import neutral

Row = dict[str, Any]

VISIT, CONVERSION, EVENT = "Visit", "Conversion", "Event"
# What an event is called by its type; of others by EVENT.
EVENTS = {
	"PAGE_VIEW": "Page View", "FORM_SUBMIT": "Form", "CONVERSION": "Conversion Event", "IDENTIFY": "Identified", "CONSENT": "Consent",
}  # fmt: skip
# Of one moment, in this order.
_KINDS = ("session", "click", "event", "conversion")


def lines(entries: Iterable[Mapping[str, Any]]) -> list[Row]:
	"""The steps of these entries by time."""
	found = [line for entry in entries for line in _of(entry)]
	return sorted(found, key=lambda line: (line["at"], _KINDS.index(line["kind"])))


def by_person(found: Iterable[Row], person_of: Mapping[str, str]) -> list[Row]:
	"""The same lines person after person, in the order in which they first came."""
	places: dict[str, int] = {}
	in_order = list(found)
	for line in in_order:
		places.setdefault(person_of.get(line["visitor"], line["visitor"]), len(places))
	return sorted(in_order, key=lambda line: places[person_of.get(line["visitor"], line["visitor"])])


def is_shortened(entries: Iterable[Mapping[str, Any]]) -> bool:
	"""Whether a visit has more events than it shows."""
	return any((entry.get("event_count") or 0) > len(entry.get("events") or ()) for entry in entries)


def _of(entry: Mapping[str, Any]) -> Iterator[Row]:
	kind = entry["kind"]
	if kind == "session":
		visitor = entry["visitor_id"]
		touch = entry.get("touch_point") or {}
		yield _line(
			"session", entry["at"], visitor, VISIT, entry["domain"], entry["entry_page"],
			channel=touch.get("channel") or entry["channel"], source=entry["source"], medium=entry["medium"],
			campaign=entry["link_campaign"] or entry["campaign"],
		)  # fmt: skip
		yield from (_click(one, visitor) for one in entry.get("clicks") or ())
		yield from (_event(one, visitor) for one in entry.get("events") or ())
	elif kind == "click":
		yield _click(entry, entry["visitor_id"])
	else:
		yield _line(
			"conversion", entry["at"], entry["visitor"], CONVERSION, entry["conversion_type"], "",
			value=entry["value"], currency=entry["currency"], lead=entry.get("crm_lead"), deal=entry.get("crm_deal"),
		)  # fmt: skip


def _click(click: Mapping[str, Any], visitor: str) -> Row:
	at, code, page = click["click_timestamp"], click["short_code"], click["destination_url"]
	return _line("click", at, visitor, click["event_type"] or "Click", code, page, campaign=click["campaign"])


def _event(event: Mapping[str, Any], visitor: str) -> Row:
	# What a conversion event is worth stands in the line of its conversion.
	has_value = event["event_type"] != "CONVERSION" and event["value"]
	return _line(
		"event", event["timestamp"], visitor, EVENTS.get(event["event_type"], EVENT),
		event["event_name"] or event["page_title"], event["page_url"],
		value=event["value"] if has_value else None, currency=event["currency"] if has_value else None,
	)  # fmt: skip


def _line(
	kind: str, at: str, visitor: str, step: str, what: str | None, page: str | None, **more: Any
) -> Row:
	texts = {"what": what, "page": page, **{name: more.get(name) for name in _TEXTS}}
	return {
		"kind": kind,
		# The site's time, as the desk shows it.
		"at": datetime.fromisoformat(at).replace(tzinfo=None),
		"visitor": visitor,
		"step": step,
		**{name: neutral(text or "") for name, text in texts.items()},
		"value": more.get("value") or None,
	}


_TEXTS = ("channel", "source", "medium", "campaign", "currency", "lead", "deal")
