"""Conversion exports: looked at, made once, downloaded, erased; by API, command and whoever may (ATT-8, CRM-8, ROL-P)."""

import csv
import json
import os
import unittest
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any, ClassVar
from unittest.mock import patch

import frappe
from frappe.utils import get_datetime, now_datetime

from trackflow import bulk
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.naming import key_name, timed_name
from trackflow.offline import exports, files, gather, reasons
from trackflow.offline.exports import EXPORT, ROW
from trackflow.offline.meta import META
from trackflow.privacy import erasure, export, subjects
from trackflow.tests.base import TrackFlowTestCase, counted_statements, fork, is_shared
from trackflow.tests.factories import VISITOR, make_conversion, make_domain, make_visitor
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tests.users import PeopleTestCase

PHONE, LAPTOP = VISITOR.format(1), VISITOR.format(2)
ADA = "ada@example.com"
ROLES = {
	"exports.manager@example.com": (TRACKFLOW_MANAGER,),
	"exports.system@example.com": ("System Manager",),
	"exports.campaigns@example.com": (CAMPAIGN_MANAGER,),
	"exports.nobody@example.com": (),
}
MANAGER, SYSTEM, CAMPAIGNER, NOBODY = ROLES
DAY = timedelta(days=1)


class ExportTestCase(TrackFlowTestCase):
	"""With visitors who consented, the ads that they clicked, and what they bought."""

	def setUp(self) -> None:
		super().setUp()
		self.now = now_datetime().replace(microsecond=0)

	def tearDown(self) -> None:
		frappe.db.rollback()
		for name in frappe.get_all("File", {"attached_to_doctype": EXPORT}, pluck="name", order_by="name"):
			frappe.delete_doc("File", name, force=True, ignore_permissions=True)
		frappe.db.delete("TrackFlow Erasure")
		frappe.db.delete("Deleted Document", {"deleted_doctype": ("in", (EXPORT, ROW))})
		super().tearDown()

	def came(self, visitor: str, ago: float = 3, **values: Any) -> str:
		"""A visit that an ad's click began."""
		at = self.now - timedelta(days=ago)
		name = timed_name(at, visitor, str(values))
		row = {"name": name, "visitor_id": visitor, "session_start": at, "session_end": at, "event_count": 1}
		bulk.insert("Visitor Session", [{**row, **values}])
		return name

	def bought(self, visitor: str | None = PHONE, ago: float = 1, **values: Any) -> str:
		if visitor and not frappe.db.exists("Visitor", visitor):
			make_visitor(visitor, consent_status="Granted")
			self.came(
				visitor, ago + 2, gclid=f"g-{visitor}"[2:], fbclid=f"F-{visitor}", li_fat_id=f"li-{visitor}"
			)
		at = self.now - timedelta(days=ago)
		return make_conversion(
			visitor or "", at, values.pop("type", "Lead"), **{"source_doctype": "ToDo", **values}
		)

	def asked(
		self, platform: str = "google", conversion_type: str = "", action: str = "", days: int = 100
	) -> exports.Wanted:
		first = (self.now - days * DAY).date()
		if platform == "linkedin" and not action:
			action = "104012"
		return exports.wanted(platform, first, self.now.date(), conversion_type, action)

	def look(self, platform: str = "google", **values: Any) -> tuple[int, dict[str, int]]:
		frappe.db.commit()
		found = exports.preview(self.asked(platform, **values))
		return found["conversions"], found["skipped"]

	def make(self, platform: str = "google", **values: Any) -> dict[str, Any]:
		frappe.db.commit()
		return exports.outcome(exports.create(self.asked(platform, **values)))

	def file(self, made: dict[str, Any]) -> str:
		name = frappe.db.get_value("File", {"attached_to_name": made["export"]})
		content = frappe.get_doc("File", name).get_content()
		return content if isinstance(content, str) else content.decode()


