"""Conversion exports: a person's copy and erasure, who may, the command (ATT-8, CRM-8, ROL-P, CLI-1)."""

import json
import os
from typing import Any, ClassVar
from unittest.mock import patch

import frappe
from frappe.utils import get_datetime

from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.naming import key_name
from trackflow.offline import files, reasons
from trackflow.offline.exports import EXPORT, ROW
from trackflow.privacy import erasure, export, subjects
from trackflow.tests.base import work
from trackflow.tests.factories import make_visitor
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tests.test_conversion_exports import LAPTOP, PHONE, ExportTestCase
from trackflow.tests.users import PeopleTestCase

ADA = "ada@example.com"
ROLES = {
	"exports.manager@example.com": (TRACKFLOW_MANAGER,),
	"exports.system@example.com": ("System Manager",),
	"exports.campaigns@example.com": (CAMPAIGN_MANAGER,),
	"exports.nobody@example.com": (),
}
MANAGER, SYSTEM, CAMPAIGNER, NOBODY = ROLES


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

	def test_a_file_that_is_not_there_any_more(self) -> None:
		file = frappe.get_doc("File", {"attached_to_name": self.made[0]["export"]})
		os.remove(file.get_full_path())
		self.assertEqual(erasure.erase(ADA)["rows"][ROW], 2)
		self.assertFalse(frappe.db.exists("File", file.name))

	def test_cut_off_and_taken_up(self) -> None:
		"""What the rows lost is not in the file, whatever happened in between."""
		with patch.object(erasure, "_replace_visitor", side_effect=ValueError("cut off")):
			with self.assertRaises(ValueError):
				erasure.erase(ADA)
		frappe.db.rollback()
		for made in self.made:
			self.assertEqual(self.file(made), files.content(made["export"]))
		erasure.resume_all()
		work()
		for made in self.made:
			self.assertEqual(self.file(made), files.content(made["export"]))
			self.assertNotIn("phone-", self.file(made))

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
		self.bought()
		for values in (
			{"platform": "bing"},
			{"platform": ""},
			{"platform": "google", "from_date": "yesterday"},
			{"platform": "google", "from_date": "2026-03-02", "to_date": "2026-03-01"},
			{"platform": "linkedin", "action": "x"},
			{"platform": "google", "conversion_type": "Lead" + "\u200b" * 200},
		):
			with self.subTest(values):
				for method, verb in (("preview", "GET"), ("create", "POST")):
					answer = self.ask(MANAGER, method, verb, **values)
					self.assertEqual(answer.status_code, 417, answer.text)


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

	def test_a_file_that_cannot_be_written(self) -> None:
		"""Nothing is exported then: it would not be exported again."""
		self.bought()
		result = self.invoke("export-conversions", "google", "--output", "/nowhere/at/all.csv")
		self.assertEqual((result.exit_code, frappe.db.count(EXPORT)), (1, 0), result.output)

	def test_refusals(self) -> None:
		for arguments, words in (
			(("bing",), "none of"),
			(("linkedin",), "number of a conversion rule"),
			(("google",), "nothing to export"),
			(("google", "--type", "\udcff"), "no text can hold"),
		):
			result = self.invoke("export-conversions", *arguments)
			self.assertEqual(result.exit_code, 1, result.output)
			self.assertIn(words, result.output)
			self.assertNotIn("Traceback", result.output)
