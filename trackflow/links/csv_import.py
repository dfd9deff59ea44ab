"""CSV in: what a file would do, row by row, and the doing, at once or in a job that can be watched (LNK-4).

Rows are made piece by piece with a commit after each. Their documents have names that follow from import and row, so a
job that runs twice makes nothing twice. A preview goes the same way and rolls each piece back.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import get_system_timezone

from trackflow import jobs
from trackflow.collisions import retried
from trackflow.config import get_config
from trackflow.links import bulk_create, codes, csv_formats, csv_text
from trackflow.links.bulk_create import DOCTYPE, Verdict
from trackflow.links.csv_formats import Row, Sheet
from trackflow.naming import key_name
from trackflow.runs import note_failure, recorded
from trackflow.validation import plain_text

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 10_000
# More rows than this are made in a job.
AT_ONCE = 200
PIECE = 100
# Rows that a preview tries out; the rest of a long file it looks over.
TRIED = 2_000
LOOKED_OVER = 500
# Rows that an answer lists, those with errors first.
SHOWN = 500
STATE_SECONDS = 24 * 60 * 60
EVENT = "trackflow_link_import"
_NAME_LENGTH = 20
_ROWS_PER_SECOND = 20

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Source:
	"""A file as people bring it, read."""

	sheet: Sheet
	text: str


def read(content: bytes | str | None) -> Source:
	"""Read a CSV; what is wrong with the file as a whole stops with clear words."""
	if not content:
		frappe.throw(_("The file is empty."))
	if len(content) > MOST_BYTES:
		frappe.throw(_("The file is larger than {0} MB.").format(MOST_BYTES // 1024 // 1024))
	try:
		text = plain_text(content, "csv") if isinstance(content, str) else csv_text.decode(content)
		zone = ZoneInfo(get_system_timezone())
		sheet = csv_formats.read(text, frozenset(get_config().domains), zone, MOST_ROWS)
	except csv_text.CsvError as error:
		frappe.throw(_(str(error)))
	if not sheet.rows:
		frappe.throw(_("The file has a header and no rows."))
	_mark_doubles(sheet.rows)
	return Source(sheet, text)


def _mark_doubles(rows: tuple[Row, ...]) -> None:
	"""The first row of a short code stands, later ones are errors of their own."""
	first: dict[str, int] = {}
	for row in rows:
		code = codes.normalise(str(row.values.get("short_code") or ""))
		if code and (before := first.setdefault(code, row.number)) != row.number:
			text = _("The short code {0} is in row {1} already.").format(code, before)
			row.errors.append(("short_code", text))


def preview(content: bytes | str | None) -> dict[str, Any]:
	"""What an import would make and refuse. Ends the transaction, of which nothing stays."""
	frappe.has_permission(DOCTYPE, "create", throw=True)
	source = read(content)
	rows = source.sheet.rows
	verdicts: list[Verdict] = []
	for piece in _pieces(rows[:TRIED], PIECE):
		verdicts += bulk_create.create(piece)
		# Soon, since an unfinished insert makes others wait for the same codes.
		frappe.db.rollback()
	for piece in _pieces(rows[TRIED:], LOOKED_OVER):
		verdicts += bulk_create.look_over(piece)
	return _preview(source.sheet, verdicts)


def _preview(sheet: Sheet, verdicts: list[Verdict]) -> dict[str, Any]:
	listed = [
		{
			"row": row.number,
			"title": row.values.get("title") or "",
			"target_url": row.values.get("target_url") or "",
			"short_code": codes.normalise(str(row.values.get("short_code") or "")),
			"notes": row.notes,
			"errors": [{"field": field, "message": text} for field, text in verdict.errors],
		}
		for row, verdict in zip(sheet.rows, verdicts, strict=True)
	]
	failed = sum(bool(row["errors"]) for row in listed)
	return {
		"format": sheet.format,
		"ignored_columns": list(sheet.ignored),
		"new": len(listed) - failed,
		"failed": failed,
		"tried": min(len(listed), TRIED),
		"rows": _shown(listed),
	}


def import_links(content: bytes | str | None) -> dict[str, Any]:
	"""Import a file: a small one at once, a larger one in a job. The answer is the import's state either way."""
	frappe.has_permission(DOCTYPE, "create", throw=True)
	source = read(content)
	import_id = frappe.generate_hash(length=20)
	if len(source.sheet.rows) <= AT_ONCE:
		ended = _ended(import_id, source.sheet, make(source.sheet, import_id))
		_remember(ended)
		return _told(ended)
	file = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": f"links-{import_id}.csv",
			"is_private": 1,
			"content": source.text.encode(),
		}
	).insert(ignore_permissions=True)
	state = _state(import_id, "queued", rows=len(source.sheet.rows))
	_remember(state)
	jobs.enqueue(
		"trackflow.links.csv_import.run",
		job_id=f"import-links::{import_id}",
		queue="long",
		timeout=300 + len(source.sheet.rows) // _ROWS_PER_SECOND,
		import_id=import_id,
		file=file.name,
	)
	return _told(state)


