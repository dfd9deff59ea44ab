"""EML-1: a mailing to 10,000 leads through the host's own queue, to a mail server on loopback; workers are killed in the middle. Then
every mail is looked at.

`python -m benchmarks.mailing [--recipients 10000]`; see README.md. The scheduler's minutes are not waited for; the ten minutes after which a
mail counts as cut off is taken from its row. On a bench it deletes what lies in the Email Queue for mailings, and the leads it made.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import frappe
from aiosmtpd.controller import Controller

from benchmarks import host, report, servers

PORTION = 1000
DOMAIN = "@benchmark.example"
TEMPLATE, CAMPAIGN = "TrackFlow benchmark", "TrackFlow benchmark"
GREETING = "Dear Reader {}!"
SUBJECT, LINKS = "News for {{ first_name }}", ("spring", "about", "terms")
PARAGRAPH = (
	"<p>"
	+ "What is new this month, in a few words. " * 8
	+ '<a href="https://shop.example.com/{}">More</a></p>'
)
HTML = "<p>Dear {{ first_name }}!</p>" + "".join(PARAGRAPH.format(one) for one in LINKS)
GO_ON, FLUSH = "trackflow.email.sending.go_on", "frappe.email.queue.flush"
# How long nothing may happen: a host gives a killed worker's job back after a while.
PATIENCE_SECONDS = 300
PAUSE_SECONDS = 2


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--recipients", type=int, default=10_000)
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args, ["crm", "trackflow"]) as where, _mail_server() as inbox:
		_wipe()
		delivery = Delivery(_prepare(args.recipients), args.recipients, inbox)
		delivery.work()
		cut_off = _check(delivery.name, args.recipients, inbox)
		_publish(args, where, delivery, cut_off)
		_wipe()


class Inbox:
	"""A mail server's handler; what it takes goes into a file, a line of JSON each."""

	def __init__(self, path: Path) -> None:
		self.path, self.taken = path, 0
		self.file = path.open("a")

	async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
		for to in envelope.rcpt_tos:
			self.file.write(json.dumps([to, envelope.content.decode()]) + "\n")
		self.file.flush()
		self.taken += len(envelope.rcpt_tos)
		return "250 OK"

	def mails(self) -> Iterator[tuple[str, EmailMessage]]:
		for line in self.path.open():
			to, text = json.loads(line)
			yield to, message_from_string(text, policy=policy.default)


@contextmanager
def _mail_server() -> Iterator[Inbox]:
	"""A mail server, which the site's configuration names meanwhile: workers read it there."""
	from frappe.installer import update_site_config

	with TemporaryDirectory() as folder:
		inbox, port = Inbox(Path(folder, "mails")), servers.free_port()
		controller = Controller(inbox, hostname="127.0.0.1", port=port)
		controller.start()
		values = {"mail_server": "127.0.0.1", "mail_port": port, "auto_email_id": f"news{DOMAIN}"}
		before = {key: frappe.conf.get(key) for key in values}
		for key, value in values.items():
			update_site_config(key, value)
			# A bench writes the file alone.
			frappe.conf[key] = value
		try:
			yield inbox
		finally:
			for key, value in before.items():
				update_site_config(key, "None" if value is None else value)
				frappe.conf[key] = value
			controller.stop()


@dataclass
class Stage:
	"""What one kind of job took, in all its runs."""

	job: str
	seconds: float = 0.0
	statements: int = 0
	memory: float = 0.0
	kills: int = 0

	def run(self, kill_when: Callable[[], bool] | None = None) -> None:
		"""Queue the job, as the scheduler does, and run it and what it queues in a worker; SIGKILL for that as soon as it is told."""
		before, began = _statements(), time.monotonic()
		frappe.enqueue(self.job, job_id=f"benchmark::{self.job}", deduplicate=True)
		worker = host.begin_work()
		if kill_when:
			servers.wait_until(kill_when, f"the middle of {self.job}")
			host.kill_work(worker)
			self.kills += 1
		else:
			self.memory = max(self.memory, host.end_work(worker))
		self.seconds += time.monotonic() - began
		self.statements += _statements() - before


