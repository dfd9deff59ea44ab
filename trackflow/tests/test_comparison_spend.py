"""What was spent, CPA and ROAS of each model, in the reporting currency (ATT-7): worked out with a pencil; nothing is guessed."""

import json
import unittest
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import frappe

from trackflow.attribution import comparing, run
from trackflow.attribution.comparison import Credited, Figures, compare
from trackflow.attribution.spending import Spending, cpa, roas, with_spenders
from trackflow.costs.exchange import Rate, Rates
from trackflow.tests.factories import make_campaign, make_conversion, make_rate, make_touch, set_settings
from trackflow.tests.properties import given, st
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tests.test_comparison import DAY, END, MARCH, MODELS, ComparisonTestCase
from trackflow.tests.test_comparison_shown import REPORT
from trackflow.trackflow.report.attribution_model_comparison.attribution_model_comparison import execute

D = Decimal
DAYS = st.integers(1, 5).map(lambda day: date(2026, 3, day))
# No rate for the fifth day of the dollar, none at all for the yen.
RATES = [Rate(date(2026, 3, day), "USD", "EUR", D("0.5")) for day in range(1, 5)]
AMOUNTS = st.integers(0, 10**6).map(lambda cents: D(cents) / 100)
COSTS = st.lists(
	st.tuples(
		st.sampled_from(("A", "a", "B", "C", "")), AMOUNTS, st.sampled_from(("EUR", "USD", "JPY")), DAYS
	)
)
ROWS = st.lists(
	st.builds(
		Credited,
		st.sampled_from(MODELS), st.booleans(), st.none() | st.sampled_from(("A", "B")), st.sampled_from(("EUR", "USD", "JPY")),
		st.integers(0, 9).map(D), AMOUNTS, st.sampled_from(("only", "last")), DAYS,
	),
	max_size=20,
)  # fmt: skip


class TestArithmetic(unittest.TestCase):
	"""ATT-7: parts add up to the totals; what is not known makes all that contains it unknown, and nothing else."""

	@given(COSTS)
	def test_spend_of_groups_is_the_total(self, costs: list[Any]) -> None:
		rates, spending = Rates("EUR", []), Spending(True)
		for group, amount, _currency, day in costs:
			spending.add(group, rates.convert(amount, "EUR", day))
		told = ["A", "C"]
		parts = [*map(spending.of, told), spending.of_others(told)]
		self.assertEqual(sum(parts), spending.total)
		self.assertEqual(spending.total, sum(amount for _group, amount, _of, _day in costs))
		self.assertEqual(spending.of("A"), spending.of("a"))

	@given(COSTS)
	def test_unknown_is_what_contains_it(self, costs: list[Any]) -> None:
		rates, spending = Rates("EUR", RATES), Spending(True)
		for group, amount, currency, day in costs:
			spending.add(group, rates.convert(amount, currency, day))
		for key in ("a", "b", "c", ""):
			own = [one for one in costs if one[0].casefold() == key]
			unknown = any(amount and currency == "JPY" for _group, amount, currency, _day in own)
			self.assertEqual(spending.of(key) is None, unknown)
		self.assertEqual(spending.total is None, any(one[1] and one[2] == "JPY" for one in costs))

	@given(ROWS)
	def test_converted_values_add_up(self, rows: list[Credited]) -> None:
		found = compare(rows, MODELS, rates=Rates("EUR", RATES))
		for model in MODELS:
			lines = [*found.groups.values(), found.unattributed, *([found.others] if found.others else [])]
			parts = [line[model].converted for line in lines]
			own = [row for row in rows if row.model == model]
			if any(row.currency == "JPY" and row.value for row in own):
				self.assertIsNone(found.totals[model].converted)
				self.assertIn(None, parts)
				continue
			by_hand = sum((row.value * (D("0.5") if row.currency == "USD" else 1) for row in own), D(0))
			self.assertEqual(found.totals[model].converted, by_hand)
			self.assertEqual(sum(parts), by_hand)

	def test_missing_denominators_are_empty(self) -> None:
		figures = Figures(D(2), {}, {}, D(50))
		self.assertEqual((cpa(D(10), figures), roas(D(10), figures)), (5, 5))
		self.assertEqual((cpa(D(0), figures), roas(D(0), figures)), (0, None))
		self.assertEqual((cpa(None, figures), roas(None, figures)), (None, None))
		self.assertEqual((cpa(D(10), Figures()), roas(D(10), Figures())), (None, 0))
		self.assertIsNone(roas(D(10), Figures(converted=None)))

	def test_who_was_paid_for_nothing(self) -> None:
		"""As far as there is room, what is not known first, then the most expensive."""
		spending = Spending(True)
		for name, amount in (("A", D(9)), ("B", D(5)), ("C", D(7)), ("D", None), ("E", D(0))):
			spending.add(name, amount)
		found = compare([Credited("Linear", False, "a", "EUR", 1, 1)], MODELS)
		self.assertEqual(list(with_spenders(found, spending, 9).groups), ["a", "D", "C", "B"])
		few = with_spenders(found, spending, 3)
		self.assertEqual((list(few.groups), few.others is None), (["a", "D", "C"], False))
		self.assertEqual(spending.of_others(few.groups), 5)


