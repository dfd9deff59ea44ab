"""Daily figures: what they are made of, that nothing is written twice, and what makes days be worked out again (ROL-1)."""

import json
import os
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import getdate

from trackflow import bulk, doctor
from trackflow.attribution import run as attribution
from trackflow.costs.facts import MOST_SPEND
from trackflow.day_range import each_day
from trackflow.patches import order_daily_rollups
from trackflow.rollups import campaign_figures, facts, marks, run
from trackflow.rollups.grains import GRAINS
from trackflow.tests.base import TrackFlowTestCase, counted_statements, fork, is_shared, work
from trackflow.tests.factories import (
	VISITOR,
	changed_model,
	make_campaign,
	make_conversion,
	make_cost,
	make_rate,
	make_touch,
	make_visitor,
	set_settings,
)
from trackflow.tests.test_commands import CommandTestCase

AT = datetime(2026, 3, 16, 12)
DAY = AT.date()
ROLLUP = "Daily Rollup"


class RollupTestCase(TrackFlowTestCase):
	"""Costs and credits of a day in March."""

	def setUp(self) -> None:
		super().setUp()
		set_settings(reporting_currency="USD")
		make_campaign("Spring Sale", external_campaign_id="123", platform="Meta")

	def converted(
		self,
		number: int = 1,
		kind: str = "Lead",
		at: datetime = AT,
		value: float = 100,
		currency: str = "USD",
		**touch: Any,
	) -> str:
		"""A conversion after one touch of the campaign on Meta, credited."""
		visitor = VISITOR.format(number)
		if not frappe.db.exists("Visitor", visitor):
			make_visitor(visitor)
			values = {"platform": "Meta", "link_campaign": "Spring Sale", **touch}
			make_touch(visitor, at - timedelta(hours=1), "Paid Social", **values)
		name = make_conversion(visitor, at, kind, value=value, currency=currency)
		attribution.credit([name])
		return name

	def rows(self, grain: str, model: str = "Last Touch", day: date = DAY) -> list[Any]:
		names = frappe.get_all(
			ROLLUP,
			{"grain": grain, "attribution_model": model, "date": day},
			pluck="name",
			order_by="platform, campaign, adset, ad",
		)
		return [frappe.get_doc(ROLLUP, name) for name in names]

	def row(self, grain: str, model: str = "Last Touch", day: date = DAY) -> Any:
		[row] = self.rows(grain, model, day)
		return row


