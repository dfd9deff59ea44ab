"""The figures of campaigns: daily figures of all days, and today's rows (ROL-2)."""

from datetime import date, timedelta

import frappe
from frappe.utils import get_datetime, now_datetime

from trackflow import bulk
from trackflow.patches import keep_original_values
from trackflow.rollups import campaign_figures, reading, run
from trackflow.rollups.grains import CAMPAIGN
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import make_campaign, make_cost, make_link, make_rate, set_settings
from trackflow.tests.test_rollup import DAY, RollupTestCase

NAME = "Spring Sale"


class TestCampaignFigures(RollupTestCase):
	"""ROL-2: what is on a campaign is the sum of its days under the default model."""

	def figures(self, name: str = NAME) -> tuple[float, ...]:
		campaign = frappe.get_doc("Link Campaign", name)
		return campaign.conversions, campaign.revenue, campaign.spend

	def test_past_days_and_today_are_summed_up(self) -> None:
		make_cost(DAY, 30, external_campaign_id="123")
		self.converted(1)
		self.converted(1, "Deal Won")
		run.run_marked()
		self.assertEqual(self.figures(), (1, 100, 30))
		make_cost(now_datetime().date(), 20, external_campaign_id="123")
		self.converted(2, at=now_datetime())
		self.assertEqual(self.figures(), (2, 100, 50))
		self.assertEqual(run.run_marked().days, 0)
		self.assertEqual(self.figures(), (2, 100, 50))

	def test_ratios_are_worked_out_and_empty_where_there_is_nothing_to_divide_by(self) -> None:
		campaign = frappe.get_doc("Link Campaign", NAME)
		self.assertIsNone(campaign.cost_per_acquisition)
		self.assertIsNone(campaign.roi_percentage)
		make_cost(DAY, 40, external_campaign_id="123")
		self.converted(1)
		self.converted(1, "Deal Won")
		link = make_link(campaign=NAME)
		bulk.update(
			"Tracked Link", {link.name: {"click_count": 6, "scan_count": 2, "unique_visitor_count": 5}}
		)
		run.run_marked()
		campaign = frappe.get_doc("Link Campaign", NAME)
		self.assertEqual((campaign.total_clicks, campaign.unique_visitors), (8, 5))
		self.assertEqual((campaign.cost_per_click, campaign.cost_per_acquisition), (5, 40))
		self.assertEqual((campaign.roi_percentage, campaign.conversion_rate), (150, 12.5))

	def test_a_campaign_that_lost_its_credits_follows(self) -> None:
		self.converted(1)
		run.run_marked()
		frappe.db.delete("Attribution Link")
		run.rebuild(DAY, DAY)
		self.assertEqual(self.figures()[0], 0)

	def test_money_is_in_the_campaigns_own_currency(self) -> None:
		make_campaign("Herbst", external_campaign_id="77", currency="EUR")
		make_cost(DAY, 10, external_campaign_id="77", currency="EUR")
		make_cost(DAY + timedelta(days=1), 30, external_campaign_id="77", currency="USD")
		make_rate(DAY, 1.25)
		make_rate(DAY + timedelta(days=1), 1.5)
		run.run_marked()
		self.assertEqual(self.figures("Herbst"), (0, 0, 30))

	def test_what_is_in_the_campaigns_own_currency_is_taken_as_it_is(self) -> None:
		"""Neither a rate that does not divide evenly nor a missing one changes it, on past days and today."""
		frappe.get_doc("Link Campaign", NAME).update({"currency": "EUR"}).save()
		make_rate(DAY, 1.37)
		days = (DAY, DAY + timedelta(days=20), now_datetime().date())
		for number, day in enumerate(days, 1):
			make_cost(day, 0.07, external_campaign_id="123", currency="EUR")
			at = get_datetime(day) + timedelta(minutes=1)
			self.converted(number, "Deal Won", at=at, value=0.1, currency="EUR")
		run.run_marked()
		self.assertTrue(self.lacking())
		self.assertEqual(self.figures(), (0, 0.3, 0.21))
		self.assertFalse(frappe.get_doc("Link Campaign", NAME).figures_notice)
		set_settings(reporting_currency="EUR")
		run.run_marked()
		self.assertEqual(self.figures(), (0, 0.3, 0.21))

	def lacking(self) -> dict[str, list[date]]:
		return reading.lacking(DAY, now_datetime().date(), "Last Touch")

	def test_another_currency_by_its_pair_else_by_way_of_the_reporting_one(self) -> None:
		make_campaign("Herbst", external_campaign_id="77", currency="EUR")
		make_cost(DAY, 100, external_campaign_id="77", currency="GBP")
		run.run_marked()
		self.assertTrue(frappe.get_doc("Link Campaign", "Herbst").figures_notice)
		make_rate(DAY, 1.5, from_currency="GBP")
		make_rate(DAY, 1.25)
		run.run_marked()
		self.assertEqual(self.figures("Herbst"), (0, 0, 120))
		make_rate(DAY, 1.1, from_currency="GBP", to_currency="EUR")
		run.run_marked()
		self.assertEqual(self.figures("Herbst"), (0, 0, 110))

	def test_rows_of_a_version_that_kept_no_originals(self) -> None:
		"""What they hold is converted; a migrate has the days worked out again."""
		frappe.get_doc("Link Campaign", NAME).update({"currency": "EUR"}).save()
		make_rate(DAY, 1.25)
		self.converted(1, "Deal Won", value=10, currency="EUR")
		run.run_marked()
		frappe.db.set_value("Daily Rollup", {"date": DAY}, {"original_value": None, "conversion_value": 11})
		campaign_figures.recount_all()
		self.assertEqual(self.figures()[1], 8.8)
		keep_original_values.execute()
		run.run_marked()
		self.assertEqual(self.figures()[1], 10)

	def test_what_has_no_rate_is_empty_and_says_so(self) -> None:
		make_cost(DAY, 10, external_campaign_id="123", currency="EUR")
		self.converted(1)
		run.run_marked()
		campaign = frappe.get_doc("Link Campaign", NAME)
		self.assertTrue(campaign.figures_notice)
		self.assertIsNone(campaign.cost_per_acquisition)
		make_rate(DAY, 2)
		run.run_marked()
		campaign = frappe.get_doc("Link Campaign", NAME)
		self.assertFalse(campaign.figures_notice)
		self.assertEqual(campaign.cost_per_acquisition, 20)

	def test_a_name_that_a_collation_takes_for_another_is_another(self) -> None:
		make_campaign("Café", campaign_id="noir", external_campaign_id="77")
		make_cost(DAY, 10, external_campaign_id="77")
		for number, name in enumerate(("Cafe", "CAFE", "Cáfe"), 1):
			make_cost(DAY + timedelta(days=number), 5, campaign_name=name)
		run.run_marked()
		self.assertEqual(self.figures("Café"), (0, 0, 10))
		read = reading.read(DAY, DAY + timedelta(days=9), CAMPAIGN, "Last Touch")
		spent = {place.folded.campaign: figures.spend for place, figures in read.places.items()}
		self.assertEqual(spent, {"café": 10, "cafe": 10, "cáfe": 5})

	def test_unchanged_figures_are_not_written(self) -> None:
		make_cost(DAY, 30, external_campaign_id="123")
		run.run_marked()
		self.assertEqual(campaign_figures.recount_all(), 0)

	def test_statements_do_not_grow_with_campaigns(self) -> None:
		taken = []
		for number in (1, 10):
			for one in range(number):
				make_campaign(f"Campaign {number} {one}", currency="EUR" if one % 2 else "USD")
			make_rate(DAY - timedelta(days=number), 2)
			frappe.db.commit()
			campaign_figures.recount_all()
			with counted_statements() as statements:
				campaign_figures.recount_all()
			taken.append(len(statements))
		self.assertLessEqual(taken[1], taken[0] + 2)

	def test_another_reporting_currency_is_not_mixed_with_the_former(self) -> None:
		frappe.get_doc("Link Campaign", NAME).update({"currency": "EUR"}).save()
		make_rate(DAY, 2)
		make_cost(DAY, 30, external_campaign_id="123")
		run.run_marked()
		set_settings(reporting_currency="EUR")
		campaign_figures.recount_all()
		self.assertTrue(frappe.get_doc("Link Campaign", NAME).figures_notice)
		run.run_marked()
		self.assertEqual(self.figures(), (0, 0, 15))
