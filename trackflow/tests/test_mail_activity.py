"""What recipients do with a mailing, by real requests and mail: opens, clicks, unsubscribing, returned mail, erasure (EML-1)."""

import re
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

import frappe

from trackflow.config import get_config
from trackflow.email import activity, bounces, doorway, figures, leaving, sending, tokens
from trackflow.email.mailings import LOG, MAILING
from trackflow.incoming import VISITOR_COOKIE
from trackflow.keys import click_secret
from trackflow.privacy import erasure, export, subjects
from trackflow.stream import connection, drain
from trackflow.stream.connection import connect as queue_redis
from trackflow.tests.base import GOOGLEBOT, counted_statements, is_shared
from trackflow.tests.factories import SHORT_HOST, make_domain, set_settings
from trackflow.tests.mail_case import ImapBox, MailCase, Postbox, image_of, links_of, path_of
from trackflow.tests.test_mail_parts import report
from trackflow.tracking.store import store

APPLE = "Mozilla/5.0"


def asked(statements: list[str]) -> list[str]:
	"""Without the transaction's own."""
	return [one for one in statements if one.split()[0].upper() not in ("START", "COMMIT", "ROLLBACK")]


class ActivityCase(MailCase):
	"""Ada and Bob have a mail."""

	def setUp(self) -> None:
		super().setUp()
		self.ada, self.bob = self.contacts("Ada", "Bob")
		self.doc = self.mailing()
		self.send(self.doc)
		self.mail = self.inbox.mail_of(self.ada)

	def log(self, address: str = "") -> Any:
		return self.logs()[address or self.ada]


