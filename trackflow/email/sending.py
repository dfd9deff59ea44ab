"""Sends mailings: gathers recipients, hands mails over to Frappe's queue, and follows what becomes of them there (EML-1).

Each step is one transaction that begins with the mailing's lock: rows of recipients under names that follow from mailing and address,
so that nobody has two; then a batch of mails, whose rows in Frappe's queue come into being together with the note that they did. A job
that is killed anywhere, or runs twice, sends no mail twice and leaves none out. Memory is that of one batch.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, get_datetime, get_url, now_datetime

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.email import figures, leaving, preparing, recipients, rendering, returns, tokens
from trackflow.email.mailings import (
	DRAFT,
	FAILED,
	LOG,
	MAILING,
	PAUSED,
	QUEUED,
	SENDING,
	SENT,
	SKIPPED,
	UNDER_WAY,
	status_of,
)
from trackflow.email.message import Mail, MessageError, composed, plain_address
from trackflow.email.senders import Sender, sender_of
from trackflow.jobs import enqueue
from trackflow.keys import click_secret
from trackflow.runs import log, recorded

Row = dict[str, Any]

BATCH = 100
# Mails that wait in Frappe's queue at most: so long can a pause or an unsubscribe come too late.
AHEAD = 1_000
JOB_SECONDS, JOB_TIMEOUT = 20 * 60, 25 * 60
# A mail whose sending was cut off has left or has not: nobody can tell, and it is not sent again. Frappe 16 itself would, after 15 minutes.
CUT_OFF_AFTER = timedelta(minutes=10)
FACTS = ("status", "sent_date", "opened_date", "clicked_date", "bounced_date", "unsubscribed_date")
_STATE = ("status", "cursor", "is_gathered", "send_after")


def start(mailing: Document) -> None:
	"""Begin to send, or go on after a pause, on behalf of the present user; part of the request's transaction."""
	if mailing.status not in (DRAFT, PAUSED):
		frappe.throw(_("This mailing is {0} already.").format(_(mailing.status)))
	preparing.check(mailing)
	if mailing.status == DRAFT:
		mailing.tracking = preparing.tracking_of(mailing)
	preparing.make_links(mailing, rendering.template_of(mailing))
	mailing.flags.by_code = True
	mailing.save()
	mailing.flags.by_code = False
	first = {"sent_by": frappe.session.user, "started_on": now_datetime()} if mailing.status == DRAFT else {}
	bulk.update(MAILING, {mailing.name: {"status": SENDING, "message": None, **first}})
	queue(mailing.name)


@retried
def pause(name: str) -> None:
	"""Hand over no more mails; those in Frappe's queue are on their way. Ends its transaction."""
	frappe.db.commit()
	row = bulk.lock(MAILING, [name], ["status"]).get(name)
	if not row or row.status != SENDING:
		frappe.throw(_("This mailing is not being sent."))
	bulk.update(MAILING, {name: {"status": PAUSED}}, is_locked=True)
	frappe.db.commit()


def queue(name: str) -> None:
	enqueue(
		"trackflow.email.sending.send",
		# Without a time: one that runs looks at the mailing before each batch, and the scheduler asks again.
		job_id=f"mailing::{name}",
		queue="long",
		timeout=JOB_TIMEOUT,
		mailing=name,
	)


@recorded
def go_on() -> int:
	"""Every minute: follow what is on its way, and go on with mailings that are due; returns how many those are."""
	names = frappe.get_all(MAILING, filters={"status": SENDING}, pluck="name", order_by="started_on")
	for name in [*names, *_paused_with_mails()]:
		follow(name)
	due = frappe.get_all(
		MAILING,
		filters={"status": SENDING, "name": ("in", names)},
		fields=["name", "send_after"],
		order_by="started_on",
	)
	due = [row.name for row in due if _is_due(row)]
	for name in due:
		queue(name)
	frappe.db.commit()
	return len(due)


@recorded
def send(mailing: str) -> int:
	"""Job: hand over mails of a mailing until none is left, enough are on their way, or its time is over; returns how many.

	It reads recipients as the user who began the mailing, whatever that user may still read."""
	former = frappe.session.user
	user, state = frappe.db.get_value(MAILING, mailing, ["sent_by", "status"]) or (None, "")
	if state != SENDING:
		return 0
	try:
		frappe.set_user(user)
		return _Run(mailing).go()
	finally:
		frappe.db.rollback()
		frappe.set_user(former)