class SpendTestCase(ComparisonTestCase):
	"""One conversion of 100 EUR by way of two campaigns: ours, and one that only the platform's id names; a third brought nothing."""

	def setUp(self) -> None:
		super().setUp()
		set_settings(reporting_currency="EUR")
		for name in ("Spring", "Autumn"):
			make_campaign(name, platform="Google Ads" if name == "Spring" else "")
		make_rate(date(2026, 3, 9), 0.5, "USD", "EUR")
		visitor = self.visitor()
		make_touch(visitor, END - DAY, "Paid Search", link_campaign="Spring", platform="")
		make_touch(visitor, END, "Paid Social", campaign="c-9", platform="Meta")
		make_conversion(visitor, END, value=100, currency="EUR")
		spring = {"link_campaign": "Spring", "platform": "Google Ads", "external_campaign_id": "s-1"}
		self.cost(20, **spring, external_ad_id="1")
		self.cost(10, **spring, external_ad_id="2", currency="USD")
		self.cost(40, external_campaign_id="C-9", platform="Meta")
		self.cost(15, link_campaign="Autumn", platform="TikTok", external_campaign_id="a-1")
		# Both neighbours of the range.
		for day in (date(2026, 2, 28), date(2026, 4, 1)):
			self.cost(1000, day=day, link_campaign="Spring", platform="Google Ads")
		run.credit_pending()

	def cost(self, spend: float, day: date = date(2026, 3, 9), **values: Any) -> None:
		row = {"date": day, "spend": spend, "currency": "EUR", **values}
		frappe.get_doc({"doctype": "Daily Campaign Metric", **row}).insert()

	def lines(self, group_by: str, model: str) -> dict[str, tuple[Any, ...]]:
		"""Spend, CPA, ROAS by group."""
		found = self.compared(group_by)
		lines = {one["group"]: (one["spend"], one["figures"][model]) for one in found["groups"]}
		lines["total"] = found["costs"]["total"], found["totals"][model]
		return {group: (spend, one["cpa"], one["roas"]) for group, (spend, one) in lines.items()}


class TestByHand(SpendTestCase):
	"""ATT-7: 25 (20 and 10 dollars at 0.5), 40 and 15 were spent, 80 together."""

	def test_campaigns(self) -> None:
		"""Linear: half a conversion and 50 each. Last Touch: all to c-9."""
		self.assertEqual(
			self.lines("campaign", "Linear"),
			{"Spring": (25, 50, 2), "c-9": (40, 80, 1.25), "Autumn": (15, None, 0), "total": (80, 80, 1.25)},
		)
		self.assertEqual(
			self.lines("campaign", "Last Touch"),
			{"c-9": (40, 40, 2.5), "Spring": (25, None, 0), "Autumn": (15, None, 0), "total": (80, 80, 1.25)},
		)

	def test_platforms(self) -> None:
		"""A visit that says no platform has its campaign's."""
		self.assertEqual(
			self.lines("platform", "Linear"),
			{
				"Google Ads": (25, 50, 2),
				"Meta": (40, 80, 1.25),
				"TikTok": (15, None, 0),
				"total": (80, 80, 1.25),
			},
		)

	def test_what_costs_do_not_know(self) -> None:
		nothing = (None, None, None)
		self.assertEqual(
			self.lines("channel", "Linear"),
			{"Paid Search": nothing, "Paid Social": nothing, "total": (80, 80, 1.25)},
		)
		found = self.compared("campaign")
		self.assertEqual((found["unattributed"]["Linear"]["cpa"], found["costs"]["currency"]), (None, "EUR"))

	def test_values_of_another_currency(self) -> None:
		"""60 dollars on the day after the rate are 30 euros; on a day without a rate they are not known."""
		self.person("Email", at=END, value=60, currency="USD")
		run.credit_pending()
		found = self.compared("campaign")
		self.assertEqual(found["totals"]["Linear"]["converted_value"], 130)
		self.assertEqual(found["totals"]["Linear"]["value"], {"EUR": 100, "USD": 60})
		self.assertEqual(found["costs"]["notices"], [])
		self.person("Email", at=END + 10 * DAY, value=1, currency="USD")
		run.credit_pending()
		found = self.compared("campaign")
		self.assertEqual(found["costs"]["notices"], [
			"No exchange rate from USD to EUR for 2026-03-20: figures that rest on it are empty.",
		])  # fmt: skip
		total = found["totals"]["Linear"]
		(spring,) = (one["figures"]["Linear"] for one in found["groups"] if one["group"] == "Spring")
		self.assertEqual((total["converted_value"], total["roas"], total["cpa"]), (None, None, 26.666666667))
		self.assertEqual((spring["converted_value"], spring["roas"]), (50, 2))

	def test_costs_without_a_rate(self) -> None:
		self.cost(1, link_campaign="Spring", platform="Google Ads", currency="JPY", external_ad_id="2")
		found = self.lines("campaign", "Linear")
		self.assertEqual((found["Spring"], found["total"]), ((None, None, None),) * 2)
		self.assertEqual(found["c-9"], (40, 80, 1.25))
		(notice,) = self.compared("campaign")["costs"]["notices"]
		self.assertIn("from JPY to EUR for 2026-03-09", notice)

	def test_others(self) -> None:
		with patch.object(comparing, "MOST_GROUPS", 1):
			found = self.compared("campaign")
		self.assertEqual([one["group"] for one in found["groups"]], ["c-9"])
		self.assertEqual((found["costs"]["others"], found["costs"]["total"]), (40, 80))
		self.assertEqual(found["others"]["Linear"]["cpa"], 80)

	def test_nothing_was_spent(self) -> None:
		frappe.db.delete("Daily Campaign Metric")
		self.assertEqual(self.lines("campaign", "Linear")["total"], (0, 0, None))


