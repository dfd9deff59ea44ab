"""A batch of events as it travels on the stream, and the records that a drain makes of it. Pure.

`packed` holds what all events share once, so that whoever takes events does little; `unpacked` gives the records that are
stored. What privacy forbids was left out before: nothing here decides it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trackflow.tracking import identity
from trackflow.tracking.events import Event
from trackflow.tracking.parameters import click_ids_of, click_reference_of, utm_of
from trackflow.tracking.rows import event_name

Record = dict[str, Any]

KIND = "events"


def packed(
	events: list[tuple[int, Event]],
	callers: list[Record],
	public_key: str,
	domain: str,
	received: float,
	policy_version: str,
) -> Record:
	"""Events, each with the place of its caller, as one record. An event with a `visitor_id` is that visitor's, else the
	caller's."""
	return {
		"kind": KIND,
		"key": public_key,
		"domain": domain,
		"received": received,
		"policy": policy_version,
		"callers": callers,
		"events": events,
	}


def unpacked(record: Record, click_secret: Callable[[], bytes]) -> Iterator[Record]:
	"""The records of a record: of a batch its events, of anything else itself."""
	if record.get("kind") != KIND:
		yield record
		return
	secret = click_secret()
	for place, event in record["events"]:
		yield _record(event, record, record["callers"][place], secret)


def _record(event: Mapping[str, Any], batch: Record, caller: Record, secret: bytes) -> Record:
	url, referrer = event.get("url", ""), event.get("referrer", "")
	record = {
		"kind": "event",
		"id": event_name(batch["key"], event["event_id"]),
		"event_id": event["event_id"],
		"at": event["at"],
		"received": batch["received"],
		"domain": batch["domain"],
		"event_type": event["type"],
		"event_name": event.get("name", ""),
		"url": url,
		"title": event.get("title", ""),
		"referrer": referrer,
		"value": event.get("value", "0"),
		"currency": event.get("currency", ""),
		"properties": _properties(event, batch["policy"]),
		"form": event.get("form"),
		"screen": event.get("screen", ""),
		"viewport": event.get("viewport", ""),
		"click_ref": identity.read_click(click_reference_of(url), secret) or "",
		"click_ids": click_ids_of(url, referrer),
		"utm": utm_of(url, referrer),
		"person": _person(event, batch["policy"]),
		**caller,
	}
	if visitor := event.get("visitor_id"):
		record["visitor"] = visitor
		if event["type"] == "CONSENT":
			record["cookieless"] = False
	return record


def _properties(event: Mapping[str, Any], policy_version: str) -> Record | None:
	"""What is kept as the event's data: of consent the answer and the policy's version, so that its history can be read."""
	properties = event.get("properties")
	consent = event.get("consent")
	if event["type"] != "CONSENT" or not consent:
		return properties
	return {**(properties or {}), "consent": consent, "policy_version": _version(event, policy_version)}


def _version(event: Mapping[str, Any], policy_version: str) -> str:
	"""To which policy the event says yes or no: the one it names, else that of the settings; a number as its digits."""
	return str(event.get("policy_version", policy_version))


def _person(event: Mapping[str, Any], policy_version: str) -> Record:
	"""What the event says of the visitor, by field of Visitor. A policy version stands by consent that is given or withdrawn:
	other events carry what was said once, whenever that was."""
	person: Record = {}
	if consent := event.get("consent"):
		person["consent_status"] = consent.capitalize()
		if event["type"] == "CONSENT":
			person["consent_policy_version"] = _version(event, policy_version)
	if email := event.get("email"):
		person |= {"contact_email": email, "contact_name": event.get("full_name", "")}
	return person
