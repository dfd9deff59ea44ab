"""What is waste, by which rule and how bad (WST-1): the arithmetic."""

from datetime import date, timedelta
from decimal import Decimal
from unittest import TestCase

from trackflow.rollups.grains import Place
from trackflow.tests.properties import given, st
from trackflow.waste.judge import (
	HIGH,
	HIGH_CPA,
	LOW,
	LOW_ROAS,
	MEDIUM,
	NO_CONVERSIONS,
	SETTINGS,
	Bounds,
	Finding,
	Performance,
	Target,
	Targets,
	judge,
)
from trackflow.waste.quiet import Acknowledged, Young

BOUNDS = Bounds(*map(Decimal, (500, 50, 100, 25, 50)))
NO_TARGETS = Targets()
DAY = date(2026, 3, 31)
AMOUNTS = st.decimals(0, 10**7, places=2)


def performance(spend: float, conversions: float = 0, value: float = 0) -> Performance:
	return Performance(*(Decimal(str(number)) for number in (spend, conversions, value)))


def targets(cpa: float = 0, roas: float = 0) -> Targets:
	return Targets(Target(Decimal(str(cpa)), SETTINGS), Target(Decimal(str(roas)), SETTINGS))


class TestRules(TestCase):
	"""WST-1: three rules, and the one with most waste speaks."""

	def found(self, of: Performance, held_to: Targets = NO_TARGETS) -> tuple[str, Decimal, Decimal]:
		finding = judge(of, held_to, BOUNDS)
		return finding.reason, finding.waste, finding.share

	def test_spend_that_brought_nothing_is_waste(self) -> None:
		self.assertEqual(self.found(performance(80)), (NO_CONVERSIONS, 80, 100))

	def test_value_without_a_conversion_that_counts_is_not_nothing(self) -> None:
		self.assertIsNone(judge(performance(80, 0, 10), NO_TARGETS, BOUNDS))

	def test_waste_is_what_was_spent_beyond_the_target(self) -> None:
		self.assertEqual(self.found(performance(400, 5), targets(cpa=60)), (HIGH_CPA, 100, 25))
		self.assertIsNone(judge(performance(300, 5), targets(cpa=60), BOUNDS))

	def test_waste_is_what_its_value_does_not_pay_for(self) -> None:
		self.assertEqual(self.found(performance(400, 5, 600), targets(roas=2)), (LOW_ROAS, 100, 25))
		self.assertIsNone(judge(performance(400, 5, 800), targets(roas=2), BOUNDS))

	def test_the_rule_with_most_waste_speaks(self) -> None:
		self.assertEqual(self.found(performance(400, 5, 100), targets(cpa=60, roas=2))[0], LOW_ROAS)
		self.assertEqual(self.found(performance(400, 5, 700), targets(cpa=60, roas=2))[0], HIGH_CPA)
		self.assertEqual(self.found(performance(400), targets(cpa=60, roas=2))[0], NO_CONVERSIONS)

	def test_little_spend_says_nothing(self) -> None:
		self.assertIsNone(judge(performance(49.99), NO_TARGETS, BOUNDS))
		self.assertIsNotNone(judge(performance(49.99), NO_TARGETS, BOUNDS._replace(least_spend=Decimal(0))))

	def test_what_is_not_known_is_not_judged(self) -> None:
		self.assertIsNone(judge(Performance(None, Decimal(0), Decimal(0)), targets(5, 5), BOUNDS))
		self.assertIsNone(judge(Performance(Decimal(900), Decimal(0), None), targets(5, 5), BOUNDS))
		known = judge(Performance(Decimal(900), Decimal(1), None), targets(5, 5), BOUNDS)
		self.assertEqual(known.reason, HIGH_CPA)

	def test_severity_takes_amount_and_share(self) -> None:
		for spend, conversions, severity in (
			(500, 0, HIGH),
			(499, 0, MEDIUM),
			(99, 0, LOW),
			(1200, 13, MEDIUM),
			(1000, 10, HIGH),
			(1000, Decimal("10.0001"), MEDIUM),
			(400, 6, MEDIUM),
			(400, Decimal("6.0001"), LOW),
			(10_000, 190, LOW),
		):
			with self.subTest(spend=spend, conversions=conversions):
				found = judge(performance(spend, conversions), targets(cpa=50), BOUNDS)
				self.assertEqual(found.severity, severity)

	@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
	def test_waste_is_never_more_than_the_spend(
		self, spend: Decimal, conversions: Decimal, value: Decimal, cpa: Decimal, roas: Decimal
	) -> None:
		held_to = Targets(Target(cpa), Target(roas))
		found: Finding | None = judge(Performance(spend, conversions, value), held_to, BOUNDS)
		if found:
			self.assertTrue(0 < found.waste <= spend)
			self.assertTrue(0 <= found.share <= 100)

	def test_the_explanation_has_rule_figures_and_comparison(self) -> None:
		of = performance(400, 5, 600)
		told = judge(of, targets(cpa=60), BOUNDS).explanation(of, BOUNDS)
		self.assertEqual(told["rule"], HIGH_CPA)
		self.assertEqual(
			told["figures"], {"spend": 400, "conversions": 5, "value": 600, "cpa": 80, "roas": 1.5}
		)
		self.assertEqual(
			told["comparison"], {"figure": "cpa", "actual": 80, "target": 60, "target_set_in": SETTINGS}
		)
		self.assertEqual(told["waste"], {"spend": 100, "share": 25})
		self.assertEqual(told["severity"]["is"], MEDIUM)
		self.assertEqual(told["severity"]["high"], {"from_amount": 500, "from_share": 50})


class TestQuiet(TestCase):
	"""WST-1: it does not cry wolf."""

	def test_a_campaign_is_young_from_its_start_or_first_spend_on(self) -> None:
		starts = {"new": DAY - timedelta(days=6), "old": DAY - timedelta(days=7)}
		young = Young(DAY, 7, starts, frozenset({Place("meta", "spent"), Place("meta", "new")}))
		for campaign, expected in (
			("New", True),
			("Old", False),
			("Spent", False),
			("Unknown", True),
			("", False),
		):
			with self.subTest(campaign):
				self.assertEqual(young.includes(Place("Meta", campaign, "some ad set")), expected)
		self.assertFalse(young._replace(days=0).includes(Place("Meta", "New")))

	def test_what_is_acknowledged_is_quiet_until_a_day_and_up_to_an_amount(self) -> None:
		self.assertTrue(Acknowledged(None, Decimal(0)).covers(DAY, Decimal(10**9)))
		until = Acknowledged(DAY, Decimal(100))
		self.assertTrue(until.covers(DAY, Decimal(100)))
		self.assertFalse(until.covers(DAY, Decimal("100.01")))
		self.assertFalse(until.covers(DAY + timedelta(days=1), Decimal(1)))