class Delivery:
	"""A mailing on its way: the scheduler's minutes, one after the other."""

	def __init__(self, name: str, recipients: int, inbox: Inbox) -> None:
		self.name, self.recipients, self.inbox = name, recipients, inbox
		self.handing_over, self.sending = Stage(GO_ON), Stage(FLUSH)
		self.progress: list[tuple[int, int]] = []

	def work(self) -> None:
		alive = time.monotonic()
		while self._value("status") == "Sending":
			before = self._progress()
			self.handing_over.run(None if self.handing_over.kills else self._is_handing_over)
			self.sending.run(self._has_sent_half if self._is_near_half() else None)
			if self._progress() != before:
				alive = time.monotonic()
			elif time.monotonic() - alive > PATIENCE_SECONDS:
				raise SystemExit(f"Nothing happens any more: {before}, {self._value('message')}")
			else:
				_let_it_be_given_up(self.name)
				time.sleep(PAUSE_SECONDS)
			self.progress.append((self._value("sent_count"), self._value("waiting_count")))

	def _progress(self) -> tuple[int, int]:
		frappe.db.rollback()
		return frappe.db.count("Email Queue", {"reference_name": self.name}), self.inbox.taken

	def _value(self, field: str) -> Any:
		frappe.db.rollback()
		return frappe.db.get_value("Campaign Mailing", self.name, field)

	def _is_handing_over(self) -> bool:
		return self._progress()[0] >= min(self.recipients, 1000) // 3

	def _is_near_half(self) -> bool:
		"""Whether a flush from here reaches the half of the mails, and was not killed yet."""
		waiting = frappe.db.count("Email Queue", {"reference_name": self.name, "status": "Not Sent"})
		return not self.sending.kills and self.inbox.taken + min(waiting, 500) > self.recipients // 2

	def _has_sent_half(self) -> bool:
		return self.inbox.taken >= self.recipients // 2


def _statements() -> int:
	"""Statements that others have sent to the database so far."""
	own, everybody = (
		int(frappe.db.sql(f"show {scope} status like 'Questions'")[0][1]) for scope in ("session", "global")
	)
	return everybody - own


def _let_it_be_given_up(name: str) -> None:
	"""For a mail whose sending was killed."""
	from frappe.utils import now_datetime

	filters = {"reference_name": name, "status": "Sending"}
	frappe.db.set_value(
		"Email Queue", filters, "modified", now_datetime() - timedelta(hours=2), update_modified=False
	)
	frappe.db.commit()


def _prepare(recipients: int) -> str:
	"""Leads, a template and a mailing that has begun; its name."""
	from trackflow.email import sending
	from trackflow.tests.factories import make_campaign, make_email_template, make_mailing

	_make_leads(recipients)
	make_email_template(TEMPLATE, SUBJECT, HTML)
	campaign = make_campaign(CAMPAIGN).name
	mailing = make_mailing(
		campaign, TEMPLATE, recipients_from="CRM Lead", filters=json.dumps([["email", "like", f"%{DOMAIN}"]])
	)
	sending.start(mailing)
	frappe.db.commit()
	return mailing.name


def _make_leads(number: int) -> None:
	from trackflow import bulk

	for first in range(0, number, PORTION):
		rows = [
			{
				"name": f"BENCHMARK-{one:06}",
				"first_name": f"Reader {one}",
				"lead_name": f"Reader {one}",
				"email": f"reader-{one}{DOMAIN}",
				"status": "New",
			}
			for one in range(first, min(first + PORTION, number))
		]
		bulk.insert("CRM Lead", rows)
	frappe.db.commit()


def _check(name: str, recipients: int, inbox: Inbox) -> int:
	"""Look at every recipient; how many mails were cut off by a kill."""
	from trackflow import bulk

	rows = bulk.load("Email Campaign Log", {"mailing": name}, ["recipient", "status"])
	by_address = {row.recipient: row for row in rows.values()}
	assert len(rows) == len(by_address) == recipients, (len(rows), len(by_address))
	cut_off = {row.recipient for row in rows.values() if row.status == "Failed"}
	assert {row.status for row in rows.values()} <= {"Sent", "Failed"}, Counter(
		row.status for row in rows.values()
	)
	got = Counter(to for to, _mail in inbox.mails())
	assert set(got.values()) == {1}, "somebody has two mails"
	assert set(by_address) - cut_off <= set(got) <= set(by_address), "somebody has none"
	links = _links(name)
	for to, mail in inbox.mails():
		_look_at(to, mail, by_address[to].name, links)
	_check_totals(name, recipients, len(cut_off))
	return len(cut_off)