class TestShown(SpendTestCase, CommandTestCase):
	"""ATT-7, RPT-1, CLI-1: the same in the report and by command."""

	def report(self, **filters: Any) -> tuple[Any, ...]:
		columns, rows, message, chart = execute(
			{"from_date": "2026-03-01", "to_date": "2026-03-31", "group_by": "Campaign", **filters}
		)
		fields = {column["label"]: column["fieldname"] for column in columns}
		return (
			[(row["group"], row["currency"], row["spend"], row[fields["Linear"]]) for row in rows],
			message,
			chart,
		)

	def test_report(self) -> None:
		found, message, chart = self.report(figure="CPA")
		self.assertEqual(found, [
			("c-9", "EUR", 40, 80), ("Spring", "EUR", 25, 50), ("Autumn", "EUR", 15, None), ("Unattributed", "EUR", None, None),
			("Total", "EUR", 80, 80),
		])  # fmt: skip
		self.assertEqual((message, chart), (None, None))
		self.assertEqual([line[3] for line in self.report(figure="ROAS")[0]], [1.25, 2, 0, None, 1.25])

	def test_what_the_report_says(self) -> None:
		self.cost(1, link_campaign="Spring", platform="Google Ads", currency="JPY", external_ad_id="2")
		self.assertIn("No exchange rate from JPY to EUR", self.report(figure="CPA")[1])
		message = self.report(figure="CPA", group_by="Channel")[1]
		self.assertIn("What was spent is known by campaign and by platform.", message)
		answer = execute({"group_by": "Campaign", "figure": "CPA", "by_position": 1})
		self.assertEqual(answer, ([], [], "What was spent is not known by position.", None))
		self.assertTrue(frappe.db.exists("Report", REPORT))

	def test_command(self) -> None:
		days = ("--from", "2026-03-01", "--to", "2026-03-31")
		result = self.invoke("attribution", "--compare", "campaign", "--figure", "roas", *days)
		lines = result.output.splitlines()
		self.assertEqual(lines[0].split()[:4], ["Campaign", "Spend", "Last", "Touch"])
		self.assertEqual(lines[2].split()[:3], ["c-9", "40.00", "2.50"])
		self.assertEqual(lines[-2].split()[:3], ["Total", "80.00", "1.25"])
		self.assertEqual(lines[-1], "Money is in EUR.")
		wrong = self.invoke("attribution", "--compare", "campaign", "--figure", "cpa", "--by-position")
		self.assertEqual(wrong.exit_code, 2)
		found = json.loads(self.invoke("attribution", "--compare", "campaign", *days, "--json").output)
		self.assertEqual(found, json.loads(frappe.as_json(self.compared("campaign"))))

	def test_value_in_one_currency(self) -> None:
		self.person("Email", at=END, value=60, currency="USD")
		run.credit_pending()
		days = ("--from", "2026-03-01", "--to", "2026-03-31")
		output = self.invoke("attribution", "--compare", "campaign", "--figure", "value", *days).output
		self.assertEqual(output.splitlines()[-2].split()[:2], ["Total", "130.00"])