class TestFigures(RollupTestCase):
	"""ROL-1: costs and credits of one day under each model."""

	def test_the_largest_costs_that_are_taken_can_be_summed_up(self) -> None:
		"""CST-1: what is larger is refused with words, or a day would stay marked for ever."""
		most = float(MOST_SPEND) - 1
		with self.assertRaisesRegex(frappe.ValidationError, "more than a row can have"):
			make_cost(DAY, 9e11)
		for number in range(99):
			make_cost(DAY, most, external_campaign_id="123", external_ad_id=str(number))
		self.assertEqual(run.run_marked().failed, [])
		self.assertEqual(self.row("Organization").spend, 99 * most)
		self.assertEqual(marks.days(None, getdate()), [])

	def test_values_that_are_made_up_hold_nothing_up(self) -> None:
		"""What a website sends may be worth anything: the sum is as large as a column has room for, and no day stays marked."""
		for visitor in (1, 2, 3):
			self.converted(visitor, "Deal Won", value=9e11)
		self.assertEqual(run.run_marked().failed, [])
		self.assertAlmostEqual(self.row("Organization").conversion_value, 1e12)
		self.assertEqual(marks.days(None, getdate()), [])
		campaign_figures.recount_all()
		self.assertAlmostEqual(frappe.db.get_value("Link Campaign", "Spring Sale", "revenue"), 1e12)

	def test_costs_meet_what_they_brought(self) -> None:
		make_cost(DAY, 30, external_campaign_id="123", clicks=10, impressions=400)
		self.converted(1)
		self.converted(2)
		self.converted(2, "Deal Won")
		done = run.run_marked()
		self.assertEqual((done.days, done.failed), (1, []))
		row = self.row("Campaign")
		self.assertEqual((row.platform, row.campaign), ("Meta", "Spring Sale"))
		self.assertEqual((row.spend, row.conversions, row.conversion_value), (30, 2, 100))
		self.assertEqual((row.cpa, row.ctr, row.cpc), (15, 2.5, 3))
		self.assertAlmostEqual(row.roas, 100 / 30)
		self.assertEqual(json.loads(row.other_conversions), {"Deal Won": "1"})
		self.assertEqual(json.loads(row.original_spend), {"USD": "30"})
		self.assertEqual(row.currency, "USD")

	def test_every_active_model_has_rows_at_five_grains(self) -> None:
		self.converted()
		run.run_marked()
		models = run.active_models()
		found = frappe.get_all(ROLLUP, fields=["grain", "attribution_model"], order_by="name")
		pairs = {(row.grain, row.attribution_model) for row in found}
		self.assertEqual(pairs, {(grain, model) for grain in GRAINS for model in models})

	def test_ads_come_from_the_address_else_from_the_campaign(self) -> None:
		bulk.insert(
			"Visitor Session",
			[
				{
					"name": "s1",
					"visitor_id": VISITOR.format(1),
					"session_start": AT,
					"ad_group": "g",
					"ad_id": "7",
				}
			],
		)
		self.converted(1, session="s1")
		run.run_marked()
		self.assertEqual([(row.adset, row.ad) for row in self.rows("Ad")], [("g", "7")])
		bulk.delete("Visitor Session", ["s1"])
		campaign = frappe.get_doc("Link Campaign", "Spring Sale")
		campaign.external_ad_id = "9"
		campaign.save()
		run.run_marked()
		self.assertEqual([(row.adset, row.ad) for row in self.rows("Ad")], [(None, "9")])

	def test_a_touch_that_is_gone_leaves_the_campaign_and_its_platform(self) -> None:
		self.converted(1)
		frappe.db.delete("Touch Point")
		run.run_marked()
		row = self.row("Campaign")
		self.assertEqual((row.platform, row.campaign, row.conversions), ("Meta", "Spring Sale", 1))

	def test_texts_that_a_collation_takes_for_one_are_one_row_with_one_spelling(self) -> None:
		for number, campaign in enumerate(("brand", "Brand", "BRAND"), 1):
			self.converted(number, link_campaign=None, campaign=campaign)
		run.run_marked()
		row = self.row("Campaign")
		self.assertEqual((row.campaign, row.conversions), ("BRAND", 3))

	def test_no_text_of_visitors_makes_two_places_one_row(self) -> None:
		"""SEC-2: 0x1f stands between the parts of a name."""
		for number, (campaign, ad_set) in enumerate((("a\x1fb", "c"), ("a", "b\x1fc")), 1):
			session = {"name": f"s{number}", "visitor_id": VISITOR.format(number), "session_start": AT}
			bulk.insert("Visitor Session", [session | {"ad_group": ad_set}])
			self.converted(number, link_campaign=None, campaign=campaign, session=f"s{number}")
		run.run_marked()
		for grain in GRAINS:
			self.assertEqual(sum(row.conversions for row in self.rows(grain)), 2, grain)

	def test_money_is_converted_at_the_days_rate_and_kept_as_it_was(self) -> None:
		make_cost(DAY, 10, currency="EUR", external_ad_id="0")
		make_cost(DAY, 5, currency="USD", external_ad_id="1")
		make_rate(DAY - timedelta(days=1), 1.5)
		run.run_marked()
		row = self.row("Organization")
		self.assertEqual(row.spend, 20)
		self.assertEqual(json.loads(row.original_spend), {"EUR": "10", "USD": "5"})

	def test_without_a_rate_figures_are_empty_and_the_row_says_of_which(self) -> None:
		make_cost(DAY, 10, currency="EUR", clicks=4)
		run.run_marked()
		row = self.row("Organization")
		self.assertEqual((row.spend, row.spend_without_rate, row.clicks), (0, "EUR", 4))
		self.assertEqual((row.cpc, row.cpa, row.roas), (None, None, None))
		make_rate(DAY, 2)
		run.run_marked()
		row = self.row("Organization")
		self.assertEqual((row.spend, row.spend_without_rate), (20, None))

	def test_the_doctor_names_what_lacks_a_rate_and_what_waits(self) -> None:
		make_cost(DAY, 10, currency="EUR")
		self.assertIn("1 days changed", self.told("Daily figures"))
		run.run_marked()
		self.assertIn(f"EUR on {DAY}", self.told("Exchange rates"))
		self.assertIn("worked out", self.told("Daily figures"))
		make_rate(DAY, 2)
		run.run_marked()
		self.assertIn("None is missing", self.told("Exchange rates"))

	def told(self, check: str) -> str:
		return next(one.text for one in doctor.examine() if one.check == check)

	def test_a_day_without_anything_has_no_rows(self) -> None:
		marks.mark([DAY])
		done = run.run_marked()
		self.assertEqual((done.days, done.rows_written), (1, 0))
		self.assertFalse(frappe.db.count(ROLLUP))

	def test_a_rebuild_is_of_days_that_have_anything(self) -> None:
		self.assertEqual(run.rebuild(date.min, date.max).days, 0)
		make_cost(DAY, 5)
		make_cost(DAY + timedelta(days=2), 5)
		run.run_marked()
		self.assertEqual(run.rebuild(date.min, date.max).days, 3)
		self.assertEqual(run.rebuild(DAY + timedelta(days=1), DAY + timedelta(days=1)).days, 1)

	def test_statements_do_not_grow_with_rows(self) -> None:
		taken = []
		for number in (1, 20):
			for one in range(number):
				make_cost(DAY, 5, external_ad_id=f"{number}-{one}")
			frappe.db.delete(ROLLUP)
			frappe.db.commit()
			with counted_statements() as statements:
				run.run_marked()
			taken.append(len(statements))
		self.assertLessEqual(taken[1], taken[0])


