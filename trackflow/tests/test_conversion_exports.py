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

	def test_a_touch_of_such_a_domain_whose_session_is_gone(self) -> None:
		make_domain("clinic.example.com", privacy_level="HIPAA")
		self.bought()
		touch = {"name": "t", "visitor_id": PHONE, "domain": "clinic.example.com"}
		bulk.insert("Touch Point", [{**touch, "occurred_at": self.now - 400 * DAY}])
		self.assertEqual(self.look(), (0, {reasons.GUARDED: 1}))

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
	def test_killed_before_the_end(self) -> None:
		self.bought()
		frappe.db.commit()
		asked = self.asked()

		def die() -> None:
			with patch.object(exports, "_attach", side_effect=lambda *_given: os._exit(9)):
				exports.create(asked)

		self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(fork(die), 0)[1]), 9)
		frappe.db.rollback()
		self.assertEqual((frappe.db.count(EXPORT), frappe.db.count(ROW)), (0, 0))
		self.assertEqual(self.make()["conversions"], 1)

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
