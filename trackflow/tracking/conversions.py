"""Conversions: made once, under the key of their type and external id, and handed to attribution.

A conversion that is recorded again changes only where its value, time or people changed. Credits are not written here. Of a time
whose conversions were made nobody's by their age (`privacy.kept`) none is made any more: it may be among these, and nobody can tell.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import frappe
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.costs.rates import reporting_currency
from trackflow.jobs import enqueue
from trackflow.naming import key_name
from trackflow.privacy import aged
from trackflow.tracking import people
from trackflow.webhooks import messages, outbox

Row = dict[str, Any]

PENDING, DONE, FAILED = "Pending", "Done", "Failed"
# Nobody's by its age: its credits stay as they are, and no run works them out again.
KEPT = "Kept"
# Conversions stay somebody's for a day at least, where they do not for good.
_A_DAY = timedelta(days=1)


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


def record_all(conversion_type: str, by_external_id: Mapping[str, Row]) -> list[str]:
	"""Make or correct conversions of sources of one DocType, by a handful of statements; all bring the same values. Returns their
	names, and none for a source that has no conversion and is of a time whose conversions are nobody's. They are pending
	afterwards if anything about them is new.

	Values, by external id: visitor, value, currency, conversion_date, source_doctype, source_name, crm_lead, crm_deal,
	lead_created_at, deal_created_at, tracked_link as known; the source is always. Callers hold locks on the source documents.
	"""
	there = _of_sources(conversion_type, by_external_id.values())
	rows = {name: row for row in by_external_id.values() if (name := there.get(row["source_name"]))}
	new = _not_past({one: row for one, row in by_external_id.items() if row["source_name"] not in there})
	ids = _unheld(conversion_type, {one: row["source_name"] for one, row in new.items()})
	added: dict[str, Row] = {}
	for external_id, values in new.items():
		own_id = ids[external_id]
		own = {"conversion_type": conversion_type, "external_id": own_id, "attribution_status": PENDING}
		added[name_of(conversion_type, own_id)] = {**values, **own}
	bulk.insert("Conversion", ({"name": name, **row} for name, row in added.items()), ignore_duplicates=True)
	_tell(added)
	_correct(rows)
	return [*rows, *added]


def _tell(made: Mapping[str, Row]) -> None:
	if made:
		outbox.tell(
			"conversion.created",
			lambda zone: {
				name: messages.conversion({"name": name, **row}, zone) for name, row in made.items()
			},
		)


def is_past(at: datetime) -> bool:
	"""Whether conversions of that time were made nobody's by their age."""
	return at < _past_until(at)


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
	"""Make the conversions of new CONVERSION events of locked visitors; returns their names. An event whose row was deleted by its
	age may come again, when its conversion is nobody's."""
	rows = [_row(event, known[event["visitor"]]) for event in events if event["event_type"] == "CONVERSION"]
	made = _not_past({row["name"]: row for row in rows})
	bulk.insert("Conversion", made.values(), ignore_duplicates=True)
	_tell(made)
	return list(made)


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


def _not_past(rows: Mapping[str, Row]) -> Mapping[str, Row]:
	"""Those of these new conversions that may be made."""
	if not rows:
		return rows
	until = _past_until(min(row["conversion_date"] for row in rows.values()))
	return {one: row for one, row in rows.items() if row["conversion_date"] >= until}


def _past_until(oldest: datetime) -> datetime:
	"""Before when conversions were made nobody's, as far as one of `oldest` may be concerned: of the last day nobody is asked."""
	is_young = oldest >= now_datetime() - _A_DAY
	return (None if is_young else aged.kept_until()) or datetime.min


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
