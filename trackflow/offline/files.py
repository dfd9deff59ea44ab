"""An export's file after it was made: what the rows say, without the lines that were erased."""

from collections.abc import Iterable
from typing import Any

import frappe

from trackflow import bulk
from trackflow.offline.gather import ROW
from trackflow.offline.platforms import PLATFORMS

EXPORT = "Conversion Export"
Row = dict[str, Any]


def erase(rows: dict[str, Row], changes: dict[str, Row]) -> None:
	"""Change rows (`export` of each known, by name), empty their lines, and write the files without them. Part of the caller's
	transaction; the exports are locked, so that of two erasures the later one's file lacks both's lines."""
	exports = sorted({row["export"] for row in rows.values() if row["export"]})
	bulk.lock(EXPORT, exports)
	table = frappe.qb.DocType(ROW)
	for name, values in changes.items():
		query = frappe.qb.update(table).where(table.name == name).set(table.line, None)
		for column, value in values.items():
			query = query.set(table[column], value)
		query.run()
	for export in exports:
		_rewrite(export)


def content(export: str) -> str:
	"""The file of an export, made anew of its rows; locked, since what a plain read sees may be older than the lock."""
	names = bulk.load(ROW, {"export": export}, ())
	rows = bulk.lock(ROW, names, ("place", "platform", "line")).values()
	lines = [row.line for row in sorted(rows, key=lambda row: row.place) if row.line]
	platform = PLATFORMS[frappe.db.get_value(EXPORT, export, "platform")]
	return platform.document(lines)


def _rewrite(export: str) -> None:
	text = content(export)
	for name in _files(export):
		file = frappe.get_doc("File", name)
		file.save_file(content=text.encode(), ignore_existing_file_check=True, overwrite=True)
		values = {"file_size": file.file_size, "content_hash": file.content_hash}
		file.db_set(values, update_modified=False)


def _files(export: str) -> Iterable[str]:
	return frappe.get_all(
		"File",
		filters={"attached_to_doctype": EXPORT, "attached_to_name": export},
		pluck="name",
		order_by="name",
	)
