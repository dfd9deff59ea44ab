"""Waste of a range of days, as it is asked for (WST-1)."""

from datetime import timedelta
from typing import Any

import frappe
from frappe.utils import getdate, now_datetime

from trackflow.api.waste import acknowledge, get_acknowledgements, get_waste, withdraw_acknowledgement
from trackflow.rollups import run
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import make_campaign, make_cost, make_rate, set_settings
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase
from trackflow.tests.test_rollup import DAY, RollupTestCase

RANGE = f"{DAY - timedelta(days=9)},{DAY}"
LONG_AGO = DAY - timedelta(days=60)


class WasteTestCase(RollupTestCase):
	"""A campaign that spent before, and so is not young."""

	def setUp(self) -> None:
		super().setUp()
		make_cost(LONG_AGO, 1, external_campaign_id="123")

	def spent(self, *amounts: float, **values: Any) -> None:
		"""Costs of the last days up to DAY, worked out."""
		for number, amount in enumerate(amounts):
			make_cost(DAY - timedelta(days=number), amount, **{"external_campaign_id": "123", **values})
		run.run_marked()

	def ask(self, **more: Any) -> dict[str, Any]:
		return get_waste(date_range=RANGE, **more)

	def reasons(self, **more: Any) -> list[str]:
		return [finding["reason"] for finding in self.ask(**more)["findings"]]


class TestFindings(WasteTestCase):
	"""WST-1: the sums of the range are judged, with reasons in numbers and in words."""

	def test_a_range_is_judged_by_its_sums_not_by_its_days(self) -> None:
		"""Each day but one brought nothing; together they were worth it."""
		set_settings(target_cpa=100)
		for number in range(1, 4):
			self.converted(number)
		self.spent(60, 60, 60)
		self.assertEqual(self.reasons(), [])
		set_settings(target_cpa=50)
		run.run_marked()
		[finding] = self.ask()["findings"]
		self.assertEqual((finding["reason"], finding["waste_spend"]), ("high_cpa", 30))

	def test_a_finding_says_all_that_it_rests_on(self) -> None:
		self.spent(400, 200)
		answer = self.ask()
		[finding] = answer["findings"]
		self.assertEqual(
			(finding["grain"], finding["platform"], finding["campaign"]), ("Campaign", "Meta", "Spring Sale")
		)
		self.assertEqual((finding["severity"], finding["waste_share"]), ("high", 100))
		self.assertEqual(finding["explanation"]["figures"]["spend"], 600)
		self.assertIn("600.00 USD were spent", finding["words"])
		self.assertIn("Stop it until you know why", finding["recommendation"])
		self.assertEqual(answer["summary"]["by_severity"], {"high": 1, "medium": 0, "low": 0})
		self.assertEqual(
			(answer["summary"]["spend"], answer["summary"]["waste"], answer["summary"]["share"]),
			(600, 600, 100),
		)

	def test_a_campaigns_target_goes_before_that_of_the_settings(self) -> None:
		set_settings(target_cpa=1000)
		self.converted()
		self.spent(200)
		self.assertEqual(self.reasons(), [])
		campaign = frappe.get_doc("Link Campaign", "Spring Sale")
		campaign.update({"target_cpa": 60, "currency": "EUR"}).save()
		make_rate(DAY, 1.5)
		[finding] = self.ask()["findings"]
		comparison = finding["explanation"]["comparison"]
		self.assertEqual((comparison["target"], comparison["target_set_in"]), (90, "campaign"))
		self.assertIn("of the campaign", finding["words"])

	def test_a_campaigns_target_that_no_rate_converts_is_said(self) -> None:
		frappe.get_doc("Link Campaign", "Spring Sale").update({"target_cpa": 60, "currency": "EUR"}).save()
		self.converted()
		self.spent(200)
		answer = self.ask()
		self.assertEqual(answer["findings"], [])
		self.assertIn(f"from EUR to USD for {DAY}: campaigns are not held to a target", answer["notices"][0])

	def test_a_campaigns_target_is_found_whatever_the_spelling(self) -> None:
		campaign = frappe.get_doc("Link Campaign", "Spring Sale")
		campaign.target_roas = 2
		campaign.save()
		make_cost(DAY, 600, external_campaign_id="123")
		# Another platform's campaign of that name comes first.
		make_cost(DAY, 60, platform="Google Ads", campaign_name="SPRING SALE")
		self.converted(1, "Deal Won")
		run.run_marked()
		found = self.ask()["findings"][0]
		self.assertEqual(
			(found["campaign"], found["reason"], found["waste_spend"]), ("SPRING SALE", "low_roas", 550)
		)

	def test_filters_and_limit(self) -> None:
		make_campaign("Other", external_campaign_id="9")
		make_cost(LONG_AGO, 1, external_campaign_id="9")
		make_cost(DAY, 90, external_campaign_id="9")
		self.spent(600)
		self.assertEqual(len(self.ask()["findings"]), 2)
		self.assertEqual(len(self.ask(limit=1)["findings"]), 1)
		self.assertEqual(self.ask(limit=1)["summary"]["findings"], 2)
		self.assertEqual([one["campaign"] for one in self.ask(limit=1, start=1)["findings"]], ["Other"])
		self.assertEqual([one["campaign"] for one in self.ask(severity="low")["findings"]], ["Other"])
		self.assertEqual(
			[one["campaign"] for one in self.ask(min_waste_spend="100")["findings"]], ["Spring Sale"]
		)
		self.assertEqual([one["waste_spend"] for one in self.ask(grain="PLATFORM")["findings"]], [690])

	def test_models_judge_differently(self) -> None:
		self.converted()
		frappe.db.delete("Attribution Link", {"attribution_model": "Linear"})
		self.spent(100)
		self.assertEqual(self.reasons(), [])
		self.assertEqual(self.reasons(attribution_model="Linear"), ["no_conversions"])

	def test_today_is_judged_too(self) -> None:
		make_cost(getdate() - timedelta(days=50), 1, external_campaign_id="123")
		run.run_marked()
		make_cost(getdate(), 80, external_campaign_id="123")
		[finding] = get_waste()["findings"]
		self.assertEqual(finding["waste_spend"], 80)
		self.converted(at=now_datetime())
		self.assertEqual(get_waste()["findings"], [])

	def test_a_missing_rate_is_said_and_nothing_is_judged_by_a_guess(self) -> None:
		self.spent(600, currency="EUR")
		answer = self.ask()
		self.assertEqual((answer["findings"], answer["summary"]["spend"]), ([], None))
		[notice] = answer["notices"]
		self.assertIn("EUR", notice)
		self.assertIn(str(DAY), notice)

	def test_statements_do_not_grow_with_campaigns(self) -> None:
		taken = []
		for number in (1, 15):
			for one in range(number):
				make_cost(DAY, 100, external_campaign_id=f"{number}-{one}")
			run.run_marked()
			with counted_statements() as statements:
				self.ask()
			taken.append(len(statements))
		self.assertEqual(taken[0], taken[1])

	def test_what_is_asked_wrongly_is_said(self) -> None:
		for wrong in (
			{"date_range": "2026-03-31,2026-03-01"},
			{"date_range": "March"},
			{"grain": "Planet"},
			{"attribution_model": "None of ours"},
			{"min_waste_spend": "much"},
			{"min_waste_spend": "-1"},
			{"min_waste_spend": "NaN"},
			{"severity": "awful"},
			{"limit": 0},
			{"limit": "all"},
			{"start": -1},
		):
			with self.subTest(wrong), self.assertRaises(frappe.ValidationError):
				get_waste(**wrong)


