"""Channel rules that look at where a touch stands in its journey: by position and by age, exactly, in one way for all (ATT-1)."""

import unittest
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import frappe

from trackflow.attribution import explain as gathered
from trackflow.attribution import paths, run, standing
from trackflow.attribution.channel_rules import (
	ChannelRule,
	RuleError,
	age_cuts,
	rename,
	rule_for,
	rules_along,
)
from trackflow.attribution.credits import credits
from trackflow.attribution.explanation_words import lines
from trackflow.attribution.standing import Standing
from trackflow.tests.factories import channel_rules, make_conversion, make_touch
from trackflow.tests.properties import given, settings, st
from trackflow.tests.test_explanation import make_model, touch
from trackflow.tests.test_training import TrainingTestCase

END = datetime(2026, 3, 20, 12)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
NAMES = ("Email", "Paid Search", "Direct")

POSITIONS = st.sampled_from(
	("first", "last", "middle", "only", "2", "-2", "2..4", "-3..-1", "2..-2", "<= 2", "> 1")
)
AGES = st.sampled_from(("<= 7", "< 7", "> 7", ">= 7", "3..9", "0.5..1.25", "> 30", "< 0.000001"))
RULES = st.lists(
	st.builds(
		lambda where, name, weight, priority: ChannelRule(name, where, priority, weight),
		st.fixed_dictionaries({}, optional={"position": POSITIONS, "age": AGES, "channel": st.sampled_from(NAMES)}),
		st.sampled_from(("News", "")),
		st.sampled_from((0, 0.5, 1, 3)),
		st.integers(0, 2),
	),
	max_size=3,
)  # fmt: skip
# Minutes before the end, about the days that rules look at.
TOUCHES = st.lists(
	st.tuples(st.sampled_from((0, 720, 10080, 10079, 10081, 4320, 12960, 43200, 1)), st.sampled_from(NAMES)),
	max_size=6,
).map(
	lambda some: [
		touch(number, END - timedelta(minutes=age), channel)
		for number, (age, channel) in enumerate(sorted(some, reverse=True))
	]
)


def held(name: str, text: str, count: int = 5) -> list[int]:
	"""The positions among so many at which a condition holds."""
	found = standing.condition(name, text)
	return [
		number
		for number in range(1, count + 1)
		if found.hold(Standing(number, count, (count - number) * DAY))
	]


class TestPositions(unittest.TestCase):
	"""ATT-1: a rule matches the first, the last, those between, the n-th from either end, and ranges."""

	def test_table(self) -> None:
		for text, five, one in (
			("first", [1], [1]),
			("last", [5], [1]),
			("middle", [2, 3, 4], []),
			("only", [], [1]),
			(" First ", [1], [1]),
			("2", [2], []),
			("-2", [4], []),
			("9", [], []),
			("-9", [], []),
			("2..4", [2, 3, 4], []),
			("2 .. -2", [2, 3, 4], []),
			("-3..-1", [3, 4, 5], [1]),
			("4..9", [4, 5], []),
			("<= 2", [1, 2], [1]),
			("<2", [1], [1]),
			("> 3", [4, 5], []),
			(">= 3", [3, 4, 5], []),
		):
			with self.subTest(text):
				self.assertEqual((held("position", text), held("position", text, 1)), (five, one))

	def test_what_no_touch_has(self) -> None:
		for text in ("", "0", "second", "1.5", "4..2", "-1..-3", "0..3", "< 1", "< 1.5", "1..2.5", "> -1", "1-3"):  # fmt: skip
			with self.subTest(text), self.assertRaises(RuleError):
				ChannelRule("x", {"position": text})

	def test_numbers_and_lists(self) -> None:
		self.assertEqual(ChannelRule("x", {"position": 2}), ChannelRule("x", {"position": ["2"]}))
		rule = ChannelRule("x", {"position": ["first", -1]})
		journey = [touch(number, END - (4 - number) * DAY, "Email") for number in range(4)]
		self.assertEqual(rules_along(journey, END, [rule]), [rule, None, None, rule])
		for wrong in (True, 1.5, [True], None, {"from": 1}):
			with self.subTest(wrong), self.assertRaises(RuleError):
				ChannelRule("x", {"position": wrong})