class TestPreview(ExportTestCase):
	"""ATT-8: what would be sent is counted, and what cannot be by its reason; nothing is stored."""

	def test_everything_is_counted(self) -> None:
		self.bought()
		for number, values in enumerate(
			(
				{"consent_status": ""},
				{"consent_status": "Denied"},
				{"consent_status": "Granted", "is_bot": 1},
				{"consent_status": "Granted", "is_internal": 1},
				{"consent_status": "Granted"},
			),
			start=10,
		):
			make_visitor(VISITOR.format(number), **values)
			self.bought(VISITOR.format(number))
		self.bought(None)
		self.bought(ago=95)
		self.bought(ago=2, value=-1)
		sent, skipped = self.look()
		self.assertEqual(sent, 1)
		self.assertEqual(
			skipped,
			{
				reasons.NO_CONSENT: 1,
				reasons.REFUSED: 1,
				reasons.ROBOT: 1,
				reasons.INTERNAL: 1,
				reasons.NO_CLICK: 1,
				reasons.NOBODY: 1,
				reasons.TOO_OLD: 1,
				reasons.BAD_VALUE: 1,
			},
		)
		self.assertEqual(sent + sum(skipped.values()), frappe.db.count("Conversion"))
		self.assertEqual((frappe.db.count(EXPORT), frappe.db.count(ROW)), (0, 0))

	def test_types(self) -> None:
		"""By default those that the settings count, and whose value they count."""
		self.bought()
		self.bought(ago=1.1, type="Deal Won")
		self.bought(ago=1.2, type="Newsletter")
		self.assertEqual(self.look()[0], 2)
		self.assertEqual(self.look(conversion_type="Newsletter")[0], 1)
		self.assertEqual(self.look(conversion_type="Nothing"), (0, {}))

	def test_days_and_ages(self) -> None:
		self.bought(ago=8)
		self.assertEqual(self.look("meta"), (0, {reasons.TOO_OLD: 1}))
		self.assertEqual(self.look("meta", days=3), (0, {}))
		self.assertEqual(self.look("linkedin", days=8)[0], 1)

	def test_a_person_is_more_than_a_browser(self) -> None:
		"""The ad was clicked on the phone; the laptop, of the same address, converted."""
		make_visitor(PHONE, consent_status="Granted", contact_email=ADA)
		make_visitor(LAPTOP, consent_status="Granted", contact_email=ADA)
		self.came(PHONE, gclid="phone")
		self.bought(LAPTOP)
		self.assertEqual(self.look()[0], 1)
		frappe.db.set_value("Visitor", PHONE, "consent_status", "Denied")
		self.assertEqual(self.look(), (0, {reasons.REFUSED: 1}))

	def test_a_lead_whose_browser_is_known_by_the_lead_alone(self) -> None:
		make_visitor(PHONE, consent_status="Granted", crm_lead="LEAD-1")
		self.came(PHONE, gclid="phone")
		self.bought(None, crm_lead="LEAD-1")
		self.assertEqual(self.look()[0], 1)

	def test_domains_of_the_level_hipaa(self) -> None:
		make_domain("clinic.example.com", privacy_level="HIPAA")
		make_domain()
		self.bought()
		self.bought(LAPTOP)
		self.assertEqual(self.look()[0], 2)
		self.came(PHONE, ago=60, domain="clinic.example.com")
		event = {
			"name": "e",
			"visitor": LAPTOP,
			"domain": "clinic.example.com",
			"timestamp": self.now - 200 * DAY,
		}
		bulk.insert("Visitor Event", [{**event, "event_type": "PAGE_VIEW"}])
		self.assertEqual(self.look(), (0, {reasons.GUARDED: 2}))

	def test_statements_do_not_grow(self) -> None:
		def statements() -> int:
			frappe.db.commit()
			with counted_statements() as found:
				exports.preview(self.asked("meta"))
			return len(found)

		self.bought(type="Lead")
		statements()
		few = statements()
		for number in range(2, 30):
			self.bought(VISITOR.format(number))
		self.assertEqual(statements(), few)

	def test_in_portions(self) -> None:
		for number in range(1, 8):
			self.bought(VISITOR.format(number))
		with patch("trackflow.attribution.paths.AT_ONCE", 3), patch.object(exports, "AT_ONCE", 2):
			self.assertEqual(self.look()[0], 7)
			self.assertEqual(self.make()["conversions"], 7)


