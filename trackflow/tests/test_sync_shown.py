"""The sync as people see and set it: settings, check of the fields, dry run, retry, health, the command (SYN-1, CLI-1, RPT-3)."""

import json
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from trackflow import doctor
from trackflow.api.crm_sync import check_fields, get_sync, preview_sync, save_sync
from trackflow.exceptions import StreamUnavailable
from trackflow.health import measure, prometheus
from trackflow.stream import connection
from trackflow.sync import circuit, run, state, status
from trackflow.sync.circuit import Circuit
from trackflow.sync.fields import NAMES
from trackflow.sync.intake import LOG
from trackflow.tests.factories import set_settings
from trackflow.tests.pipedrive_server import TOKEN, key_of
from trackflow.tests.sync_case import FIELDS, SyncTestCase, form, rows_of_mapping
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase
from trackflow.trackflow.doctype.crm_sync_log.crm_sync_log import retry


class TestSettings(SyncTestCase):
	"""The mapping is checked, the token is a password."""

	def test_there_and_back(self) -> None:
		told = save_sync(
			{"sync_company": "https://acme.pipedrive.com/", "sync_delay_minutes": "9"},
			json.dumps(rows_of_mapping("gclid")),
			"another-token",
		)
		self.assertEqual(
			(told["sync_company"], told["sync_delay_minutes"], told["has_token"]), ("acme", 9, True)
		)
		self.assertEqual([row["source"] for row in told["fields"]], ["gclid"])
		self.assertEqual(told["sources"], NAMES)
		self.assertNotIn("another-token", json.dumps(told))
		self.assertEqual(frappe.get_single("TrackFlow Settings").get_password("sync_token"), "another-token")
		self.assertEqual(len(save_sync({})["fields"]), 1, "what is not given stays")
		self.assertEqual(frappe.get_single("TrackFlow Settings").get_password("sync_token"), "another-token")

	def test_a_mapping_that_makes_no_sense(self) -> None:
		twice = [
			*rows_of_mapping("gclid"),
			{**rows_of_mapping("location")[0], "remote_field": key_of("Google click").upper()},
		]
		for fields, word in (
			(twice, "takes one"),
			([{"source": "gclid", "remote_field": "email"}], "never written"),
			([{"source": "gclid", "remote_field": "Name"}], "never written"),
			([{"source": "nonsense", "remote_field": "a" * 40}], ""),
			([{"source": "gclid", "remote_field": ""}], ""),
			("x", ""),
			('["x"]', "objects"),
			('{"source": "gclid"}', "objects"),
			("5", "objects"),
			([], "at least one"),
		):
			with self.subTest(fields):
				with self.assertRaises(frappe.ValidationError) as caught:
					save_sync({}, fields)
				self.assertIn(word, str(caught.exception))
				frappe.db.rollback()
		self.assertEqual(len(get_sync()["fields"]), len(FIELDS))

	def test_every_field_can_be_chosen(self) -> None:
		options = frappe.get_meta("CRM Sync Field").get_field("source").options
		self.assertEqual(tuple(options.split("\n")), NAMES)

	def test_what_it_cannot_work_without(self) -> None:
		set_settings(sync_enabled=0, sync_token=None)
		with self.assertRaisesRegex(frappe.ValidationError, "API token"):
			save_sync({"sync_enabled": 1})
		frappe.db.rollback()
		for wrong in (
			{"sync_company": "a b"},
			{"sync_company": "evil.example/x"},
			{"sync_delay_minutes": 2000},
			{"enable_tracking": 0},
			{"sync_token": "x"},
			{"sync_provider": "Other"},
		):
			with self.subTest(wrong), self.assertRaises(frappe.ValidationError):
				save_sync(wrong)
			frappe.db.rollback()

	def test_the_token_is_no_text_anywhere(self) -> None:
		settings = frappe.get_single("TrackFlow Settings")
		self.assertNotIn(TOKEN, json.dumps(settings.as_dict(), default=str))
		singles = (
			frappe.get_all("Singles", filters={"doctype": "TrackFlow Settings"}, pluck="value")
			if frappe.db.exists("DocType", "Singles")
			else []
		)
		self.assertNotIn(TOKEN, singles)


class TestCheck(SyncTestCase):
	"""The CRM's own fields, and what is wrong with the mapping."""

	def test_all_pages_and_what_can_be_written(self) -> None:
		self.pipedrive.page = 3
		found = check_fields()
		self.assertEqual(found["problems"], [])
		by_label = {one["label"]: one for one in found["fields"]}
		self.assertEqual(len(by_label), len(FIELDS) + 4)
		self.assertTrue(by_label["Source"]["is_writable"])
		self.assertEqual((by_label["Name"]["is_writable"], by_label["Name"]["is_searched"]), (False, True))
		self.assertFalse(by_label["Labels"]["is_writable"])

	def test_keys_and_types_that_changed(self) -> None:
		self.pipedrive.fields[0] = ("f" * 40, "Source", "varchar")
		self.pipedrive.fields[1] = (key_of("Google click"), "Google click", "double")
		problems = " ".join(check_fields()["problems"])
		self.assertIn(f"no field {key_of('Source')} any more", problems)
		self.assertIn("another type", problems)
		self.assertEqual(doctor._safely("CRM sync", status.examined).mark, doctor.BROKEN)

	def test_what_goes_wrong_is_said(self) -> None:
		for failure, word in (
			(401, "token"),
			(500, "500"),
			({"status": 429, "headers": {"Retry-After": "99"}}, "too many"),
		):
			self.pipedrive.fails = lambda _method, _path, failure=failure: failure
			with self.assertRaises(frappe.ValidationError) as caught:
				check_fields()
			self.assertIn(word, str(caught.exception))
			self.assertNotIn(TOKEN, str(caught.exception))


