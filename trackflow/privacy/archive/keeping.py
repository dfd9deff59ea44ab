"""Rows become files, and are deleted only then (RET-1).

```
rows of a day → a draft on this machine, whole and on the disk
 → Archive File, "Writing"          from here on the draft is what is kept, whatever happens to the rows or to this process
 → each place keeps it and gives it back as it was
 → "Deleting"                       from here on rows may be missing
 → rows named in the draft are deleted, a batch a transaction, where they are still due
 → "Archived"; the draft goes
```

Killed anywhere, the next run goes on with the record that it finds: the same bytes under the same name. A draft without a record was
never sent anywhere and goes. What fails raises PlaceError with nothing of the file's rows deleted.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from secrets import token_bytes
from typing import Any

import frappe
from frappe import _
from frappe.utils import get_system_timezone, now_datetime

from trackflow import __version__, bulk
from trackflow.privacy import aged
from trackflow.privacy.archive import draft, layout, places
from trackflow.privacy.archive.draft import Digest, Draft
from trackflow.privacy.archive.layout import LayoutError
from trackflow.privacy.archive.places import Place, PlaceError
from trackflow.privacy.due import Table

Row = dict[str, Any]

RECORD = "Archive File"
WRITING, DELETING, ARCHIVED, RESTORED = "Writing", "Deleting", "Archived", "Restored"
# About 3 MiB.
FILE_ROWS = 20_000
_FIELDS = ("status", "document_type", "from_time", "until_time", "row_count", "size_bytes", "sha256")


class Busy(PlaceError):
	"""Another run is at it."""


@contextmanager
def alone() -> Iterator[None]:
	"""While nobody else on this machine archives or restores this site's rows. Raises Busy."""
	with (folder() / "lock").open("w") as file:
		try:
			fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except BlockingIOError:
			raise Busy(_("Another run archives or restores right now; try again when it is done.")) from None
		yield


def folder() -> Path:
	"""Where drafts lie, made where it is missing."""
	path = Path(frappe.get_site_path("private", "trackflow-archive"))
	path.mkdir(mode=0o750, parents=True, exist_ok=True)
	return path


def archive_and_delete(table: Table, cutoff: datetime) -> Iterator[int]:
	"""Archive what is due of the table, and delete it; yields how many rows were deleted, file by file. First what an earlier run
	left undone. Whoever calls it is `alone`. Raises PlaceError."""
	kept_in = places.configured()
	try:
		_sweep()
		for name, row in _unfinished(table, cutoff).items():
			path = _draft_of(name, row, kept_in)
			if path:
				yield _finish(table, cutoff, path, kept_in, row["status"])
		for path in _drafts(table, cutoff):
			yield _finish(table, cutoff, path, kept_in, WRITING)
	except (OSError, LayoutError) as error:
		raise PlaceError(
			_("No archive can be made in {0}: {1} See whether the disk is full.").format(folder(), error)
		) from None


def fetch(name: str, row: Row, kept_in: list[Place]) -> Path | None:
	"""The file among the drafts again, from the first place that gives it as it was; None where no place has it. What a place has to
	say against it is raised only if none does."""
	expected, path = Digest(row["size_bytes"], row["sha256"]), folder() / name
	trouble: PlaceError | None = None
	for place in kept_in:
		try:
			with draft.durable(path) as file:
				for piece in place.read(name, expected.size):
					file.write(piece)
		except places.NotThere:
			continue
		except PlaceError as error:
			trouble = trouble or error
			continue
		if draft.digest_of(path) == expected:
			return path
		path.unlink()
	if trouble:
		raise trouble
	return None


def set_status(name: str, status: str, **values: Any) -> None:
	"""Ends the transaction."""
	bulk.update(RECORD, {name: {"status": status, **values}})
	frappe.db.commit()


