"""Erases a person's data in all tables (CRM-8). Totals stay: what they rest on is kept, and is nobody's any more.

What stood for the person (visitor ids, leads, deals) becomes keyed hashes whose key is thrown away at the end; so figures that
count or join by it do not change, also when they are worked out again. First what waits on the stream is stored. Then each
browser is one transaction, and so are the CRM's documents and each batch of a log: a run that was cut off is taken up where it
was, and one that is done finds nothing. The record of it holds who, when and how many rows; whom, only until it is done.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

import frappe
from frappe.utils import now_datetime
from redis.exceptions import RedisError

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.exceptions import StreamUnavailable
from trackflow.integrations import crm_subject
from trackflow.jobs import enqueue
from trackflow.privacy import due, nobodys, personal, subjects
from trackflow.privacy.nobodys import EXPORTED, Pseudonyms, pieces
from trackflow.privacy.personal import (
	BY_DOCTYPE,
	DEAL,
	DELETED,
	EMAIL,
	LEAD,
	TABLES,
	VISITOR,
	Table,
	website_of,
)
from trackflow.privacy.subjects import Subject
from trackflow.rollups import marks
from trackflow.runs import recorded
from trackflow.stream import drain, spool
from trackflow.tracking import identity, repair
from trackflow.webhooks import outbox

Row = dict[str, Any]

RECORD = "TrackFlow Erasure"
RUNNING, DONE = "Running", "Done"
BATCH = 1_000
# Of a job, which has an hour.
JOB_SECONDS, JOB_TIMEOUT = 50 * 60, 60 * 60
# Tables whose rows hang on a visitor; those of its conversions, of leads and of deals are done with them.
OF_VISITOR = ("Click Event", "Visitor Event", "Visitor Session", "Touch Point")
TIMES = {table.doctype: table.time for table in due.TABLES}
OF_DEAL = ("Deal Attribution", "Deal Link Association", "Deal Stage Change")
LOGS = ("Email Campaign Log", "Click Queue", "CRM Sync Log", "API Request Log", "Webhook Delivery")


@dataclass(slots=True)
class _Work:
	"""One erasure: its record, what makes names that nobody can trace, whom it is about, and until when it may run."""

	record: str
	names: Pseudonyms
	subject: Subject
	until: float = float("inf")
	tell: Callable[[str, int], None] | None = None
	done: Counter[str] = field(default_factory=Counter)

	def add(self, doctype: str, number: int) -> None:
		"""Count rows; part of the transaction that wrote them."""
		if not number:
			return
		self.done[doctype] += number
		rows = (
			frappe.parse_json(frappe.db.get_value(RECORD, self.record, "rows_erased", for_update=True)) or {}
		)
		rows[doctype] = rows.get(doctype, 0) + number
		values = {"rows_erased": json.dumps(rows), "row_count": sum(rows.values())}
		frappe.db.set_value(RECORD, self.record, values, update_modified=False)
		if self.tell:
			self.tell(doctype, self.done[doctype])

	@property
	def is_over(self) -> bool:
		return time.monotonic() > self.until


def erase(
	*named: str,
	reference: str = "",
	max_seconds: float = float("inf"),
	tell: Callable[[str, int], None] | None = None,
) -> Row:
	"""Erase all that is about these addresses and visitor ids (as `subjects.read` gives them); what is not done within
	`max_seconds` goes on in a job. Answers the record: name, status, rows by DocType. Ends the transaction.

	Raises StreamUnavailable, with nothing erased, where what waits cannot be stored first: it would bring back what is gone."""
	drain.catch_up(min(max_seconds, drain.CATCH_UP_SECONDS))
	# As of now.
	frappe.db.commit()
	subject = subjects.find(*named)
	work = _unfinished(subject) or _record(subject, reference)
	frappe.db.commit()
	work.until, work.tell = time.monotonic() + max_seconds, tell
	_go_on(work)
	return outcome(work.record)


def outcome(record: str) -> Row:
	"""What became of an erasure."""
	row = frappe.db.get_value(RECORD, record, ["name", "status", "rows_erased"], as_dict=True)
	return {"name": row.name, "status": row.status, "rows": frappe.parse_json(row.rows_erased) or {}}


@recorded
def resume(record: str) -> None:
	"""Job: go on with an erasure that was cut off."""
	text = frappe.db.get_value(RECORD, record, "work")
	if not text:
		return
	try:
		drain.catch_up()
	except (StreamUnavailable, RedisError, OSError):
		frappe.logger("trackflow").exception("An erasure waits for the stream")
		return
	frappe.db.commit()
	work = _read(record, text)
	# Browsers that came while it waited are the person's too.
	work.subject |= subjects.find(*work.subject.emails, *work.subject.visitors)
	work.until = time.monotonic() + JOB_SECONDS
	_go_on(work)


@recorded
def resume_all() -> int:
	"""Hourly: see that what was cut off is done; returns how many erasures that are."""
	records = frappe.get_all(RECORD, filters={"status": RUNNING}, pluck="name", order_by="started_on")
	for record in records:
		_queue(record)
	frappe.db.commit()
	return len(records)


def ask(*named: str, reference: str) -> None:
	"""Have a job erase what `erase` would, once the caller's transaction is stored; asked for once for each reference."""
	if frappe.db.exists(RECORD, {"reference": reference}):
		return
	emails = frozenset(one for one in named if not identity.is_visitor_id(one))
	work = _record(Subject(emails=emails, visitors=frozenset(named) - emails), reference)
	_queue(work.record)