class TestQuiet(WasteTestCase):
	"""WST-1: young campaigns, little spend and what somebody knows of are left alone."""

	def test_a_young_campaign_is_left_alone(self) -> None:
		make_cost(DAY - timedelta(days=5), 300, external_campaign_id="new")
		self.spent(0)
		answer = self.ask()
		self.assertEqual((answer["findings"], answer["summary"]["young"]), ([], 1))
		set_settings(waste_quiet_days=3)
		self.assertEqual(self.reasons(), ["no_conversions"])

	def test_a_start_date_says_how_young_it_is(self) -> None:
		self.spent(300)
		campaign = frappe.get_doc("Link Campaign", "Spring Sale")
		campaign.update({"start_date": DAY - timedelta(days=2)}).save()
		self.assertEqual(self.reasons(), [])

	def test_little_spend_is_left_alone(self) -> None:
		self.spent(30)
		self.assertEqual(self.reasons(), [])
		set_settings(waste_least_spend=20)
		self.assertEqual(self.reasons(), ["no_conversions"])

	def test_bounds_of_severity_are_settings(self) -> None:
		self.spent(300)
		self.assertEqual(self.ask()["findings"][0]["severity"], "medium")
		set_settings(waste_high_amount=300)
		self.assertEqual(self.ask()["findings"][0]["severity"], "high")

	def test_an_acknowledged_finding_stays_quiet(self) -> None:
		self.spent(300)
		key = {"reason": "no_conversions", "platform": "meta", "campaign": "Spring Sale"}
		acknowledge(**key, note="A test of the market.")
		answer = self.ask()
		self.assertEqual((answer["findings"], answer["summary"]["acknowledged"]), ([], 1))
		self.assertEqual(self.reasons(grain="Platform"), ["no_conversions"])
		acknowledge(**key, amount=299)
		self.assertEqual(self.reasons(), ["no_conversions"])
		acknowledge(**key, until=str(getdate() - timedelta(days=1)))
		self.assertEqual(self.reasons(), ["no_conversions"])
		self.assertEqual(acknowledge(**key, until=str(getdate()))["until"], str(getdate()))
		self.assertEqual(self.reasons(), [])
		self.assertEqual(frappe.db.count("Waste Acknowledgement"), 1)

	def test_what_is_acknowledged_is_listed_and_taken_back(self) -> None:
		self.spent(300)
		acknowledge("no_conversions", platform="Meta", campaign="Spring Sale", note="A test.", amount=500)
		over = str(getdate() - timedelta(days=1))
		acknowledge("high_cpa", grain="Platform", platform="Meta", until=over)
		told = get_acknowledgements()
		self.assertEqual(told["total"], 2)
		found = {one["reason"]: one for one in told["acknowledgements"]}
		known = found["no_conversions"]
		self.assertEqual((known["campaign"], known["note"], known["amount"]), ("Spring Sale", "A test.", 500))
		self.assertEqual(
			(known["label"], known["by"], known["is_over"]), ("No conversions", "Administrator", False)
		)
		self.assertEqual((found["high_cpa"]["until"], found["high_cpa"]["is_over"]), (over, True))
		self.assertEqual(len(get_acknowledgements(start=1)["acknowledgements"]), 1)
		self.assertEqual(withdraw_acknowledgement(known["name"])["campaign"], "Spring Sale")
		self.assertEqual(self.reasons(), ["no_conversions"])
		with self.assertRaises(frappe.DoesNotExistError):
			withdraw_acknowledgement(known["name"])

	def test_it_follows_a_renamed_campaign(self) -> None:
		self.spent(300)
		acknowledge("no_conversions", platform="Meta", campaign="Spring Sale")
		frappe.rename_doc("Link Campaign", "Spring Sale", "Summer Sale", force=True)
		run.run_marked()
		self.assertEqual(self.reasons(), [])
		# Once more is the same one, and what is acknowledged of the former name is another.
		again = acknowledge("no_conversions", platform="Meta", campaign="Summer Sale", note="Still so.")
		[stored] = frappe.get_all("Waste Acknowledgement", fields=["name", "campaign", "note"])
		self.assertEqual(stored, {"name": again["name"], "campaign": "Summer Sale", "note": "Still so."})
		former = acknowledge("no_conversions", platform="Meta", campaign="Spring Sale")
		self.assertNotEqual(former["name"], again["name"])

	def test_a_rename_leaves_one_of_each(self) -> None:
		"""In any spelling of the former name; where the new one has been acknowledged, that one stays."""
		for reason, campaign, note in (
			("no_conversions", "spring sale", "former"),
			("no_conversions", "Summer Sale", "new"),
			("high_cpa", "SPRING SALE", "alone"),
			("high_cpa", "Winter Sale", "another"),
		):
			acknowledge(reason, platform="Meta", campaign=campaign, note=note)
		frappe.rename_doc("Link Campaign", "Spring Sale", "Summer Sale", force=True)
		found = frappe.get_all(
			"Waste Acknowledgement", fields=["campaign", "reason", "note"], order_by="note"
		)
		self.assertEqual(
			[(one.campaign, one.reason, one.note) for one in found],
			[
				("Summer Sale", "high_cpa", "alone"),
				("Winter Sale", "high_cpa", "another"),
				("Summer Sale", "no_conversions", "new"),
			],
		)

	def test_what_is_acknowledged_wrongly_is_said(self) -> None:
		for wrong in (
			{"reason": "bad luck"},
			{"reason": "high_cpa", "until": "soon"},
			{"reason": "high_cpa", "amount": "-5"},
			{"reason": "high_cpa", "grain": "Platform", "campaign": "Spring Sale"},
		):
			with self.subTest(wrong), self.assertRaises(frappe.ValidationError):
				acknowledge(**wrong)


