"""A site that sends to a real mail server on this machine, and reads from one: what tests of mailings share."""

import re
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from socket import socket
from threading import Thread
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import frappe
from aiosmtpd.controller import Controller
from frappe.email import queue
from frappe.model.document import Document

from trackflow.email import sending
from trackflow.stream import drain
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.factories import make_campaign, make_contact, make_email_template, make_mailing

TEMPLATE = "TrackFlow test mailing"
SUBJECT = "News for {{ first_name }}"
SHOP_ADDRESS, OTHER_ADDRESS = "https://shop.example.com/spring?x=1&y=2", "https://shop.example.com/about"
HTML = (
	'<p>Dear {{ first_name }}, see <a href="https://shop.example.com/spring?x=1&amp;y=2">our offers</a> or '
	'<a href="https://shop.example.com/about">who we are</a>, <a href="https://shop.example.com/third">and more</a>.</p>'
)
QUEUE = {"reference_doctype": "Campaign Mailing"}
_HREF = re.compile(r'<a [^>]*href="([^"]*)"')
_IMAGE = re.compile(r'<img src="([^"]*)"')


class Inbox:
	"""A mail server: what it has taken, and whom it refuses, with what words."""

	def __init__(self) -> None:
		self.taken: list[tuple[str, str, EmailMessage]] = []
		self.refuses: dict[str, str] = {}

	async def handle_RCPT(
		self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
	) -> str:
		if said := self.refuses.get(address):
			return said
		envelope.rcpt_tos.append(address)
		return "250 OK"

	async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
		mail = message_from_bytes(envelope.content, policy=policy.default)
		self.taken.extend((to, envelope.mail_from, mail) for to in envelope.rcpt_tos)
		return "250 OK"

	@property
	def addresses(self) -> list[str]:
		"""Who got a mail, once for each."""
		return sorted(to for to, _sender, _mail in self.taken)

	def mail_of(self, address: str) -> EmailMessage:
		[mail] = [mail for to, _sender, mail in self.taken if to == address]
		return mail


def html_of(mail: EmailMessage) -> str:
	return mail.get_body(("html",)).get_content()


def links_of(mail: EmailMessage) -> list[str]:
	"""Where the links of a mail lead, the way out among them."""
	return [unescape(one) for one in _HREF.findall(html_of(mail))]


def image_of(mail: EmailMessage) -> str:
	[address] = _IMAGE.findall(html_of(mail))
	return unescape(address)


def path_of(address: str) -> str:
	parts = urlsplit(address)
	return parts.path + (f"?{parts.query}" if parts.query else "")


class MailCase(TrackFlowTestCase):
	"""A campaign, a template, and a mail server that takes what Frappe's queue sends."""

	def setUp(self) -> None:
		super().setUp()
		self._clean()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(self._clean)
		self.inbox = self.enterContext(inbox())
		make_email_template(TEMPLATE, SUBJECT, HTML)
		self.campaign = make_campaign().name
		frappe.db.commit()

	def _clean(self) -> None:
		frappe.set_user("Administrator")
		for doctype in (
			"Email Queue Recipient",
			"Email Queue",
			"Email Unsubscribe",
			"Email Group Member",
			"Email Group",
		):
			frappe.db.delete(doctype)
		for name in frappe.get_all("Contact", {"email_id": ("like", "%@mail.example")}, pluck="name"):
			frappe.delete_doc("Contact", name, force=True, ignore_permissions=True, delete_permanently=True)
		for name in frappe.get_all("Email Account", {"email_id": ("like", "%@mail.example")}, pluck="name"):
			frappe.delete_doc("Email Account", name, force=True, ignore_permissions=True)
		frappe.delete_doc(
			"Email Template", TEMPLATE, force=True, ignore_missing=True, delete_permanently=True
		)
		frappe.db.commit()

	def contacts(self, *names: str) -> list[str]:
		"""Contacts of these names; their addresses."""
		addresses = [f"{name.lower()}@mail.example" for name in names]
		for name, address in zip(names, addresses, strict=True):
			make_contact(address, name)
		frappe.db.commit()
		return addresses

	def mailing(self, **values: Any) -> Document:
		values = {"filters": '[["email_id", "like", "%@mail.example"]]', **values}
		doc = make_mailing(self.campaign, TEMPLATE, **values)
		frappe.db.commit()
		return doc

	def send(self, doc: Document) -> None:
		"""Send a mailing to the end."""
		sending.start(doc.reload())
		frappe.db.commit()
		self.run_job(doc)
		self.flush()
		sending.follow(doc.name)

	def run_job(self, doc: Document) -> None:
		"""What the queued job does, here: a worker's own configuration names another mail server."""
		sending.send(doc.name)

	def flush(self) -> None:
		"""Let Frappe's queue send what waits; what is refused does not hold up the rest."""
		frappe.db.commit()
		queue.flush()
		frappe.db.commit()

	def logs(self, **filters: Any) -> dict[str, Any]:
		"""Rows of the log by recipient."""
		frappe.db.commit()
		rows = frappe.get_all("Email Campaign Log", filters=filters, fields=["*"], order_by="name")
		return {row.recipient: row for row in rows}

	def ask(self, address: str, method: str = "GET", **options: Any) -> Any:
		return self.request(method, path_of(address), **options)

	def settle(self) -> None:
		drain.drain()
		frappe.db.commit()