class TestClicks(ActivityCase):
	"""EML-1: a click names the recipient of the mail, without a question to the database."""

	def test_it_leads_back_to_the_recipient(self) -> None:
		answer = self.ask(links_of(self.mail)[1])
		self.assertEqual(answer.status_code, 302)
		self.assertTrue(
			answer.headers["Location"].startswith("https://shop.example.com/about?utm_source=newsletter")
		)
		self.assertNotIn("tfm", answer.headers["Location"])
		self.settle()
		log = self.log()
		self.assertEqual((log.status, log.clicks, self.log(self.bob).status), ("Clicked", 1, "Sent"))
		self.assertEqual(
			frappe.db.get_value("Tracked Link", log.tracked_link, "target_url"),
			"https://shop.example.com/about",
		)
		self.assertTrue(log.clicked_date)
		self.assertEqual(frappe.db.get_value("Tracked Link", log.tracked_link, "click_count"), 1)
		found = figures.of(self.doc.name)
		self.assertEqual((found["clicked_count"], found["click_count"]), (1, 1))

	def test_no_statement_on_a_cached_link(self) -> None:
		"""PRF-1"""
		path = path_of(links_of(self.mail)[0])
		self.request("GET", path)
		with counted_statements() as statements:
			self.assertEqual(self.request("GET", path).status_code, 302)
		self.assertEqual(asked(statements), [])

	def test_what_was_tampered_with_is_an_ordinary_click(self) -> None:
		address = links_of(self.mail)[0]
		other = links_of(self.mail)[1].partition("tfm=")[2]
		for changed in (
			address[:-1] + ("a" if address[-1] != "a" else "b"),
			address.partition("tfm=")[0] + "tfm=" + other,
			address + "x",
			address.partition("=")[0] + "=",
		):
			answer = self.ask(changed)
			self.assertEqual((answer.status_code, "tfm" in answer.headers["Location"]), (302, False))
		self.settle()
		self.assertEqual(self.log().status, "Sent")
		self.assertEqual(frappe.db.count("Click Event", {"counted": 1}), 4)

	def test_who_asks_not_to_be_tracked_is_not_named(self) -> None:
		for headers in ({"DNT": "1"}, {"Sec-GPC": "1"}):
			self.ask(links_of(self.mail)[0], headers=headers)
			self.ask(image_of(self.mail), headers=headers)
		self.settle()
		self.assertEqual((self.log().status, self.log().opens), ("Sent", 0))
		self.assertEqual(frappe.db.count("Click Event", {"counted": 1}), 2)

	def test_hipaa_names_nobody(self) -> None:
		make_domain(SHORT_HOST, privacy_level="HIPAA")
		frappe.db.commit()
		get_config()
		self.request("GET", path_of(links_of(self.mail)[0]), host=SHORT_HOST)
		self.request("GET", path_of(image_of(self.mail)), host=SHORT_HOST)
		self.settle()
		self.assertEqual((self.log().status, self.log().traces), ("Sent", None))

	def test_hipaa_is_sent_with_totals(self) -> None:
		make_domain(SHORT_HOST, privacy_level="HIPAA")
		frappe.db.commit()
		doc = self.mailing(domain=SHORT_HOST)
		self.send(doc)
		mails = [mail for _to, _sender, mail in self.inbox.taken[2:]]
		self.assertEqual((len(mails), len({image_of(mail) for mail in mails})), (2, 1))
		self.assertNotIn(f"{tokens.PARAMETER}=", links_of(mails[0])[0])
		self.ask(image_of(mails[0]))
		self.settle()
		self.assertEqual({row.traces for row in self.logs(mailing=doc.name).values()}, {None})

	def test_scanners_are_marked(self) -> None:
		for address in links_of(self.mail)[:3]:
			self.ask(address)
		self.ask(links_of(self.inbox.mail_of(self.bob))[0], agent=GOOGLEBOT)
		self.settle()
		for log in self.logs().values():
			self.assertEqual((log.status, log.clicks, log.is_scanner), ("Sent", 0, 1))
		self.assertEqual(figures.of(self.doc.name)["scanner_count"], 2)

	def test_a_burst_is_seen_across_batches(self) -> None:
		for address in links_of(self.mail)[:3]:
			self.ask(address)
			self.settle()
		self.assertEqual((self.log().status, self.log().clicks, self.log().is_scanner), ("Sent", 0, 1))

	def test_what_comes_twice_counts_once(self) -> None:
		self.ask(links_of(self.mail)[0])
		self.ask(image_of(self.mail))
		entries = [drain._decode(one)[1] for one in queue_redis().xrange(connection.key("stream"))]
		records = [record for entry in entries for record in entry]
		self.assertEqual(len(activity.of_mails(records)), 2)
		for _again in range(3):
			store(records)
		log = self.log()
		self.assertEqual((log.clicks, log.opens), (1, 1))

	def test_a_click_before_it_is_known_that_the_mail_left(self) -> None:
		doc = self.mailing()
		sending.start(doc)
		frappe.db.commit()
		self.run_job(doc)
		self.flush()
		self.ask(links_of(self.inbox.taken[-1][2])[0])
		self.settle()
		sending.follow(doc.name)
		self.assertEqual({row.status for row in self.logs(mailing=doc.name).values()}, {"Clicked", "Sent"})
		self.assertEqual(figures.of(doc.name)["sent_count"], 2)

	def test_a_visitor_who_may_be_recognised_is_the_recipient(self) -> None:
		"""So that a lead's journey holds the mail that brought it back; without consent nobody is named."""
		path = path_of(links_of(self.mail)[0])
		self.request("GET", path)
		self.settle()
		self.assertEqual(frappe.get_all("Visitor", pluck="contact_email"), [None])
		set_settings(cookie_consent_required=0)
		cookie = self.request("GET", path).headers["Set-Cookie"].partition("=")[2].partition(";")[0]
		self.settle()
		self.assertEqual(frappe.db.get_value("Visitor", cookie, "contact_email"), self.ada)
		# Passed on: whoever has a name keeps it, and so does who is somebody's lead.
		passed_on = path_of(links_of(self.inbox.mail_of(self.bob))[0])
		self.request("GET", passed_on, cookies={VISITOR_COOKIE: cookie})
		self.settle()
		self.assertEqual(frappe.db.get_value("Visitor", cookie, "contact_email"), self.ada)
		self.assertEqual(self.log(self.bob).status, "Clicked")
		frappe.db.set_value("Visitor", cookie, {"contact_email": None, "crm_lead": "CRM-LEAD-X"})
		frappe.db.commit()
		self.request("GET", passed_on, cookies={VISITOR_COOKIE: cookie})
		self.settle()
		self.assertEqual(frappe.db.get_value("Visitor", cookie, "contact_email"), None)

	def test_without_mails_nothing_is_asked(self) -> None:
		self.request("GET", path_of(links_of(self.mail)[0]).partition("?")[0])
		with counted_statements() as statements:
			self.settle()
		self.assertFalse([one for one in statements if LOG in one or MAILING in one])


