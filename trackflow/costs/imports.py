"""An import of costs: what a file would do, the doing in one transaction, and its undoing (CST-1).

A Cost Import is the record: file, options, what became of the rows. Beside it is kept what each row was before and what the
import made of it, so that undoing restores exactly, and leaves alone what was changed since. That is deleted by its age: all of an import
at once, as it is all of one time, that of the import itself.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import get_datetime, getdate, now_datetime

from trackflow import bulk, jobs
from trackflow.collisions import retried
from trackflow.costs import campaigns, files, sheet, store
from trackflow.costs.facts import CHANGEABLE, KEY, LONGEST, value_of
from trackflow.costs.sheet import Sheet
from trackflow.costs.store import CHANGED, NEW, REFUSED, UNCHANGED, Verdict
from trackflow.naming import key_name
from trackflow.privacy import aged
from trackflow.runs import note_failure, recorded
from trackflow.validation import readable, stored_json

IMPORT, ENTRY = "Cost Import", "Cost Import Row"
DRAFT, QUEUED, IMPORTED, FAILED, UNDONE, PARTLY = (
	"Draft",
	"Queued",
	"Imported",
	"Failed",
	"Undone",
	"Partly Undone",
)
# Rows that an answer lists: those that are refused first, then those that change something.
SHOWN = 500
# More facts than this are written in a job.
AT_ONCE = 10_000
# Rights to costs.
UNDO_TAKES = ("write", "delete")
PROGRESS_SECONDS = 60 * 60
_ORDER = (REFUSED, CHANGED, NEW, UNCHANGED)
_ROWS_PER_SECOND = 200

Row = dict[str, Any]


@dataclass(slots=True)
class Result:
	"""What became of a file's rows, or would."""

	sheet: Sheet
	counts: Counter[str]
	shown: dict[str, list[Row]]
	spend: dict[str, Decimal]
	without_campaign: int = 0

	@classmethod
	def of(cls, read: Sheet) -> "Result":
		result = cls(read, Counter({verdict: 0 for verdict in _ORDER}), {one: [] for one in _ORDER}, {})
		for row, message in read.refused:
			result._show(REFUSED, {"row": row, "verdict": REFUSED, "message": _(message)})
		return result

	def add(self, verdicts: Iterable[Verdict]) -> None:
		for one in verdicts:
			fact = one.fact
			if one.verdict != REFUSED:
				self.spend[fact.currency] = self.spend.get(fact.currency, Decimal(0)) + (fact.spend or 0)
				self.without_campaign += not one.link_campaign
			if len(self.shown[one.verdict]) < SHOWN:
				self._show(one.verdict, _told(one))
			else:
				self.counts[one.verdict] += 1

	def _show(self, verdict: str, row: Row) -> None:
		self.counts[verdict] += 1
		if len(self.shown[verdict]) < SHOWN:
			self.shown[verdict].append(row)

	def as_dict(self) -> Row:
		"""What an API answers: bounded, whatever the file's length."""
		rows = [row for verdict in _ORDER for row in self.shown[verdict]][:SHOWN]
		days = [fact.day for fact in self.sheet.facts]
		return {
			"format": self.sheet.layout.format.name,
			"decimal_mark": self.sheet.decimal_mark,
			"day_order": self.sheet.day_order,
			"columns": self.sheet.layout.named,
			"from_date": str(min(days)) if days else None,
			"to_date": str(max(days)) if days else None,
			**{verdict: self.counts[verdict] for verdict in _ORDER},
			"summed": self.sheet.summed,
			"left_out": dict(self.sheet.left_out),
			"without_campaign": self.without_campaign,
			"spend": {currency: float(total) for currency, total in sorted(self.spend.items())},
			"ignored_columns": [header[:LONGEST] for _index, header in self.sheet.layout.others if header][
				:SHOWN
			],
			"rows": sorted(rows, key=lambda row: row["row"]),
		}


def _told(verdict: Verdict) -> Row:
	fact = verdict.fact
	row: Row = {
		"row": fact.row,
		"verdict": verdict.verdict,
		"date": str(fact.day),
		"platform": fact.platform,
		"campaign": fact.campaign or fact.campaign_id,
		"adset": fact.adset or fact.adset_id,
		"ad": fact.ad or fact.ad_id,
		"link_campaign": verdict.link_campaign or None,
		"impressions": fact.impressions,
		"clicks": fact.clicks,
		"spend": None if fact.spend is None else float(fact.spend),
		"currency": fact.currency,
	}
	if fact.rows > 1:
		row["rows"] = fact.rows
	if verdict.changes:
		row["changes"] = {
			field: {"old": _plain(old), "new": _plain(new)} for field, (old, new) in verdict.changes.items()
		}
	if verdict.message:
		row["message"] = _(verdict.message)
	return row


def _plain(value: Any) -> Any:
	return float(value) if isinstance(value, Decimal) else value


def preview(content: bytes | str | None, options: sheet.Options) -> Row:
	"""What importing the file would do, row by row. Writes nothing."""
	frappe.has_permission(store.DOCTYPE, "create", throw=True)
	read = files.read(content, options)
	result, known = Result.of(read), campaigns.known()
	for portion in store.portions(read.facts):
		result.add(store.compare(portion, known))
	return result.as_dict()


