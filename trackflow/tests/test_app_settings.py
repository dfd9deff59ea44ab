"""The settings that the app shows and saves (UI-1, ROL-P)."""

from typing import Any

import frappe

from trackflow.api.settings import get_settings, save_settings
from trackflow.app_page.settings import SECTIONS
from trackflow.config import get_config
from trackflow.privacy.due import TABLES
from trackflow.tests.base import TrackFlowTestCase, work
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase


def values_of(told: dict[str, Any]) -> dict[str, Any]:
	return {field["name"]: field["value"] for fields in told.values() for field in fields}


class TestSettings(TrackFlowTestCase):
	def test_what_is_shown(self) -> None:
		told = get_settings()
		self.assertEqual(list(told), list(SECTIONS))
		labels = {field["name"]: field["label"] for field in told["retention"]}
		self.assertEqual(labels["retention_click_event"], "Clicks")
		values = values_of(told)
		self.assertEqual((values["retention_click_event"], values["attribution_window_days"]), (730, 30))
		self.assertEqual(values["default_attribution_model"], "Last Touch")
		self.assertLessEqual({table.setting for table in TABLES}, set(values))

	def test_what_is_saved_has_its_effect(self) -> None:
		told = save_settings(
			{
				"attribution_window_days": "60",
				"default_attribution_model": "Linear",
				"retention_click_event": 100,
				"cookie_consent_required": 0,
				"cookie_consent_text": "Yes?",
			}
		)
		self.assertEqual(values_of(told)["retention_click_event"], 100)
		config = get_config()
		self.assertEqual((config.attribution_window_days, config.default_model), (60, "Linear"))
		self.assertEqual((config.consent_required, config.consent_text), (False, "Yes?"))
		work()
		self.assertTrue(frappe.db.get_value("Attribution Model", "Linear", "is_default"))

	def test_what_is_wrong_is_said_and_nothing_saved(self) -> None:
		before = values_of(get_settings())
		for wrong in (
			{"retention_click_event": "soon"},
			{"retention_click_event": -1},
			{"retention_click_event": 40_000},
			{"retention_click_event": None},
			{"attribution_window_days": 0},
			{"default_attribution_model": "None of ours"},
			{"privacy_policy_link": "javascript:alert(1)"},
			{"cookie_consent_text": ["x"]},
			{"enable_tracking": 0},
			{"archive_s3_secret_key": "x"},
		):
			with self.subTest(wrong):
				with self.assertRaises(frappe.ValidationError):
					save_settings(wrong)
				frappe.db.rollback()
		self.assertEqual(values_of(get_settings()), before)


class TestAccess(PermissionTestCase):
	"""ROL-P, SEC-1"""

	def test_who_may(self) -> None:
		path = "/api/method/trackflow.api.settings."
		for user, expected in ((MANAGER, 200), (CAMPAIGNER, 403), (NOBODY, 403), (None, 403)):
			with self.subTest(user):
				headers = self.authorization(user)
				self.assertEqual(self.get(f"{path}get_settings", headers=headers).status_code, expected)
				body = {"values": {"retention_click_event": 99}}
				answer = self.request("POST", f"{path}save_settings", headers=headers, json=body)
				self.assertEqual(answer.status_code, expected)
		self.assertEqual(frappe.db.get_single_value("TrackFlow Settings", "retention_click_event"), 99)
