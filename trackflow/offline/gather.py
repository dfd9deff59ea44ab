"""Reads what `decide` needs of conversions, some hundred at a time: a handful of statements for each portion, whatever the site's
size. Reads only."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone, now_datetime

from trackflow import bulk
from trackflow.attribution import journeys, paths
from trackflow.naming import key_name
from trackflow.offline.shapes import Browser, Click, Conversion, Platform
from trackflow.tracking import identity, people

Row = dict[str, Any]

ROW = "Conversion Export Row"
EVENT = "Visitor Event"
_FIELDS = ("conversion_type", "value", "currency", "source_doctype", "source_name")
_VISITOR_FIELDS = ("consent_status", "contact_email", "last_seen", "is_bot", "is_internal", "erased_person")


def zone() -> ZoneInfo:
	return ZoneInfo(get_system_timezone())


def now() -> datetime:
	return now_datetime().replace(tzinfo=zone())


def row_name(platform: Platform, conversion: str) -> str:
	"""The name of the one row that says that a platform was told of a conversion."""
	return key_name(platform.name, conversion)


def between(
	platform: Platform, types: Sequence[str], begin: datetime, end: datetime
) -> Iterator[list[Conversion]]:
	"""The conversions of these types from `begin` on and before `end`, by time."""
	table = frappe.qb.DocType("Conversion")
	for rows in paths.chunks(paths.conversions(types, begin, end), [table[field] for field in _FIELDS]):
		yield _conversions(platform, rows)


def of_names(platform: Platform, names: Collection[str]) -> list[Conversion]:
	"""These conversions, as far as they are there, by time."""
	fields = ("visitor", "crm_lead", "conversion_date", *_FIELDS)
	rows = bulk.load("Conversion", {"name": ("in", names)}, fields).values()
	return _conversions(platform, sorted(rows, key=lambda row: (row.conversion_date, row.name)))


def _conversions(platform: Platform, rows: Sequence[Row]) -> list[Conversion]:
	if not rows:
		return []
	exported = bulk.load(ROW, {"name": ("in", {row_name(platform, row.name) for row in rows})}, ())
	persons = journeys.persons(rows)
	browsers = _browsers({one for person in persons.values() for one in person})
	clicks = _clicks(platform, browsers, rows)
	events = _events(rows) if platform.takes_email else {}
	here = zone()
	found = []
	for row in rows:
		person = sorted(persons[row.name] & browsers.keys())
		event = events.get(row.source_name, {})
		found.append(
			Conversion(
				name=row.name,
				type=row.conversion_type or "",
				at=row.conversion_date.replace(tzinfo=here),
				value=Decimal(str(row.value or 0)),
				currency=row.currency or "",
				visitor=row.visitor or "",
				browsers=tuple(browsers[one] for one in person),
				clicks=tuple(click for one in person for click in clicks.get(one, ())),
				is_website=row.source_doctype == EVENT,
				page=event.get("page_url") or "",
				agent=event.get("user_agent") or "",
				is_exported=row_name(platform, row.name) in exported,
			)
		)
	return found


def _browsers(ids: Collection[str]) -> dict[str, Browser]:
	guarded = people.on_guarded_domains(ids)
	here = zone()
	return {
		name: Browser(
			id=name,
			consent=row.consent_status or "",
			email=row.contact_email or "",
			last_seen=row.last_seen.replace(tzinfo=here) if row.last_seen else None,
			is_robot=bool(row.is_bot),
			is_internal=bool(row.is_internal),
			is_erased=identity.is_erased(name) or bool(row.erased_person),
			is_guarded=name in guarded,
		)
		for name, row in bulk.load("Visitor", {"name": ("in", ids)}, _VISITOR_FIELDS).items()
	}


def _clicks(platform: Platform, ids: Collection[str], rows: Sequence[Row]) -> dict[str, list[Click]]:
	"""The platform's click ids that these visitors came with before the conversions."""
	if not ids:
		return {}
	dates = [row.conversion_date for row in rows]
	table = frappe.qb.DocType("Visitor Session")
	query = (
		frappe.qb.from_(table)
		.select(
			table.visitor_id, table.session_start, table.is_internal, *(table[one] for one in platform.kinds)
		)
		.where(bulk.among(table.visitor_id, ids))
		.where(table.session_start[min(dates) - platform.window - timedelta(days=1) : max(dates)])
		.where(reduce(or_, (table[one].isnotnull() for one in platform.kinds)))
		.orderby(table.session_start, table.name)
	)
	here = zone()
	found: dict[str, list[Click]] = defaultdict(list)
	for row in query.run(as_dict=True):
		at = row.session_start.replace(tzinfo=here)
		found[row.visitor_id] += (
			Click(kind, row[kind], at, row.visitor_id, bool(row.is_internal))
			for kind in platform.kinds
			if row[kind]
		)
	return found


def _events(rows: Iterable[Row]) -> dict[str, Row]:
	"""What websites told of the conversions that they told."""
	names = {row.source_name for row in rows if row.source_doctype == EVENT and row.source_name}
	return bulk.load(EVENT, {"name": ("in", names)}, ("page_url", "user_agent"))