def check_permission() -> None:
	"""An import makes rows and changes rows."""
	for ptype in ("create", "write"):
		frappe.has_permission(store.DOCTYPE, ptype, throw=True)
	frappe.has_permission(IMPORT, "create", throw=True)


def import_content(content: bytes | str | None, said: Row, mapping: Any, file_name: str) -> Row:
	"""Make a Cost Import of a file and carry it out, or have a job do it. `said` are its options by field."""
	check_permission()
	name, read = _recorded(content, said, mapping, file_name)
	return _carry_out(name, read)


def import_now(content: bytes, said: Row, mapping: Any, file_name: str) -> Row:
	"""Import a file of any size here and now, as a command does."""
	return _import(*_recorded(content, said, mapping, file_name))


def _recorded(content: bytes | str | None, said: Row, mapping: Any, file_name: str) -> tuple[str, Sheet]:
	"""The Cost Import of a file that can be read, and the file as it was read."""
	is_saved = isinstance(mapping, str) and not mapping.lstrip().startswith("{")
	where = {"mapping" if is_saved else "columns": mapping if is_saved else stored_json(mapping, "mapping")}
	doc = frappe.get_doc({"doctype": IMPORT, **said, **where})
	read = files.read(content, doc.options())
	doc.insert()
	files.attach(doc, content or b"", file_name)
	return doc.name, read


def _writable(name: str) -> Document:
	doc = readable(IMPORT, name)
	doc.check_permission("write")
	return doc


def import_document(name: str) -> Row:
	"""Carry out a Cost Import that a form has made."""
	check_permission()
	doc = _writable(name)
	return _carry_out(doc.name, files.read(doc.content(), doc.options()))


def _carry_out(name: str, read: Sheet) -> Row:
	if len(read.facts) <= AT_ONCE:
		return _import(name, read)
	_begin(name)
	frappe.db.set_value(IMPORT, name, {"status": QUEUED})
	jobs.enqueue(
		"trackflow.costs.imports.run",
		job_id=f"import-costs::{name}",
		queue="long",
		timeout=300 + len(read.facts) // _ROWS_PER_SECOND,
		name=name,
	)
	return {"name": name, "status": QUEUED}


@recorded
def run(name: str) -> None:
	"""The job: it may run twice, and writes once. Where it cannot go on, the import says so."""
	doc = frappe.get_doc(IMPORT, name)
	if doc.status != QUEUED:
		return
	try:
		_import(name, files.read(doc.content(), doc.options()))
	except Exception as error:
		frappe.db.rollback()
		note_failure(f"TrackFlow: the cost import {name} stopped")
		words = str(error) if isinstance(error, frappe.ValidationError) else _("The Error Log tells more.")
		if _status(name) == QUEUED:
			_end(name, {"status": FAILED, "message": words}, now_datetime())
		frappe.db.commit()
		raise


def _import(name: str, read: Sheet) -> Row:
	frappe.db.commit()
	return _write(name, read)


@retried
def _write(name: str, read: Sheet) -> Row:
	"""ONE TRANSACTION: all rows that are not refused, what they were before, and the record."""
	_begin(name)
	at = now_datetime()
	result, known = Result.of(read), campaigns.known()
	done = 0
	for portion in store.portions(read.facts):
		verdicts = store.compare(portion, known, is_locked=True)
		_remember(name, verdicts, at)
		store.write(verdicts, "CSV")
		result.add(verdicts)
		done += len(portion)
		# In the cache, past the transaction: nobody else sees of it before its end.
		frappe.cache.set_value(_progress_key(name), [done, len(read.facts)], expires_in_sec=PROGRESS_SECONDS)
	answer = result.as_dict()
	has_any = any(answer[verdict] for verdict in (NEW, CHANGED, UNCHANGED))
	status = IMPORTED if has_any else FAILED
	_end(
		name,
		{
			"status": status,
			"message": None if has_any else _("Every row was refused."),
			"detected_format": answer["format"],
			"first_day": answer["from_date"],
			"last_day": answer["to_date"],
			"new_count": answer[NEW],
			"changed_count": answer[CHANGED],
			"unchanged_count": answer[UNCHANGED],
			"refused_count": answer[REFUSED],
			"left_out_count": sum(answer["left_out"].values()),
			"report": json.dumps(answer, default=str),
		},
		at,
	)
	frappe.db.commit()
	return {"name": name, "status": status, **answer}


def _begin(name: str) -> None:
	"""Lock the record, which must not have been carried out."""
	if _status(name) not in (DRAFT, QUEUED, FAILED):
		frappe.throw(_("The import {0} was carried out already.").format(name))


def _status(name: str) -> str | None:
	"""The status of the record, which is locked until the transaction's end."""
	return frappe.db.get_value(IMPORT, name, "status", for_update=True)


def _end(name: str, values: Row, at: datetime) -> None:
	who = {"imported_by": frappe.session.user, "imported_on": at}
	frappe.db.set_value(IMPORT, name, values | who)


