"""Reads what came back at the account for returned mail: reports of delivery, and nothing else (EML-1).

A report that is ours is noted and taken off the account (POP3) or marked as seen (IMAP); all other mail stays as it is, such as the answers
of absent people, which come here too: so the newest is read first, or these would hide all that follows. What is noted does not change
by being noted again, so a run that is cut off is simply done again. Servers are given 30 seconds.
"""

import imaplib
import poplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import frappe
from frappe.model.document import Document
from frappe.utils import cint, now_datetime

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.email import returns, tokens
from trackflow.email.mailings import FAILED, LOG, MAILING, QUEUED, SKIPPED, status_of
from trackflow.email.returns import Report
from trackflow.keys import click_secret
from trackflow.runs import recorded

Mails = Iterator[tuple[bytes, Callable[[], object]]]
Server = TypeVar("Server")

TIMEOUT_SECONDS = 30
# Of one run, the newest.
AT_ONCE = 500
# Of one line; poplib gives up a whole account at 2,048 bytes, and anybody can send a mail with a longer one. Frappe's reader does the same.
poplib._MAXLINE = max(poplib._MAXLINE, 100_000)
FACTS = ("status", "sent_date", "opened_date", "clicked_date", "bounced_date", "unsubscribed_date")


@recorded
def collect() -> int:
	"""Every five minutes: note what came back, where the settings name an account; returns how many reports."""
	name = frappe.db.get_single_value("TrackFlow Settings", "bounce_account")
	if not name or not frappe.db.exists("Email Account", name):
		return 0
	account = frappe.get_doc("Email Account", name)
	try:
		with _imap(account) if cint(account.use_imap) else _pop(account) as mails:
			return sum(_note(raw, settle) for raw, settle in mails)
	except (OSError, poplib.error_proto, imaplib.IMAP4.error, ssl.SSLError) as error:
		frappe.logger("trackflow").warning("Returned mail at %s cannot be read: %s", name, error)
		return 0


def reports_in(raw: bytes) -> list[Report]:
	"""What a mail reports on mails of this site."""
	secret = click_secret()
	return returns.reports(raw, lambda token: tokens.read(tokens.MESSAGE, token, secret))


def _note(raw: bytes, settle: Callable[[], object]) -> int:
	found = reports_in(raw)
	if found:
		note(found)
		settle()
	return len(found)


@retried
def note(reports: list[Report]) -> None:
	"""Note what was reported; a mail that came back for good is bounced. Ends its transaction."""
	failed = {one.name: one for one in reports if one.is_final}
	frappe.db.commit()
	rows = bulk.lock(LOG, list(failed), ["mailing", *FACTS])
	changes = {}
	for name, row in rows.items():
		if row.status not in (QUEUED, FAILED, SKIPPED) and not row.bounced_date:
			row.bounced_date = now_datetime()
			changes[name] = {
				"bounced_date": row.bounced_date,
				"status": status_of(row),
				"error_message": failed[name].text,
			}
	bulk.update(LOG, changes, is_locked=True)
	bulk.update(MAILING, {rows[name].mailing: {"is_stale": 1} for name in changes})
	frappe.db.commit()


@contextmanager
def _pop(account: Document) -> Iterator[Mails]:
	server = _connect(account, poplib.POP3, poplib.POP3_SSL, "context")
	try:
		_start_tls(account, server.stls)
		server.user(_login(account))
		server.pass_(account.get_password(raise_exception=False) or "")
		last = server.stat()[0]
		numbers = range(last, max(last - AT_ONCE, 0), -1)
		yield ((b"\r\n".join(server.retr(number)[1]), _deleting(server, number)) for number in numbers)
	finally:
		# Without it nothing is deleted.
		server.quit()


def _deleting(server: poplib.POP3, number: int) -> Callable[[], object]:
	return lambda: server.dele(number)


@contextmanager
def _imap(account: Document) -> Iterator[Mails]:
	server = _connect(account, imaplib.IMAP4, imaplib.IMAP4_SSL, "ssl_context")
	try:
		_start_tls(account, server.starttls)
		server.login(_login(account), account.get_password(raise_exception=False) or "")
		server.select("INBOX")
		_kind, [found] = server.uid("search", None, "UNSEEN")
		yield _unseen(server, (found or b"").split()[: -AT_ONCE - 1 : -1])
	finally:
		server.logout()


def _unseen(server: imaplib.IMAP4, numbers: list[bytes]) -> Mails:
	for number in numbers:
		_kind, parts = server.uid("fetch", number, "(BODY.PEEK[])")
		raw = next((part[1] for part in parts if isinstance(part, tuple)), b"")
		yield raw, lambda number=number: server.uid("store", number, "+FLAGS", r"(\Seen)")


def _connect(
	account: Document, plain: Callable[..., Server], encrypted: Callable[..., Server], context: str
) -> Server:
	"""At the port that the account names, else at the usual one; `context` is what the encrypted one calls its SSL context."""
	port = {"port": cint(account.incoming_port)} if cint(account.incoming_port) else {}
	if cint(account.use_ssl):
		tls = {context: ssl.create_default_context()}
		return encrypted(account.email_server, timeout=TIMEOUT_SECONDS, **port, **tls)
	return plain(account.email_server, timeout=TIMEOUT_SECONDS, **port)


def _start_tls(account: Document, start: Callable[[ssl.SSLContext], object]) -> None:
	if cint(account.use_starttls) and not cint(account.use_ssl):
		start(ssl.create_default_context())


def _login(account: Document) -> str:
	return (account.login_id if cint(account.login_id_is_different) else "") or account.email_id
