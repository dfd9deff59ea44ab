"""What was spent on what, as the API tells it (UI-1, CST-1, RPT-1)."""

from datetime import timedelta
from typing import Any

import frappe
from frappe.utils import getdate, now_datetime

from trackflow.api.costs import get_spend
from trackflow.rollups import run
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import make_campaign, make_cost
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase
from trackflow.tests.test_rollup import AT, DAY, RollupTestCase

FROM = DAY - timedelta(days=9)
BEFORE = FROM - timedelta(days=1)


class SpendTestCase(RollupTestCase):
	def ask(self, **more: Any) -> dict[str, Any]:
		run.run_marked()
		return get_spend(**{"from_date": str(FROM), "to_date": str(DAY), **more})

	def names(self, **more: Any) -> list[str]:
		answer = self.ask(**more)
		part = {"Platform": "platform", "Ad Set": "adset", "Ad": "ad"}.get(answer["grain"], "campaign")
		return [line[part] for line in answer["lines"]]


class TestFigures(SpendTestCase):
	"""UI-1: spend with change, CPA and ROAS; nothing that is not known is made up."""

	def test_figures_stand_beside_those_of_the_period_before(self) -> None:
		make_cost(DAY, 30, external_campaign_id="123", clicks=10, impressions=400)
		make_cost(BEFORE, 20, external_campaign_id="123", clicks=4, impressions=100)
		self.converted(1)
		self.converted(2)
		self.converted(2, "Deal Won")
		answer = self.ask()
		figures = answer["figures"]
		self.assertEqual(figures["spend"], {"value": 30, "previous": 20, "change": 50})
		self.assertEqual(figures["cpa"], {"value": 15, "previous": None, "change": None})
		self.assertEqual((figures["roas"]["value"], figures["roas"]["previous"]), (3.3333, 0))
		self.assertEqual((figures["ctr"]["value"], figures["cpc"]["value"]), (2.5, 3))
		self.assertEqual((figures["conversions"]["value"], figures["value"]["value"]), (2, 100))
		self.assertEqual(
			answer["previous"], {"from_date": str(FROM - timedelta(days=10)), "to_date": str(BEFORE)}
		)
		[line] = answer["lines"]
		self.assertEqual((line["platform"], line["campaign"]), ("Meta", "Spring Sale"))
		self.assertEqual({name: line[name] for name in figures}, figures)
		self.assertEqual(answer["currency"], "USD")

	def test_what_ended_is_still_a_line(self) -> None:
		make_cost(BEFORE, 20, external_campaign_id="old")
		[line] = self.ask()["lines"]
		self.assertEqual(
			(line["campaign"], line["spend"]), ("old", {"value": 0, "previous": 20, "change": -100})
		)

	def test_every_day_has_a_line_with_what_cost_most(self) -> None:
		make_cost(DAY, 30, external_campaign_id="123")
		make_cost(DAY, 10, external_campaign_id="77", platform="LinkedIn")
		make_cost(DAY - timedelta(days=1), 50, external_campaign_id="77", platform="LinkedIn")
		self.converted(1)
		answer = self.ask()
		self.assertEqual([one["campaign"] for one in answer["series"]], ["77", "Spring Sale"])
		self.assertEqual((len(answer["by_day"]), answer["by_day"][0]["day"]), (10, str(FROM)))
		*_others, yesterday, day = answer["by_day"]
		self.assertEqual((yesterday["spend"], yesterday["by"]), (50, [50, 0]))
		self.assertEqual((day["spend"], day["by"], day["conversions"]), (40, [10, 30], 1))
		by_platform = self.ask(grain="platform")
		self.assertEqual([one["platform"] for one in by_platform["series"]], ["LinkedIn", "Meta"])
		self.assertEqual(by_platform["by_day"][-1]["by"], [10, 30])

	def test_only_those_that_cost_most_are_told_apart(self) -> None:
		for number in range(8):
			make_cost(DAY, 10 + number, external_campaign_id=f"c{number}")
		make_cost(DAY, 100, platform="Posters")
		answer = self.ask()
		# What has no campaign is one of them.
		self.assertEqual([one["campaign"] for one in answer["series"]], ["", "c7", "c6", "c5", "c4"])
		self.assertEqual(
			(answer["by_day"][-1]["by"], answer["by_day"][-1]["spend"]), ([100, 17, 16, 15, 14], 208)
		)

	def test_today_is_told_too(self) -> None:
		make_cost(getdate(), 80, external_campaign_id="123")
		self.converted(at=now_datetime())
		answer = get_spend()
		self.assertEqual(answer["to_date"], str(getdate()))
		self.assertEqual((answer["figures"]["spend"]["value"], answer["figures"]["cpa"]["value"]), (80, 80))
		self.assertEqual((answer["by_day"][-1]["spend"], answer["by_day"][-1]["by"]), (80, [80]))

	def test_a_missing_rate_is_said_and_nothing_guessed(self) -> None:
		make_cost(DAY, 900, external_campaign_id="123", currency="EUR")
		make_cost(DAY, 5, external_campaign_id="9")
		answer = self.ask()
		self.assertEqual([line["spend"]["value"] for line in answer["lines"]], [5, None])
		self.assertIsNone(answer["figures"]["spend"]["value"])
		self.assertIsNone(answer["by_day"][-1]["spend"])
		self.assertIn("EUR", answer["notices"][0])

	def test_models_credit_differently(self) -> None:
		self.converted()
		make_cost(DAY, 50, external_campaign_id="123")
		frappe.db.delete("Attribution Link", {"attribution_model": "Linear"})
		self.assertEqual(self.ask()["figures"]["cpa"]["value"], 50)
		self.assertIsNone(self.ask(model="Linear")["figures"]["cpa"]["value"])


