"""CSV out: Tracked Links as a file that an import elsewhere makes the same links of (LNK-4).

Read and written piece by piece. No cell is a formula to a spreadsheet. Passwords stay: a column says that there is one.
"""

import json
import re
from collections.abc import Iterator
from typing import IO, Any

import frappe
from frappe import _
from werkzeug.wrappers import Response

from trackflow.links import downloads
from trackflow.links.addresses import short_url
from trackflow.links.csv_formats import COLUMNS, is_moment
from trackflow.links.csv_text import lines, neutral
from trackflow.validation import is_storable, listed_names, parsed, plain_text

PIECE = 500
# What the list of links searches in, in the app.
SEARCHED = ("title", "short_code", "target_url")
_OPERATORS = frozenset(
	{"=", "!=", ">", "<", ">=", "<=", "like", "not like", "in", "not in", "is", "between", "timespan"}
)
_MOMENTS = ("creation", "modified")
_DAY = re.compile(r"[1-9]\d{3}-\d\d-\d\d([ T]|$)", re.ASCII)
_TABLES = {"variants": "Campaign Link Variant", "rules": "Tracked Link Rule"}
_FIELDS = tuple(name for name in COLUMNS if name not in (*_TABLES, "password"))
# What people like to see beside a link; an import passes them over.
_FIGURES = {"click_count": "Clicks", "scan_count": "QR Scans", "unique_visitor_count": "Unique Visitors"}


def export(filters: Any = None, names: Any = None, search: Any = None) -> Response:
	"""The links that the user may read and that the filters of a list find, or those of `names`; the oldest first. Of these, those that
	have `search` in one of the fields that lists search in."""
	filters, names = parsed(filters, "filters") or [], listed_names(names, "names")
	if isinstance(filters, dict):
		filters = [
			[field, *(value if isinstance(value, list) else ("=", value))] for field, value in filters.items()
		]
	if not isinstance(filters, list):
		frappe.throw(_("filters must be those of a list."))
	conditions = [_condition(one) for one in filters]
	if names:
		conditions.append(["Tracked Link", "name", "in", names])
	words = plain_text(search, "search").strip()
	alternatives = [[field, "like", f"%{words}%"] for field in SEARCHED] if words else None
	frappe.has_permission("Tracked Link", "export", throw=True)
	return downloads.written(
		lambda file: _write(file, conditions, alternatives), "tracked-links.csv", "text/csv"
	)


def _condition(given: Any) -> list[Any]:
	"""A filter as a list view has it ([doctype, field, operator, value]) or without its DocType; no other gets by."""
	parts = list(given) if isinstance(given, list) else []
	if len(parts) >= 4 and parts[0] == "Tracked Link":
		parts = parts[1:4]
	columns = (*frappe.get_meta("Tracked Link").get_valid_columns(), *frappe.model.optional_fields)
	if len(parts) != 3 or parts[0] not in columns or not _compares(*parts):
		frappe.throw(_("The filter {0} cannot be used here.").format(frappe.as_json(given, indent=None)))
	return ["Tracked Link", *parts]


def _compares(field: str, operator: Any, value: Any) -> bool:
	"""Whether the operator is one that takes this value for this field."""
	operator = str(operator).lower()
	is_date = field in _MOMENTS or _fieldtype(field) in ("Date", "Datetime")
	if operator not in _OPERATORS or not is_storable(value):
		return False
	if operator == "is":
		return value in ("set", "not set")
	if operator in ("in", "not in"):
		return isinstance(value, str) or (isinstance(value, list) and all(map(_is_single, value)))
	if operator == "timespan":
		return is_date and isinstance(value, str)
	if operator == "between":
		return is_date and isinstance(value, list) and len(value) == 2 and all(map(_is_day, value))
	return _is_single(value) and (not is_date or not value or _is_day(value))


def _fieldtype(field: str) -> str:
	df = frappe.get_meta("Tracked Link").get_field(field)
	return df.fieldtype if df else ""


def _is_single(value: Any) -> bool:
	return value is None or isinstance(value, str) or (isinstance(value, int | float) and abs(value) < 1e15)


def _is_day(value: Any) -> bool:
	"""A date, or one with a time, in the one way of writing that every version of Frappe reads."""
	return isinstance(value, str) and bool(_DAY.match(value)) and is_moment(value)


def _write(file: IO[bytes], conditions: list[Any], alternatives: list[Any] | None) -> None:
	header = [*COLUMNS.values(), "Has Password", "Short URL", *_FIGURES.values()]
	# The mark makes Excel read UTF-8.
	file.write(f"\ufeff{lines([header])}".encode())
	for links in _pieces(conditions, alternatives):
		rows = {field: _rows_of(field, links) for field in _TABLES}
		file.write(lines([neutral(cell) for cell in _cells(link, rows)] for link in links).encode())


def _pieces(conditions: list[Any], alternatives: list[Any] | None) -> Iterator[list[Any]]:
	fields = ["name", "creation", "password", *_FIELDS, *_FIGURES]
	start = 0
	while links := frappe.get_list(
		"Tracked Link",
		filters=conditions,
		or_filters=alternatives,
		fields=fields,
		order_by="creation, name",
		limit_start=start,
		limit_page_length=PIECE,
	):
		yield links
		start += PIECE


def _rows_of(field: str, links: list[Any]) -> dict[str, list[dict[str, Any]]]:
	"""The rows of a table of these links as JSON holds them, without what the database adds."""
	doctype = _TABLES[field]
	typed = [
		one.fieldname
		for one in frappe.get_meta(doctype).fields
		if not one.read_only and one.fieldtype not in ("Section Break", "Column Break", "Tab Break")
	]
	found: dict[str, list[dict[str, Any]]] = {}
	for row in frappe.get_all(
		doctype,
		filters={
			"parenttype": "Tracked Link",
			"parentfield": field,
			"parent": ("in", [link.name for link in links]),
		},
		fields=["parent", *typed],
		order_by="parent, idx",
	):
		filled = {name: row[name] for name in typed if row[name] not in (None, "")}
		found.setdefault(row.parent, []).append(filled)
	return found


def _cells(link: Any, rows: dict[str, dict[str, list[dict[str, Any]]]]) -> Iterator[str]:
	for field in COLUMNS:
		if field == "password":
			yield ""
		elif field in _TABLES:
			found = rows[field].get(link.name)
			yield json.dumps(found, default=str, ensure_ascii=False) if found else ""
		else:
			yield _text(link[field])
	yield "1" if link.password else ""
	yield short_url(link.short_code, link.domain)
	yield from (_text(link[field]) for field in _FIGURES)


def _text(value: Any) -> str:
	return "" if value is None else str(value)