class TestAges(unittest.TestCase):
	"""ATT-1: a rule matches touches by the days before the conversion, to the microsecond."""

	def holds(self, text: str, age: timedelta) -> bool:
		return standing.condition("age", text).hold(Standing(1, 1, age))

	def test_edges(self) -> None:
		for text, below, at, above in (
			("<= 7", True, True, False),
			("< 7", True, False, False),
			("> 7", False, False, True),
			(">= 7", False, True, True),
			("7..30", False, True, True),
			("1 .. 7", True, True, False),
		):
			with self.subTest(text):
				found = [self.holds(text, 7 * DAY + MICROSECOND * by) for by in (-1, 0, 1)]
				self.assertEqual(found, [below, at, above])

	def test_parts_of_days(self) -> None:
		self.assertTrue(self.holds("<= 0.5", timedelta(hours=12)))
		self.assertFalse(self.holds("<= 0.5", timedelta(hours=12) + MICROSECOND))
		self.assertTrue(self.holds("0..0", timedelta()))

	def test_what_no_touch_has(self) -> None:
		for text in ("", "7", "old", "-3..7", "30..7", "< 0", "<= 1e3", "7-30", "= 7", "> 1000000", "7 days"):
			with self.subTest(text), self.assertRaises(RuleError):
				ChannelRule("x", {"age": text})

	@given(st.lists(AGES, max_size=4), st.integers(0, 40 * 86_400_000_000))
	def test_cuts_tell_all_that_rules_can_tell(self, texts: list[str], microseconds: int) -> None:
		rules = [ChannelRule("x", {"age": text}) for text in texts]
		age = timedelta(microseconds=microseconds)
		reached = max((cut for cut in age_cuts(rules) if cut <= age), default=timedelta())
		for rule in rules:
			exact, told = (rule_for({}, [rule], Standing(1, 1, one)) for one in (age, reached))
			self.assertEqual(exact, told)


class TestAlongAJourney(unittest.TestCase):
	"""ATT-1, ATT-2: rules change the shares as their weights say, and nothing else."""

	def shares(self, journey: list, rules: list[ChannelRule], model_type: str = "Linear") -> list[Fraction]:
		found = credits(make_model(model_type, rules=tuple(rules)), journey, END, Decimal(100), "EUR")
		self.assertEqual(sum(one.share for one in found), 1)
		return [one.share for one in found if one.touch]

	def test_by_hand(self) -> None:
		"""Four touches, the first counts thrice, the last of at most 7 days twice: 3, 1, 1, 2 of 7."""
		journey = [touch(number, END - age * DAY, "Email") for number, age in enumerate((20, 8, 7.5, 2))]
		rules = [
			ChannelRule("", {"position": "first"}, weight=3),
			ChannelRule("News", {"age": "<= 7", "channel": "email"}, weight=2),
		]
		found = self.shares(journey, rules)
		self.assertEqual(found, [Fraction(one, 7) for one in (3, 1, 1, 2)])
		credited = credits(make_model("Linear", rules=tuple(rules)), journey, END, Decimal(7), "EUR")
		self.assertEqual([one.channel for one in credited], ["Email", "Email", "Email", "News"])

	def test_positions_are_those_of_the_window(self) -> None:
		"""What lies outside of it is in no journey; direct touches have a place in it."""
		journey = [touch(0, END - 31 * DAY, "Email"), touch(1, END - DAY, "Direct"), touch(2, END, "Email")]
		model = make_model("Linear", rules=(ChannelRule("One", {"position": 1}),), count_direct=False)
		found = credits(model, journey, END, Decimal(1), "EUR")
		self.assertEqual([(one.channel, one.share) for one in found], [("One", 0), ("Email", 1)])

	def test_a_touch_in_no_journey(self) -> None:
		for where in ({"position": "first"}, {"age": ">= 0"}):
			self.assertEqual(rename({"channel": "Email"}, [ChannelRule("x", where)]), ("Email", 1))

	@given(TOUCHES, RULES)
	def test_each_touch_by_itself(self, journey: list, rules: list[ChannelRule]) -> None:
		places = standing.along([one.occurred_at for one in journey], END)
		one_by_one = [rule_for(one, rules, place) for one, place in zip(journey, places, strict=True)]
		self.assertEqual(rules_along(journey, END, rules), one_by_one)

	@given(TOUCHES, POSITIONS, AGES)
	def test_neutral(self, journey: list, position: str, age: str) -> None:
		"""A rule that names nothing and counts 1 changes no share, and one that fits nothing none either."""
		neutral = [ChannelRule("", {"position": position, "age": age})]
		nobody = [ChannelRule("News", {"position": position, "channel": "Radio"}, weight=7)]
		for model_type in ("Linear", "Time Decay", "Position Based", "Last Non-Direct"):
			plain = self.shares(journey, [], model_type)
			self.assertEqual(self.shares(journey, neutral, model_type), plain)
			self.assertEqual(self.shares(journey, nobody, model_type), plain)

	@given(TOUCHES, POSITIONS, AGES, st.fractions(0, 5, max_denominator=20), st.fractions(0, 5, max_denominator=20))  # fmt: skip
	def test_monotonic(self, journey: list, position: str, age: str, one: Fraction, other: Fraction) -> None:
		"""What a rule weighs more has no less together, what it does not fit no more each."""
		less, more = sorted((max(one, Fraction(1, 20)), max(other, Fraction(1, 20))))
		rules = [[ChannelRule("", {"position": position, "age": age}, weight=each)] for each in (less, more)]
		before, after = (self.shares(journey, some) for some in rules)
		for is_fit, was, now in zip(rules_along(journey, END, rules[1]), before, after, strict=True):
			if not is_fit:
				self.assertLessEqual(now, was)
		fit = [index for index, rule in enumerate(rules_along(journey, END, rules[1])) if rule]
		self.assertLessEqual(sum(before[index] for index in fit), sum(after[index] for index in fit))

	@settings(max_examples=200)
	@given(TOUCHES, RULES)
	def test_what_is_learnt_is_what_is_credited(self, journey: list, rules: list[ChannelRule]) -> None:
		"""ATT-5: paths that are learnt have the channels of the credits, though they know ages by their cuts alone."""
		model = make_model("Markov", rules=tuple(rules))
		found = credits(model, journey, END, Decimal(1), "EUR", channel_values={})
		learnt = paths._Kinds(model).of_journey(journey, END)
		self.assertEqual(learnt, tuple(one.channel for one in found if one.touch))