class TestExport(ExportTestCase):
	"""ATT-8: a batch with its file; each conversion once per platform."""

	def test_googles_file(self) -> None:
		self.bought(value=142.5, currency="EUR")
		self.came(PHONE, ago=2, gbraid="newer")
		made = self.make()
		header, line = csv.reader(StringIO(self.file(made)))
		told = dict(zip(header, line, strict=True))
		self.assertEqual((told["Google Click ID"], told["GBRAID"], told["WBRAID"]), ("", "newer", ""))
		self.assertEqual((told["Conversion Value"], told["Conversion Currency"]), ("142.5", "EUR"))
		at = datetime.strptime(told["Conversion Time"], "%Y-%m-%d %H:%M:%S%z")
		self.assertEqual(at, (self.now - DAY).replace(tzinfo=gather.zone()))
		self.assertEqual(datetime.fromisoformat(made["send_before"]), at + 89 * DAY)

	def test_metas_file(self) -> None:
		make_visitor(PHONE, consent_status="Granted", contact_email=ADA)
		bulk.insert(
			"Visitor Event",
			[
				{
					"name": "buy", "visitor": PHONE, "timestamp": self.now, "event_type": "CONVERSION",
					"page_url": "https://shop.example.com/thanks?order=7", "user_agent": "Firefox",
				}
			],
		)  # fmt: skip
		name = self.bought(type="Purchase", source_doctype="Visitor Event", source_name="buy")
		(event,) = json.loads(self.file(self.make("meta", conversion_type="Purchase")))["data"]
		self.assertEqual(event["event_id"], name)
		self.assertEqual(event["action_source"], "website")
		self.assertEqual(event["event_source_url"], "https://shop.example.com/thanks")
		self.assertEqual(event["user_data"]["client_user_agent"], "Firefox")
		self.assertNotIn(ADA, json.dumps(event))
		self.assertNotIn("fbc", event["user_data"])

	def test_linkedins_file(self) -> None:
		self.bought()
		(element,) = json.loads(self.file(self.make("linkedin")))["elements"]
		self.assertEqual(element["user"]["userIds"][0]["idValue"], f"li-{PHONE}")
		with self.assertRaisesRegex(frappe.ValidationError, "number of a conversion rule"):
			exports.create(exports.wanted("linkedin", self.now.date(), self.now.date()))

	def test_the_batch(self) -> None:
		name = self.bought()
		self.bought(None)
		made = self.make(action="Won there")
		doc = frappe.get_doc(EXPORT, made["export"])
		self.assertEqual(
			(doc.platform, doc.action, doc.conversion_count, doc.skipped_count, doc.exported_by),
			("Google Ads", "Won there", 1, 1, "Administrator"),
		)
		self.assertEqual(json.loads(doc.skipped), {reasons.NOBODY: 1})
		row = frappe.get_doc(ROW, key_name("Google Ads", name))
		self.assertEqual((row.export, row.conversion, row.visitor, row.place), (doc.name, name, PHONE, 0))
		self.assertIn(row.line, self.file(made))
		self.assertEqual(files.content(doc.name), self.file(made))
		self.assertTrue(frappe.db.get_value("File", {"attached_to_name": doc.name}, "is_private"))
		doc.run_method("onload")
		self.assertEqual(doc.get("__onload")["reasons"][0]["words"], reasons.WORDS[reasons.NOBODY])

	def test_once_per_platform(self) -> None:
		self.bought()
		for platform in ("google", "meta", "linkedin"):
			self.make(platform)
			with self.assertRaisesRegex(frappe.ValidationError, "Already exported"):
				self.make(platform)
		self.bought(ago=2)
		self.assertEqual(self.look(), (1, {reasons.EXPORTED: 1}))
		self.assertEqual(frappe.db.count(EXPORT), 3)

	def test_what_is_deleted_can_be_exported_again(self) -> None:
		self.bought()
		made = self.make()
		path = frappe.get_doc("File", {"attached_to_name": made["export"]}).get_full_path()
		frappe.delete_doc(EXPORT, made["export"])
		self.assertEqual((frappe.db.count(ROW), os.path.exists(path)), (0, False))
		self.assertEqual(self.make()["conversions"], 1)

	def test_more_than_a_file_holds(self) -> None:
		for number in range(1, 6):
			self.bought(VISITOR.format(number), ago=number / 10)
		with patch.object(exports, "named", lambda _text: replace(META, most=2)):
			asked = self.asked("meta")
			frappe.db.commit()
			counts = [exports.outcome(exports.create(asked)) for _number in range(3)]
		self.assertEqual([one["conversions"] for one in counts], [2, 2, 1])
		self.assertEqual([one["skipped"].get(reasons.NEXT_FILE, 0) for one in counts], [3, 1, 0])

	def test_consent_that_is_withdrawn_meanwhile(self) -> None:
		self.bought()
		self.bought(LAPTOP)
		frappe.db.commit()
		asked = self.asked()
		found = exports._look(asked)
		frappe.db.set_value("Visitor", LAPTOP, "consent_status", "Denied")
		made = exports.outcome(exports._store(asked, found))
		self.assertEqual((made["conversions"], made["skipped"]), (1, {reasons.REFUSED: 1}))

	def test_a_failure_leaves_nothing(self) -> None:
		self.bought()
		frappe.db.commit()
		before = set(os.listdir(frappe.get_site_path("private", "files")))
		with (
			patch.object(frappe.db, "set_value", side_effect=ValueError("cut off")),
			self.assertRaises(ValueError),
		):
			exports.create(self.asked())
		frappe.db.rollback()
		self.assertEqual((frappe.db.count(EXPORT), frappe.db.count(ROW)), (0, 0))
		self.assertEqual(set(os.listdir(frappe.get_site_path("private", "files"))), before)
		self.assertEqual(self.make()["conversions"], 1)

	def test_what_is_asked_for_wrongly(self) -> None:
		for platform, action, words in (
			("bing", "", "none of: Google Ads, Meta, LinkedIn"),
			("google", "=1+1", "formula"),
			("meta", "x" * 51, "longer than 50"),
			("linkedin", "Deal Won", "number of a conversion rule"),
		):
			with self.subTest(platform), self.assertRaisesRegex(frappe.ValidationError, words):
				exports.wanted(platform, self.now.date(), self.now.date(), "", action)

	@unittest.skipUnless(is_shared(), "needs processes that see each other's writes")
	def test_of_two_at_once_each_conversion_is_in_one(self) -> None:
		for number in range(1, 30):
			self.bought(VISITOR.format(number))
		frappe.db.commit()
		asked = self.asked()

		def attempt() -> None:
			try:
				exports.create(asked)
			except frappe.ValidationError as error:
				assert "Already exported" in str(error), error

		children = [fork(attempt) for _number in range(3)]
		self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0, 0, 0])
		frappe.db.rollback()
		self.assertEqual((frappe.db.count(EXPORT), frappe.db.count(ROW)), (1, 29))