def _unfinished(subject: Subject) -> _Work | None:
	"""An erasure of the same person that was cut off."""
	for row in frappe.get_all(
		RECORD, filters={"status": RUNNING}, fields=["name", "work"], order_by="started_on"
	):
		known = _read(row.name, row.work) if row.work else None
		if known and known.subject.words & subject.words:
			known.subject |= subject
			return known
	return None


def _record(subject: Subject, reference: str) -> _Work:
	"""A new erasure, written down before it begins."""
	work = _Work(frappe.generate_hash(length=10), Pseudonyms(token_bytes(32)), subject)
	doc = {
		"name": work.record,
		"status": RUNNING,
		"reference": reference[:140] or None,
		"requested_by": frappe.session.user,
		"started_on": now_datetime(),
		"row_count": 0,
		"rows_erased": "{}",
		"work": json.dumps({"key": work.names.key.hex(), "subject": subject.as_dict()}),
	}
	bulk.insert(RECORD, [doc])
	return work


def _read(record: str, text: str) -> _Work:
	values = json.loads(text)
	return _Work(record, Pseudonyms(bytes.fromhex(values["key"])), Subject.of(values["subject"]))


def _go_on(work: _Work) -> None:
	# From now on what they did is not worked out again.
	repair.rebuild(bulk.load("Visitor", {"name": ("in", work.subject.visitors or [""])}, ()))
	_erase_crm(work)
	for visitor_id in sorted(work.subject.visitors):
		if work.is_over:
			_queue(work.record)
			frappe.db.commit()
			return
		_erase_visitor(work, visitor_id)
	for table in (*(BY_DOCTYPE[name] for name in LOGS), DELETED):
		_erase_log(work, table)
	_erase_torn_lines(work)
	_finish(work)


def _queue(record: str) -> None:
	enqueue(
		"trackflow.privacy.erasure.resume",
		job_id=f"erasure::{record}::{now_datetime()}",
		queue="long",
		timeout=JOB_TIMEOUT,
		record=record,
	)


@retried
def _finish(work: _Work) -> None:
	"""From here on nobody can tell whom the record was about."""
	values = {"status": DONE, "finished_on": now_datetime(), "work": None}
	frappe.db.set_value(RECORD, work.record, values, update_modified=False)
	frappe.db.commit()
	frappe.logger("trackflow").info(
		"Erasure %s by %s: %s rows", work.record, frappe.session.user, sum(work.done.values())
	)


@retried
def _erase_crm(work: _Work) -> None:
	"""Leads, deals and organizations, and what refers to them by name. The documents are locked first, as their jobs do; once
	they are marked, no job makes them conversions again."""
	frappe.db.commit()
	subject = work.subject
	changed = crm_subject.forget(subject.leads, subject.deals, subject.organizations)
	for doctype, number in changed.items():
		work.add(doctype, number)
	_cut_conversions(work)
	pseudonyms = {
		LEAD: {one: work.names.of("lead", one) for one in subject.leads},
		DEAL: {one: work.names.of("deal", one) for one in subject.deals},
	}
	for doctype in ("Lead Status Change", *OF_DEAL):
		work.add(doctype, nobodys.rename_documents(doctype, pseudonyms))
	work.names.commit()


def _cut_conversions(work: _Work) -> None:
	"""Part the conversions of the leads and deals from these. One without a visitor goes with the first of the person's
	browsers, so that its credits stay; one of another's browser stays with that."""
	subject, names = work.subject, work.names
	found = {
		name
		for column, some in (("crm_lead", subject.leads), ("crm_deal", subject.deals))
		if some
		for name in bulk.load("Conversion", {column: ("in", some)}, ())
	}
	first = min(subject.visitors, default=None)
	# One with a visitor of the person's goes with its browser.
	rows = {
		name: row
		for name, row in bulk.lock("Conversion", found, ["visitor"]).items()
		if row.visitor not in subject.visitors
	}
	done = nobodys.rename_conversions(
		names, {name: {"visitor": row.visitor or first} for name, row in rows.items()}
	)
	of_nobody = {names.of_conversion(name) for name, row in rows.items() if first and not row.visitor}
	credits = bulk.load("Attribution Link", {"conversion": ("in", of_nobody)}, ["touch_point"])
	unattributed = [name for name, credit in credits.items() if not credit.touch_point]
	nobodys.write("Attribution Link", {name: {"visitor_id": first} for name in unattributed})
	for doctype in ("Conversion", EXPORTED):
		work.add(doctype, done[doctype])


