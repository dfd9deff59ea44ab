"""Mail: what `frappe.sendmail` queues, and that it reaches a real SMTP server on this machine."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from socket import socket
from typing import Any

import frappe
import pytest
from aiosmtpd.controller import Controller
from frappe.email import queue

pytestmark = pytest.mark.usefixtures("on_shelf")


class Inbox:
	"""What a server has taken."""

	def __init__(self) -> None:
		self.taken: list[tuple[str, list[str], EmailMessage]] = []
		self.refuses = False

	async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
		if self.refuses:
			return "451 Later"
		mail = message_from_bytes(envelope.content, policy=policy.default)
		self.taken.append((envelope.mail_from, envelope.rcpt_tos, mail))
		return "250 OK"


@pytest.fixture
def inbox(on_shelf: None) -> Iterator[Inbox]:
	"""A server on a free port, which the site's configuration names."""
	inbox = Inbox()
	with socket() as free:
		free.bind(("127.0.0.1", 0))
		port = free.getsockname()[1]
	controller = Controller(inbox, hostname="127.0.0.1", port=port)
	controller.start()
	former = dict(frappe.local.conf)
	frappe.local.conf.update(mail_server="127.0.0.1", mail_port=port, auto_email_id="site@example.com")
	frappe.flags.testing_email = True
	yield inbox
	frappe.flags.testing_email = False
	for name in ("mail_server", "mail_port", "auto_email_id"):
		frappe.local.conf.pop(name)
	frappe.local.conf.update(former)
	frappe.db.delete("Email Queue")
	frappe.db.delete("Email Queue Recipient")
	frappe.db.commit()
	controller.stop()


def status() -> list[str]:
	return frappe.get_all("Email Queue", pluck="status")


class TestMail:
	def test_one_message_for_each(self, inbox: Inbox) -> None:
		frappe.sendmail(
			["ann@example.com", "bob@example.com"], subject="Grüße", message="<h2>Hi</h2><p>1 &lt; 2</p>"
		)
		assert (inbox.taken, status()) == ([], ["Not Sent"])
		queue.flush()
		assert status() == ["Sent"]
		assert sorted(to for _sender, [to], _mail in inbox.taken) == ["ann@example.com", "bob@example.com"]
		for sender, [to], mail in inbox.taken:
			assert (sender, mail["To"], mail["Subject"]) == ("site@example.com", to, "Grüße")
			assert mail.get_body(("plain",)).get_content().split() == ["Hi", "1", "<", "2"]
			assert "<h2>Hi</h2>" in mail.get_body(("html",)).get_content()
		queue.flush()
		assert len(inbox.taken) == 2

	def test_long_mails(self, inbox: Inbox) -> None:
		text = "\n".join(f"Zeile {number}: größer" for number in range(500))
		frappe.sendmail("ann@example.com", subject="Long", message=f"<pre>{text}</pre>")
		queue.flush()
		[(_sender, _to, mail)] = inbox.taken
		assert mail.get_body(("html",)).get_content().count("größer") == 500

	def test_what_is_refused_is_tried_again(self, inbox: Inbox) -> None:
		frappe.sendmail("ann@example.com", subject="Hi", message="Hi")
		inbox.refuses = True
		queue.flush()
		assert status() == ["Not Sent"]
		inbox.refuses = False
		queue.flush()
		assert (status(), len(inbox.taken)) == (["Sent"], 1)
		inbox.refuses = True
		frappe.sendmail("ann@example.com", subject="Hi", message="Hi")
		for _attempt in range(4):
			queue.flush()
		assert sorted(status()) == ["Error", "Sent"]

	def test_it_goes_with_the_transaction(self, inbox: Inbox) -> None:
		frappe.sendmail("ann@example.com", subject="Hi", message="Hi")
		frappe.db.rollback()
		queue.flush()
		assert (status(), inbox.taken) == ([], [])

	def test_without_a_server_it_waits(self) -> None:
		frappe.sendmail("ann@example.com", subject="Hi", message="Hi")
		queue.flush()
		assert status() == ["Not Sent"]
