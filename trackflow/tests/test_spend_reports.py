"""The reports on spend: Spend and Waste, Campaign Performance (RPT-1, WST-1)."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import frappe
from frappe.desk import query_report

from trackflow.rollups import run
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import make_campaign, make_cost, make_rate, set_settings
from trackflow.tests.test_permissions import CAMPAIGNER, NOBODY, PermissionTestCase
from trackflow.tests.test_rollup import DAY, RollupTestCase

SPEND, PERFORMANCE = "Spend and Waste", "Campaign Performance"
FROM = DAY - timedelta(days=9)


class SpendTestCase(RollupTestCase):
	def setUp(self) -> None:
		super().setUp()
		make_cost(DAY - timedelta(days=60), 1, external_campaign_id="123")

	def told(self, report: str, **filters: Any) -> dict[str, Any]:
		return query_report.run(report, filters={"from_date": str(FROM), "to_date": str(DAY), **filters})

	def rows(self, report: str, **filters: Any) -> list[dict[str, Any]]:
		return self.told(report, **filters)["result"]


class TestSpendAndWaste(SpendTestCase):
	"""WST-1, RPT-1: every entity with what it cost and brought; the wasteful ones first, with reason and recommendation."""

	def test_waste_comes_first_and_the_total_last(self) -> None:
		self.converted()
		make_cost(DAY, 900, external_campaign_id="123", clicks=10, impressions=1000)
		make_cost(DAY, 600, external_campaign_id="999", platform="LinkedIn")
		make_cost(DAY - timedelta(days=60), 1, external_campaign_id="999", platform="LinkedIn")
		run.run_marked()
		waste, fine, total = self.rows(SPEND)
		self.assertEqual((waste["platform"], waste["campaign"]), ("LinkedIn", "999"))
		self.assertEqual((waste["waste"], waste["waste_share"], waste["severity"]), (600, 100, "High"))
		self.assertEqual(waste["reason"], "No conversions")
		self.assertTrue(waste["recommendation"])
		self.assertEqual(
			(fine["campaign"], fine["waste"], fine["cpa"], fine["ctr"]), ("Spring Sale", None, 900, 1)
		)
		self.assertEqual((total["platform"], total["spend"], total["waste"]), ("Total", 1500, 600))
		self.assertEqual(total["waste_share"], 40)
		self.assertEqual([row["campaign"] for row in self.rows(SPEND, severity="high")], ["999"])
		self.assertEqual([row["spend"] for row in self.rows(SPEND, grain="Organization")], [1500, 1500])

	def test_the_chart_has_waste_and_the_rest(self) -> None:
		set_settings(target_cpa=300)
		self.converted()
		make_cost(DAY, 900, external_campaign_id="123")
		run.run_marked()
		data = self.told(SPEND)["chart"]["data"]
		self.assertEqual(data["labels"], ["Meta · Spring Sale"])
		self.assertEqual([one["values"] for one in data["datasets"]], [[600], [300]])

	def test_what_is_not_known_is_empty_and_said(self) -> None:
		make_cost(DAY, 900, external_campaign_id="123", currency="EUR")
		run.run_marked()
		told = self.told(SPEND)
		self.assertEqual([row["spend"] for row in told["result"]], [None, None])
		self.assertIn("EUR", told["message"])

	def test_texts_of_visitors_are_no_formulas(self) -> None:
		self.converted(link_campaign=None, campaign="=1+1")
		run.run_marked()
		self.assertEqual(self.rows(SPEND)[0]["campaign"], "'=1+1")


class TestCampaignPerformance(SpendTestCase):
	"""RPT-1: budget, spend, value, and ROI = (value − spend) ÷ spend against the expected one."""

	def test_a_campaigns_line(self) -> None:
		campaign = frappe.get_doc("Link Campaign", "Spring Sale")
		campaign.update({"budget": 100, "currency": "EUR", "expected_roi": 50}).save()
		make_rate(DAY, 2)
		make_cost(DAY, 50, external_campaign_id="123", clicks=25)
		self.converted()
		self.converted(1, "Deal Won")
		run.run_marked()
		row, total = self.rows(PERFORMANCE)
		self.assertEqual(
			(row["campaign"], row["budget"], row["spend"], row["budget_used"]), ("Spring Sale", 200, 50, 25)
		)
		self.assertEqual(
			(row["value"], row["roi"], row["expected_roi"], row["roi_difference"]), (100, 100, 50, 50)
		)
		self.assertEqual((row["ad_clicks"], row["conversions"], row["cpa"], row["roas"]), (25, 1, 50, 2))
		self.assertEqual((total["campaign"], total["spend"], total["roi"]), ("Total", 50, 100))

	def test_all_platforms_of_a_campaign_are_one_line(self) -> None:
		make_cost(DAY, 50, external_campaign_id="123")
		make_cost(DAY, 30, link_campaign="Spring Sale", platform="LinkedIn")
		run.run_marked()
		self.assertEqual([row["spend"] for row in self.rows(PERFORMANCE)], [80, 80])

	def test_what_is_no_campaign_here_is_a_line_of_its_own(self) -> None:
		make_cost(DAY, 50, external_campaign_id="unknown")
		make_cost(DAY, 20, external_campaign_id="123")
		run.run_marked()
		rows = self.rows(PERFORMANCE)
		named = [(row["campaign"], row["spend"]) for row in rows]
		self.assertEqual(named, [("Spring Sale", 20), ("No Link Campaign", 50), ("Total", 70)])

	def test_the_model_is_a_filter(self) -> None:
		self.converted()
		frappe.db.delete("Attribution Link", {"attribution_model": "Linear"})
		run.run_marked()
		self.assertEqual(self.rows(PERFORMANCE)[0]["conversions"], 1)
		self.assertEqual(self.rows(PERFORMANCE, attribution_model="Linear"), [])

	def test_a_status_shows_its_campaigns_alone(self) -> None:
		make_campaign("Quiet", status="Paused")
		make_cost(DAY, 20, external_campaign_id="123")
		run.run_marked()
		self.assertEqual([row["campaign"] for row in self.rows(PERFORMANCE, status="Paused")], ["Quiet"])

	def test_a_budget_without_a_rate_is_said(self) -> None:
		frappe.get_doc("Link Campaign", "Spring Sale").update({"budget": 100, "currency": "EUR"}).save()
		make_cost(DAY, 20, external_campaign_id="123")
		run.run_marked()
		told = self.told(PERFORMANCE)
		self.assertIsNone(told["result"][0]["budget"])
		self.assertIn("EUR", told["message"])


class TestBoth(PermissionTestCase, SpendTestCase):
	"""ROL-P, RPT-1: who may see them, what is asked wrongly, and what they cost."""

	def test_who_may(self) -> None:
		for report in (SPEND, PERFORMANCE):
			for user, status in ((CAMPAIGNER, 200), (NOBODY, 403), (None, 403)):
				with self.subTest(report, user=user):
					path = "/api/method/frappe.desk.query_report.run"
					headers = self.authorization(user)
					answer = self.request("GET", path, headers=headers, query_string={"report_name": report})
					self.assertEqual(answer.status_code, status)

	def test_wrong_filters_are_answered(self) -> None:
		for report, filters in (
			(SPEND, {"from_date": "soon"}),
			(SPEND, {"grain": "<img src=x onerror=alert(1)>"}),
			(SPEND, {"severity": "awful"}),
			(PERFORMANCE, {"attribution_model": "<b>none</b>"}),
			(PERFORMANCE, {"status": ["Active"]}),
		):
			with self.subTest(report, filters=filters):
				found = self.told(report, **filters)
				self.assertEqual((found["result"], found["columns"]), ([], []))
				self.assertTrue(found["message"])
				self.assertNotIn("<", found["message"])

	def test_every_line_says_something_in_every_column(self) -> None:
		"""Be it that there is nothing: the desk shows 0 where a line has no such key."""
		make_cost(DAY, 50, external_campaign_id="unknown")
		make_cost(DAY, 20, external_campaign_id="123")
		run.run_marked()
		for report in (SPEND, PERFORMANCE):
			told = self.told(report)
			columns = {column["fieldname"] for column in told["columns"]}
			for row in told["result"]:
				with self.subTest(report, row=row):
					self.assertEqual(columns - set(row), set())

	def test_statements_do_not_grow_with_campaigns(self) -> None:
		taken = []
		for number in (1, 12):
			for one in range(number):
				make_campaign(f"{number} {one}", external_campaign_id=f"{number}-{one}", budget=5)
				make_cost(DAY, 100, external_campaign_id=f"{number}-{one}")
			run.run_marked()
			for report in (SPEND, PERFORMANCE):
				self.told(report)
				with counted_statements() as statements:
					self.told(report)
				taken.append(len(statements))
		self.assertEqual(taken[:2], taken[2:])

	def test_filters_of_the_desk_are_those_that_are_read(self) -> None:
		for report, names in (
			(SPEND, {"from_date", "to_date", "grain", "attribution_model", "severity"}),
			(PERFORMANCE, {"from_date", "to_date", "attribution_model", "status"}),
		):
			scrubbed = frappe.scrub(report)
			folder = Path(frappe.get_app_path("trackflow", "trackflow", "report", scrubbed))
			text = (folder / f"{scrubbed}.js").read_text()
			self.assertIn(f'frappe.query_reports["{report}"]', text)
			self.assertEqual(set(re.findall(r'fieldname: "(\w+)"', text)), names)
			for value in re.findall(r'value: "([\w ]+)"', text):
				name = "status" if report == PERFORMANCE else "severity" if value.islower() else "grain"
				message = self.told(report, **{name: value})["message"]
				self.assertFalse(message and "none of" in message, value)
