"""Keeps the records that could not be stored, with the reason, until they can be.

After `MAX_ATTEMPTS` a record stays as Failed, to be seen by whoever looks after the site. Nothing is deleted here.
"""

import json
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone, now_datetime

from trackflow.times import site_time

Record = dict[str, Any]

MAX_ATTEMPTS = 5
RETRIED_AT_ONCE = 500
UNREADABLE = 60_000


def keep(record: Record, error: Exception) -> None:
	"""Keep a record that `error` prevented from being stored; a record kept before counts one more attempt."""
	reference = str(record.get("id") or "")[:140]
	message = f"{type(error).__name__}: {error}"
	name = frappe.db.get_value("Click Queue", {"reference": reference, "status": ("!=", "Processed")})
	if name:
		_count_attempt(name, message)
	else:
		_insert_somehow(record, reference, message)
	frappe.logger("trackflow").error("Record %s could not be stored: %s", reference, message)
	frappe.db.commit()


def waiting() -> list[tuple[str, Record]]:
	"""Names and records that wait for another attempt, oldest first."""
	rows = frappe.get_all(
		"Click Queue",
		filters={"status": "Pending"},
		fields=["name", "payload"],
		order_by="creation",
		limit=RETRIED_AT_ONCE,
	)
	return [(row.name, json.loads(row.payload)) for row in rows]


def settle(name: str) -> None:
	"""Mark a kept record as stored."""
	values = {"status": "Processed", "processed_at": now_datetime()}
	frappe.db.set_value("Click Queue", name, values, update_modified=False)
	frappe.db.commit()


def _insert_somehow(record: Record, reference: str, message: str) -> None:
	"""A record that is not even fit to be kept as it is must not hold up the others: its text is kept, as Failed."""
	try:
		_insert(reference, message, _fields(record), json.dumps(record), "Pending")
	except Exception:
		frappe.db.rollback()
		_insert(reference, message, {}, json.dumps({"unreadable": ascii(record)[:UNREADABLE]}), "Failed")


def _fields(record: Record) -> Record:
	return {
		"kind": "Click" if record.get("kind") == "click" else "Event",
		"visitor_id": str(record.get("visitor") or "")[:140],
		"tracked_link": str(record.get("link") or "")[:140],
		"click_timestamp": site_time(float(record["at"]), ZoneInfo(get_system_timezone())),
		"ip_address": record.get("address"),
		"user_agent": record.get("user_agent"),
		"utm_parameters": json.dumps(record.get("utm") or {}),
		"referrer": record.get("referrer"),
	}


def _insert(reference: str, message: str, fields: Record, payload: str, status: str) -> None:
	doc = frappe.new_doc("Click Queue")
	doc.update({**fields, "reference": reference, "payload": payload, "status": status, "attempts": 1})
	doc.error_message = message
	doc.insert(ignore_permissions=True, ignore_links=True)


def _count_attempt(name: str, message: str) -> None:
	attempts = (frappe.db.get_value("Click Queue", name, "attempts") or 0) + 1
	frappe.db.set_value(
		"Click Queue",
		name,
		{
			"attempts": attempts,
			"error_message": message,
			"status": "Failed" if attempts >= MAX_ATTEMPTS else "Pending",
		},
		update_modified=False,
	)