def _remember(name: str, verdicts: Iterable[Verdict], at: datetime) -> None:
	"""Keep of each row what it was, and what the import makes of it. A campaign that is found is no figure."""
	rows = []
	for one in verdicts:
		if one.verdict == NEW or one.changes.keys() & CHANGEABLE.keys():
			was = one.stored and _text({field: value_of(field, one.stored[field]) for field in CHANGEABLE})
			rows.append(
				{
					"name": key_name(name, one.name),
					"creation": at,
					"cost_import": name,
					"metric": one.name,
					"entered_by": one.stored and one.stored["entered_by"],
					"was": was,
					"became": _text(store.figures(one)),
				}
			)
	bulk.insert(ENTRY, rows)


def _text(figures: Row) -> str:
	return json.dumps(
		{field: str(value) if isinstance(value, Decimal) else value for field, value in figures.items()}
	)


def reached(name: str) -> tuple[int, int] | None:
	"""How many rows of how many a job has written of an import; None where nobody knows."""
	found = frappe.cache.get_value(_progress_key(name), expires=True)
	return tuple(found) if found else None


def _progress_key(name: str) -> str:
	return f"trackflow:cost-import:{name}"


def undo(name: str) -> Row:
	"""Make all rows of an import what they were before it; those that were changed since stay, and are told."""
	for ptype in UNDO_TAKES:
		frappe.has_permission(store.DOCTYPE, ptype, throw=True)
	doc = _writable(name)
	frappe.db.commit()
	return _undo(doc.name)


@retried
def _undo(name: str) -> Row:
	"""ONE TRANSACTION."""
	if _status(name) not in (IMPORTED, PARTLY):
		frappe.throw(_("The import {0} has nothing to undo.").format(name))
	if is_undo_gone(frappe.db.get_value(IMPORT, name, "imported_on")):
		frappe.throw(undo_is_gone())
	counts: Counter[str] = Counter()
	skipped: list[Row] = []
	last = ""
	while entries := _entries(name, last):
		last = entries[-1].name
		_undo_portion(entries, counts, skipped)
	status = PARTLY if counts["skipped"] else UNDONE
	values = {"status": status, "undone_by": frappe.session.user, "undone_on": now_datetime()}
	message = _("{0} rows were changed since, and stay.").format(counts["skipped"])
	frappe.db.set_value(IMPORT, name, values | {"message": message if counts["skipped"] else None})
	frappe.db.commit()
	return {
		"name": name,
		"status": status,
		**{what: counts[what] for what in ("removed", "restored", "skipped")},
		"rows": skipped,
	}


def is_undo_gone(imported_on: datetime | str) -> bool:
	"""Whether what the rows of an import of that time were before is deleted, or due to be while others of the time are."""
	deleted = aged.deleted_until([ENTRY])
	return bool(deleted and get_datetime(imported_on) < deleted)


def undo_is_gone() -> str:
	"""That in words."""
	return _(
		"This import can no longer be undone: what its rows were before was deleted by its age (TrackFlow Settings, Retention)."
	)


def _entries(name: str, after: str) -> list[Row]:
	table = frappe.qb.DocType(ENTRY)
	return (
		frappe.qb.from_(table)
		.select(table.name, table.metric, table.was, table.became, table.entered_by)
		.where((table.cost_import == name) & (table.name > after))
		.orderby(table.name)
		.limit(store.PORTION)
		.run(as_dict=True)
	)


def _undo_portion(entries: list[Row], counts: Counter[str], skipped: list[Row]) -> None:
	stored = bulk.lock(store.DOCTYPE, [entry.metric for entry in entries], (*KEY, *CHANGEABLE))
	removed: list[str] = []
	restored: dict[str, Row] = {}
	done: list[str] = []
	days: set[date] = set()
	for entry in entries:
		row = stored.get(entry.metric)
		if row is None and not entry.was:
			done.append(entry.name)
		elif row is None or _is_changed(row, entry):
			counts["skipped"] += 1
			if len(skipped) < SHOWN:
				skipped.append(_skipped(entry, row))
		else:
			done.append(entry.name)
			days.add(getdate(row.date))
			if entry.was:
				restored[entry.metric] = json.loads(entry.was) | {"entered_by": entry.entered_by}
			else:
				removed.append(entry.metric)
	bulk.delete(store.DOCTYPE, removed)
	store.update(restored)
	bulk.delete(ENTRY, done)
	store.undone(days)
	counts["removed"] += len(removed)
	counts["restored"] += len(restored)


def _is_changed(row: Row, entry: Row) -> bool:
	became = json.loads(entry.became)
	return any(value_of(field, row[field]) != value_of(field, became[field]) for field in CHANGEABLE)


def _skipped(entry: Row, row: Row | None) -> Row:
	if row is None:
		return {"metric": entry.metric, "message": _("It was deleted since.")}
	return {
		"metric": entry.metric,
		"date": str(row.date),
		"platform": row.platform,
		"campaign": row.campaign_name or row.external_campaign_id,
		"message": _("It was changed since."),
	}