class TestAccess(PermissionTestCase):
	"""ROL-P, SEC-1: for people who may read daily figures, by the verbs that are declared."""

	def ask(self, user: str | None, verb: str, method: str, **data: str) -> int:
		path = f"/api/method/trackflow.api.waste.{method}"
		return self.request(verb, path, headers=self.authorization(user), data=data).status_code

	def test_who_may(self) -> None:
		known = {"reason": "high_cpa", "campaign": "Spring Sale"}
		for user, expected in ((MANAGER, 200), (CAMPAIGNER, 200), (NOBODY, 403), (None, 403)):
			with self.subTest(user):
				self.assertEqual(self.ask(user, "GET", "get_waste"), expected)
				self.assertEqual(self.ask(user, "POST", "acknowledge", **known), expected)
				self.assertEqual(self.ask(user, "GET", "get_acknowledgements"), expected)
				name = frappe.get_all("Waste Acknowledgement", pluck="name")[0]
				self.assertEqual(self.ask(user, "POST", "withdraw_acknowledgement", name=name), expected)
				frappe.set_user("Administrator")
				acknowledge("low_roas")
		self.assertEqual(self.ask(MANAGER, "POST", "get_waste"), 403)
		self.assertEqual(self.ask(MANAGER, "GET", "acknowledge"), 403)