class TestOpens(ActivityCase):
	"""EML-1: an image without cookie or statement; who opened is known as far as anybody can know."""

	def test_it_leads_back_to_the_recipient(self) -> None:
		with counted_statements() as statements:
			answer = self.ask(image_of(self.mail))
		self.assertEqual((answer.status_code, answer.mimetype, asked(statements)), (200, "image/gif", []))
		self.assertNotIn("Set-Cookie", answer.headers)
		self.assertIn("no-store", answer.headers["Cache-Control"])
		self.settle()
		self.assertEqual((self.log().status, self.log().opens, self.log(self.bob).opens), ("Opened", 1, 0))
		self.assertEqual(frappe.db.count("Visitor"), 0)

	def test_whatever_is_asked_for_is_an_image(self) -> None:
		token = image_of(self.mail)
		out = links_of(self.mail)[-1].rpartition("/")[2]
		plain = self.ask(token)
		for path in (
			token[:-1],
			token + "x",
			f"{doorway.IMAGE}{out}",
			doorway.IMAGE,
			f"{doorway.IMAGE}../../x",
			f"{doorway.IMAGE}%00",
		):
			answer = self.ask(path)
			self.assertEqual(
				(answer.status_code, answer.data, dict(answer.headers)),
				(200, plain.data, dict(plain.headers)),
				path,
			)
		self.ask(token, method="HEAD")
		self.settle()
		self.assertEqual(self.log().opens, 1)

	def test_a_flood_is_not_recorded(self) -> None:
		with patch.object(doorway, "MOST_OPENS", 2):
			for _again in range(4):
				self.assertEqual(self.ask(image_of(self.mail)).status_code, 200)
			self.ask(image_of(self.inbox.mail_of(self.bob)))
		self.assertEqual(queue_redis().xlen(connection.key("stream")), 3)

	def test_proxies_and_robots(self) -> None:
		self.ask(image_of(self.mail), agent=APPLE)
		self.ask(image_of(self.inbox.mail_of(self.bob)), agent=GOOGLEBOT)
		self.settle()
		ada, bob = self.log(), self.log(self.bob)
		self.assertEqual((ada.status, ada.opens, ada.is_unsure, ada.is_scanner), ("Sent", 0, 1, 0))
		self.assertEqual((bob.status, bob.opens, bob.is_unsure, bob.is_scanner), ("Sent", 0, 0, 1))
		found = figures.of(self.doc.name)
		self.assertEqual((found["opened_count"], found["unsure_count"]), (0, 1))
		self.ask(image_of(self.mail))
		self.settle()
		self.assertEqual((self.log().status, self.log().is_unsure), ("Opened", 0))

	def test_totals_alone(self) -> None:
		"""Nothing that is stored says who opened or clicked."""
		set_settings(mail_tracking="Totals")
		doc = self.mailing()
		self.send(doc)
		mails = [mail for _to, _sender, mail in self.inbox.taken[2:]]
		self.assertEqual(len({image_of(mail) for mail in mails}), 1)
		for mail in mails:
			self.ask(image_of(mail))
		self.ask(links_of(mails[0])[0])
		self.settle()
		for log in self.logs(mailing=doc.name).values():
			self.assertEqual(
				(log.status, log.traces, log.opened_date, log.clicked_date), ("Sent", None, None, None)
			)
		found = figures.of(doc.name)
		self.assertEqual((found["open_count"], found["click_count"], found["opened_count"]), (2, 1, 0))

	def test_the_figures_are_stored(self) -> None:
		self.ask(image_of(self.mail))
		self.settle()
		self.assertEqual(figures.store_stale(), 1)
		self.assertEqual(figures.store_stale(), 0)
		self.doc.reload()
		self.assertEqual((self.doc.opened_count, self.doc.sent_count), (1, 2))
		# Rows go by their age, figures stay.
		frappe.db.delete(LOG)
		figures.store(self.doc.name)
		self.assertEqual(figures.stored_or_counted(self.doc.name)["opened_count"], 1)
		self.assertEqual(figures.of_campaign(self.campaign)["open_rate"], 50.0)