class TestPreview(SyncTestCase):
	"""A dry run asks, and changes nothing."""

	def test_what_would_be_written(self) -> None:
		self.pipedrive.add("Ada Lovelace", "ada@example.com")
		for _number in range(2):
			self.pipedrive.add("Bo Ek", "bo@example.com")
		self.submit(
			form(1, city="Paris"),
			form(2, typed={"email": "bo@example.com"}),
			form(3, typed={"email": "cy@example.com"}),
		)
		before = self.logs()
		found = {row["email"]: row for row in preview_sync()}
		self.assertEqual(
			{email: row["status"] for email, row in found.items()},
			{"ada@example.com": "synced", "bo@example.com": "error", "cy@example.com": "not_found"},
		)
		self.assertEqual(found["ada@example.com"]["values"]["Location"], "Paris")
		self.assertEqual((self.pipedrive.asked("PATCH"), self.logs()), ([], before))
		self.assertEqual(len(preview_sync("1")), 1)


class TestRetry(SyncTestCase):
	"""What ended can be begun anew by hand."""

	def test_by_hand(self) -> None:
		self.submit()
		self.work()
		self.assertEqual(self.state()[0], "not_found")
		self.pipedrive.add("Ada Lovelace", "ada@example.com")
		with patch.object(run, "enqueue") as enqueue:
			self.assertEqual(retry(json.dumps([self.log().name])), 1)
			self.assertEqual(retry(["nothing"]), 0)
		enqueue.assert_called_once()
		self.assertEqual((self.state(), self.log().attempts), (("pending", ""), 0))
		self.work()
		self.assertEqual(self.state()[0], "synced")


class TestHealth(SyncTestCase):
	"""RPT-3: the breaker, what waits, what failed."""

	def found(self) -> tuple[str, str]:
		return status.examined()

	def test_marks(self) -> None:
		self.assertEqual(self.found()[0], doctor.FINE)
		self.submit()
		frappe.db.set_value(
			LOG, {"status": "pending"}, "due_at", frappe.utils.add_to_date(now_datetime(), hours=-2)
		)
		self.assertIn("worker", self.found()[1])
		self.work()
		frappe.db.set_value(LOG, {"status": "not_found"}, "status", "error")
		self.assertEqual(self.found()[0], doctor.NOTE)
		state._set(state.CIRCUIT, json.dumps(Circuit(circuit.OPEN, since=2e9)))
		self.assertEqual((self.found()[0], "breaker is open" in self.found()[1]), (doctor.BROKEN, True))
		set_settings(sync_enabled=0)
		self.assertEqual(self.found()[0], doctor.FINE)

	def test_figures(self) -> None:
		self.submit()
		found = measure.metrics()["crm_sync"]
		self.assertEqual((found["forms"]["pending"], found["due"], found["crm"]["circuit"]), (1, 1, "closed"))
		self.assertIn('trackflow_crm_sync_forms{status="pending"} 1', "".join(prometheus._sync(found)))
		with patch.object(connection, "connect", side_effect=StreamUnavailable("away")):
			self.assertIsNone(status.figures()["crm"])

	def test_without_redis_nothing_is_sent(self) -> None:
		self.submit()
		with patch.object(connection, "connect", side_effect=StreamUnavailable("redis://secret@10.0.0.1")):
			report = self.work()
		self.assertEqual(
			(self.pipedrive.requests, self.state(), self.log().attempts), ([], ("pending", ""), 0)
		)
		self.assertNotIn("secret", report.stopped.text)


class TestCommand(SyncTestCase, CommandTestCase):
	"""CLI-1"""

	def test_it_works_off(self) -> None:
		self.pipedrive.add("Ada Lovelace", "ada@example.com")
		self.submit(form(1), form(2, typed={"email": "bo@example.com"}))
		result = self.invoke("sync-crm", "--dry-run", "--json")
		self.assertEqual((result.exit_code, len(json.loads(result.output))), (0, 2), result.output)
		self.assertIn("nothing was written", self.invoke("sync-crm", "--dry-run").output)
		result = self.invoke("sync-crm", "--json")
		self.assertEqual(
			(result.exit_code, json.loads(result.output)),
			(
				0,
				{
					"synced": 1,
					"not_found": 1,
					"error": 0,
					"later": 0,
					"withdrawn": 0,
					"due": 0,
					"stopped": "",
				},
			),
		)

	def test_what_stops_it_is_an_exit_code(self) -> None:
		self.submit()
		self.pipedrive.fails = lambda _method, _path: 401
		result = self.invoke("sync-crm")
		self.assertEqual(result.exit_code, 1)
		self.assertIn("token", result.output + (result.stderr if result.stderr_bytes else ""))
		set_settings(sync_enabled=0)
		self.assertEqual(self.invoke("sync-crm").exit_code, 1)
		self.assertEqual(self.invoke("sync-crm", "--limit", "0").exit_code, 2)


class TestAccess(PermissionTestCase):
	"""ROL-P, SEC-1"""

	def test_who_may(self) -> None:
		for user, expected in ((MANAGER, 200), (CAMPAIGNER, 403), (NOBODY, 403), (None, 403)):
			with self.subTest(user):
				answer = self.get(
					"/api/method/trackflow.api.crm_sync.get_sync", headers=self.authorization(user)
				)
				self.assertEqual(answer.status_code, expected)
				answer = self.request(
					"POST",
					"/api/method/trackflow.api.crm_sync.save_sync",
					headers=self.authorization(user),
					json={"values": {"sync_company": "acme"}},
				)
				self.assertEqual(answer.status_code, expected)