class TestRebuild(RollupTestCase, CommandTestCase):
	"""ROL-1: a rebuild of unchanged data writes no row; only what is marked is touched."""

	def setUp(self) -> None:
		super().setUp()
		make_cost(DAY, 33.33, external_campaign_id="123", currency="EUR")
		make_rate(DAY, 1.0837)
		for number in range(1, 4):
			self.converted(number, at=AT + timedelta(minutes=number))
		run.run_marked()

	def test_unchanged_data_changes_no_row(self) -> None:
		self.assertTrue(frappe.db.count(ROLLUP))
		before = frappe.get_all(ROLLUP, fields=["*"], order_by="name")
		done = run.rebuild()
		self.assertGreater(done.days, 0)
		self.assertEqual(done.rows_written, 0)
		self.assertEqual(frappe.get_all(ROLLUP, fields=["*"], order_by="name"), before)

	def test_rows_that_are_read_together_are_neighbours(self) -> None:
		for ad in "12":
			make_cost(DAY, 5, external_campaign_id="7", external_ad_id=ad)
			make_cost(DAY + timedelta(days=1), 5, external_campaign_id="7", external_ad_id=ad)
		run.run_marked()
		fields = ["date", "grain", "attribution_model"]
		rows = frappe.get_all(ROLLUP, fields=fields, order_by="name", as_list=True)
		changes = 1 + sum(one != other for one, other in pairwise(rows))
		self.assertEqual(changes, len(set(rows)))
		self.assertGreater(len(rows), changes)

	def test_rows_of_a_version_that_named_them_otherwise(self) -> None:
		"""A migrate has them named anew; those of days that can no longer be worked out stay."""
		before = frappe.get_all(ROLLUP, pluck="name", order_by="name")
		frappe.rename_doc(ROLLUP, before[0], "0" * 32, force=True)
		order_daily_rollups.execute()
		run.run_marked()
		self.assertEqual(frappe.get_all(ROLLUP, pluck="name", order_by="name"), before)

	def test_stored_rows_sum_alike_at_all_grains(self) -> None:
		make_cost(DAY, 0.1, external_ad_id="1", currency="GBP", clicks=3, impressions=7)
		make_cost(DAY, 77.77, platform="LinkedIn", campaign_name="A name", adset_name="b")
		make_rate(DAY, 0.777777777, "USD", "GBP")
		self.converted(4, "Deal Won", platform="", link_campaign="", campaign="x")
		run.run_marked()
		figures = ("impressions", "clicks", "spend", "conversions", "conversion_value")
		for model in run.active_models():
			sums = set()
			for grain in GRAINS:
				rows = self.rows(grain, model)
				sums.add(tuple(round(sum(Decimal(str(row.get(one))) for row in rows), 9) for one in figures))
			self.assertEqual(len(sums), 1, (model, sums))

	def test_only_marked_days_are_touched(self) -> None:
		frappe.db.set_value(ROLLUP, {"date": DAY}, "clicks", 999, update_modified=False)
		make_cost(DAY + timedelta(days=1), 5)
		done = run.run_marked()
		self.assertEqual(done.days, 1)
		self.assertEqual(self.row("Organization").clicks, 999)
		self.assertEqual(self.row("Organization", day=DAY + timedelta(days=1)).spend, 5)
		self.assertGreater(run.rebuild(DAY, DAY).rows_written, 0)
		self.assertEqual(self.row("Organization").clicks, 0)

	def test_rows_of_models_that_are_not_active_go(self) -> None:
		with changed_model("Linear", is_active=0):
			run.rebuild(DAY, DAY)
			self.assertEqual(self.rows("Organization", "Linear"), [])

	def test_days_whose_costs_may_be_gone_stay_as_they_are(self) -> None:
		set_settings(retention_daily_campaign_metric=30)
		frappe.db.delete("Daily Campaign Metric")
		marks.mark([DAY])
		self.assertEqual(run.run_marked().days, 0)
		self.assertGreater(self.row("Organization").spend, 0)
		self.assertEqual(marks.days(None, getdate()), [])

	def test_today_is_not_worked_out_before_it_is_over(self) -> None:
		make_cost(getdate(), 5)
		self.assertEqual(run.run_marked().days, 0)
		self.assertEqual(marks.days(None, getdate()), [getdate()])

	def test_a_day_that_fails_stays_marked_and_the_others_are_worked_out(self) -> None:
		make_cost(DAY, 5, external_ad_id="1")
		make_cost(DAY + timedelta(days=1), 5)
		real = facts.costs

		def costs(day: date) -> Any:
			if day == DAY:
				raise ValueError("this day cannot be read")
			return real(day)

		with patch.object(facts, "costs", costs):
			done = run.run_marked()
		self.assertEqual((done.days, done.failed), (1, [DAY]))
		self.assertEqual(marks.days(None, getdate()), [DAY])

	def test_the_command_tells_what_it_did(self) -> None:
		make_cost(DAY, 5, external_ad_id="1")
		answer = self.invoke("rollup", "--json")
		self.assertEqual(answer.exit_code, 0)
		told = json.loads(answer.output)
		self.assertEqual((told["days"], told["failed"]), (2, []))
		self.assertGreater(told["rows_written"], 0)
		self.assertEqual(told["clicks"], {"days": 0, "rows_written": 0, "failed": []})
		self.assertIn(
			"Spend and credits: 1 days worked out, 0 rows written.", self.invoke("rollup", "--all").output
		)
		for wrong in (["--to", "2026-03-01"], ["--all", "--from", "2026-03-01"]):
			self.assertEqual(self.invoke("rollup", *wrong).exit_code, 2)