class TestLeaving(ActivityCase):
	"""EML-1, RFC 8058: by one click of the mail program or of a person, and never written to again."""

	def one_click(self, address: str) -> Any:
		return self.ask(address, method="POST", data={"List-Unsubscribe": "One-Click"})

	def test_by_one_click(self) -> None:
		answer = self.one_click(self.mail["List-Unsubscribe"].strip(" <>"))
		self.assertEqual(answer.status_code, 200)
		self.assertNotIn("Set-Cookie", answer.headers)
		self.assertEqual((self.log().status, self.log(self.bob).status), ("Unsubscribed", "Sent"))
		[row] = frappe.get_all("Email Unsubscribe", fields=["*"])
		self.assertEqual((row.email, row.global_unsubscribe, row.reference_name), (self.ada, 0, MAILING))
		again = self.mailing()
		self.send(again)
		self.assertEqual(self.inbox.addresses, [self.ada, self.bob, self.bob])
		self.assertEqual(self.logs(mailing=again.name)[self.ada].status, "Skipped")
		self.assertEqual(figures.of(self.doc.name)["unsubscribed_count"], 1)
		self.assertEqual(self.one_click(self.mail["List-Unsubscribe"].strip(" <>")).status_code, 200)
		self.assertEqual(frappe.db.count("Email Unsubscribe"), 1)

	def test_looking_changes_nothing(self) -> None:
		address = links_of(self.mail)[-1]
		answer = self.ask(address)
		self.assertEqual(answer.status_code, 200)
		self.assertIn('<form method="post"', answer.text)
		self.assertNotIn(self.ada, answer.text)
		self.assertIn("form-action 'self'", answer.headers["Content-Security-Policy"])
		self.assertEqual(
			(answer.headers["X-Frame-Options"], answer.headers["X-Content-Type-Options"]), ("DENY", "nosniff")
		)
		self.ask(address, method="HEAD")
		self.assertEqual(frappe.db.count("Email Unsubscribe"), 0)
		action = re.search(r'action="([^"]*)"', answer.text)[1]
		self.assertEqual(self.ask(action, method="POST").status_code, 200)
		self.assertEqual(frappe.db.count("Email Unsubscribe"), 1)

	def test_tokens_of_others_do_nothing(self) -> None:
		out = links_of(self.mail)[-1]
		seen = image_of(self.mail).rpartition("/")[2]
		for path in (
			out[:-1] + "a2"[out[-1] == "a"],
			f"{doorway.LEAVE}{seen}",
			doorway.LEAVE,
			f"{doorway.LEAVE}' or 1=1",
		):
			for method in ("GET", "POST"):
				answer = self.ask(path, method=method)
				self.assertEqual(answer.status_code, 404, path)
				self.assertNotIn("<form", answer.text)
		self.assertEqual(frappe.db.count("Email Unsubscribe"), 0)

	def test_frappes_own_is_honoured(self) -> None:
		for address, values in (
			(self.ada, {"global_unsubscribe": 1}),
			(self.bob, {"reference_doctype": "User", "reference_name": "Guest"}),
		):
			row = frappe.new_doc("Email Unsubscribe")
			row.update({"email": address.upper(), **values})
			row.db_insert()
		frappe.db.commit()
		self.assertEqual(leaving.left({self.ada, self.bob}), {self.ada})
		self.send(self.mailing())
		self.assertEqual(self.inbox.addresses, [self.ada, self.bob, self.bob])

	def test_a_list_of_frappes_hears_of_it(self) -> None:
		frappe.get_doc({"doctype": "Email Group", "title": "Friends"}).insert()
		frappe.get_doc(
			{"doctype": "Email Group Member", "email_group": "Friends", "email": self.ada}
		).insert()
		self.one_click(links_of(self.mail)[-1])
		self.assertEqual(frappe.get_all("Email Group Member", pluck="unsubscribed"), [1])

	def test_it_outlives_log_and_erasure(self) -> None:
		self.one_click(links_of(self.mail)[-1])
		erasure.erase(self.ada)
		frappe.db.delete(LOG)
		self.send(self.mailing())
		self.assertEqual(self.inbox.addresses, [self.ada, self.bob, self.bob])

	def test_between_handing_over_and_gathering(self) -> None:
		"""Who leaves while a mailing is under way gets none of it any more."""
		doc = self.mailing()
		sending.start(doc)
		frappe.db.commit()
		run = sending._Run(doc.name)
		run._load()
		run._gather()
		self.one_click(links_of(self.mail)[-1])
		self.run_job(doc)
		self.flush()
		self.assertEqual(self.inbox.addresses, [self.ada, self.bob, self.bob])


