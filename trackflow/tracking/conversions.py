"""Conversions: made once, under the key of their type and external id, and handed to attribution.

A conversion that is recorded again changes only where its value, time or people changed. Credits are not written here.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from itertools import count
from typing import Any

import frappe
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.costs.rates import reporting_currency
from trackflow.jobs import enqueue
from trackflow.naming import key_name
from trackflow.tracking import people

Row = dict[str, Any]

PENDING, DONE, FAILED = "Pending", "Done", "Failed"


def types_that_count() -> tuple[list[str], list[str]]:
	"""The types that the settings count as conversions, and those whose value counts, so that a lead and the deal it became are
	not two; [""] where none are named."""
	settings = frappe.get_cached_doc("TrackFlow Settings")
	fields = (settings.counted_conversion_types, settings.valued_conversion_types)
	counted, valued = ((field or "").splitlines() or [""] for field in fields)
	return counted, valued


def name_of(conversion_type: str, external_id: str) -> str:
	"""The name of the one conversion of that type and external id."""
	return key_name("conversion", conversion_type, external_id)


def of_source(conversion_type: str, doctype: str, name: str) -> str | None:
	"""The conversion that a document stands for already, under whatever name the document had then."""
	filters = {"source_doctype": doctype, "source_name": name, "conversion_type": conversion_type}
	return frappe.db.get_value("Conversion", filters)


def record(conversion_type: str, external_id: str, values: Row) -> str:
	"""Make or correct a conversion; returns its name. It is pending afterwards if anything about it is new.

	`values`: visitor, value, currency, conversion_date, source_doctype, source_name, crm_lead, crm_deal,
	lead_created_at, deal_created_at, tracked_link as known; the source is always. Callers hold a lock on the source document.
	"""
	return record_all(conversion_type, {external_id: values})[0]


def record_all(conversion_type: str, by_external_id: Mapping[str, Row]) -> list[str]:
	"""`record` for many sources of one DocType by a handful of statements; all bring the same values. Returns their names."""
	there = _of_sources(conversion_type, by_external_id.values())
	ids = _unheld(
		conversion_type,
		{one: row["source_name"] for one, row in by_external_id.items() if row["source_name"] not in there},
	)
	rows: dict[str, Row] = {}
	added: dict[str, Row] = {}
	for external_id, values in by_external_id.items():
		if name := there.get(values["source_name"]):
			rows[name] = values
		else:
			own_id = ids[external_id]
			own = {"conversion_type": conversion_type, "external_id": own_id, "attribution_status": PENDING}
			added[name_of(conversion_type, own_id)] = {**values, **own}
	bulk.insert("Conversion", ({"name": name, **row} for name, row in added.items()), ignore_duplicates=True)
	_correct(rows)
	return [*rows, *added]


def _correct(rows: Mapping[str, Row]) -> None:
	"""Write what is new about conversions that are there, by name; these are credited anew."""
	if not rows:
		return
	stored = bulk.load("Conversion", {"name": ("in", rows)}, next(iter(rows.values())).keys())
	changed = {name: row for name, row in rows.items() if not bulk.same(row, stored[name])}
	bulk.update("Conversion", {name: {**row, "attribution_status": PENDING} for name, row in changed.items()})


def _unheld(conversion_type: str, sources: Mapping[str, str]) -> dict[str, str]:
	"""For each external id one that no other document's conversion has: a document that was renamed took its conversion along,
	and its former name may be given to another one."""
	ids = {one: one for one in sources}
	for number in count(2):
		names = {name_of(conversion_type, own): one for one, own in ids.items()}
		stored = bulk.load("Conversion", {"name": ("in", names)}, ("source_name",))
		held = [names[name] for name, row in stored.items() if row.source_name != sources[names[name]]]
		if not held:
			return ids
		ids |= {one: f"{one} ({number})" for one in held}


def from_events(events: Iterable[Row], known: Mapping[str, Row]) -> list[str]:
	"""Make the conversions of new CONVERSION events of locked visitors; returns their names."""
	made = [_row(event, known[event["visitor"]]) for event in events if event["event_type"] == "CONVERSION"]
	bulk.insert("Conversion", made, ignore_duplicates=True)
	return [row["name"] for row in made]


def reopen(since: Mapping[str, datetime]) -> list[str]:
	"""Mark conversions for new credits whose person's touch points changed: from `since` on, by visitor id. Returns
	their names."""
	if not since:
		return []
	earliest: dict[str, datetime] = {}
	for visitor_id, person in people.of_visitors(since).items():
		for one in person:
			earliest[one] = min(since[visitor_id], earliest.get(one, since[visitor_id]))
	filters = {"visitor": ("in", earliest), "conversion_date": (">=", min(earliest.values()))}
	rows = bulk.load("Conversion", filters, ("visitor", "conversion_date"))
	names = [name for name, row in rows.items() if row.conversion_date >= earliest[row.visitor]]
	bulk.update("Conversion", {name: {"attribution_status": PENDING} for name in names})
	return names


def pend(leads: Collection[str]) -> None:
	"""Mark the conversions of these leads and of their deals for new credits: should the job that works them out be lost, the
	hourly run finds them."""
	if leads:
		table = frappe.qb.DocType("Conversion")
		query = frappe.qb.update(table).set(table.attribution_status, PENDING)
		query.where(table.crm_lead.isin(sorted(leads))).run()


def queue_credits(names: list[str]) -> None:
	"""Queue the job that credits these conversions."""
	job_id = f"credit::{key_name(*names)}::{now_datetime()}"
	enqueue("trackflow.attribution.run.credit_new", job_id=job_id, names=names)


def _of_sources(conversion_type: str, rows: Collection[Row]) -> dict[str, str]:
	"""`of_source` for documents of one DocType, by their names."""
	filters = {
		"conversion_type": conversion_type,
		"source_doctype": next((row["source_doctype"] for row in rows), ""),
		"source_name": ("in", {row["source_name"] for row in rows}),
	}
	return {row.source_name: name for name, row in bulk.load("Conversion", filters, ("source_name",)).items()}


def _row(event: Row, visitor: Row) -> Row:
	kind = event["event_name"] or "Conversion"
	external_id = f"{event['domain']}:{event['event_id']}"
	return {
		"name": name_of(kind, external_id),
		"conversion_type": kind,
		"external_id": external_id,
		"visitor": event["visitor"],
		"crm_lead": visitor["crm_lead"],
		"value": event["value"] or 0,
		"currency": event["currency"] or (reporting_currency() if event["value"] else None),
		"conversion_date": event["timestamp"],
		"source_doctype": "Visitor Event",
		"source_name": event["name"],
		"attribution_status": PENDING,
	}