class TestMarked(RollupTestCase):
	"""ROL-1: late conversions, restated costs, changed credits, rates and settings mark what they touch."""

	def setUp(self) -> None:
		super().setUp()
		self.cost = make_cost(DAY, 10, external_campaign_id="123", currency="EUR")
		make_rate(DAY, 2)
		self.converted()
		run.run_marked()
		self.assertEqual(self.marked(), [])

	def marked(self) -> list[date]:
		return marks.days(None, getdate())

	def test_a_restated_cost_marks_its_day(self) -> None:
		self.cost.spend = 20
		self.cost.save()
		self.assertEqual(self.marked(), [DAY])
		run.run_marked()
		self.assertEqual(self.row("Organization").spend, 40)

	def test_a_deleted_cost_marks_its_day(self) -> None:
		self.cost.delete()
		self.assertEqual(self.marked(), [DAY])

	def test_a_late_conversion_marks_its_day(self) -> None:
		self.converted(2, at=AT - timedelta(days=3))
		self.assertEqual(self.marked(), [DAY - timedelta(days=3)])

	def test_credits_that_are_right_already_mark_nothing(self) -> None:
		attribution.rebuild()
		self.assertEqual(self.marked(), [])

	def test_changed_credits_mark_their_day(self) -> None:
		make_touch(VISITOR.format(1), AT - timedelta(minutes=5), "Email")
		attribution.rebuild()
		self.assertEqual(self.marked(), [DAY])

	def test_a_conversion_that_is_taken_back_marks_its_day(self) -> None:
		attribution.take_back(frappe.get_all("Conversion", pluck="name")[0])
		self.assertEqual(self.marked(), [DAY])

	def test_a_rate_marks_the_days_that_may_rest_on_it(self) -> None:
		make_rate(DAY - timedelta(days=1), 3, "CHF")
		self.assertEqual(self.marked(), each_day(DAY - timedelta(days=1), DAY + timedelta(days=6)))

	def test_another_currency_of_figures_marks_all_days(self) -> None:
		set_settings(reporting_currency="EUR")
		self.assertEqual(self.marked(), [DAY])
		run.run_marked()
		row = self.row("Organization")
		self.assertEqual((row.currency, row.spend), ("EUR", 10))

	def test_other_types_mark_all_days(self) -> None:
		set_settings(counted_conversion_types="Purchase")
		run.run_marked()
		self.assertEqual(self.row("Organization").conversions, 0)

	def test_other_targets_mark_all_days(self) -> None:
		set_settings(target_cpa=1, waste_least_spend=0)
		run.run_marked()
		row = self.row("Campaign")
		self.assertEqual((row.waste_reason, row.waste_spend, row.severity), ("high_cpa", 19, "low"))
		self.assertEqual(json.loads(row.explanation)["comparison"]["target"], 1)

	def test_a_campaigns_target_marks_its_days(self) -> None:
		make_cost(DAY - timedelta(days=1), 10)
		run.run_marked()
		campaign = frappe.get_doc("Link Campaign", "Spring Sale")
		campaign.target_cpa = 5
		campaign.save()
		self.assertEqual(self.marked(), [DAY])

	def test_a_renamed_campaign_is_renamed_in_figures(self) -> None:
		frappe.rename_doc("Link Campaign", "Spring Sale", "Summer Sale", force=True)
		run.run_marked()
		self.assertEqual([row.campaign for row in self.rows("Campaign")], ["Summer Sale"])

	def test_a_deleted_campaign_marks_its_days(self) -> None:
		"""Its platform, its ids and its targets are gone with it."""
		frappe.delete_doc("Link Campaign", "Spring Sale")
		self.assertEqual(self.marked(), [DAY])
		run.run_marked()
		self.assertEqual(run.rebuild().rows_written, 0)

	def test_marks_are_worked_out_by_the_job(self) -> None:
		self.cost.spend = 30
		self.cost.save()
		work()
		self.assertEqual(self.marked(), [])
		self.assertEqual(self.row("Organization").spend, 60)


class TestAtOnce(RollupTestCase):
	"""ROL-1: a mark that is made during a run is not lost."""

	def test_a_change_during_a_run_is_seen_by_the_next(self) -> None:
		if not is_shared():
			self.skipTest("needs a database that processes share")
		make_cost(DAY, 10, external_ad_id="0")
		frappe.db.commit()
		names = marks.of(DAY)
		frappe.db.commit()
		taken = marks.take(names)
		self.assertTrue(taken)
		child = fork(lambda: (make_cost(DAY, 5, external_ad_id="1"), frappe.db.commit()))
		os.waitpid(child, 0)
		bulk.delete(marks.MARK, taken)
		frappe.db.commit()
		self.assertEqual(marks.days(None, getdate()), [DAY])
		run.run_marked()
		self.assertEqual(self.row("Organization").spend, 15)