def _finish(table: Table, cutoff: datetime, path: Path, kept_in: list[Place], status: str) -> int:
	"""Have the places keep the file, then delete its rows; answers how many."""
	if status == WRITING:
		for place in kept_in:
			places.keep(place, path)
		labels = "\n".join(place.label for place in kept_in)
		set_status(path.name, DELETING, places=labels, archived_on=now_datetime())
	deleted = left = 0
	for names in _named(path):
		deleted += aged.delete_due(table, cutoff, names)
		if status == RESTORED:
			left += len(bulk.load(table.doctype, {"name": ("in", names)}, ()))
	# Rows that were read back are looked after until the last one is due.
	if not left:
		set_status(path.name, ARCHIVED)
	path.unlink(missing_ok=True)
	return deleted


def _named(path: Path) -> Iterator[list[str]]:
	"""The names of the file's rows, a batch at a time; the file was found to be whole."""
	_header, rows = draft.read(path)
	names: list[str] = []
	for row in rows:
		names.append(row["name"])
		if len(names) == aged.BATCH:
			yield names
			names = []
	if names:
		yield names


def _unfinished(table: Table, cutoff: datetime) -> dict[str, Row]:
	"""Records of files that an earlier run began, and of those whose rows were read back and are due again."""
	frappe.db.commit()
	rows = bulk.load(
		RECORD,
		{"document_type": table.doctype, "status": ("in", (WRITING, DELETING, RESTORED))},
		_FIELDS,
	)
	return {name: row for name, row in rows.items() if row["status"] != RESTORED or row["from_time"] < cutoff}


def _draft_of(name: str, row: Row, kept_in: list[Place]) -> Path | None:
	"""The file of a record. Where nobody has it, and nothing was deleted for it, the record goes: its rows are archived anew."""
	path = folder() / name
	if path.exists() and draft.digest_of(path) == Digest(row["size_bytes"], row["sha256"]):
		return path
	if found := fetch(name, row, kept_in):
		return found
	if row["status"] == WRITING:
		bulk.delete(RECORD, [name])
		frappe.db.commit()
		return None
	raise PlaceError(
		_(
			"No place has the file {0} any more. Bring it back to where it was kept, or delete its record."
		).format(name)
	)


def _drafts(table: Table, cutoff: datetime) -> Iterator[Path]:
	"""Files of what is due, a day in one or several, each with its record."""
	day: date | None = None
	key, one = b"", None
	for row in _rows(table, cutoff):
		its_day = row[table.time].date()
		if one and (its_day != day or one.rows >= FILE_ROWS):
			yield _recorded(one)
			one = None
		if its_day != day:
			# Thrown away with the day: who a visitor was, nobody can tell, and of two days not whether it was one.
			day, key = its_day, token_bytes(32)
		one = one or Draft(folder(), table.doctype, its_day)
		one.add(layout.nobodys(table.doctype, row, key))
	if one:
		yield _recorded(one)


def _rows(table: Table, cutoff: datetime) -> Iterator[Row]:
	fields = layout.fields(table.doctype)
	for names in aged.due(table, cutoff):
		found = bulk.load(table.doctype, {"name": ("in", names)}, fields[1:])
		yield from (found[name] for name in names if name in found)


def _recorded(one: Draft) -> Path:
	path = one.close(__version__, get_system_timezone())
	digest = draft.digest_of(path)
	# Nothing may be deleted on the strength of a file that cannot be read.
	draft.check(path)
	values = {
		"status": WRITING,
		"document_type": one.doctype,
		"from_time": one.from_time,
		"until_time": one.until_time,
		"row_count": one.rows,
		"size_bytes": digest.size,
		"sha256": digest.sha256,
	}
	# The same rows can come again, of a file that was read back where its record was lost.
	frappe.db.commit()
	if frappe.db.exists(RECORD, path.name):
		bulk.update(RECORD, {path.name: values})
	else:
		bulk.insert(RECORD, [{"name": path.name, **values}])
	frappe.db.commit()
	return path


def _sweep() -> None:
	"""What a run that died left among the drafts and no record knows."""
	known = bulk.load(RECORD, {"status": ("in", (WRITING, DELETING))}, ())
	for path in folder().iterdir():
		if path.name != "lock" and path.name not in known:
			path.unlink()