@contextmanager
def inbox() -> Iterator[Inbox]:
	"""A mail server on a free port, which the configuration names meanwhile."""
	taken = Inbox()
	with socket() as free:
		free.bind(("127.0.0.1", 0))
		port = free.getsockname()[1]
	controller = Controller(taken, hostname="127.0.0.1", port=port)
	controller.start()
	conf = {
		"mail_server": "127.0.0.1",
		"mail_port": port,
		"auto_email_id": "news@mail.example",
		"use_tls": 0,
		"mute_emails": 0,
	}
	frappe.local.outgoing_email_account = {}
	try:
		with (
			patch.dict(frappe.local.conf, conf),
			patch.dict(frappe.flags, {"testing_email": True, "mute_emails": False}),
		):
			yield taken
	finally:
		frappe.local.outgoing_email_account = {}
		controller.stop()


class Postbox(socketserver.ThreadingTCPServer):
	"""A POP3 server (RFC 1939) with one mailbox."""

	allow_reuse_address = daemon_threads = True

	def __init__(self, *mails: bytes) -> None:
		super().__init__(("127.0.0.1", 0), _Pop3)
		self.mails = list(mails)
		self.logins: list[tuple[str, str]] = []

	@property
	def port(self) -> int:
		return self.server_address[1]

	def __enter__(self) -> "Postbox":
		Thread(target=self.serve_forever, daemon=True).start()
		return self

	def __exit__(self, *error: object) -> None:
		self.shutdown()
		super().__exit__(*error)


class _Pop3(socketserver.StreamRequestHandler):
	server: Postbox

	def handle(self) -> None:
		self.say(b"+OK ready")
		user, deleted = "", set()
		for line in self.rfile:
			command, _blank, rest = line.decode("latin-1").strip().partition(" ")
			command = command.upper()
			if command == "USER":
				user = rest
				self.say(b"+OK")
			elif command == "PASS":
				self.server.logins.append((user, rest))
				self.say(b"+OK" if rest == "secret" else b"-ERR no")
			elif command == "STAT":
				self.say(f"+OK {len(self.server.mails)} {sum(map(len, self.server.mails))}".encode())
			elif command == "RETR":
				mail = self.server.mails[int(rest) - 1]
				self.say(
					b"+OK", *(b"." + one if one.startswith(b".") else one for one in mail.splitlines()), b"."
				)
			elif command == "DELE":
				deleted.add(int(rest) - 1)
				self.say(b"+OK")
			elif command == "QUIT":
				self.server.mails = [
					one for number, one in enumerate(self.server.mails) if number not in deleted
				]
				self.say(b"+OK")
				return
			else:
				self.say(b"-ERR what?")

	def say(self, *lines: bytes) -> None:
		self.wfile.write(b"".join(line + b"\r\n" for line in lines))


class ImapBox(Postbox):
	"""An IMAP server (RFC 3501) with an inbox, as far as mail that nobody has seen is read and marked."""

	def __init__(self, *mails: bytes) -> None:
		socketserver.ThreadingTCPServer.__init__(self, ("127.0.0.1", 0), _Imap)
		self.mails = list(mails)
		self.seen: set[int] = set()
		self.logins = []


class _Imap(socketserver.StreamRequestHandler):
	server: ImapBox

	def handle(self) -> None:
		self.say(b"* OK ready")
		for line in self.rfile:
			tag, _blank, rest = line.decode().strip().partition(" ")
			words = rest.upper().split()
			if words[0] == "CAPABILITY":
				self.say(b"* CAPABILITY IMAP4rev1")
			elif words[0] == "LOGIN":
				user, password = (one.strip('"') for one in rest.split()[1:3])
				self.server.logins.append((user, password))
				if password != "secret":
					self.say(f"{tag} NO no".encode())
					continue
			elif words[0] == "SELECT":
				self.say(f"* {len(self.server.mails)} EXISTS".encode())
			elif words[:2] == ["UID", "SEARCH"]:
				unseen = [
					str(number)
					for number in range(1, len(self.server.mails) + 1)
					if number not in self.server.seen
				]
				self.say(f"* SEARCH {' '.join(unseen)}".encode())
			elif words[:2] == ["UID", "FETCH"]:
				mail = self.server.mails[int(words[2]) - 1]
				self.say(f"* {words[2]} FETCH (UID {words[2]} BODY[] {{{len(mail)}}}".encode(), mail + b")")
			elif words[:2] == ["UID", "STORE"]:
				self.server.seen.add(int(words[2]))
			elif words[0] == "LOGOUT":
				self.say(b"* BYE", f"{tag} OK".encode())
				return
			self.say(f"{tag} OK done".encode())

	def say(self, *lines: bytes) -> None:
		self.wfile.write(b"".join(line + b"\r\n" for line in lines))