class TestPersonalData(ExportTestCase):
	"""CRM-8: what was sent is in a person's copy, and is erased from rows and files; others' lines stay."""

	def setUp(self) -> None:
		super().setUp()
		make_visitor(PHONE, consent_status="Granted", contact_email=ADA)
		self.came(PHONE, gclid="phone-click", fbclid="phone-fb")
		self.name = self.bought(PHONE)
		self.bought(LAPTOP)
		self.made = [self.make("google"), self.make("meta")]

	def test_a_copy(self) -> None:
		found = export.preview(subjects.find(ADA))
		self.assertEqual(found["rows"][ROW], 2)

	def test_erasure(self) -> None:
		done = erasure.erase(ADA)
		self.assertEqual(done["rows"][ROW], 2)
		for made in self.made:
			text = self.file(made)
			for gone in ("phone-click", "phone-fb", self.name):
				self.assertNotIn(gone, text)
			self.assertIn(LAPTOP[2:], text)
			self.assertEqual(text, files.content(made["export"]))
			self.assertEqual(frappe.db.get_value(EXPORT, made["export"], "conversion_count"), 2)
		self.assertEqual(json.loads(self.file(self.made[1]))["data"][0]["event_name"], "Lead")
		rows = frappe.get_all(
			ROW, fields=["name", "platform", "conversion", "visitor", "line"], order_by="name"
		)
		self.assertEqual(len(rows), 4)
		for row in rows:
			self.assertEqual(row.name, key_name(row.platform, row.conversion))
			self.assertTrue(frappe.db.exists("Conversion", row.conversion))
			self.assertEqual(bool(row.line), row.visitor == LAPTOP)
			self.assertNotIn(PHONE, str(row))
		self.assertEqual(self.look(), (0, {reasons.EXPORTED: 2}))
		self.assertNotIn(ROW, erasure.erase(ADA)["rows"])

	def test_a_browser_that_is_the_persons_no_more(self) -> None:
		"""Its click id was sent for another's conversion, of whom nobody knows any more that they were one."""
		frappe.db.set_value("Visitor", LAPTOP, "contact_email", ADA)
		self.came(LAPTOP, ago=1.5, li_fat_id="laptop-li")
		frappe.db.delete("Visitor Session", {"li_fat_id": ("is", "set"), "gclid": ("is", "set")})
		made = self.make("linkedin")
		self.assertIn("laptop-li", self.file(made))
		frappe.db.set_value("Visitor", LAPTOP, "contact_email", None)
		frappe.db.commit()
		erasure.erase(LAPTOP)
		self.assertNotIn("laptop-li", self.file(made))


