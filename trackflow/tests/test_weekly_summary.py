"""The mail of Monday morning (RPT-4): its figures, to whom it goes, once a week, by a real server; and that it is inert."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from socket import socket
from typing import Any, ClassVar
from unittest import TestCase, skipUnless
from unittest.mock import patch

import frappe
from aiosmtpd.controller import Controller

from trackflow.analytics.overview import overview
from trackflow.analytics.scope import Period, Scope
from trackflow.click_rollups import reading
from trackflow.click_rollups import run as clicks
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.rollups import run
from trackflow.tests.analytics_case import MODEL, FiguresTestCase
from trackflow.tests.base import TrackFlowTestCase, fork, is_shared
from trackflow.tests.factories import make_campaign, make_cost, make_link, set_settings
from trackflow.tests.properties import given, st
from trackflow.tests.test_rollup import DAY
from trackflow.tests.test_waste import WasteTestCase
from trackflow.tests.users import PeopleTestCase, make_user, remove_user
from trackflow.waste import notices
from trackflow.weekly_summary import layout, recipients, send
from trackflow.weekly_summary.layout import Link, Mail, Section

MANAGER, OTHER, CAMPAIGNER = (f"summary.{who}@example.com" for who in ("manager", "other", "campaigns"))
MONDAY = date(2026, 3, 9)
WEEK = Period(date(2026, 3, 2), date(2026, 3, 8))
MAIL = {"mail_server": "127.0.0.1", "mail_port": 1, "auto_email_id": "site@example.com", "use_tls": 0}
PATH = "/api/method/trackflow.api.summary.preview_weekly_summary"


class Tags(HTMLParser):
	"""The tags and texts of HTML."""

	def __init__(self, html: str) -> None:
		super().__init__()
		self.tags: list[str] = []
		self.texts: list[str] = []
		self.addresses: list[str] = []
		self.feed(html)
		self.close()

	def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
		self.tags.append(tag)
		self.addresses += [value for name, value in attrs if name == "href" and value]

	def handle_data(self, data: str) -> None:
		self.texts.append(data.strip())


def made(text: str) -> Mail:
	section = Section(
		text, (text,), (text,), ("Name", text), ((text, text),), (Link(text, "https://e.com/?a=1&b"),)
	)
	return Mail(text, (section,))


class TestLayout(TestCase):
	"""RPT-4, SEC-2: whatever stands in the mail is text, in one line, in both forms."""

	known: ClassVar[list[str]] = Tags(layout.html(made("x"))).tags

	@given(st.text())
	def test_no_text_is_a_tag(self, text: str) -> None:
		found = Tags(layout.html(made(text)))
		self.assertEqual(found.tags, self.known)
		self.assertEqual(found.addresses, ["https://e.com/?a=1&b"])

	@given(st.text())
	def test_no_text_makes_a_line(self, text: str) -> None:
		lines = layout.text(made("x")).count("\n")
		self.assertEqual(layout.text(made(text)).count("\n"), lines)
		self.assertEqual(len(layout.text(made(text)).splitlines()), lines)

	def test_a_table_has_heads(self) -> None:
		html = layout.html(made("x"))
		self.assertEqual((html.count('scope="col"'), html.count('scope="row"')), (2, 1))

	def test_columns_stand_below_each_other(self) -> None:
		rows = (("Spring sale", "1,234", "+5 %"), ("Q", "7", "–"))
		text = layout.text(Mail("x", (Section("Top", head=("Campaign", "Sessions", "Change"), rows=rows),)))
		self.assertEqual(
			text.splitlines(),
			[
				"Top",
				"===",
				"Campaign     Sessions  Change",
				"Spring sale     1,234    +5 %",
				"Q                   7       –",
			],
		)


class SummaryTestCase(FiguresTestCase):
	"""A site with two weeks of figures, at noon of the Monday after."""

	def setUp(self) -> None:
		super().setUp()
		campaign = make_campaign("Spring")
		link = make_link("spring", campaign=campaign.name)
		for day, number in ((2, 3), (8, 1)):
			for visitor in range(number):
				at = datetime(2026, 3, day, 12)
				session = self.session(at, visitor, link_campaign=campaign.name, tracked_link=link.name)
				self.click(link.name, at)
		self.credit(
			session,
			datetime(2026, 3, 8, 13),
			conversion_type="Lead",
			campaign=campaign.name,
			tracked_link=link.name,
		)
		self.credit(session, datetime(2026, 3, 8, 13), conversion_type="Deal Won", credited_value=1234.5)
		self.session(datetime(2026, 2, 25, 12), 1)
		frappe.db.commit()

	@contextmanager
	def on(self, day: date = MONDAY) -> Iterator[None]:
		with patch.object(send, "nowdate", lambda: str(day)):
			yield

	def set(self, **values: Any) -> None:
		settings = frappe.get_single("TrackFlow Settings")
		settings.update(values)
		settings.save()
		frappe.db.commit()


class TestContent(SummaryTestCase):
	"""RPT-4: the overview of the week that is over, beside the week before."""

	def test_figures_are_the_overview(self) -> None:
		text = layout.text(send.build(MONDAY))
		figures = overview(Scope(), WEEK, MODEL)["figures"]
		self.assertEqual((figures["visitors"]["value"], figures["visitors"]["previous"]), (3, 1))
		for line in (
			r"Visitors +3 +1 +\+200 %",
			r"Clicks on short links +4 +0 +–",
			r"Conversions +1 +0 +–",
			r"Value \(USD\) +1,234.50 +0 +–",
			r"Spring +4 +1 +–",
			r"Email +4 +1 +\+300 %",
		):
			self.assertRegex(text, line)
		self.assertIn("2026-03-02 to 2026-03-08", send.build(MONDAY).subject)

	def test_estimated_visitors_are_said_to_be(self) -> None:
		"""ROL-2"""
		self.assertNotIn("≈", layout.text(send.build(MONDAY)))
		clicks.run(WEEK.before.first, WEEK.last)
		with patch.object(reading, "COUNTED", 0):
			text = layout.text(send.build(MONDAY))
		self.assertRegex(text, r"Visitors \(≈\) +3 +1 +\+200 %")
		self.assertIn("Visitors are estimated, to about 2 %.", text)

	def test_what_needs_attention(self) -> None:
		frappe.get_doc("Attribution Model", MODEL)
		with patch.object(send.doctor, "CHECKS", {"Stream": lambda: (send.doctor.BROKEN, "No worker.")}):
			self.assertIn("- Stream: No worker.", layout.text(send.build(MONDAY)))
		with patch.object(send.doctor, "CHECKS", {"Stream": lambda: (send.doctor.FINE, "Well.")}):
			self.assertIn("Nothing.", layout.text(send.build(MONDAY)))

	def test_tags_that_are_wrong(self) -> None:
		self.event(datetime(2026, 3, 3, 12), utm_source="<b>{{source}}</b>", utm_medium="email", session="s")
		mail = send.build(MONDAY)
		self.assertIn("placeholder", layout.text(mail))
		self.assertNotIn("b", Tags(layout.html(mail)).tags)

	def test_links_to_the_reports(self) -> None:
		found = Tags(layout.html(send.build(MONDAY))).addresses
		self.assertTrue(any("/app/query-report/Conversion%20Funnel" in one for one in found), found)
		self.assertTrue(all(re.match("https?://", one) for one in found))

	def test_a_site_without_anything(self) -> None:
		self.assertIn("Visitors", layout.text(send.build(date(2025, 1, 6))))


class TestSpend(WasteTestCase):
	"""RPT-4: what was spent in the week, and what of it was waste; the notice when it reaches a severity."""

	def summary(self) -> str:
		return layout.text(send.build(send.monday(DAY) + timedelta(days=7)))

	def test_waste_of_the_week(self) -> None:
		self.assertNotIn("Spend\n", self.summary())
		self.spent(600)
		text = self.summary()
		self.assertIn("600 USD of it were waste (100 %); findings: 1.", text)
		self.assertIn("- Meta / Spring Sale: 600.00 USD were spent, and neither", text)

	def test_a_notice_when_it_is_reached(self) -> None:
		make_user(MANAGER, TRACKFLOW_MANAGER)
		self.addCleanup(remove_user, MANAGER)
		self.addCleanup(frappe.db.delete, "Notification Log", {"document_type": "TrackFlow Settings"})
		with patch.object(notices, "yesterday", lambda: DAY):
			self.spent(200)
			self.assertEqual(notices.tell_wasted(), 0)
			set_settings(waste_notice="High")
			self.assertEqual(notices.tell_wasted(), 0)
			set_settings(waste_notice="Medium")
			self.assertEqual((notices.tell_wasted(), notices.tell_wasted()), (1, 0))
			make_cost(DAY - timedelta(days=1), 500, external_campaign_id="123")
			run.run_marked()
			self.assertEqual((notices.tell_wasted(), notices.tell_wasted()), (1, 0))
		told = frappe.get_all("Notification Log", {"for_user": MANAGER}, pluck="subject", order_by="creation")
		self.assertEqual(
			told,
			[
				"TrackFlow: waste of medium severity, Meta / Spring Sale: No conversions",
				"TrackFlow: waste of high severity, Meta / Spring Sale: No conversions",
			],
		)


class TestSending(SummaryTestCase):
	"""RPT-4: optional, off by default, once a week, to those whom the settings name."""

	people: ClassVar[dict[str, tuple[str, ...]]] = {
		MANAGER: (TRACKFLOW_MANAGER,),
		OTHER: (TRACKFLOW_MANAGER,),
		CAMPAIGNER: (CAMPAIGN_MANAGER,),
	}

	def setUp(self) -> None:
		super().setUp()
		for email, roles in self.people.items():
			make_user(email, *roles)
			self.addCleanup(remove_user, email)
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.delete, "Email Queue Recipient")
		self.addCleanup(frappe.db.delete, "Email Queue", {"reference_doctype": send.SETTINGS})
		frappe.local.outgoing_email_account = {}
		self.addCleanup(setattr, frappe.local, "outgoing_email_account", {})
		conf = patch.dict(
			frappe.local.conf,
			MAIL,
		)
		conf.start()
		self.addCleanup(conf.stop)

	def queued(self) -> list[str]:
		frappe.db.commit()
		return frappe.get_all("Email Queue", {"reference_doctype": send.SETTINGS}, pluck="name")

	def test_off_by_default(self) -> None:
		with self.on():
			self.assertEqual(send.send_weekly(), 0)
		self.assertEqual(self.queued(), [])

	def test_once_a_week(self) -> None:
		self.set(weekly_summary=1, weekly_summary_recipients=MANAGER)
		with self.on():
			self.assertEqual((send.send_weekly(), send.send_weekly()), (1, 0))
			self.assertEqual(send.send().reason, "sent")
		with self.on(date(2026, 3, 12)):
			self.assertEqual(send.send_weekly(), 0)
		self.assertEqual(len(self.queued()), 1)
		with self.on(date(2026, 3, 16)):
			self.assertEqual(send.send_weekly(), 1)
		self.assertEqual(len(self.queued()), 2)

	@skipUnless(is_shared(), "Processes of this site do not see each other's writes")
	def test_once_for_two_at_once(self) -> None:
		self.set(weekly_summary=1, weekly_summary_recipients=MANAGER)

		def work() -> None:
			frappe.local.conf.update(MAIL)
			send.send()

		with self.on():
			children = [fork(work) for _child in range(3)]
			ends = {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}
		self.assertEqual((ends, len(self.queued())), ({0}, 1))

	def test_saving_the_settings_does_not_send_it_again(self) -> None:
		self.set(weekly_summary=1, weekly_summary_recipients=MANAGER)
		with self.on():
			send.send_weekly()
			self.set(session_timeout_minutes=31)
			self.assertEqual(send.send_weekly(), 0)

	def test_what_failed_is_sent_later(self) -> None:
		self.set(weekly_summary=1, weekly_summary_recipients=MANAGER)
		with self.on():
			error = frappe.OutgoingEmailError("no account")
			with (
				patch.object(frappe, "sendmail", side_effect=error),
				self.assertRaises(frappe.OutgoingEmailError),
			):
				send.send_weekly()
			frappe.db.rollback()
			self.assertEqual(send.send_weekly(), 1)

	def test_recipients(self) -> None:
		self.assertEqual(recipients.addresses(f"{TRACKFLOW_MANAGER}\n{MANAGER}"), [MANAGER, OTHER])
		frappe.db.set_value("User", OTHER, "enabled", 0)
		self.assertEqual(recipients.addresses(f"{TRACKFLOW_MANAGER}\n{OTHER}"), [MANAGER])
		for wrong in ("nobody@example.com", "No Such Role", "Guest", "All", OTHER):
			with self.subTest(wrong), self.assertRaises(frappe.ValidationError):
				self.set(weekly_summary_recipients=f"{MANAGER}\n{wrong}")
		with self.assertRaises(frappe.ValidationError):
			self.set(weekly_summary=1, weekly_summary_recipients="")

	def test_it_arrives(self) -> None:
		self.set(weekly_summary=1, weekly_summary_recipients=TRACKFLOW_MANAGER)
		with self.on(), inbox() as taken:
			send.send_weekly()
			for name in self.queued():
				frappe.get_doc("Email Queue", name).send()
		self.assertEqual(sorted(to for to, _mail in taken), [MANAGER, OTHER])
		for to, mail in taken:
			self.assertEqual(mail["To"], to)
			self.assertIn("2026-03-02 to 2026-03-08", mail["Subject"])
			text = mail.get_body(("plain",)).get_content()
			self.assertRegex(text, r"Visitors +3 +1 +\+200 %")
			html = Tags(mail.get_body(("html",)).get_content())
			self.assertIn("Visitors", html.texts)
			self.assertNotIn("script", html.tags)


class TestPreview(PeopleTestCase):
	"""RPT-4: whoever may read the settings sees it before it is sent; nothing is."""

	roles: ClassVar[dict[str, tuple[str, ...]]] = {
		MANAGER: (TRACKFLOW_MANAGER,),
		CAMPAIGNER: (CAMPAIGN_MANAGER,),
	}

	def test_preview(self) -> None:
		found = self.get(PATH, headers=self.authorization(MANAGER)).json["message"]
		self.assertIn("Visitors", found["text"])
		self.assertIn("<h2>", found["html"])
		self.assertEqual(found["recipients"], [])
		self.assertEqual(frappe.db.count("Email Queue", {"reference_doctype": send.SETTINGS}), 0)
		for user in (CAMPAIGNER, None):
			self.assertEqual(self.get(PATH, headers=self.authorization(user)).status_code, 403)


class TestWeeks(TrackFlowTestCase):
	"""RPT-4: a week begins on Monday."""

	def test_mondays(self) -> None:
		for day in range(9, 16):
			self.assertEqual(send.monday(date(2026, 3, day)), MONDAY)


@contextmanager
def inbox() -> Iterator[list[tuple[str, EmailMessage]]]:
	"""What a mail server on this machine takes, which the configuration names meanwhile."""
	taken: list[tuple[str, EmailMessage]] = []

	class Handler:
		async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
			mail = message_from_bytes(envelope.content, policy=policy.default)
			taken.extend((to, mail) for to in envelope.rcpt_tos)
			return "250 OK"

	with socket() as free:
		free.bind(("127.0.0.1", 0))
		port = free.getsockname()[1]
	controller = Controller(Handler(), hostname="127.0.0.1", port=port)
	controller.start()
	try:
		with (
			patch.dict(frappe.local.conf, {"mail_port": port, "mute_emails": 0}),
			patch.dict(frappe.flags, {"testing_email": True, "mute_emails": False}),
		):
			yield taken
	finally:
		controller.stop()