def import_now(content: bytes, report: Report | None = None) -> dict[str, Any]:
	"""Import a file of any size here and now, as a command does."""
	import_id = frappe.generate_hash(length=20)
	sheet = read(content).sheet
	return _told(_ended(import_id, sheet, make(sheet, import_id, report)))


@recorded
def run(import_id: str, file: str) -> None:
	"""The job: import the file and delete it. It may run twice; where it cannot go on, its state says so."""
	if not frappe.db.exists("File", file):
		return
	reached = _state(import_id, "running", rows=0)

	def report(done: int, of: int) -> None:
		reached.update(total=of, done=done)
		_tell(reached)

	try:
		stored = frappe.get_doc("File", file)
		with open(stored.get_full_path(), "rb") as opened:
			sheet = read(opened.read()).sheet
		ended = _ended(import_id, sheet, make(sheet, import_id, report))
	except Exception:
		frappe.db.rollback()
		note_failure(f"TrackFlow: the import {import_id} stopped")
		_end(file, {**reached, "status": "failed", "message": _stopped_at(reached["done"])})
		raise
	_end(file, ended)


def _end(file: str, state: dict[str, Any]) -> None:
	frappe.delete_doc("File", file, ignore_permissions=True, force=True)
	frappe.db.commit()
	_tell(state)


def _stopped_at(done: int) -> str:
	return _(
		"The import stopped after {0} rows, because of an error that the Error Log tells more of. Links that were"
		" made stay; the rows after them were not imported."
	).format(done)


def make(sheet: Sheet, import_id: str, report: Report | None = None) -> list[Verdict]:
	"""Make the sheet's links, with a commit after each piece; what an earlier run made is found, not made again."""
	verdicts: list[Verdict] = []
	for piece in _pieces(sheet.rows, PIECE):
		verdicts += _make_piece(piece, import_id)
		if report:
			report(len(verdicts), len(sheet.rows))
	return verdicts


@retried
def _make_piece(piece: tuple[Row, ...], import_id: str) -> list[Verdict]:
	names = {row.number: key_name(import_id, row.number)[:_NAME_LENGTH] for row in piece}
	stored = _stored(names)
	made = bulk_create.create([row for row in piece if row.number not in stored], names=names)
	frappe.db.commit()
	return sorted([*made, *stored.values()], key=lambda verdict: verdict.row)


def progress(import_id: str) -> dict[str, Any]:
	"""How far an import is, and what became of its rows; for the user who began it."""
	state = frappe.cache.get_value(_key(plain_text(import_id, "import_id")), expires=True)
	if not state or state["user"] != frappe.session.user:
		frappe.throw(_("There is no import {0} of yours.").format(import_id), frappe.DoesNotExistError)
	return _told(state)


def _stored(names: dict[int, str]) -> dict[int, Verdict]:
	numbers = {name: number for number, name in names.items()}
	links = frappe.get_all(
		DOCTYPE,
		filters={"name": ("in", list(numbers))},
		fields=["name", "short_code", "domain"],
		order_by="name",
	)
	return {
		numbers[link.name]: Verdict(
			numbers[link.name],
			link.name,
			link.short_code,
			bulk_create.short_url(link.short_code, link.domain),
		)
		for link in links
	}


def _pieces(rows: tuple[Row, ...], size: int) -> Iterator[tuple[Row, ...]]:
	for start in range(0, len(rows), size):
		yield rows[start : start + size]


def _shown(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
	"""So many rows as a person looks at, those with errors before the others, in the file's order."""
	if len(rows) <= SHOWN:
		return rows
	first = sorted(rows, key=lambda row: not row.get("errors"))[:SHOWN]
	return sorted(first, key=lambda row: row["row"])


def _state(import_id: str, status: str, rows: int, done: int = 0, **figures: Any) -> dict[str, Any]:
	return {
		"import_id": import_id,
		"user": frappe.session.user,
		"status": status,
		"total": rows,
		"done": done,
		**figures,
	}


def _ended(import_id: str, sheet: Sheet, verdicts: list[Verdict]) -> dict[str, Any]:
	figures = {"format": sheet.format, **bulk_create.summary(verdicts)}
	figures["rows"] = _shown(figures["rows"])
	return _state(import_id, "done", rows=len(verdicts), done=len(verdicts)) | figures


def _tell(state: dict[str, Any]) -> None:
	_remember(state)
	figures = {key: value for key, value in _told(state).items() if key != "rows"}
	frappe.publish_realtime(EVENT, figures, user=state["user"])


def _remember(state: dict[str, Any]) -> None:
	frappe.cache.set_value(_key(state["import_id"]), state, expires_in_sec=STATE_SECONDS)


def _told(state: dict[str, Any]) -> dict[str, Any]:
	return {key: value for key, value in state.items() if key != "user"}


def _key(import_id: str) -> str:
	return f"trackflow:link-import:{import_id}"
