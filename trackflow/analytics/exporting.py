"""Rows of a period, as many as there are, in portions by key: an export costs the memory of one portion (RPT-2).

Who exports needs read and export permission on the DocType, gets the rows that a list would give, and no field of a level that
may not be read. Rows are read while the answer leaves; Frappe keeps the site's connection until it has left.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.model import no_value_fields, table_fields
from frappe.utils import get_system_timezone
from werkzeug.wrappers import Response

from trackflow.analytics import export_text
from trackflow.analytics.scope import Period, Scope
from trackflow.links import downloads
from trackflow.privacy import reads
from trackflow.times import iso

Row = dict[str, Any]

PORTION = 1000
# Never in a file.
_SECRET = ("Password",)


@dataclass(frozen=True, slots=True)
class Kind:
	"""What can be exported: the rows of a DocType, by a time of theirs. `standard` are columns that Frappe adds."""

	doctype: str
	at: str
	standard: tuple[str, ...] = ("name",)


KINDS = {
	"clicks": Kind("Click Event", "click_timestamp"),
	"sessions": Kind("Visitor Session", "session_start"),
	"events": Kind("Visitor Event", "timestamp"),
	"touches": Kind("Touch Point", "occurred_at"),
	"conversions": Kind("Conversion", "conversion_date"),
	"credits": Kind("Attribution Link", "conversion_date"),
	"links": Kind("Tracked Link", "creation", ("name", "creation")),
}


def export(what: str, format: str, scope: Scope, period: Period) -> Response:
	"""The rows of a kind as a file that leaves while it is made."""
	text = exported(what, format, scope, period)
	reads.note(KINDS[what].doctype)
	name = f"{what}-{period.first}-{period.last}.{format}"
	return downloads.streamed(text, name, export_text.MIMETYPES[format])


def exported(what: str, format: str, scope: Scope, period: Period) -> Iterator[bytes]:
	"""The file in portions. What is wrong with the question is said at once; rows are read as portions are taken."""
	kind = check(what, format)
	columns = columns_of(kind)
	return export_text.written(format, columns, _portions(kind, columns, scope, period))


def check(what: str, format: str) -> Kind:
	"""What is to be exported, for a user who may."""
	for value, choices in ((what, KINDS), (format, export_text.FORMATS)):
		if value not in choices:
			frappe.throw(_("{0} is none of: {1}.").format(value, ", ".join(choices)))
	kind = KINDS[what]
	for permission in ("read", "export"):
		frappe.has_permission(kind.doctype, permission, throw=True)
	return kind


def columns_of(kind: Kind) -> list[str]:
	"""The fields of a kind that the user may read."""
	meta = frappe.get_meta(kind.doctype)
	levels = meta.get_permlevel_access("read")
	hidden = (*no_value_fields, *table_fields, *_SECRET)
	fields = (field for field in meta.fields if field.fieldtype not in hidden)
	return [
		*kind.standard,
		*(field.fieldname for field in fields if not field.permlevel or field.permlevel in levels),
	]


def _portions(kind: Kind, columns: list[str], scope: Scope, period: Period) -> Iterator[list[Row]]:
	zone = ZoneInfo(get_system_timezone())
	json_fields = {
		field.fieldname for field in frappe.get_meta(kind.doctype).fields if field.fieldtype == "JSON"
	}
	for names in _keys(kind, scope, period):
		# A list's rows, so that whatever narrows the user's lists narrows this.
		rows = frappe.get_list(
			kind.doctype,
			filters={"name": ("in", names)},
			fields=columns,
			order_by=f"{kind.at}, name",
			limit_page_length=len(names),
		)
		yield [{name: _spoken(row.get(name), name in json_fields, zone) for name in columns} for row in rows]


def _keys(kind: Kind, scope: Scope, period: Period) -> Iterator[list[str]]:
	"""The names of the period's rows in order, some at once; each statement begins where the one before ended."""
	table = frappe.qb.DocType(kind.doctype)
	at = table[kind.at]
	for query in _queries(kind, table, scope):
		query = query.select(table.name, at).where(at < period.end).orderby(at, table.name).limit(PORTION)
		rows = query.where(at >= period.begin).run()
		while rows:
			yield [name for name, _at in rows]
			last, moment = rows[-1]
			# The bound for the index; then the rows of the same moment that are behind.
			rows = query.where(at >= moment).where((at > moment) | (table.name > last)).run()


def _queries(kind: Kind, table: Any, scope: Scope) -> Iterator[Any]:
	"""The rows of a scope. Credits go model by model, as they are indexed."""
	query = frappe.qb.from_(table)
	if kind.doctype == "Attribution Link":
		touch = frappe.qb.DocType("Touch Point")
		if scope.domains is not None:
			query = query.join(touch).on(touch.name == table.touch_point)
			query = scope.narrow(query, touch.domain)
		for model in frappe.get_all("Attribution Model", pluck="name", order_by="name"):
			yield query.where(table.attribution_model == model)
	elif kind.doctype == "Conversion" and scope.domains is not None:
		# Of websites are those that their events made; CRM's are of none.
		event = frappe.qb.DocType("Visitor Event")
		is_its = (table.source_doctype == "Visitor Event") & (event.name == table.source_name)
		yield scope.narrow(query.join(event).on(is_its), event.domain)
	else:
		yield scope.narrow(query, table.domain) if scope.domains is not None else query


def _spoken(value: Any, is_json: bool, zone: ZoneInfo) -> Any:
	"""A value as the API speaks."""
	if isinstance(value, datetime):
		return iso(value, zone)
	if is_json and isinstance(value, str):
		return frappe.parse_json(value)
	return value if value is None or isinstance(value, str | int | float | dict | list) else str(value)
