"""The check of campaign tags, of what is stored (RPT-2)."""

import json
from typing import Any

import frappe

from trackflow.api.analytics import utm_report
from trackflow.stream import drain, writer
from trackflow.tests import factories
from trackflow.tests.analytics_case import DAY, MARCH, OTHER, SITE, FiguresTestCase, make_domains
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import event_record
from trackflow.tests.test_permissions import CAMPAIGNER, NOBODY, PermissionTestCase


class TestReport(FiguresTestCase):
	"""RPT-2: each finding with its sessions, an example, a reason and what to do."""

	def setUp(self) -> None:
		super().setUp()
		factories.make_campaign("Spring Sale")

	def tagged(self, source: str = "", medium: str = "", campaign: str = "", **values: Any) -> None:
		tags = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign}
		self.event(**{"session": f"s{self.number}", **tags, **values})

	def found(self, **arguments: Any) -> dict[tuple[str, str], dict[str, Any]]:
		findings = utm_report(*MARCH, **arguments)["findings"]
		return {(one["kind"], one["value"]): one for one in findings}

	def test_case_is_seen_under_any_collation(self) -> None:
		for source, number in (("Newsletter", 1), ("newsletter", 3), ("NEWSLETTER", 2)):
			for _each in range(number):
				self.tagged(source, "email", "spring-sale")
		found = self.found()
		self.assertEqual(found.keys(), {("case", "Newsletter"), ("case", "NEWSLETTER")})
		self.assertEqual(found["case", "NEWSLETTER"]["sessions"], 2)
		self.assertEqual(found["case", "NEWSLETTER"]["suggestion"], "Write newsletter.")

	def test_click_and_page_are_one_session(self) -> None:
		link = factories.make_link("flyer", source="newsleter", medium="email").name
		self.click(link, session="s1", utm_source="newsleter", utm_medium="email")
		self.tagged("newsleter", "email", session="s1", page_url=f"https://{SITE}/a?utm_source=newsleter")
		found = self.found()["misspelt", "newsleter"]
		self.assertEqual((found["sessions"], found["tag"]), (1, "utm_source"))
		self.assertEqual(found["suggestion"], "Write newsletter.")

	def test_click_ids(self) -> None:
		self.tagged(click_ids=json.dumps({"gclid": "x"}))
		self.tagged("newsletter", "email", "spring-sale", click_ids=json.dumps({"msclkid": "x"}))
		self.tagged()
		self.assertEqual(self.found().keys(), {("untagged_ad", "gclid"), ("contradiction", "email")})

	def test_addresses_are_masked(self) -> None:
		self.tagged("google", "cpc", "to-ada@example.com", page_url=f"https://{SITE}/?mail=ada@example.com")
		self.assertNotIn("ada", json.dumps(utm_report(*MARCH)))
		self.assertEqual(self.found().keys(), {("personal", "…@…")})

	def test_range_scope_robots(self) -> None:
		make_domains()
		self.tagged("googel", "cpc")
		self.tagged("googel", "cpc", domain=OTHER)
		self.tagged("googel", "cpc", timestamp=DAY.replace(month=4))
		self.tagged("googel", "cpc", counted=0)
		for arguments, number in (({}, 2), ({"domain": SITE}, 1), ({"project": "Shops"}, 2)):
			self.assertEqual(self.found(**arguments)["misspelt", "googel"]["sessions"], number)

	def test_limit_and_summary(self) -> None:
		for number in range(5):
			self.tagged("google", "cpc", f"unheard-of-{number}{number}")
		found = utm_report(*MARCH, limit=2)
		self.assertEqual((len(found["findings"]), found["others"]), (2, 3))
		self.assertEqual(found["summary"], [{"kind": "unknown_campaign", "findings": 5, "sessions": 5}])
		self.assertEqual((found["looked_at"], found["is_complete"]), (5, True))
		for limit in (0, 501, "many"):
			with self.assertRaises(frappe.ValidationError):
				utm_report(limit=limit)

	def test_every_kind_has_words(self) -> None:
		for tags in (
			("Google", "cpc", "ada@example.com"),
			("googel", "emial", "{{campaign.name}}"),
			("cpc", "google", "spring%20sale"),
			("", "wom", "Spring Sale"),
			("newsletter", "", "unheard-of"),
		):
			self.tagged(*tags)
		self.tagged("brand-a", "email", "x_y")
		self.tagged("brand_a", "email", "x-y")
		self.tagged(click_ids=json.dumps({"fbclid": "x"}))
		self.tagged("facebook", "cpc", click_ids=json.dumps({"gclid": "x"}))
		found = utm_report(*MARCH)
		self.assertEqual(len(found["summary"]), 14)
		for one in found["findings"]:
			self.assertTrue(one["reason"].endswith(".") and one["suggestion"].endswith("."), one)
			self.assertNotIn("{", one["reason"])

	def test_statements_are_bounded(self) -> None:
		counts = []
		for number in (1, 30):
			for index in range(number):
				self.tagged(f"source-{index}", "email", f"c{index}", utm_term=f"t{index}")
			frappe.db.commit()
			utm_report(*MARCH)
			with counted_statements() as statements:
				utm_report(*MARCH)
			counts.append(len(statements))
		self.assertEqual(counts[0], counts[1])
		self.assertLessEqual(counts[0], 5, statements)


class TestWhatVisitorsBring(FiguresTestCase):
	"""RPT-2: from the stream to the report."""

	def test_as_a_drain_stores_it(self) -> None:
		utm = {"utm_source": "googel", "utm_medium": "cpc", "utm_campaign": "<b>"}
		writer.write([event_record(number, utm=utm) for number in (1, 2)])
		drain.drain()
		found = {one["kind"]: one for one in utm_report()["findings"]}
		self.assertEqual((found["misspelt"]["sessions"], found["placeholder"]["value"]), (2, "‹b>"))


class TestAccess(PermissionTestCase):
	"""ROL-P: for who may read clicks, events and campaigns."""

	def test_over_http(self) -> None:
		path = "/api/method/trackflow.api.analytics.utm_report"
		for user, status in ((CAMPAIGNER, 200), (NOBODY, 403), (None, 403)):
			answer = self.get(path, headers=self.authorization(user))
			self.assertEqual(answer.status_code, status, answer.text)