class _Run:
	"""One run of the job: the mailing as it is now, what its mails share, and when it has to stop."""

	def __init__(self, name: str) -> None:
		self.name = name
		self.until = time.monotonic() + JOB_SECONDS
		self.done = 0
		self.has_failed = False

	def go(self) -> int:
		try:
			self._load()
			while time.monotonic() < self.until and self._gather():
				pass
			while time.monotonic() < self.until and self._hand_over():
				pass
		except (frappe.ValidationError, frappe.PermissionError, frappe.DoesNotExistError) as error:
			# Nobody waits for this job: what is wrong is said where they look.
			frappe.db.rollback()
			frappe.clear_messages()
			_stop(self.name, str(error))
		log("mailing", mailing=self.name, mails=self.done)
		follow(self.name)
		return self.done

	def _load(self) -> None:
		frappe.db.commit()
		self.mailing = frappe.get_doc(MAILING, self.name)
		self.template = rendering.template_of(self.mailing)
		self.sender = sender_of(self.mailing)
		self.links = preparing.links_of(self.mailing)
		self.base = get_url().rstrip("/")
		self.host = urlsplit(self.base).hostname or "localhost"
		self.secret = click_secret()
		self.doctype = recipients.source_of(self.mailing)

	def _locked(self) -> Row | None:
		"""The mailing's state, locked, if it is to be sent now."""
		frappe.db.commit()
		row = bulk.lock(MAILING, [self.name], _STATE).get(self.name)
		return row if row and row.status == SENDING and _is_due(row) else None

	@retried
	def _gather(self) -> bool:
		"""Write down the next page of recipients; False once there is none."""
		state = self._locked()
		if not state or cint(state.is_gathered):
			return False
		page = recipients.page(self.mailing, state.cursor or "")
		rows = [self._row(one) for one in page]
		bulk.insert(LOG, rows, ignore_duplicates=True)
		is_last = len(page) < recipients.PAGE
		cursor = page[-1]["name"] if page else state.cursor
		bulk.update(
			MAILING,
			{self.name: {"cursor": cursor, "is_gathered": int(is_last), "is_stale": 1}},
			is_locked=True,
		)
		frappe.db.commit()
		return not is_last

	def _row(self, recipient: Row) -> Row:
		name = tokens.row_name(self.secret, self.name, recipient["email"])
		return {
			"name": name,
			"mailing": self.name,
			"campaign": self.mailing.campaign,
			"email_template": self.mailing.email_template,
			"recipient": recipient["email"],
			"reference_doctype": self.doctype,
			"reference_name": recipient["name"],
			"status": QUEUED,
		}

	@retried
	def _hand_over(self) -> bool:
		"""Hand a batch over to Frappe's queue; False where none is left or enough wait there. The mails are made before anything is locked:
		that takes seconds, for which clicks in earlier ones, and with them all of a drain, would have to wait."""
		frappe.db.commit()
		room = min(BATCH, AHEAD - _number(self.name, UNDER_WAY))
		waiting = self._waiting(room) if room > 0 else {}
		if not waiting:
			return False
		mails, changes = self._made(waiting)
		if not self._locked():
			return False
		# Another job may have handed them over meanwhile.
		there = bulk.lock(LOG, list(changes), ["status"])
		changes = {name: changes[name] for name, row in there.items() if row.status == QUEUED}
		queued = {one["email_queue"] for one in changes.values()}
		mails = [mail for mail in mails if mail[0] in queued]
		preparing.queue(mails, self.mailing, self.sender.envelope, self.sender.account)
		bulk.update(LOG, changes, is_locked=True)
		bulk.update(MAILING, {self.name: {"is_stale": 1}}, is_locked=True)
		frappe.db.commit()
		self.done += len(mails)
		return True

	def _waiting(self, number: int) -> dict[str, Row]:
		rows = frappe.get_all(
			LOG,
			filters={"mailing": self.name, "status": QUEUED},
			fields=["name", "recipient", "reference_name"],
			order_by="name",
			limit=number,
		)
		return {row.name: row for row in rows}

	def _made(self, waiting: dict[str, Row]) -> tuple[list[tuple[str, str, str, str]], dict[str, Row]]:
		"""The mails of a batch, and what becomes of its rows."""
		addresses = {row.recipient or "" for row in waiting.values()}
		left, returned = leaving.left(addresses), leaving.returned(addresses)
		known = recipients.values(self.doctype, {row.reference_name for row in waiting.values()})
		mails, changes = [], {}
		for name, row in waiting.items():
			address = row.recipient or ""
			reason = ""
			if address in left:
				reason = _("Unsubscribed")
			elif address in returned:
				reason = _("An earlier mail came back")
			elif row.reference_name not in known:
				reason = _("The recipient's row is gone")
			else:
				try:
					mail = self._mail(name, address, known[row.reference_name])
					mails.append(mail)
				except MessageError as error:
					reason = str(error)
			changes[name] = {
				"status": SKIPPED if reason else UNDER_WAY,
				"error_message": reason or None,
				"email_queue": None if reason else mails[-1][0],
				"message_id": None if reason else mails[-1][2],
			}
		return mails, changes

	def _mail(self, name: str, address: str, values: Row) -> tuple[str, str, str, str]:
		plain_address(address)
		own = preparing.own(self.mailing, name, self.links, self.secret, self.base)
		try:
			made = rendering.rendered(self.template, values, address, own)
		except rendering.RenderError as error:
			frappe.throw(_("The template cannot be rendered for {0}: {1}").format(values["name"], str(error)))
		message_id = f"{tokens.sign(tokens.MESSAGE, name, self.secret)}@{self.host}"
		text = composed(
			Mail(
				self.sender.name,
				self.sender.address,
				address,
				made.subject,
				made.html,
				made.text,
				message_id,
				self.mailing.reply_to or "",
				own.leave,
			),
			datetime.now(UTC),
		)
		return frappe.generate_hash(length=10), address, message_id, text