class TestLines(SpendTestCase):
	"""UI-1: sorted, filtered and paged where the rows are."""

	def setUp(self) -> None:
		super().setUp()
		make_campaign("Autumn", external_campaign_id="55")
		make_cost(DAY, 30, external_campaign_id="123", clicks=3)
		make_cost(BEFORE, 10, external_campaign_id="123")
		make_cost(DAY, 70, external_campaign_id="55", clicks=90)
		make_cost(BEFORE, 100, external_campaign_id="55")
		make_cost(DAY, 5, external_campaign_id="abc", platform="LinkedIn")
		self.converted(1, at=AT)

	def test_sorted(self) -> None:
		for sort, order, expected in (
			(None, None, ["Autumn", "Spring Sale", "abc"]),
			("spend", "asc", ["abc", "Spring Sale", "Autumn"]),
			("name", "asc", ["abc", "Autumn", "Spring Sale"]),
			("name", "desc", ["Spring Sale", "Autumn", "abc"]),
			("clicks", "desc", ["Autumn", "Spring Sale", "abc"]),
			# What has none stands at the end, whatever the order.
			("change", "desc", ["Spring Sale", "Autumn", "abc"]),
			("change", "asc", ["Autumn", "Spring Sale", "abc"]),
			("cpa", "asc", ["Spring Sale", "abc", "Autumn"]),
		):
			with self.subTest(sort, order=order):
				self.assertEqual(self.names(sort=sort, order=order), expected)

	def test_pages(self) -> None:
		first, second = self.ask(limit=2), self.ask(limit=2, start=2)
		self.assertEqual([len(one["lines"]) for one in (first, second)], [2, 1])
		self.assertEqual((first["total"], second["total"], second["start"]), (3, 3, 2))
		self.assertEqual(first["figures"], second["figures"])

	def test_a_platform_narrows_everything(self) -> None:
		answer = self.ask(platform="LINKEDIN")
		self.assertEqual(([line["campaign"] for line in answer["lines"]], answer["total"]), (["abc"], 1))
		self.assertEqual(answer["figures"]["spend"]["value"], 5)
		self.assertEqual((answer["by_day"][-1]["spend"], answer["by_day"][-1]["by"]), (5, [5]))

	def test_what_is_searched_narrows_the_lines_alone(self) -> None:
		answer = self.ask(search="SPRING")
		self.assertEqual([line["campaign"] for line in answer["lines"]], ["Spring Sale"])
		self.assertEqual(answer["figures"]["spend"]["value"], 105)
		self.assertEqual(self.names(search="linked"), ["abc"])
		self.assertEqual(self.names(search="nothing"), [])

	def test_grains(self) -> None:
		self.assertEqual(self.names(grain="PLATFORM"), ["Meta", "LinkedIn"])
		self.assertEqual(len(self.names(grain="ad_set")), 3)

	def test_spellings_are_one(self) -> None:
		make_cost(DAY - timedelta(days=1), 7, external_campaign_id="ABC", platform="linkedin")
		line = self.ask(search="abc")["lines"][0]
		self.assertEqual(line["spend"]["value"], 12)

	def test_what_is_asked_wrongly_is_said(self) -> None:
		for wrong in (
			{"from_date": "March"},
			{"from_date": "2026-03-31", "to_date": "2026-03-01"},
			{"grain": "Organization"},
			{"grain": "Planet"},
			{"model": "None of ours"},
			{"sort": "weight"},
			{"order": "sideways"},
			{"start": -1},
			{"limit": 501},
			{"platform": "\ud800"},
		):
			with self.subTest(wrong), self.assertRaises(frappe.ValidationError):
				get_spend(**wrong)

	def test_statements_do_not_grow(self) -> None:
		taken = []
		for number in (1, 30):
			for one in range(number):
				make_cost(DAY, 100, external_campaign_id=f"{number}-{one}")
			run.run_marked()
			with counted_statements() as statements:
				self.ask()
			taken.append(len(statements))
		self.assertEqual(taken[0], taken[1])


class TestAccess(PermissionTestCase):
	"""ROL-P, SEC-1"""

	def test_who_may(self) -> None:
		path = "/api/method/trackflow.api.costs.get_spend"
		for user, expected in ((MANAGER, 200), (CAMPAIGNER, 200), (NOBODY, 403), (None, 403)):
			with self.subTest(user):
				self.assertEqual(self.get(path, headers=self.authorization(user)).status_code, expected)
		self.assertEqual(self.request("POST", path, headers=self.authorization(MANAGER)).status_code, 403)