class TestLearning(TrainingTestCase):
	"""ATT-1, ATT-5: rules of position and age hold for those who did not convert as for those who did. A path without a
	conversion ends with the days that are learnt from."""

	# Days before the end of what is learnt; rules look at 7 days, and one touch lies on the edge.
	AGES = (20 * DAY, 7 * DAY + MICROSECOND, 7 * DAY, 6 * DAY, timedelta(hours=1))

	def both(self, *rules: dict[str, object], ages: tuple[timedelta, ...] = AGES) -> list[tuple[str, ...]]:
		"""What is learnt of one who converted at the end, and of one who did not."""
		until = END + DAY
		for converts in (True, False):
			visitor = self.person()
			for age in ages:
				make_touch(visitor, until - age, "Email")
			if converts:
				make_conversion(visitor, until - MICROSECOND)
		with channel_rules("Markov", *rules):
			(model,) = (one for one in paths.journeys.active_models() if one.name == "Markov")
			found = {bool(won): path for path, won, _lost in paths.read(model, END - 80 * DAY, until)}
		return [found[True], found[False]]

	def test_by_position(self) -> None:
		found = self.both(
			{"channel_name": "Opener", "match_conditions": '{"position": "first"}'},
			{"channel_name": "Closer", "match_conditions": '{"position": [-1, -2]}'},
		)
		self.assertEqual(found, [("Opener", "Email", "Email", "Closer", "Closer")] * 2)

	def test_by_age(self) -> None:
		"""The conversion was a microsecond before the end, so its touches are that much younger."""
		converted, other = self.both(
			{"channel_name": "Fresh", "match_conditions": '{"age": "<= 7"}'},
			{"channel_name": "Stale", "match_conditions": '{"age": "> 10"}'},
		)
		self.assertEqual(other, ("Stale", "Email", "Fresh", "Fresh", "Fresh"))
		self.assertEqual(converted, ("Stale", "Fresh", "Fresh", "Fresh", "Fresh"))

	def test_positions_of_long_paths(self) -> None:
		"""Of the last hundred touches the first is not the first of all."""
		ages = tuple(timedelta(minutes=number) for number in range(103, 0, -1))
		found = self.both({"channel_name": "Opener", "match_conditions": '{"position": "<= 4"}'}, ages=ages)
		self.assertEqual(found, [("Opener", *["Email"] * 99)] * 2)

	def test_the_explanation_says_it(self) -> None:
		"""ATT-6"""
		visitor = self.person()
		for age in (10, 6, 1):
			make_touch(visitor, END - age * DAY, "Email")
		conversion = make_conversion(visitor, END, value=100, currency="EUR")
		rules = (
			{"channel_name": "Old", "match_conditions": '{"age": [">= 30", "9..12"]}', "priority": 2},
			{"match_conditions": '{"position": "middle", "age": "< 7"}', "priority": 1, "weight": 1.5},
		)
		with channel_rules("Linear", *rules):
			run.credit([conversion])
			page = "\n".join(lines(gathered.of_conversion(conversion, "Linear")["models"]))
		for line in (
			"Channel rule 1 of this model decides (at least 30 days old or 9 to 12 days old): it calls this touch Old.",
			"Channel rule 2 of this model decides (neither first nor last touch; younger than 7 days): counts 1.5.",
			"1 ÷ 3 = 33.3 %; weighed 0.333333 × 1.5 = 0.5, and 0.5 ÷ 1.16667 = 42.9 %.",
		):
			self.assertIn(line, page)
		stored = frappe.get_all(
			"Attribution Link", {"attribution_model": "Linear"}, pluck="weight", order_by="position"
		)
		# 1, 1.5, 1 of 3.5
		self.assertEqual(stored, [0.285714286, 0.428571428, 0.285714286])