class TestReturned(ActivityCase):
	"""EML-1: reports of delivery at a configured account (RFC 3464), by a real POP3 server."""

	def account(self, port: int, use_imap: int = 0) -> None:
		values = {
			"email_id": "bounces@mail.example",
			"email_account_name": "Test bounces",
			"email_server": "127.0.0.1",
			"incoming_port": str(port),
			"use_imap": use_imap,
			"use_ssl": 0,
		}
		doc = frappe.get_doc({"doctype": "Email Account", "password": "secret", **values})
		doc.flags.ignore_validate = True
		doc.insert(ignore_mandatory=True)
		# Left of an aborted test, or set by a later one.
		self.addCleanup(set_settings, bounce_account=None)
		set_settings(bounce_account=doc.name)

	def message_token(self, address: str) -> str:
		return self.log(address).message_id.partition("@")[0]

	def test_a_report_is_noted(self) -> None:
		other = b"Subject: Hello\r\n\r\nA person writes.\r\n"
		forged = report(tokens.sign(tokens.LEAVE, self.log(self.bob).name, click_secret()))
		delayed = report(self.message_token(self.bob), "delayed", "4.4.1")
		with Postbox(other, report(self.message_token(self.ada)), forged, delayed) as box:
			self.account(box.port)
			self.assertEqual(bounces.collect(), 2)
			self.assertEqual(box.logins, [("bounces@mail.example", "secret")])
			self.assertEqual(box.mails, [other, forged])
			self.assertEqual(bounces.collect(), 0)
		self.assertEqual((self.log().status, self.log(self.bob).status), ("Bounced", "Sent"))
		self.assertIn("no such user", self.log().error_message)
		self.assertEqual(figures.of(self.doc.name)["bounced_count"], 1)
		self.send(self.mailing())
		self.assertEqual(self.inbox.addresses, [self.ada, self.bob, self.bob])

	def test_imap(self) -> None:
		other = b"Subject: Hello\r\n\r\nA person writes.\r\n"
		with ImapBox(other, report(self.message_token(self.ada))) as box:
			self.account(box.port, use_imap=1)
			self.assertEqual((bounces.collect(), bounces.collect()), (1, 0))
			self.assertEqual(box.logins, [("bounces@mail.example", "secret")] * 2)
			self.assertEqual(box.seen, {2})
		self.assertEqual((self.log().status, self.log(self.bob).status), ("Bounced", "Sent"))

	def test_other_mail_hides_no_report(self) -> None:
		"""Answers of absent people stay in the account; one has a line that is longer than poplib likes."""
		others = [b"Subject: Away\r\n\r\n" + b"a" * length + b"\r\n" for length in (9, 5000)]
		with patch.object(bounces, "AT_ONCE", 2):
			for kind, use_imap in ((Postbox, 0), (ImapBox, 1)):
				frappe.db.set_value(LOG, self.log().name, {"status": "Sent", "bounced_date": None})
				with kind(*others, report(self.message_token(self.ada))) as box:
					frappe.db.delete("Email Account", {"email_id": "bounces@mail.example"})
					self.account(box.port, use_imap=use_imap)
					self.assertEqual((bounces.collect(), bounces.collect()), (1, 0))
				self.assertEqual(self.log().status, "Bounced")

	def test_mails_leave_with_that_account_as_the_envelopes(self) -> None:
		with Postbox() as box:
			self.account(box.port)
			self.send(self.mailing())
		[sender] = {sender for _to, sender, _mail in self.inbox.taken[2:]}
		self.assertEqual(sender, "bounces@mail.example")
		self.assertEqual({mail["From"] for _to, _sender, mail in self.inbox.taken[2:]}, {"news@mail.example"})

	def test_an_account_that_cannot_do_it(self) -> None:
		self.account(1)
		set_settings(bounce_account=None)
		for values in ({"enable_incoming": 1}, {"enable_incoming": 0, "email_server": None}):
			frappe.db.set_value("Email Account", "Test bounces", values)
			with self.subTest(values), self.assertRaises(frappe.ValidationError):
				set_settings(bounce_account="Test bounces")

	def test_a_server_that_is_away(self) -> None:
		self.account(1)
		self.assertEqual(bounces.collect(), 0)
		set_settings(bounce_account=None)
		self.assertEqual(bounces.collect(), 0)

	def test_a_wrong_password(self) -> None:
		with (
			Postbox(report(self.message_token(self.ada))) as box,
			patch.object(bounces, "_login", lambda _account: "x"),
		):
			self.account(box.port)
			doc = frappe.get_doc("Email Account", "Test bounces")
			doc.password = "wrong"
			doc.flags.ignore_validate = True
			doc.save()
			frappe.db.commit()
			self.assertEqual(bounces.collect(), 0)
			self.assertEqual(len(box.mails), 1)


