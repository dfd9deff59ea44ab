"""What a campaign brought and cost (RPT-2): clicks, visits, credits, spend, budget."""

import unittest
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import frappe

from trackflow import bulk
from trackflow.analytics import money
from trackflow.analytics.money import Amount
from trackflow.api.campaign import get_campaign_stats
from trackflow.costs.exchange import Rate, Rates
from trackflow.tests import factories
from trackflow.tests.analytics_case import DAY, MARCH, FiguresTestCase
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import VISITOR
from trackflow.tests.properties import given, st
from trackflow.tests.test_permissions import CAMPAIGNER, NOBODY, PermissionTestCase

CAMPAIGN = "Spring Sale"


class CampaignTestCase(FiguresTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.campaign = factories.make_campaign(CAMPAIGN, currency="USD", budget=1000, expected_roi=150)
		factories.make_campaign("Autumn Sale", currency="USD")
		self.link = factories.make_link("flyer", campaign=CAMPAIGN).name

	def spend(self, amount: float, at: Any = DAY, currency: str = "USD", **values: Any) -> None:
		row = {"date": at.date(), "platform": "Google Ads", "link_campaign": CAMPAIGN, "spend": amount}
		self._row(
			"Daily Campaign Metric", {**row, "currency": currency, "impressions": 100, "clicks": 10, **values}
		)

	def stats(self, **arguments: Any) -> dict[str, Any]:
		return get_campaign_stats(CAMPAIGN, *MARCH, **arguments)


class TestFigures(CampaignTestCase):
	"""RPT-2: what is the campaign's, of these days."""

	def test_clicks_visits_conversions(self) -> None:
		self.click(self.link, campaign=CAMPAIGN)
		self.click(self.link, campaign=CAMPAIGN, event_type="QR Scan")
		self.click(self.link, campaign=CAMPAIGN, event_type="Bot")
		self.click(self.link, campaign="Autumn Sale")
		self.click(self.link, DAY + timedelta(days=9), campaign=CAMPAIGN)
		one = self.session(link_campaign=CAMPAIGN, is_bounce=1, channel="Email")
		two = self.session(DAY + timedelta(days=1), link_campaign=CAMPAIGN, page_views=3, duration_seconds=60)
		self.session(number=2, link_campaign="Autumn Sale")
		self.credit(one, campaign=CAMPAIGN, weight=0.5, tracked_link=self.link)
		self.credit(two, campaign=CAMPAIGN, conversion_type="Deal Won", credited_value=900, channel="SMS")
		self.credit(two, campaign=CAMPAIGN, attribution_model="Linear")
		self.credit(two, campaign="Autumn Sale")
		found = self.stats()
		totals = found["totals"]
		self.assertEqual([totals[name] for name in ("clicks", "scans", "bots")], [1, 1, 1])
		self.assertEqual([totals[name] for name in ("sessions", "visitors", "page_views")], [2, 1, 4])
		self.assertEqual((totals["bounce_rate"], totals["average_seconds"]), (50.0, 30.0))
		self.assertEqual((totals["conversions"], totals["value"]), (0.5, {"USD": 900.0}))
		self.assertEqual(
			[tuple(line.values()) for line in found["by_channel"]],
			[("Email", 2, 0.5, {}), ("SMS", 0, 0.0, {"USD": 900.0})],
		)
		(line,) = found["by_link"]["lines"]
		self.assertEqual(
			line,
			{
				"name": self.link,
				"clicks": 2,
				"robots": 1,
				"short_code": "flyer",
				"title": "shop.example.com/products",
				"conversions": 0.5,
				"value": {},
			},
		)
		self.assertEqual([day["clicks"] for day in found["by_day"]], [0, 1, 0, 0])
		self.assertEqual([day["sessions"] for day in found["by_day"]], [0, 1, 1, 0])
		self.assertEqual(found["by_day"][1]["value"], {"USD": 900.0})
		self.assertEqual(self.stats(model="Linear")["totals"]["conversions"], 1.0)

	def test_spend_and_what_it_brought(self) -> None:
		session = self.session(link_campaign=CAMPAIGN)
		for _each in range(4):
			self.credit(session, campaign=CAMPAIGN)
		self.credit(session, campaign=CAMPAIGN, conversion_type="Deal Won", credited_value=500)
		self.spend(200)
		self.spend(300, DAY - timedelta(days=30))
		self.spend(99, link_campaign="Autumn Sale")
		self.spend(99, DAY + timedelta(days=30))
		found = self.stats()
		self.assertEqual(
			(found["spend"], found["impressions"], found["paid_clicks"]), ({"USD": 200.0}, 100, 10)
		)
		self.assertEqual(
			found["returns"],
			{
				"currency": "USD",
				"spend": 200.0,
				"value": 500.0,
				"cpa": 50.0,
				"roas": 2.5,
				"roi": 150.0,
				"expected_roi": 150.0,
			},
		)
		self.assertEqual(
			found["budget"],
			{"currency": "USD", "budget": 1000.0, "spent": 500.0, "used": 50.0, "left": 500.0},
		)
		self.assertEqual([day["spend"] for day in found["by_day"]], [{}, {"USD": 200.0}, {}, {}])

	def test_the_period_before(self) -> None:
		"""UI-1: as many days before the first one; what lies further back, or in the period, is not in it."""
		for days in (1, 4, 6):
			self.click(self.link, DAY - timedelta(days=days), campaign=CAMPAIGN)
		session = self.session(DAY - timedelta(days=2), number=7, link_campaign=CAMPAIGN)
		self.session(DAY - timedelta(days=9), link_campaign=CAMPAIGN)
		self.session(number=8, link_campaign=CAMPAIGN)
		self.credit(session, DAY - timedelta(days=2), campaign=CAMPAIGN)
		won = {"conversion_type": "Deal Won", "credited_value": 500}
		self.credit(session, DAY - timedelta(days=2), campaign=CAMPAIGN, **won)
		self.credit(session, DAY, campaign=CAMPAIGN, **won)
		self.spend(200, DAY - timedelta(days=3))
		self.spend(50)
		found = self.stats()
		before = found["previous"]
		self.assertEqual((before["from_date"], before["to_date"]), ("2026-02-25", "2026-02-28"))
		totals = before["totals"]
		self.assertEqual((totals["clicks"], totals["sessions"], totals["visitors"]), (1, 1, 1))
		self.assertEqual((totals["conversions"], totals["value"]), (1.0, {"USD": 500.0}))
		self.assertEqual(
			before["returns"], {"spend": 200.0, "value": 500.0, "cpa": 200.0, "roas": 2.5, "roi": 150.0}
		)
		self.assertEqual(before["totals"].keys(), found["totals"].keys())
		self.assertEqual((found["totals"]["sessions"], found["totals"]["value"]), (1, {"USD": 500.0}))
		self.assertEqual((found["returns"]["spend"], found["budget"]["spent"]), (50.0, 250.0))
		asked = get_campaign_stats(CAMPAIGN, before["from_date"], before["to_date"])
		self.assertEqual(asked["totals"], totals)

	def test_currencies(self) -> None:
		"""Apart as they were booked; together by the day's rate, and not at all without one."""
		self.spend(100)
		self.spend(100, currency="EUR", platform="Meta")
		found = self.stats()
		self.assertEqual(found["spend"], {"EUR": 100.0, "USD": 100.0})
		self.assertEqual((found["returns"]["spend"], found["returns"]["roi"]), (None, None))
		self.assertEqual(found["budget"]["spent"], None)
		self.assertEqual(found["missing_rates"], [{"day": "2026-03-02", "currency": "EUR"}])
		factories.make_rate(DAY.date(), 1.5)
		found = self.stats()
		self.assertEqual((found["returns"]["spend"], found["missing_rates"]), (250.0, []))
		frappe.db.set_value("Link Campaign", CAMPAIGN, "currency", "EUR")
		self.assertEqual(
			(self.stats()["budget"]["currency"], self.stats()["budget"]["spent"]), ("EUR", 166.666666667)
		)

	def test_nothing(self) -> None:
		found = self.stats()
		self.assertEqual(found["returns"]["roi"], None)
		self.assertEqual((found["returns"]["spend"], found["returns"]["cpa"]), (0.0, None))
		self.assertEqual((found["by_channel"], found["by_link"]["lines"]), ([], []))

	def test_statements_are_bounded(self) -> None:
		counts = []
		for number in (1, 20):
			for index in range(number):
				link = factories.make_link().name
				self.click(link, campaign=CAMPAIGN)
				session = self.session(number=index, link_campaign=CAMPAIGN, channel=f"c{index}")
				self.credit(session, campaign=CAMPAIGN, tracked_link=link)
				self.spend(1, DAY + timedelta(days=index % 3), platform=f"p{index}")
			frappe.db.commit()
			self.stats()
			with counted_statements() as statements:
				self.stats()
			counts.append(len(statements))
		self.assertEqual(counts[0], counts[1])
		self.assertLessEqual(counts[0], 20, statements)


class TestMoney(unittest.TestCase):
	"""RPT-2: arithmetic that never divides by nothing and never guesses."""

	def test_returns(self) -> None:
		zero, hundred = Decimal(0), Decimal(100)
		for spend, value, conversions, expected in (
			(hundred, Decimal(250), 4, (25.0, 2.5, 150.0)),
			(hundred, zero, 0, (None, 0.0, -100.0)),
			(zero, hundred, 4, (0.0, None, None)),
			(zero, hundred, 0, (None, None, None)),
			(None, hundred, 4, (None, None, None)),
			(hundred, None, 4, (25.0, None, None)),
		):
			found = money.returns(spend, value, conversions)
			self.assertEqual(tuple(found[name] for name in ("cpa", "roas", "roi")), expected)

	@given(
		st.lists(
			st.builds(
				Amount,
				st.dates(date(2026, 3, 1), date(2026, 3, 9)),
				st.sampled_from(["USD", "EUR"]),
				st.decimals(0, 10**6, places=2),
			)
		)
	)
	def test_nothing_is_lost(self, amounts: list[Amount]) -> None:
		rates = Rates("USD", [Rate(date(2026, 3, 1), "EUR", "USD", Decimal(2))])
		found = money.by_currency(amounts)
		expected = found.get("USD", 0) + 2 * found.get("EUR", 0)
		late = any(one.day > date(2026, 3, 8) and one.currency == "EUR" and one.amount for one in amounts)
		total = money.converted(amounts, rates)
		if late:
			self.assertIsNone(total)
		else:
			self.assertAlmostEqual(float(total), expected, places=2)


class TestAccess(PermissionTestCase):
	"""ROL-P: for who may read the campaign."""

	def test_over_http(self) -> None:
		factories.make_campaign(CAMPAIGN)
		path = "/api/method/trackflow.api.campaign.get_campaign_stats"
		for user, query, status in (
			(CAMPAIGNER, {"campaign_name": CAMPAIGN}, 200),
			(NOBODY, {"campaign_name": CAMPAIGN}, 403),
			(None, {"campaign_name": CAMPAIGN}, 403),
			(NOBODY, {"campaign_name": "Unknown"}, 403),
			(CAMPAIGNER, {"campaign_name": "Unknown"}, 404),
			(CAMPAIGNER, {"campaign_name": CAMPAIGN, "model": "Guess"}, 417),
			(CAMPAIGNER, {"campaign_name": CAMPAIGN, "to_date": "2026-99-99"}, 417),
		):
			answer = self.get(path, query_string=query, headers=self.authorization(user))
			self.assertEqual(answer.status_code, status, answer.text)
