"""Reads archive files back (RET-1): rows that are missing come again under their names, and nothing else changes.

They are rows of nobody, as an erasure leaves them: no session is derived of them, no visitor is made, no counter moves, and they lie
before the time since when rebuilds count. By their age they are due again with the next run, which takes those of a known file away
without writing another; raise the days to look at them for longer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import frappe
from frappe import _

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.privacy.archive import draft, keeping, layout, places
from trackflow.privacy.archive.layout import LayoutError
from trackflow.privacy.archive.places import PlaceError
from trackflow.rollups import marks

Row = dict[str, Any]

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Outcome:
	"""What was read back: of which table, rows in the file, and how many of them were missing here. `left_out` are fields that there
	are no more."""

	doctype: str
	rows: int
	missing: int
	left_out: tuple[str, ...] = ()


def restore(named: str, dry_run: bool = False) -> Outcome:
	"""Read a file back, or the one of an Archive File; a dry run only checks it and counts. Raises ValidationError with words."""
	try:
		with keeping.alone():
			path, is_fetched = _found(named)
			try:
				return _restore(path, dry_run)
			finally:
				if is_fetched:
					path.unlink(missing_ok=True)
	except (PlaceError, LayoutError) as error:
		frappe.db.rollback()
		frappe.throw(str(error))


def _found(named: str) -> tuple[Path, bool]:
	"""The file on this machine, and whether it was fetched for this."""
	row = frappe.db.get_value(keeping.RECORD, named, ["name", "status", "size_bytes", "sha256"], as_dict=True)
	if row:
		if row.status in (keeping.WRITING, keeping.DELETING):
			frappe.throw(
				_("{0} is not archived yet: the next run of retention goes on with it.").format(named)
			)
		path = keeping.fetch(named, row, places.configured())
		if not path:
			frappe.throw(
				_("{0} is not where files are kept now ({1}). Fetch it and name the file.").format(
					named, places.target()
				)
			)
		return path, True
	path = Path(named)
	if not path.is_file():
		frappe.throw(_("{0} is neither an Archive File nor a file on this machine.").format(named))
	return path, False


def _restore(path: Path, dry_run: bool) -> Outcome:
	# All of it is read before the first row is written.
	header = draft.check(path)
	meta = frappe.get_meta(header.doctype)
	known = {*layout.STANDARD, *(df.fieldname for df in meta.fields)} & set(header.fields)
	times = {"creation", "modified"} | {df.fieldname for df in meta.fields if df.fieldtype == "Datetime"}
	_header, rows = draft.read(path)
	missing = 0
	for some in _portions(layout.stored(row, known, times) for row in rows):
		missing += _insert(header.doctype, some, dry_run)
	record = header.file_name
	if not dry_run and frappe.db.exists(keeping.RECORD, record):
		keeping.set_status(record, keeping.RESTORED)
	return Outcome(header.doctype, header.rows, missing, tuple(sorted(set(header.fields) - known)))


@retried
def _insert(doctype: str, rows: list[Row], dry_run: bool) -> int:
	frappe.db.commit()
	there = bulk.load(doctype, {"name": ("in", [row["name"] for row in rows])}, ())
	missing = [row for row in rows if row["name"] not in there]
	if not dry_run:
		bulk.insert(doctype, missing, ignore_duplicates=True)
		# Of a site that never had these rows the days may be summed up already, such as of the file before.
		marks.mark_clicks(row[layout.TIMES[doctype]] for row in missing)
	frappe.db.commit()
	return len(missing)


def _portions(rows: Iterator[Row]) -> Iterator[list[Row]]:
	some: list[Row] = []
	for row in rows:
		some.append(row)
		if len(some) == BATCH:
			yield some
			some = []
	if some:
		yield some