class TestPersons(ActivityCase):
	"""CRM-8: what is stored of recipients is theirs to have, and to have erased."""

	def test_export_and_erasure(self) -> None:
		self.ask(links_of(self.mail)[0])
		self.ask(image_of(self.mail))
		self.settle()
		before = figures.of(self.doc.name)
		found = export.preview(subjects.find(self.ada))
		self.assertEqual(found["rows"][LOG], 1)
		name = self.log().name
		erasure.erase(self.ada)
		self.assertFalse(frappe.db.exists(LOG, name))
		[row] = [one for one in frappe.get_all(LOG, fields=["*"]) if one.recipient != self.bob]
		self.assertEqual(
			[row[one] for one in ("recipient", "reference_name", "message_id", "traces", "email_queue")],
			[None] * 5,
		)
		self.assertEqual((row.status, figures.of(self.doc.name)), ("Clicked", before))
		self.ask(links_of(self.mail)[0])
		self.ask(image_of(self.mail))
		self.settle()
		self.assertEqual(figures.of(self.doc.name), before)
		self.assertEqual(self.ask(links_of(self.mail)[-1], method="POST").status_code, 404)


@skipUnless(is_shared(), "an edge is another process: it sees neither an in-process Redis nor this SQLite")
class TestEdge(ActivityCase):
	"""RED-10: the edge says the same of whose mail it was."""

	def test_a_click(self) -> None:
		from trackflow.tests.edge_process import Edge

		address = path_of(links_of(self.mail)[0])
		frappe.db.commit()
		with Edge() as edge:
			for path in (address, address[:-1] + ("a" if address[-1] != "a" else "b")):
				answer = edge.get(path)
				self.assertEqual(answer.status_code, 302)
				self.assertNotIn("tfm", answer.headers["Location"])
		self.settle()
		log = self.log()
		self.assertEqual((log.status, log.clicks), ("Clicked", 1))