class TestAccess(PeopleTestCase, ExportTestCase):
	"""ROL-P: TrackFlow Managers and System Managers alone, for looking, making and downloading."""

	roles: ClassVar[dict[str, tuple[str, ...]]] = ROLES
	path = "/api/method/trackflow.api.exports"

	def ask(self, user: str | None, method: str, verb: str, **values: Any) -> Any:
		headers = self.authorization(user)
		return self.request(verb, f"{self.path}.{method}", query_string=values, headers=headers)

	def test_who_may(self) -> None:
		self.bought()
		for user in (MANAGER, SYSTEM):
			told = self.ask(user, "preview", "GET", platform="google").json["message"]
			self.assertEqual((told["conversions"], told["platform"]), (1, "Google Ads"))
		for user in (CAMPAIGNER, NOBODY, None):
			for method, verb in (("preview", "GET"), ("create", "POST")):
				with self.subTest(user, method=method):
					self.assertEqual(self.ask(user, method, verb, platform="google").status_code, 403)
		self.assertEqual(frappe.db.count(EXPORT), 0)

	def test_making_and_downloading(self) -> None:
		self.bought()
		self.assertEqual(self.ask(MANAGER, "create", "GET", platform="meta").status_code, 403)
		made = self.ask(MANAGER, "create", "POST", platform="meta").json["message"]
		self.assertEqual(made["conversions"], 1)
		for user, status in ((MANAGER, 200), (SYSTEM, 200), (CAMPAIGNER, 403), (NOBODY, 403), (None, 403)):
			with self.subTest(user):
				answer = self.get(made["file_url"], headers=self.authorization(user))
				self.assertEqual(answer.status_code, status)
				self.assertEqual("event_id" in answer.text, status == 200)
		again = self.ask(MANAGER, "create", "POST", platform="meta")
		self.assertEqual(again.status_code, 417)
		self.assertIn("Already exported", again.text)

	def test_wrong_input(self) -> None:
		for values in (
			{"platform": "bing"},
			{"platform": ""},
			{"platform": "google", "from_date": "yesterday"},
			{"platform": "google", "from_date": "2026-03-02", "to_date": "2026-03-01"},
			{"platform": "linkedin", "action": "x"},
		):
			with self.subTest(values):
				answer = self.ask(MANAGER, "preview", "GET", **values)
				self.assertEqual(answer.status_code, 417)


class TestCommand(CommandTestCase, ExportTestCase):
	"""CLI-1: export-conversions, with a dry run and JSON."""

	def test_dry_run_export_and_output(self) -> None:
		self.bought()
		self.bought(None)
		result = self.invoke("export-conversions", "google", "--dry-run")
		self.assertEqual(result.exit_code, 0, result.output)
		self.assertIn("1 conversions would be exported", result.output)
		self.assertIn(reasons.WORDS[reasons.NOBODY], result.output)
		self.assertEqual(frappe.db.count(EXPORT), 0)
		path = frappe.get_site_path("private", "files", "exported-test.csv")
		self.addCleanup(os.remove, path)
		result = self.invoke("export-conversions", "google", "--output", path, "--json")
		self.assertEqual(result.exit_code, 0, result.output)
		made = json.loads(result.output)
		with open(path, newline="") as opened:
			self.assertEqual(opened.read(), self.file(made))
		self.assertTrue(get_datetime(made["send_before"]))

	def test_refusals(self) -> None:
		for arguments, words in (
			(("bing",), "none of"),
			(("linkedin",), "number of a conversion rule"),
			(("google",), "nothing to export"),
		):
			result = self.invoke("export-conversions", *arguments)
			self.assertEqual(result.exit_code, 1, result.output)
			self.assertIn(words, result.output)
			self.assertNotIn("Traceback", result.output)