@retried
def _erase_visitor(work: _Work, visitor_id: str) -> None:
	"""One browser, in one transaction that begins with its lock, which a drain waits for: what comes afterwards is new, and
	somebody's whom we do not know."""
	frappe.db.commit()
	locked = bulk.lock("Visitor", [visitor_id], BY_DOCTYPE["Visitor"].keeps)
	names = work.names
	erased = names.of_visitor(visitor_id)
	touches = bulk.load("Touch Point", {"visitor_id": visitor_id}, ())
	conversions = bulk.lock("Conversion", bulk.load("Conversion", {"visitor": visitor_id}, ()))
	done = nobodys.rename_conversions(names, {name: {"visitor": erased} for name in conversions})
	renamed = [names.of_conversion(name) for name in conversions]
	credits = _beside("Attribution Link", visitor_id, {"touch_point": touches, "conversion": renamed})
	links = _beside(
		"Link Conversion", visitor_id, {"click_event": _clicks(visitor_id), "conversion": renamed}
	)
	for doctype, some in (("Attribution Link", credits), ("Link Conversion", links)):
		empty = dict.fromkeys(BY_DOCTYPE[doctype].empties)
		nobodys.write(doctype, {name: {**empty, "visitor_id": erased} for name in some})
	exported = nobodys.empty_exported(names, {"visitor": visitor_id}, lambda _row: {"visitor": erased})
	work.add(EXPORTED, done[EXPORTED] + exported)
	work.add("Conversion", len(conversions))
	work.add("Attribution Link", len(credits))
	work.add("Link Conversion", len(links))
	for doctype in OF_VISITOR:
		work.add(doctype, _empty_rows(BY_DOCTYPE[doctype], visitor_id, erased))
	if row := locked.get(visitor_id):
		_replace_visitor(row, erased, names.of("person", ""))
		work.add("Visitor", 1)
	names.commit()


def _replace_visitor(row: Row, erased: str, person: str) -> None:
	"""Nobody's row instead of the visitor's, with the figures that totals rest on."""
	kept = {name: row[name] for name in BY_DOCTYPE["Visitor"].keeps}
	bulk.delete("Visitor", [row["name"]])
	new = {"name": erased, "visitor_id": erased, **kept, "erased_person": person}
	bulk.insert("Visitor", [new], ignore_duplicates=True)


def _empty_rows(table: Table, visitor_id: str, erased: str) -> int:
	"""Empty what is personal in a visitor's rows, which are the erased one's from then on."""
	is_click = table.doctype == "Click Event"
	at = TIMES[table.doctype]
	rows = bulk.load(
		table.doctype, {table.field_of(VISITOR): visitor_id}, [at, "referrer"] if is_click else [at]
	)
	# Sums of these days hold pages, and a sketch that the id could be tried on.
	marks.mark_clicks(row[at] for row in rows.values())
	nobodys.empty_rows(table, dict.fromkeys(rows, erased))
	if is_click:
		websites = {name: website_of(row.referrer) for name, row in rows.items() if row.referrer}
		nobodys.write("Click Event", {name: {"referrer": website} for name, website in websites.items()})
	return len(rows)


def _beside(doctype: str, visitor_id: str, by: Mapping[str, Collection[str]]) -> list[str]:
	"""Credits that name the visitor, also those of others' conversions; found by what has an index."""
	found: dict[str, Row] = {}
	for column, values in by.items():
		for some in pieces(values, BATCH):
			found |= bulk.load(doctype, {column: ("in", some)}, ["visitor_id"])
	return sorted(name for name, row in found.items() if row.visitor_id == visitor_id)


def _clicks(visitor_id: str) -> Collection[str]:
	return bulk.load("Click Event", {"visitor_id": visitor_id}, ()).keys()


def _erase_log(work: _Work, table: Table) -> None:
	"""Rows of a log, a batch in a transaction."""
	for some in pieces(subjects.names(table, work.subject), BATCH):
		_erase_log_rows(work, table, some)


@retried
def _erase_log_rows(work: _Work, table: Table, names: list[str]) -> None:
	frappe.db.commit()
	if table.doctype == outbox.DELIVERY:
		outbox.forget(names, lambda text: personal.names_any(text, work.subject.words))
	elif table.goes:
		bulk.delete(table.doctype, names)
	else:
		references = [column for kind, column in table.found_by if kind in (EMAIL, LEAD, VISITOR)]
		empty = dict.fromkeys((*table.empties, *table.mentions, *references))
		# A mail's row is named by its address.
		renames = table.doctype == "Email Campaign Log"
		changes = {
			name: {**empty, "name": work.names.of("mail", name)} if renames else empty for name in names
		}
		nobodys.write(table.doctype, changes)
	work.add(table.doctype, len(names))
	frappe.db.commit()


def _erase_torn_lines(work: _Work) -> None:
	"""What a crash cut off and is kept in files: lines that name the person go."""
	words = work.subject.words
	for path in spool.bad_files():
		lines = path.read_bytes().splitlines(keepends=True)
		rest = [line for line in lines if not personal.names_any(line.decode(errors="replace"), words)]
		if len(rest) == len(lines):
			continue
		if rest:
			draft = path.with_name(f"{path.name}.{work.record}")
			draft.write_bytes(b"".join(rest))
			draft.replace(path)
		else:
			path.unlink(missing_ok=True)
