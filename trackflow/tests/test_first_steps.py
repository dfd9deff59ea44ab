"""The first-run guide: from nothing to the first click that is stored (UI-1)."""

import json
from typing import Any

import frappe

from trackflow.api.first_steps import get_first_steps
from trackflow.stream import drain, writer
from trackflow.tests.base import GOOGLEBOT, TrackFlowTestCase, counted_statements
from trackflow.tests.factories import SHOP, click_record, make_domain, make_link, set_settings
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase


class TestSteps(TrackFlowTestCase):
	def test_from_nothing_to_the_first_click(self) -> None:
		state = get_first_steps()
		self.assertEqual(
			(state["is_empty"], state["domain"], state["link"], state["click"]), (True, None, None, None)
		)
		make_domain("second.example.com")
		make_domain(SHOP)
		frappe.db.set_value("Domain Configuration", SHOP, "creation", "2026-01-01 00:00:00")
		self.assertEqual(get_first_steps()["domain"]["name"], SHOP)
		first, second = make_link("first"), make_link("second", title="Second")
		frappe.db.set_value("Tracked Link", first.name, "creation", "2026-01-01 00:00:00")
		link = get_first_steps()["link"]
		self.assertEqual((link["name"], link["title"], link["short_code"]), (second.name, "Second", "second"))
		self.assertTrue(link["short_url"].endswith("/r/second"))
		self.assertEqual(get_first_steps(first.name)["link"]["short_code"], "first")
		self.get("/r/second")
		state = get_first_steps()
		self.assertEqual((state["is_empty"], state["click"], state["waits"]), (True, None, True))
		drain.drain()
		state = get_first_steps()
		self.assertEqual((state["is_empty"], state["waits"]), (False, False))
		click = state["click"]
		self.assertEqual((click["type"], click["browser"], click["not_counted"]), ("Click", "Chrome", ""))
		self.assertIsNone(get_first_steps(first.name)["click"])

	def test_the_newest_click(self) -> None:
		make_link("spring")
		self.get("/r/spring", agent=GOOGLEBOT)
		drain.drain()
		self.assertIn("a robot's", get_first_steps()["click"]["not_counted"])
		self.get("/r/spring")
		drain.drain()
		self.assertEqual(get_first_steps()["click"]["not_counted"], "")

	def test_a_click_from_within_says_why_it_does_not_count(self) -> None:
		set_settings(exclude_internal_traffic=1)
		make_link("spring")
		self.get("/r/spring", address="192.168.1.4")
		drain.drain()
		self.assertIn("internal address", get_first_steps()["click"]["not_counted"])

	def test_statements_do_not_grow(self) -> None:
		"""It is asked every few seconds while somebody waits."""
		link, taken = make_link("spring").name, []
		for number in (1, 20):
			drain_all([click_record(link) for _one in range(number)])
			with counted_statements() as statements:
				get_first_steps()
			taken.append(len(statements))
		self.assertEqual(*taken)
		self.assertLessEqual(taken[0], 8)


def drain_all(records: list[dict[str, Any]]) -> None:
	writer.write(records)
	drain.drain()


class TestAccess(PermissionTestCase):
	"""ROL-P, SEC-1"""

	def test_who_may(self) -> None:
		link = make_link("spring")
		make_domain(SHOP)
		drain_all([click_record(link.name, address="203.0.113.7")])
		path = "/api/method/trackflow.api.first_steps.get_first_steps"
		for user, expected in ((MANAGER, 200), (CAMPAIGNER, 200), (NOBODY, 403), (None, 403)):
			with self.subTest(user):
				answer = self.get(path, headers=self.authorization(user))
				self.assertEqual(answer.status_code, expected)
				if expected == 200:
					told = json.dumps(answer.json["message"])
					self.assertNotIn("203.0.113", told)
					self.assertNotIn("v_0000", told)
		missing = self.get(f"{path}?link=nothing", headers=self.authorization(CAMPAIGNER))
		self.assertEqual(missing.status_code, 404)
