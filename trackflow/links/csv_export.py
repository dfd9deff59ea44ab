"""CSV out: Tracked Links as a file that an import elsewhere makes the same links of (LNK-4).

Read and written piece by piece. No cell is a formula to a spreadsheet. Passwords stay: a column says that there is one.
"""

import csv
import json
from collections.abc import Iterator
from io import TextIOWrapper
from typing import IO, Any

import frappe
from frappe import _
from werkzeug.wrappers import Response

from trackflow.links import downloads
from trackflow.links.addresses import short_url
from trackflow.links.csv_formats import COLUMNS
from trackflow.links.csv_text import neutral
from trackflow.validation import parsed

PIECE = 500
_OPERATORS = frozenset(
	{"=", "!=", ">", "<", ">=", "<=", "like", "not like", "in", "not in", "is", "between", "timespan"}
)
_TABLES = {"variants": "Campaign Link Variant", "rules": "Tracked Link Rule"}
_FIELDS = tuple(name for name in COLUMNS if name not in (*_TABLES, "password"))
# What people like to see beside a link; an import passes them over.
_FIGURES = {"click_count": "Clicks", "scan_count": "QR Scans", "unique_visitor_count": "Unique Visitors"}


def export(filters: Any = None, names: Any = None) -> Response:
	"""The links that the user may read and that the filters of a list find, or those of `names`; the oldest first."""
	filters, names = parsed(filters, "filters") or [], parsed(names, "names") or []
	if isinstance(filters, dict):
		filters = [[field, "=", value] for field, value in filters.items()]
	if not isinstance(filters, list) or not isinstance(names, list):
		frappe.throw(_("filters must be those of a list, names a list of names."))
	conditions = [_condition(one) for one in filters]
	if names:
		conditions.append(["Tracked Link", "name", "in", [str(name) for name in names]])
	frappe.has_permission("Tracked Link", "export", throw=True)
	return downloads.written(lambda file: _write(file, conditions), "tracked-links.csv", "text/csv")


def _condition(given: Any) -> list[Any]:
	"""A filter as a list view has it ([doctype, field, operator, value]) or without its DocType; no other gets by."""
	parts = list(given) if isinstance(given, list) else []
	if len(parts) >= 4 and parts[0] == "Tracked Link":
		parts = parts[1:4]
	columns = (*frappe.get_meta("Tracked Link").get_valid_columns(), *frappe.model.optional_fields)
	if len(parts) != 3 or parts[0] not in columns or str(parts[1]).lower() not in _OPERATORS:
		frappe.throw(_("The filter {0} cannot be used here.").format(frappe.as_json(given, indent=None)))
	return ["Tracked Link", *parts]


def _write(file: IO[bytes], conditions: list[Any]) -> None:
	# The mark makes Excel read UTF-8.
	text = TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
	table = csv.writer(text)
	table.writerow([*COLUMNS.values(), "Has Password", "Short URL", *_FIGURES.values()])
	for links in _pieces(conditions):
		rows = {field: _rows_of(field, links) for field in _TABLES}
		for link in links:
			table.writerow([neutral(cell) for cell in _cells(link, rows)])
	text.detach()


def _pieces(conditions: list[Any]) -> Iterator[list[Any]]:
	fields = ["name", "creation", "password", *_FIELDS, *_FIGURES]
	start = 0
	while links := frappe.get_list(
		"Tracked Link",
		filters=conditions,
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