def _look_at(to: str, mail: EmailMessage, row: str, links: dict[str, str]) -> None:
	"""A mail has its recipient's own text, links, image and headers, and nobody else's."""
	from trackflow.email import tokens
	from trackflow.keys import click_secret
	from trackflow.tests.mail_case import html_of, image_of, links_of

	secret, number = click_secret(), to.partition("@")[0].rpartition("-")[2]
	assert (mail["To"], mail["Subject"]) == (to, f"News for Reader {number}"), mail["Subject"]
	assert GREETING.format(number) in html_of(mail)
	*clicked, leave = links_of(mail)
	tokens_of = dict(one.split(f"?{tokens.PARAMETER}=") for one in clicked)
	assert set(tokens_of) == set(links), clicked
	for url, token in tokens_of.items():
		assert tokens.read(tokens.clicked(links[url]), token, secret) == row, token
	assert tokens.read(tokens.OPENED, image_of(mail).rpartition("/")[2], secret) == row
	assert mail["List-Unsubscribe"].strip() == f"<{leave}>", mail["List-Unsubscribe"]
	assert tokens.read(tokens.LEAVE, leave.rpartition("/")[2], secret) == row
	assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
	assert tokens.read(tokens.MESSAGE, mail["Message-ID"].strip("<> ").partition("@")[0], secret) == row


def _links(name: str) -> dict[str, str]:
	"""The mailing's links by what people click."""
	from trackflow.email.preparing import links_of

	found = {one.url: one.name for one in links_of(frappe.get_doc("Campaign Mailing", name)).values()}
	assert len(found) == len(LINKS), found
	return found


def _check_totals(name: str, recipients: int, cut_off: int) -> None:
	doc = frappe.get_doc("Campaign Mailing", name)
	expected = {
		"status": "Sent",
		"recipient_count": recipients,
		"sent_count": recipients - cut_off,
		"failed_count": cut_off,
		"waiting_count": 0,
		"skipped_count": 0,
		"bounced_count": 0,
	}
	found = {field: doc.get(field) for field in expected}
	assert found == expected, found


def _publish(args: argparse.Namespace, where: host.Host, delivery: Delivery, cut_off: int) -> None:
	sent = [number for number, _waiting in delivery.progress]
	assert sent == sorted(sent), "the progress went back"
	number = args.recipients
	rows = [
		[what, one.seconds, number / one.seconds, one.statements / number, f"{one.memory:.0f} MiB", one.kills]
		for what, one in (
			("gathering and handing over", delivery.handing_over),
			("Frappe's queue sending", delivery.sending),
		)
	]
	notes = [
		f"Site: {where.name}, {frappe.db.db_type}; {len(LINKS)} links a mail; server on loopback; workers one after the other, their starts included",
		f"Every recipient has exactly one mail with links, image and List-Unsubscribe of their own{_said(cut_off)}; totals right, progress in "
		f"{len(sent):,} minutes of the scheduler, which were not waited for",
	]
	head = ["job", "seconds", "mails/s", "statements a mail", "peak memory", "SIGKILLs"]
	report.publish(f"Mailing to {number:,} leads (EML-1)", head, rows, notes, args.keep)


def _said(cut_off: int) -> str:
	if not cut_off:
		return ""
	return f" (of {cut_off}, whose sending was killed, nobody can tell: at most one, and the log says so)"


def _wipe() -> None:
	"""Delete what this command makes."""
	from trackflow import bulk

	campaigns = ("in", frappe.get_all("Link Campaign", {"campaign_name": CAMPAIGN}, pluck="name") or [""])
	mailings = ("in", frappe.get_all("Campaign Mailing", {"campaign": campaigns}, pluck="name") or [""])
	queued = frappe.get_all("Email Queue", {"reference_doctype": "Campaign Mailing"}, pluck="name", limit=0)
	for first in range(0, len(queued), PORTION):
		names = queued[first : first + PORTION]
		frappe.db.delete("Email Queue Recipient", {"parent": ("in", names)})
		bulk.delete("Email Queue", names)
	frappe.db.delete("Email Campaign Log", {"mailing": mailings})
	frappe.db.delete("Campaign Mailing Link", {"parent": mailings})
	frappe.db.delete("Campaign Mailing", {"name": mailings})
	frappe.db.delete("Tracked Link", {"campaign": campaigns})
	frappe.db.delete("Link Campaign", {"name": campaigns})
	frappe.db.delete("CRM Lead", {"email": ("like", f"%{DOMAIN}")})
	frappe.delete_doc("Email Template", TEMPLATE, force=True, ignore_missing=True, delete_permanently=True)
	frappe.db.commit()


if __name__ == "__main__":
	main()
