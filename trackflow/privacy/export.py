"""A person's data as JSON, from all tables (CRM-8; GDPR articles 15 and 20). Reads only, a batch of rows at a time.

Empty fields and those of staff are left out. Times are ISO 8601 with offset; JSON that is stored comes as JSON.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import IO, Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone, now_datetime

from trackflow import bulk
from trackflow.integrations import crm_subject
from trackflow.privacy import reads, subjects
from trackflow.privacy.personal import DELETED, TABLES, Table, names_any
from trackflow.privacy.subjects import Subject
from trackflow.times import iso
from trackflow.webhooks import outbox

Row = dict[str, Any]

BATCH = 500


def preview(subject: Subject) -> Row:
	"""Whom a request is about, and how many rows there are by DocType."""
	rows = {table.doctype: len(subjects.names(table, subject)) for table in (*TABLES, DELETED)}
	for doctype, documents in _documents(subject):
		rows[doctype] = len(documents)
	return {**subject.as_dict(), "rows": {doctype: number for doctype, number in rows.items() if number}}


def write(subject: Subject, file: IO[bytes]) -> None:
	"""Write all that is about the subject, as one JSON object."""
	reads.note("Visitor", *sorted(subject.visitors))
	for piece in _pieces(subject):
		file.write(piece.encode())


def _pieces(subject: Subject) -> Iterator[str]:
	zone = ZoneInfo(get_system_timezone())
	head = {"exported_at": iso(now_datetime(), zone), "subject": subject.as_dict()}
	yield json.dumps(head, indent=1)[:-2] + ',\n "tables": {'
	is_first = True
	for doctype, what, rows in _tables(subject):
		yield (
			"" if is_first else ","
		) + f'\n  {json.dumps(doctype)}: {{\n   "what": {json.dumps(what)},\n   "rows": ['
		for number, row in enumerate(rows):
			yield ("," if number else "") + "\n    " + json.dumps(_plain(row, zone))
		yield "\n   ]\n  }"
		is_first = False
	yield "\n }\n}\n"


def _tables(subject: Subject) -> Iterator[tuple[str, str, Iterator[Row]]]:
	"""Tables that hold something."""
	for table in (*TABLES, DELETED):
		if names := subjects.names(table, subject):
			yield table.doctype, table.what, _rows(table, names, subject)
	for doctype, documents in _documents(subject):
		yield doctype, "What TrackFlow added to it.", iter(documents)


def _documents(subject: Subject) -> Iterator[tuple[str, list[Row]]]:
	for doctype, documents in crm_subject.documents(subject.leads, subject.deals, subject.organizations):
		if documents:
			yield doctype, documents


def _rows(table: Table, names: list[str], subject: Subject) -> Iterator[Row]:
	columns = [column for _kind, column in table.found_by]
	columns += [*table.mentions, *table.empties, *table.keeps]
	for start in range(0, len(names), BATCH):
		rows = bulk.load(table.doctype, {"name": ("in", names[start : start + BATCH])}, columns).values()
		for row in rows:
			if table.doctype == outbox.DELIVERY:
				# A message may tell of many.
				row.payload = outbox.only_about(row.payload, lambda item: names_any(item, subject.words))
			yield row


def _plain(row: Row, zone: ZoneInfo) -> Row:
	return {name: _value(value, zone) for name, value in row.items() if value not in (None, "")}


def _value(value: Any, zone: ZoneInfo) -> Any:
	if isinstance(value, datetime):
		return iso(value, zone)
	if isinstance(value, Decimal):
		return float(value)
	if isinstance(value, str) and value[:1] in ("{", "["):
		try:
			return json.loads(value)
		except ValueError:
			return value
	return value if isinstance(value, str | int | float | bool) else str(value)
