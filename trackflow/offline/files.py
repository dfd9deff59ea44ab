"""An export's file after it was made: what the rows say, without the lines that were erased."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import frappe

from trackflow import bulk
from trackflow.offline.gather import ROW
from trackflow.offline.platforms import PLATFORMS

EXPORT = "Conversion Export"
Row = dict[str, Any]


def empty(exports: Collection[str], changes: Mapping[str, Row]) -> None:
	"""Change rows of these exports, by name, and empty their lines. The exports are locked until the caller's transaction ends, so that
	of two erasures the later one's files lack both's lines."""
	bulk.lock(EXPORT, exports)
	table = frappe.qb.DocType(ROW)
	for name, values in changes.items():
		query = frappe.qb.update(table).where(table.name == name).set(table.line, None)
		for column, value in values.items():
			query = query.set(table[column], value)
		query.run()


def rewrite(exports: Iterable[str]) -> None:
	"""Write the files of these exports without the lines that were emptied. The last of a transaction, and once in it: a rollback
	brings back what was there before the last write."""
	for export in sorted(exports):
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
		if not file.exists_on_disk():
			# Kept elsewhere, or lost: it cannot be written over, so it goes as a whole.
			frappe.delete_doc("File", name, ignore_permissions=True, delete_permanently=True)
			continue
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