@retried
def follow(name: str) -> None:
	"""See what Frappe's queue did with the mails of a mailing, count, and end the mailing when all is done. Ends its transactions."""
	last = ""
	while rows := _under_way(name, last):
		frappe.db.commit()
		_follow(rows)
		frappe.db.commit()
		last = max(rows)
	frappe.db.commit()
	row = bulk.lock(MAILING, [name], ["status", "is_gathered"]).get(name)
	if not row:
		return
	found = figures.store(name)
	if row.status == SENDING and cint(row.is_gathered) and not found["waiting_count"]:
		bulk.update(MAILING, {name: {"status": SENT, "finished_on": now_datetime()}}, is_locked=True)
	frappe.db.commit()


def _follow(rows: dict[str, Row]) -> None:
	"""Write down what became of these mails."""
	mails = bulk.load(
		"Email Queue",
		{"name": ("in", {row.email_queue for row in rows.values()})},
		["status", "error", "modified"],
	)
	locked = bulk.lock(LOG, list(rows), [*FACTS, "email_queue", "error_message"])
	changes, stopped = {}, []
	for name, row in locked.items():
		if row.status in (QUEUED, FAILED, SKIPPED):
			continue
		mail = mails.get(row.email_queue)
		found = _became(mail)
		if found is None:
			continue
		changes[name] = {**{field: row[field] for field in (*FACTS, "error_message")}, **found}
		changes[name]["status"] = status_of(changes[name])
		if mail and mail.status not in ("Sent", "Error"):
			stopped.append(row.email_queue)
	bulk.update(LOG, changes, is_locked=True)
	# Refused for good: to try again annoys the server, and Frappe would tell somebody of each. Cut off: it may have left.
	bulk.update("Email Queue", {one: {"status": "Error"} for one in stopped})


def _became(mail: Row | None) -> Row | None:
	"""What Frappe's queue says of a mail; None while it is on its way."""
	if mail is None:
		return {"status": FAILED, "error_message": _("It is no longer in the Email Queue")}
	refused = returns.refusal(mail.error)
	if mail.status == "Sent":
		return {"sent_date": mail.modified, "error_message": None}
	if refused and refused.is_final:
		return {"bounced_date": mail.modified, "error_message": refused.text}
	if mail.status == "Error":
		return {
			"status": FAILED,
			"error_message": refused.text if refused else _("The mail server could not be reached"),
		}
	if mail.status == "Sending" and get_datetime(mail.modified) < now_datetime() - CUT_OFF_AFTER:
		return {"status": FAILED, "error_message": _("Its sending was cut off: it may have left")}
	return None


def _under_way(name: str, after: str) -> dict[str, Row]:
	rows = frappe.get_all(
		LOG,
		filters={"mailing": name, "status": UNDER_WAY, "name": (">", after)},
		fields=["name", "email_queue"],
		order_by="name",
		limit=BATCH * 5,
	)
	return {row.name: row for row in rows}


def _number(name: str, status: str) -> int:
	return frappe.db.count(LOG, {"mailing": name, "status": status})


def _paused_with_mails() -> list[str]:
	names = frappe.get_all(MAILING, filters={"status": PAUSED}, pluck="name", order_by="started_on")
	return [name for name in names if _number(name, UNDER_WAY)]


def _is_due(row: Row) -> bool:
	return not row.send_after or get_datetime(row.send_after) <= now_datetime()


@retried
def _stop(name: str, reason: str) -> None:
	"""Pause a mailing that cannot go on, and say why."""
	frappe.db.commit()
	row = bulk.lock(MAILING, [name], ["status"]).get(name)
	if row and row.status == SENDING:
		bulk.update(MAILING, {name: {"status": PAUSED, "message": reason[:500]}}, is_locked=True)
	frappe.db.commit()
