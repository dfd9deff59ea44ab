"""Keeps the records that could not be stored, with the reason, until they can be.

They are tried again after growing pauses. After `MAX_ATTEMPTS` a record stays as Failed, until whoever looks after the
site asks for it again. Nothing is deleted here.
"""

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone, now_datetime

from trackflow import bulk
from trackflow.inert import inert, inert_row, json_text
from trackflow.jobs import enqueue
from trackflow.naming import key_name
from trackflow.times import site_time

Record = dict[str, Any]

# The pause after each failed attempt; what fails once more after the last stays as Failed.
PAUSES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3), timedelta(hours=12))
MAX_ATTEMPTS = len(PAUSES) + 1
RETRIED_AT_ONCE = 500
UNREADABLE = 60_000
UNREADABLE_KEY = "unreadable"


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
	"""Names and records whose next attempt is due, oldest first."""
	rows = frappe.get_all(
		"Click Queue",
		filters={"status": "Pending"},
		or_filters=[["next_attempt_at", "is", "not set"], ["next_attempt_at", "<=", now_datetime()]],
		fields=["name", "payload"],
		order_by="creation",
		limit=RETRIED_AT_ONCE,
	)
	return [(row.name, json.loads(row.payload)) for row in rows]


def try_again(names: Collection[str]) -> int:
	"""Have these tried again now, with all their attempts; answers how many. What could not even be read cannot."""
	rows = frappe.get_all(
		"Click Queue",
		filters={"name": ("in", list(names)), "status": ("!=", "Processed")},
		fields=["name", "payload"],
		order_by="name",
	)
	ready = [row.name for row in rows if UNREADABLE_KEY not in json.loads(row.payload)]
	fresh = {"status": "Pending", "attempts": 0, "next_attempt_at": None}
	bulk.update("Click Queue", {name: fresh for name in ready})
	if ready:
		job_id = f"retry-kept::{key_name(*ready)}::{now_datetime()}"
		enqueue("trackflow.stream.drain.retry_kept", job_id=job_id, queue="short")
	return len(ready)


def settle(name: str) -> None:
	"""Mark a kept record as stored."""
	values = {"status": "Processed", "processed_at": now_datetime(), "next_attempt_at": None}
	frappe.db.set_value("Click Queue", name, values, update_modified=False)
	frappe.db.commit()


def _insert_somehow(record: Record, reference: str, message: str) -> None:
	"""A record that is not even fit to be kept as it is must not hold up the others: its text is kept, as Failed."""
	try:
		_insert(reference, message, inert_row(_fields(record)), json_text(record), "Pending")
	except Exception:
		frappe.db.rollback()
		_insert(reference, message, {}, json_text({UNREADABLE_KEY: ascii(record)[:UNREADABLE]}), "Failed")


def _fields(record: Record) -> Record:
	return {
		"kind": "Click" if record.get("kind") == "click" else "Event",
		"visitor_id": str(record.get("visitor") or "")[:140],
		"tracked_link": str(record.get("link") or "")[:140],
		"click_timestamp": site_time(float(record["at"]), ZoneInfo(get_system_timezone())),
		"ip_address": record.get("address"),
		"user_agent": record.get("user_agent"),
		"utm_parameters": json_text(record.get("utm") or {}),
		"referrer": record.get("referrer"),
	}


def _insert(reference: str, message: str, fields: Record, payload: str, status: str) -> None:
	doc = frappe.new_doc("Click Queue")
	doc.update({**fields, "reference": reference, "payload": payload, "status": status, "attempts": 1})
	doc.next_attempt_at = now_datetime() + PAUSES[0] if status == "Pending" else None
	doc.error_message = inert(message)
	doc.insert(ignore_permissions=True, ignore_links=True)


def _count_attempt(name: str, message: str) -> None:
	attempts = (frappe.db.get_value("Click Queue", name, "attempts") or 0) + 1
	is_last = attempts >= MAX_ATTEMPTS
	values = {
		"attempts": attempts,
		"error_message": inert(message),
		"status": "Failed" if is_last else "Pending",
		"next_attempt_at": None if is_last else now_datetime() + PAUSES[attempts - 1],
	}
	frappe.db.set_value("Click Queue", name, values, update_modified=False)
