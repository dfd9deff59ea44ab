"""Sending a mailing to a real mail server: who gets what, once each, whatever is killed; pausing, refusals, hostile texts (EML-1)."""

import os
import signal
import time
from datetime import timedelta
from typing import Any, ClassVar
from unittest import skipUnless
from unittest.mock import patch

import frappe
from frappe.utils import add_to_date, now_datetime

from trackflow import bulk
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.email import figures, preparing, recipients, rendering, sending
from trackflow.email.mailings import LOG, MAILING
from trackflow.tests.base import counted_statements, fork, is_shared, needs_crm
from trackflow.tests.factories import make_lead, make_link, set_settings
from trackflow.tests.mail_case import HTML, OTHER_ADDRESS, SHOP_ADDRESS, TEMPLATE, MailCase, html_of, links_of
from trackflow.tests.test_visitor_api import readable_by
from trackflow.tests.users import PeopleTestCase, make_user, remove_user

CAMPAIGNER, MANAGER = (f"mailings.{who}@example.com" for who in ("campaigns", "manager"))


def set_template(subject: str, html: str) -> None:
	doc = frappe.get_doc("Email Template", TEMPLATE)
	doc.update({"subject": subject, "response_html": html})
	doc.save()
	frappe.db.commit()


class TestSending(MailCase):
	"""EML-1: each recipient gets one mail, with links of their own."""

	def test_from_the_template_to_the_inbox(self) -> None:
		ada, bob = self.contacts("Ada", "Bob")
		doc = self.mailing()
		self.send(doc)
		self.assertEqual(self.inbox.addresses, [ada, bob])
		mail = self.inbox.mail_of(ada)
		self.assertEqual(
			(mail["Subject"], mail["To"], mail["From"]), ("News for Ada", ada, "news@mail.example")
		)
		self.assertIn("Dear Ada", html_of(mail))
		self.assertIn("Dear Ada", mail.get_body(("plain",)).get_content())
		self.assertIn("tfm=", mail.get_body(("plain",)).get_content())
		links = {one.partition("?")[0] for one in links_of(mail)[:3]}
		others = {one.partition("?")[0] for one in links_of(self.inbox.mail_of(bob))[:3]}
		self.assertEqual(links, others)
		self.assertNotEqual(links_of(mail)[0], links_of(self.inbox.mail_of(bob))[0])
		self.assertRegex(mail["List-Unsubscribe"].strip(), r"^<http.*/tf/u/[a-z0-9]{28}>$")
		self.assertEqual(mail["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
		self.assertEqual(links_of(mail)[3], mail["List-Unsubscribe"].strip(" <>"))
		doc.reload()
		self.assertEqual(
			(doc.status, doc.recipient_count, doc.sent_count, doc.waiting_count), ("Sent", 2, 2, 0)
		)
		self.assertEqual({row.status for row in self.logs().values()}, {"Sent"})

	def test_one_link_for_each_address_not_for_each_recipient(self) -> None:
		self.contacts("Ada", "Bob", "Cy")
		doc = self.mailing()
		self.send(doc)
		rows = frappe.get_all(
			"Tracked Link", fields=["target_url", "campaign", "source", "medium"], order_by="name"
		)
		self.assertEqual(len(rows), 3)
		self.assertEqual({row.campaign for row in rows}, {self.campaign})
		self.assertEqual({(row.source, row.medium) for row in rows}, {("newsletter", "email")})
		self.assertEqual({SHOP_ADDRESS, OTHER_ADDRESS} - {row.target_url for row in rows}, set())

	def test_an_address_gets_one_mail(self) -> None:
		self.contacts("Ada")
		frappe.get_doc(
			{
				"doctype": "Contact",
				"first_name": "Ada2",
				"email_ids": [{"email_id": "ADA@mail.example", "is_primary": 1}],
			}
		).insert()
		self.send(self.mailing())
		self.assertEqual(self.inbox.addresses, ["ada@mail.example"])

	def test_a_short_link_of_this_site_is_kept(self) -> None:
		self.contacts("Ada")
		link = make_link("spring")
		address = (
			frappe.get_doc("Tracked Link", link.name).run_method("onload") or link.qr_code.partition("?")[0]
		)
		set_template("Hi", f'<a href="{address}">x</a><a href="{address}?utm_content=b#c">y</a>')
		self.send(self.mailing())
		self.assertEqual(frappe.db.count("Tracked Link"), 1)
		plain, tagged, _leave = links_of(self.inbox.mail_of("ada@mail.example"))
		self.assertTrue(plain.startswith(f"{address}?tfm="))
		self.assertTrue(tagged.startswith(f"{address}?utm_content=b&tfm="), tagged)

	def test_an_email_group(self) -> None:
		frappe.get_doc({"doctype": "Email Group", "title": "Friends"}).insert()
		for address, left in (("x@mail.example", 0), ("y@mail.example", 1)):
			row = {
				"doctype": "Email Group Member",
				"email_group": "Friends",
				"email": address,
				"unsubscribed": left,
			}
			frappe.get_doc(row).insert()
		set_template("Hi {{ email }}", "<p>x</p>")
		self.send(self.mailing(recipients_from="Email Group", email_group="Friends", filters=None))
		self.assertEqual(self.inbox.addresses, ["x@mail.example"])
		self.assertEqual(self.inbox.mail_of("x@mail.example")["Subject"], "Hi x@mail.example")

	@needs_crm
	def test_leads(self) -> None:
		make_lead(first_name="Ada", email="ada@mail.example")
		make_lead(first_name="Bob", email="bob@mail.example", status="Qualified")
		self.send(self.mailing(recipients_from="CRM Lead", filters='[["status", "=", "New"]]'))
		self.assertEqual(self.inbox.addresses, ["ada@mail.example"])
		self.assertEqual(self.logs()["ada@mail.example"].reference_doctype, "CRM Lead")

	def test_not_before_its_time(self) -> None:
		self.contacts("Ada")
		doc = self.mailing(send_after=add_to_date(now_datetime(), hours=1))
		self.send(doc)
		self.assertEqual((self.inbox.addresses, doc.reload().status), ([], "Sending"))
		frappe.db.set_value(MAILING, doc.name, "send_after", add_to_date(now_datetime(), hours=-1))
		self.assertEqual(sending.go_on(), 1)
		self.run_job(doc)
		self.flush()
		sending.go_on()
		self.assertEqual((self.inbox.addresses, doc.reload().status), (["ada@mail.example"], "Sent"))

	def test_mails_that_people_wait_for_go_first(self) -> None:
		self.contacts("Ada")
		doc = self.mailing()
		sending.start(doc)
		self.run_job(doc)
		self.assertEqual(frappe.get_all("Email Queue", {"reference_doctype": MAILING}, pluck="priority"), [0])

	def test_a_batch_takes_few_statements(self) -> None:
		"""The number of statements does not grow with the recipients of a batch."""
		counts = []
		for number in (3, 60):
			self._clean()
			frappe.db.delete(LOG)
			make_template()
			self.contacts(*(f"P{one}" for one in range(number)))
			doc = self.mailing()
			sending.start(doc)
			run = sending._Run(doc.name)
			run._load()
			self.assertFalse(run._gather())
			with counted_statements() as statements:
				self.assertTrue(run._hand_over())
			counts.append(len(statements))
			self.assertEqual(frappe.db.count("Email Queue", {"reference_name": doc.name}), number)
		self.assertLess(counts[1], 25)
		self.assertLessEqual(counts[1], counts[0] + 2)

	def test_nothing_is_locked_while_mails_are_made(self) -> None:
		"""It takes seconds, for which clicks of everybody would have to wait."""
		self.contacts("Ada", "Bob")
		doc = self.mailing()
		sending.start(doc)
		frappe.db.commit()
		run, done = sending._Run(doc.name), []
		run._load()
		run._gather()
		lock, rendered = bulk.lock, rendering.rendered
		with (
			patch.object(bulk, "lock", lambda *given: done.append("lock") or lock(*given)),
			patch.object(rendering, "rendered", lambda *given: done.append("made") or rendered(*given)),
		):
			self.assertTrue(run._hand_over())
		self.assertEqual(done[:3], ["made", "made", "lock"])
		self.assertNotIn("made", done[2:])


def make_template() -> None:
	values = {
		"doctype": "Email Template",
		"name": TEMPLATE,
		"subject": "Hi",
		"use_html": 1,
		"response_html": HTML,
	}
	frappe.get_doc(values).insert()
	frappe.db.commit()


class TestStopping(MailCase):
	"""EML-1: pausing, killing, two at once: nobody gets two mails, and nobody is left out."""

	def setUp(self) -> None:
		super().setUp()
		self.all = self.contacts(*(f"P{number:02}" for number in range(24)))

	def finish(self, doc: Any) -> None:
		for _round in range(10):
			sending.send(doc.name)
			self.flush()
			sending.follow(doc.name)
		self.assertEqual(self.inbox.addresses, self.all)
		self.assertEqual(frappe.db.count("Email Queue", {"reference_name": doc.name}), len(self.all))
		self.assertEqual(doc.reload().status, "Sent")

	def test_pause_and_go_on(self) -> None:
		doc = self.mailing()
		with patch.object(sending, "BATCH", 5), patch.object(sending, "AHEAD", 10):
			self.send(doc)
			self.assertEqual(len(self.inbox.taken), 10)
			sending.pause(doc.name)
			self.assertEqual(sending.send(doc.name), 0)
			with self.assertRaises(frappe.ValidationError):
				sending.pause(doc.name)
			doc.reload().title = "Still mine to name"
			doc.save()
			doc.filters = None
			with self.assertRaises(frappe.ValidationError):
				doc.save()
			sending.start(doc.reload())
			self.finish(doc)

	def test_an_exception_in_the_middle(self) -> None:
		doc = self.mailing()
		sending.start(doc)
		frappe.db.commit()
		original, done = preparing.queue, []

		def dying(*arguments: Any, **options: Any) -> None:
			original(*arguments, **options)
			done.append(1)
			if len(done) == 3:
				raise KeyboardInterrupt

		with patch.object(sending, "BATCH", 5):
			with patch.object(preparing, "queue", dying), self.assertRaises(KeyboardInterrupt):
				sending.send(doc.name)
			frappe.db.commit()
			self.assertEqual(frappe.db.count("Email Queue", {"reference_name": doc.name}), 10)
			self.finish(doc)

	@skipUnless(is_shared(), "Processes of this site do not see each other's writes")
	def test_killed_in_the_middle(self) -> None:
		doc = self.mailing()
		sending.start(doc)
		frappe.db.commit()
		conf = dict(frappe.local.conf)
		original = preparing.queue

		def slowly(*arguments: Any, **options: Any) -> None:
			original(*arguments, **options)
			time.sleep(0.2)

		def work_on() -> None:
			frappe.local.conf.update(conf)
			with patch.object(sending, "BATCH", 3), patch.object(preparing, "queue", slowly):
				sending.send(doc.name)

		for _attempt in range(2):
			child = fork(work_on)
			deadline, before = time.monotonic() + 30, self._handed_over(doc)
			while self._handed_over(doc) == before and time.monotonic() < deadline:
				time.sleep(0.02)
			time.sleep(0.1)
			os.kill(child, signal.SIGKILL)
			os.waitpid(child, 0)
		self.assertTrue(0 < self._handed_over(doc) < len(self.all), "it was killed too early or too late")
		self.finish(doc)

	@skipUnless(is_shared(), "Processes of this site do not see each other's writes")
	def test_two_jobs_at_once(self) -> None:
		doc = self.mailing()
		sending.start(doc)
		frappe.db.commit()
		conf = dict(frappe.local.conf)

		def work_on() -> None:
			frappe.local.conf.update(conf)
			with patch.object(sending, "BATCH", 2), patch.object(recipients, "PAGE", 5):
				sending.send(doc.name)

		children = [fork(work_on) for _child in range(3)]
		self.assertEqual({os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}, {0})
		self.finish(doc)

	def _handed_over(self, doc: Any) -> int:
		frappe.db.commit()
		return frappe.db.count("Email Queue", {"reference_name": doc.name})


class TestRefused(MailCase):
	"""EML-1: what the server refuses has bounced, or failed; nobody whose mail came back is written to again."""

	def test_by_the_server(self) -> None:
		ada, bob, cy = self.contacts("Ada", "Bob", "Cy")
		self.inbox.refuses = {bob: "550 5.1.1 No such user", cy: "451 4.7.1 Later"}
		doc = self.mailing()
		self.send(doc)
		logs = self.logs()
		self.assertEqual([logs[one].status for one in (ada, bob, cy)], ["Sent", "Bounced", "Sending"])
		self.assertIn("No such user", logs[bob].error_message)
		self.assertNotIn("Traceback", logs[bob].error_message)
		for _attempt in range(4):
			self.flush()
		sending.follow(doc.name)
		self.assertEqual((self.logs()[cy].status, doc.reload().status), ("Failed", "Sent"))
		self.assertEqual((doc.sent_count, doc.bounced_count, doc.failed_count), (1, 1, 1))
		# What the server never took did not come back from what it took.
		told = figures.stored_or_counted(doc.name)
		self.assertEqual((doc.delivered_count, told["delivered_count"], told["bounce_rate"]), (1, 1, 50.0))
		self.inbox.refuses = {}
		again = self.mailing()
		self.send(again)
		self.assertEqual([to for to, *_rest in self.inbox.taken].count(bob), 0)
		self.assertEqual(self.logs(mailing=again.name)[bob].status, "Skipped")
		self.assertEqual(figures.of_campaign(self.campaign)["bounced_count"], 1)

	def test_a_sending_that_was_cut_off(self) -> None:
		"""It may have left: nobody sends it again, not even a Frappe that takes up what has been *Sending* for long."""
		ada, bob = self.contacts("Ada", "Bob")
		doc = self.mailing()
		sending.start(doc)
		self.run_job(doc)
		began = {ada: sending.CUT_OFF_AFTER + timedelta(minutes=1), bob: sending.CUT_OFF_AFTER / 2}
		logs = self.logs()
		for address, ago in began.items():
			values = {"status": "Sending", "modified": now_datetime() - ago}
			frappe.db.set_value("Email Queue", logs[address].email_queue, values, update_modified=False)
		sending.follow(doc.name)
		logs = self.logs()
		self.assertEqual([logs[one].status for one in (ada, bob)], ["Failed", "Sending"])
		self.assertIn("cut off", logs[ada].error_message)
		states = [frappe.db.get_value("Email Queue", logs[one].email_queue, "status") for one in (ada, bob)]
		self.assertEqual(states, ["Error", "Sending"])
		self.flush()
		self.assertEqual(self.inbox.addresses, [])

	def test_addresses_that_are_none(self) -> None:
		self.contacts("Ada")
		name = frappe.get_all("Contact", {"email_id": "ada@mail.example"}, pluck="name")[0]
		for number, address in enumerate(
			("ä@mail.example", "a b@mail.example", "x@mail.example\nBcc: y@mail.example")
		):
			copy = frappe.copy_doc(frappe.get_doc("Contact", name))
			copy.first_name = f"Odd{number}"
			copy.set("email_ids", [])
			copy.insert()
			frappe.db.set_value("Contact", copy.name, "email_id", address)
		doc = self.mailing(filters='[["email_id", "like", "%mail.example%"]]')
		self.send(doc)
		self.assertEqual(self.inbox.addresses, ["ada@mail.example"])
		self.assertEqual((doc.reload().status, doc.skipped_count), ("Sent", 3))

	def test_without_an_account_nothing_begins(self) -> None:
		self.contacts("Ada")
		doc = self.mailing()
		with patch.dict(frappe.local.conf, {"mail_server": None}):
			if frappe.db.exists("Email Account", {"default_outgoing": 1, "enable_outgoing": 1}):
				self.skipTest("This site has an outgoing account")
			with self.assertRaises(frappe.ValidationError):
				sending.start(doc)
		frappe.db.rollback()
		self.assertEqual((doc.reload().status, frappe.db.count("Tracked Link")), ("Draft", 0))


class TestHostile(MailCase):
	"""SEC-2: whatever people call themselves, and whatever a template says, nothing of it runs."""

	def test_names_are_text(self) -> None:
		hostile = "<a href='https://evil.example'>x</a>{{ 7*7 }}<script>"
		[address] = self.contacts("Ada")
		name = frappe.get_all("Contact", {"email_id": address}, pluck="name")[0]
		frappe.db.set_value("Contact", name, "first_name", hostile)
		self.send(self.mailing())
		mail = self.inbox.mail_of(address)
		html = html_of(mail)
		self.assertNotIn("<script", html)
		self.assertNotIn("https://evil.example", links_of(mail))
		self.assertEqual(mail["Subject"], f"News for {hostile}")
		self.assertIn("{{ 7*7 }}", html)

	def test_headers_stay_one_line(self) -> None:
		[address] = self.contacts("Ada")
		name = frappe.get_all("Contact", {"email_id": address}, pluck="name")[0]
		frappe.db.set_value("Contact", name, "first_name", "Ada\r\nBcc: victim@mail.example\r\n\r\nBody")
		doc = self.mailing(sender_name="News\r\nBcc: victim@mail.example")
		self.send(doc)
		self.assertEqual(self.inbox.addresses, [address])
		mail = self.inbox.mail_of(address)
		self.assertNotIn("Bcc", mail)
		self.assertEqual(mail["Subject"], "News for Ada Bcc: victim@mail.example Body")

	def test_templates_stay_in_their_box(self) -> None:
		self.contacts("Ada")
		for html in (
			"{{ ''.__class__.__mro__ }}",
			"{{ 1/0 }}",
			"{% for x in %}",
			"{{ nobody_has_this }}",
			"{{ first_name.no.such }}",
			"  ",
		):
			frappe.db.set_value("Email Template", TEMPLATE, "response_html", html)
			frappe.clear_document_cache("Email Template", TEMPLATE)
			doc = self.mailing()
			with self.subTest(html), self.assertRaises(frappe.ValidationError) as raised:
				sending.start(doc)
			said = f"{raised.exception} {frappe.local.message_log}"
			self.assertNotIn("Traceback", said)
			self.assertNotIn("<pre>", said)
			frappe.db.rollback()
			frappe.clear_messages()
		self.assertEqual(self.inbox.taken, [])

	def test_one_that_breaks_for_somebody_pauses(self) -> None:
		self.contacts("Ada", "Bob")
		set_template("Hi", "{{ 1 / (first_name != 'Bob') }}")
		doc = self.mailing()
		self.send(doc)
		self.assertEqual((self.inbox.taken, doc.reload().status), ([], "Paused"))
		self.assertIn("Bob", doc.message)
		set_template("Hi", "<p>x</p>")
		self.send(doc)
		self.assertEqual(len(self.inbox.taken), 2)

	def test_filters_that_are_none(self) -> None:
		for filters in (
			"{",
			"[1]",
			'[["no_such_field", "=", 1]]',
			'["x"]',
			'[["name; drop", "=", 1]]',
			'"x"',
		):
			with self.subTest(filters), self.assertRaises(frappe.ValidationError):
				self.mailing(filters=filters)


class TestPreview(MailCase):
	"""EML-1: what it would be, without a trace; test mails to users alone."""

	def test_preview(self) -> None:
		self.contacts("Ada", "Bob")
		doc = self.mailing()
		found = preparing.preview(doc)
		self.assertEqual((found["subject"], found["recipients"], len(found["links"])), ("News for Ada", 2, 3))
		self.assertIn(SHOP_ADDRESS.replace("&", "&amp;"), found["html"])
		self.assertEqual((frappe.db.count("Tracked Link"), frappe.db.count(LOG)), (0, 0))
		set_template("Hi", '{{ nobody_has }}<a href="https://e.com/{{ first_name }}">x</a>')
		warnings = " ".join(preparing.preview(doc)["warnings"])
		self.assertIn("nobody_has", warnings)
		self.assertIn("https://e.com/{{ first_name }}", warnings)

	def test_a_test_mail(self) -> None:
		self.contacts("Ada")
		doc = self.mailing()
		preparing.send_test(doc, "boss@mail.example")
		self.flush()
		mail = self.inbox.mail_of("boss@mail.example")
		self.assertEqual(mail["Subject"], "[Test] News for Ada")
		self.assertEqual(links_of(mail)[0], SHOP_ADDRESS)
		self.assertEqual(frappe.db.count(LOG), 0)


class TestWho(MailCase):
	"""ROL-P: who sends a mailing writes to nobody whose row that person may not read."""

	def setUp(self) -> None:
		super().setUp()
		make_user(CAMPAIGNER, CAMPAIGN_MANAGER)
		self.addCleanup(remove_user, CAMPAIGNER)

	@needs_crm
	def test_no_leads_without_a_role_in_the_crm(self) -> None:
		make_lead(first_name="Ada", email="ada@mail.example")
		doc = self.mailing(recipients_from="CRM Lead", filters=None)
		with readable_by("Sales User", "CRM Lead"), self.set_user(CAMPAIGNER):
			for ask in (preparing.preview, sending.start):
				with self.assertRaises(frappe.PermissionError):
					ask(doc)
		frappe.db.rollback()
		self.assertEqual(self.inbox.taken, [])

	@needs_crm
	def test_the_job_is_the_senders(self) -> None:
		make_lead(first_name="Ada", email="ada@mail.example")
		user = frappe.get_doc("User", CAMPAIGNER)
		user.add_roles("Sales User")
		doc = self.mailing(recipients_from="CRM Lead", filters=None)
		with readable_by("Sales User", "CRM Lead"):
			with self.set_user(CAMPAIGNER):
				sending.start(doc)
			user.reload().remove_roles("Sales User")
			frappe.db.commit()
			self.assertEqual(sending.send(doc.name), 0)
		self.assertEqual((doc.reload().status, self.inbox.taken, doc.sent_by), ("Paused", [], CAMPAIGNER))
		self.assertEqual(frappe.session.user, "Administrator")

	def test_what_began_cannot_be_deleted(self) -> None:
		self.contacts("Ada")
		doc = self.mailing()
		self.send(doc)
		with self.assertRaises(frappe.ValidationError):
			frappe.delete_doc(MAILING, doc.name)
		draft = self.mailing()
		frappe.delete_doc(MAILING, draft.name)

	def test_no_save_forges_a_state(self) -> None:
		self.contacts("Ada")
		doc = self.mailing(status="Sent", sent_count=5, sent_by="Administrator", is_gathered=1)
		self.assertEqual(
			(doc.reload().status, doc.sent_count, doc.sent_by, doc.is_gathered), ("Draft", 0, None, 0)
		)
		doc.status = "Sent"
		doc.save()
		self.assertEqual(doc.reload().status, "Draft")


class TestApi(MailCase, PeopleTestCase):
	"""SEC-1, ROL-P: over HTTP, by who manages campaigns, without the recipients' addresses."""

	roles: ClassVar[dict[str, tuple[str, ...]]] = {
		CAMPAIGNER: (CAMPAIGN_MANAGER,),
		MANAGER: (TRACKFLOW_MANAGER, "System Manager"),
	}

	def setUp(self) -> None:
		super().setUp()
		account = frappe.get_doc(
			{
				"doctype": "Email Account",
				"email_id": "sender@mail.example",
				"email_account_name": "Test sender",
				"enable_outgoing": 1,
				"smtp_server": "127.0.0.1",
				"smtp_port": str(frappe.conf.mail_port),
				"no_smtp_authentication": 1,
			}
		)
		account.flags.ignore_validate = True
		account.insert(ignore_mandatory=True)
		frappe.get_doc({"doctype": "Email Group", "title": "Friends"}).insert()
		row = {"doctype": "Email Group Member", "email_group": "Friends", "email": "x@mail.example"}
		frappe.get_doc(row).insert()
		set_template("Hi {{ email }}", "<p>x</p>")
		values = {"recipients_from": "Email Group", "email_group": "Friends", "filters": None}
		self.doc = self.mailing(email_account=account.name, sender_name="News", **values)

	def call(self, user: str, verb: str, method: str, **arguments: Any) -> Any:
		return self.request(
			verb,
			f"/api/method/trackflow.api.email.{method}",
			query_string={"mailing": self.doc.name, **arguments},
			headers=self.authorization(user),
		)

	def test_the_whole_way(self) -> None:
		with readable_by("All", "Email Group Member"):
			found = self.call(CAMPAIGNER, "GET", "preview").json["message"]
			self.assertEqual((found["subject"], found["recipients"]), ("Hi x@mail.example", 1))
			self.assertEqual(self.call(CAMPAIGNER, "POST", "send_test").json["message"], {"to": CAMPAIGNER})
			self.assertEqual(self.call(CAMPAIGNER, "POST", "send_test", to="x@mail.example").status_code, 417)
			self.assertEqual(self.call(CAMPAIGNER, "POST", "send").json["message"], {"status": "Sending"})
			self.assertEqual(self.call(CAMPAIGNER, "POST", "send").status_code, 417)
			self.assertEqual(self.call(CAMPAIGNER, "POST", "pause").json["message"], {"status": "Paused"})
			self.assertEqual(self.call(CAMPAIGNER, "POST", "pause").status_code, 417)
			self.assertEqual(self.call(CAMPAIGNER, "POST", "send").status_code, 200)
			frappe.db.rollback()
			self.run_job(self.doc)
			self.flush()
			sending.follow(self.doc.name)
		told = self.call(CAMPAIGNER, "GET", "get_statistics").json["message"]
		self.assertEqual((told["status"], told["sent_count"], told["delivered_count"]), ("Sent", 1, 1))
		path = "/api/method/trackflow.api.email.get_statistics"
		query = {"campaign": self.campaign}
		told = self.get(path, query_string=query, headers=self.authorization(CAMPAIGNER)).json["message"]
		self.assertEqual((told["mailings"], told["sent_count"], told["open_rate"]), (1, 1, 0.0))

	def test_addresses_are_for_managers(self) -> None:
		self.send(self.doc)
		self.assertEqual(self.logs()["x@mail.example"].status, "Sent")
		path, fields = "/api/resource/Email Campaign Log", '["name", "status", "recipient"]'
		for user, expected in ((MANAGER, "x@mail.example"), (CAMPAIGNER, None)):
			answer = self.get(path, query_string={"fields": fields}, headers=self.authorization(user))
			self.assertEqual([row.get("recipient") for row in answer.json["data"]], [expected])
		guess = {"filters": '[["recipient", "like", "x%"]]'}
		answer = self.get(path, query_string=guess, headers=self.authorization(CAMPAIGNER))
		self.assertEqual(answer.status_code, 403)


class TestTotalsOnly(MailCase):
	"""EML-1: a site may store no more than how often."""

	def test_no_link_names_anybody(self) -> None:
		set_settings(mail_tracking="Totals")
		ada, bob = self.contacts("Ada", "Bob")
		doc = self.mailing()
		self.send(doc)
		self.assertEqual(doc.reload().tracking, "Totals")
		mails = [self.inbox.mail_of(one) for one in (ada, bob)]
		self.assertEqual(links_of(mails[0])[:3], links_of(mails[1])[:3])
		self.assertNotIn("tfm=", html_of(mails[0]))
