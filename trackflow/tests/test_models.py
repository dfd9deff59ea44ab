"""The attribution models against figures worked out by hand, and what must hold for every journey (ATT-1 to ATT-3)."""

from __future__ import annotations

import re
import unittest
from collections import namedtuple
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction as F

from trackflow.attribution.channel_rules import ChannelRule, RuleError, matches, rename
from trackflow.attribution.models import MODEL_TYPES, Touch, is_direct, round_weights, split_money, weights
from trackflow.attribution.powers import MOST_HALVINGS, half_to_the
from trackflow.attribution.window import within
from trackflow.tests.properties import given, settings, st

CONVERTED = datetime(2026, 3, 31, 12, 0)
DAY = timedelta(days=1)
HALF, THIRD, QUARTER, FIFTH = F(1, 2), F(1, 3), F(1, 4), F(1, 5)


def journey(*channels: str, every: timedelta = DAY) -> list[Touch]:
	"""Return touches a day apart; the last one a day before the conversion."""
	count = len(channels)
	return [
		Touch(f"t{index}", CONVERTED - every * (count - index), channel)
		for index, channel in enumerate(channels)
	]


def touches_of_ages(*days: float) -> list[Touch]:
	return [Touch(f"t{index}", CONVERTED - timedelta(days=age), "Email") for index, age in enumerate(days)]


CHANNELS = st.sampled_from(["Direct", "Email", "Paid Search", "Organic Social", "Referral"])
JOURNEYS = st.lists(
	st.tuples(st.timedeltas(timedelta(0), timedelta(days=4000)), CHANNELS), min_size=1, max_size=12
).map(
	lambda pairs: [
		Touch(f"t{index:02}", CONVERTED - age, channel)
		for index, (age, channel) in enumerate(sorted(pairs, reverse=True))
	]
)
PERCENTS = st.integers(0, 50) | st.decimals(0, 50, places=3) | st.floats(0, 50)
FACTORS = st.integers(0, 10) | st.decimals(0, 10, places=3) | st.sampled_from(["0.5", "2", 0.1, F(1, 3)])
MOMENTS = st.none() | st.timedeltas(timedelta(0), timedelta(days=5000)).map(lambda age: CONVERTED - age)
PARAMETERS = st.fixed_dictionaries(
	{},
	optional={
		"half_life_days": st.integers(1, 400) | st.floats(0.001, 1000) | st.decimals("0.001", 1000, places=3),
		"first_weight": PERCENTS,
		"last_weight": PERCENTS,
		"lead_created_at": MOMENTS,
		"deal_created_at": MOMENTS,
		"base_model": st.sampled_from([name for name in MODEL_TYPES if name != "Custom"]),
		"channel_weights": st.dictionaries(CHANNELS, FACTORS),
		"count_direct": st.booleans(),
	},
)


class TestModels(unittest.TestCase):
	"""ATT-1: each model's shares, worked out by hand."""

	def shares(self, model: str, count: int, **parameters: object) -> list[F]:
		return weights(model, journey(*["Email"] * count), CONVERTED, **parameters)

	def test_first_last_and_linear(self):
		for model, expected in (
			("First Touch", [1, 0, 0, 0]),
			("Last Touch", [0, 0, 0, 1]),
			("Linear", [QUARTER] * 4),
		):
			with self.subTest(model=model):
				self.assertEqual(self.shares(model, 4), expected)

	def test_one_touch_takes_all_in_every_model(self):
		for model in MODEL_TYPES:
			for channel in ("Email", "Direct"):
				with self.subTest(model=model, channel=channel):
					self.assertEqual(weights(model, journey(channel), CONVERTED), [1])

	def test_no_touch(self):
		for model in MODEL_TYPES:
			with self.subTest(model=model):
				self.assertEqual(weights(model, [], CONVERTED), [])

	def test_weights_are_fractions(self):
		for model in MODEL_TYPES:
			with self.subTest(model=model):
				shares = self.shares(model, 3)
				self.assertEqual([type(share) for share in shares], [F] * 3)

	def test_last_non_direct(self):
		for channels, expected in (
			(("Email", "Paid Search", "Direct", "Direct"), [0, 1, 0, 0]),
			(("Direct", "Email"), [0, 1]),
			(("Email", "Direct"), [1, 0]),
			(("Direct", "Direct"), [0, 1]),
			(("Email", "Referral"), [0, 1]),
		):
			with self.subTest(channels=channels):
				for count_direct in (False, True):
					shares = weights(
						"Last Non-Direct", journey(*channels), CONVERTED, count_direct=count_direct
					)
					self.assertEqual(shares, expected)

	def test_position_based(self):
		for count, first, last, expected in (
			(1, 40, 40, [1]),
			(2, 40, 40, [HALF, HALF]),
			(2, 60, 20, [F(3, 4), QUARTER]),
			(2, 0, 40, [0, 1]),
			(2, 0, 0, [HALF, HALF]),
			(3, 40, 40, [F(2, 5), FIFTH, F(2, 5)]),
			(4, 40, 40, [F(2, 5), F(1, 10), F(1, 10), F(2, 5)]),
			(5, 30, 30, [F(3, 10), F(2, 15), F(2, 15), F(2, 15), F(3, 10)]),
			(3, 50, 50, [HALF, 0, HALF]),
			(4, 0, 0, [0, HALF, HALF, 0]),
			(3, "33.3", 33.3, [F(333, 1000), F(334, 1000), F(333, 1000)]),
			(3, Decimal("12.5"), 12.5, [F(1, 8), F(3, 4), F(1, 8)]),
		):
			with self.subTest(count=count, first=first, last=last):
				shares = self.shares("Position Based", count, first_weight=first, last_weight=last)
				self.assertEqual(shares, expected)

	def test_time_decay_halves_every_half_life(self):
		for days, half_life, expected in (
			((14, 7, 0), 7, [F(1, 7), F(2, 7), F(4, 7)]),
			((15, 8, 1), 7, [F(1, 7), F(2, 7), F(4, 7)]),
			((3, 3), 7, [HALF, HALF]),
			((2, 1), 1, [THIRD, F(2, 3)]),
			((1, 0.5), 0.5, [THIRD, F(2, 3)]),
			((1, 0.5), Decimal("0.25"), [FIFTH, F(4, 5)]),
			((10, 0), 10, [THIRD, F(2, 3)]),
		):
			with self.subTest(days=days, half_life=half_life):
				shares = weights("Time Decay", touches_of_ages(*days), CONVERTED, half_life_days=half_life)
				self.assertEqual(shares, expected)

	def test_time_decay_default_half_life_is_seven_days(self):
		self.assertEqual(weights("Time Decay", touches_of_ages(7, 0), CONVERTED), [THIRD, F(2, 3)])

	def test_time_decay_between_half_lives(self):
		# 2^(-1/7) = 0.905723664…, 2^(-10/7) = 0.371498572…; of their sum 1.277222237…
		older, younger = weights("Time Decay", touches_of_ages(10, 1), CONVERTED)
		self.assertAlmostEqual(float(older), 0.290864473, places=9)
		self.assertAlmostEqual(float(younger), 0.709135527, places=9)

	def test_time_decay_counts_microseconds(self):
		older = Touch("a", CONVERTED - timedelta(microseconds=1), "Email")
		first, second = weights("Time Decay", [older, Touch("b", CONVERTED, "Email")], CONVERTED)
		self.assertLess(first, second)

	def test_time_decay_never_loses_everything(self):
		for ages in ((300_000, 299_000), (730_000, 0), (9_000,)):
			with self.subTest(ages=ages):
				shares = weights("Time Decay", touches_of_ages(*ages), CONVERTED, half_life_days="0.0001")
				self.assertEqual(shares, [0] * (len(ages) - 1) + [1])

	def test_w_shaped(self):
		touches = journey(*["Email"] * 5)
		at = [touch.occurred_at for touch in touches]
		soon = timedelta(hours=1)
		for lead, deal, expected in (
			# First, third and fifth are milestones; two share the rest.
			(at[2], at[4], [F(3, 10), F(1, 20), F(3, 10), F(1, 20), F(3, 10)]),
			(at[2] + soon, at[4] + soon, [F(3, 10), F(1, 20), F(3, 10), F(1, 20), F(3, 10)]),
			(at[2] - soon, at[3] + soon, [F(3, 10), F(3, 10), F(1, 20), F(3, 10), F(1, 20)]),
			# Lead and deal on one touch: their shares add up.
			(at[2], at[2] + soon, [F(3, 10), F(1, 30), F(6, 10), F(1, 30), F(1, 30)]),
			# The lead came with the first touch.
			(at[0], at[4], [F(6, 10), F(1, 30), F(1, 30), F(1, 30), F(3, 10)]),
			# All three on the first.
			(at[0], at[0], [F(9, 10), *[F(1, 40)] * 4]),
			# No deal: 30, 30 and 10 of 70.
			(at[2], None, [F(3, 7), F(1, 21), F(3, 7), F(1, 21), F(1, 21)]),
			# No lead either, or one before any touch: 30 and 10 of 40.
			(None, None, [F(3, 4), *[F(1, 16)] * 4]),
			(at[0] - soon, at[0] - soon, [F(3, 4), *[F(1, 16)] * 4]),
		):
			with self.subTest(lead=lead, deal=deal):
				shares = weights("W-Shaped", touches, CONVERTED, lead_created_at=lead, deal_created_at=deal)
				self.assertEqual(shares, expected)

	def test_w_shaped_without_a_rest(self):
		three, two = journey(*["Email"] * 3), journey(*["Email"] * 2)
		for touches, lead, deal, expected in (
			(three, three[1].occurred_at, CONVERTED, [THIRD] * 3),
			(two, two[0].occurred_at, CONVERTED, [F(2, 3), THIRD]),
			(two, CONVERTED, CONVERTED, [THIRD, F(2, 3)]),
			(two, CONVERTED, None, [HALF, HALF]),
		):
			with self.subTest(touches=len(touches), lead=lead, deal=deal):
				shares = weights("W-Shaped", touches, CONVERTED, lead_created_at=lead, deal_created_at=deal)
				self.assertEqual(shares, expected)

	def test_custom(self):
		touches = journey("Email", "Paid Search", "Email", "Referral")
		for parameters, expected in (
			({}, [QUARTER] * 4),
			({"base_model": ""}, [QUARTER] * 4),
			({"channel_weights": {"Email": 2}}, [THIRD, F(1, 6), THIRD, F(1, 6)]),
			({"channel_weights": {"Email": "0.5", "Referral": 0}}, [QUARTER, HALF, QUARTER, 0]),
			({"channel_weights": {"Paid Search": 0.1}}, [F(10, 31), F(1, 31), F(10, 31), F(10, 31)]),
			({"base_model": "First Touch"}, [1, 0, 0, 0]),
			# The one touch that had a share weighs nothing: the base model's word stands.
			({"base_model": "First Touch", "channel_weights": {"Email": 0}}, [1, 0, 0, 0]),
			({"base_model": "Position Based", "channel_weights": {"Email": 0}}, [0, FIFTH, 0, F(4, 5)]),
			({"touch_weights": [1, 2, 3, 4]}, [F(1, 10), FIFTH, F(3, 10), F(2, 5)]),
			({"touch_weights": [1, 1, 0, 0], "channel_weights": {"Email": 3}}, [F(3, 4), QUARTER, 0, 0]),
		):
			with self.subTest(parameters=parameters):
				self.assertEqual(weights("Custom", touches, CONVERTED, **parameters), expected)

	def test_channel_weights_serve_every_model(self):
		shares = weights("Linear", journey("Email", "Referral"), CONVERTED, channel_weights={"Email": 3})
		self.assertEqual(shares, [F(3, 4), QUARTER])

	def test_what_is_refused(self):
		touches = journey("Email", "Email", "Email")
		for model, parameters in (
			("Crystal Ball", {}),
			("", {}),
			("linear", {}),
			("Custom", {"base_model": "Custom"}),
			("Custom", {"base_model": "Guess"}),
			("Custom", {"channel_weights": {"Email": -1}}),
			("Custom", {"channel_weights": {"Email": "much"}}),
			("Custom", {"channel_weights": {"Email": float("nan")}}),
			("Custom", {"touch_weights": [1]}),
			("Time Decay", {"half_life_days": 0}),
			("Time Decay", {"half_life_days": -7}),
			("Time Decay", {"half_life_days": "week"}),
			("Time Decay", {"half_life_days": float("inf")}),
			("Position Based", {"first_weight": -1}),
			("Position Based", {"first_weight": 60, "last_weight": 41}),
			("Position Based", {"first_weight": None}),
		):
			with self.subTest(model=model, parameters=parameters), self.assertRaises(ValueError):
				weights(model, touches, CONVERTED, **parameters)

	def test_a_touch_after_the_conversion_is_refused(self):
		late = Touch("late", CONVERTED + timedelta(microseconds=1), "Email")
		for model in MODEL_TYPES:
			with self.subTest(model=model), self.assertRaisesRegex(ValueError, "after the conversion"):
				weights(model, [*journey("Email"), late], CONVERTED)

	def test_a_cached_answer_cannot_be_spoilt(self):
		for model in MODEL_TYPES:
			with self.subTest(model=model):
				before = self.shares(model, 3)
				self.shares(model, 3).clear()
				self.assertEqual(self.shares(model, 3), before)


class TestByValue(unittest.TestCase):
	"""ATT-5: Markov and Shapley share a conversion by what the channels of its path are worth."""

	VALUES = {"Email": F(1, 2), "Paid Search": F(1, 3), "Direct": F(1, 6)}

	def shares(self, *channels: str, **parameters: object) -> list[F]:
		found = [
			weights(model, journey(*channels), CONVERTED, channel_values=self.VALUES, **parameters)
			for model in ("Markov", "Shapley")
		]
		self.assertEqual(found[0], found[1])
		return found[0]

	def test_in_proportion(self):
		self.assertEqual(self.shares("Email", "Paid Search"), [F(3, 5), F(2, 5)])

	def test_a_channel_that_comes_twice_shares_its_part(self):
		self.assertEqual(self.shares("Email", "Paid Search", "Email"), [F(3, 10), F(2, 5), F(3, 10)])

	def test_a_channel_without_a_value_gets_nothing_beside_others(self):
		self.assertEqual(self.shares("Email", "Display"), [1, 0])

	def test_without_any_value_it_is_linear(self):
		self.assertEqual(self.shares("Display", "Referral", "Display"), [THIRD] * 3)
		self.assertEqual(weights("Markov", journey("Email", "Display"), CONVERTED), [HALF] * 2)

	def test_direct_touches_count_or_not(self):
		"""ATT-3"""
		self.assertEqual(self.shares("Email", "Direct"), [F(3, 4), QUARTER])
		self.assertEqual(self.shares("Email", "Direct", count_direct=False), [1, 0])
		self.assertEqual(self.shares("Display", "Direct", count_direct=False), [1, 0])
		self.assertEqual(self.shares("Direct", "Direct", count_direct=False), [HALF] * 2)

	def test_weights_of_channel_rules_multiply(self):
		self.assertEqual(self.shares("Email", "Paid Search", touch_weights=[2, 1]), [F(3, 4), QUARTER])


class TestDirectTouches(unittest.TestCase):
	"""ATT-3: direct touches count like others, or only if there is nothing else, by a switch of each model."""

	def test_what_is_direct(self):
		plain = namedtuple("plain", "occurred_at channel")
		marked = namedtuple("marked", "occurred_at channel is_direct")
		for touch, expected in (
			(Touch("a", CONVERTED, "Email"), False),
			(Touch("a", CONVERTED, "Direct"), True),
			(Touch("a", CONVERTED, "Email", True), True),
			(plain(CONVERTED, "Direct"), True),
			(plain(CONVERTED, "direct"), True),
			(plain(CONVERTED, None), False),
			(marked(CONVERTED, "Brand", True), True),
		):
			with self.subTest(touch=touch):
				self.assertEqual(is_direct(touch), expected)

	def test_switch(self):
		touches = journey("Direct", "Email", "Direct", "Referral", "Direct")
		for model, expected in (
			("First Touch", [0, 1, 0, 0, 0]),
			("Last Touch", [0, 0, 0, 1, 0]),
			("Linear", [0, HALF, 0, HALF, 0]),
			("Position Based", [0, HALF, 0, HALF, 0]),
			("Custom", [0, HALF, 0, HALF, 0]),
		):
			with self.subTest(model=model):
				self.assertEqual(weights(model, touches, CONVERTED, count_direct=False), expected)
				self.assertNotEqual(weights(model, touches, CONVERTED), expected)

	def test_nothing_but_direct(self):
		touches = journey("Direct", "Direct")
		for model in MODEL_TYPES:
			with self.subTest(model=model):
				self.assertEqual(
					weights(model, touches, CONVERTED, count_direct=False), weights(model, touches, CONVERTED)
				)


class TestEveryJourney(unittest.TestCase):
	"""ATT-2: exact, whatever the journey and the parameters."""

	@settings(max_examples=300)
	@given(st.sampled_from(MODEL_TYPES), JOURNEYS, PARAMETERS)
	def test_shares_are_exact(self, model, touches, parameters):
		shares = weights(model, touches, CONVERTED, **parameters)
		self.assertEqual(len(shares), len(touches))
		self.assertEqual(sum(shares), 1)
		self.assertTrue(all(type(share) is F and share >= 0 for share in shares))

	@given(st.sampled_from(MODEL_TYPES), JOURNEYS, PARAMETERS)
	def test_direct_gets_nothing_beside_marketing(self, model, touches, parameters):
		parameters = parameters | {"count_direct": False, "channel_weights": {}}
		shares = weights(model, touches, CONVERTED, **parameters)
		marketing = [touch for touch in touches if not touch.is_direct]
		if marketing:
			self.assertEqual(sum(s for s, t in zip(shares, touches, strict=True) if t.is_direct), 0)
			expected = weights(model, marketing, CONVERTED, **parameters)
			self.assertEqual([s for s, t in zip(shares, touches, strict=True) if not t.is_direct], expected)

	@given(JOURNEYS, st.integers(1, 400))
	def test_an_older_touch_never_weighs_more_in_time_decay(self, touches, half_life):
		shares = weights("Time Decay", touches, CONVERTED, half_life_days=half_life)
		self.assertEqual(shares, sorted(shares))

	@given(JOURNEYS, st.timedeltas(timedelta(0), timedelta(days=900)))
	def test_time_decay_depends_on_distances_only(self, touches, shift):
		moved = [Touch(touch.id, touch.occurred_at - shift, touch.channel) for touch in touches]
		self.assertEqual(weights("Time Decay", moved, CONVERTED), weights("Time Decay", touches, CONVERTED))


class TestPowers(unittest.TestCase):
	"""ATT-2: powers of two as fractions of a stated precision."""

	@settings(max_examples=300)
	@given(st.integers(0, 10**15), st.integers(1, 10**14), st.integers(1, 1000))
	def test_precision(self, exponent, numerator, denominator):
		unit = F(numerator, denominator)
		if exponent / unit > 900:
			exponent = int(900 * unit)
		power, one = half_to_the([exponent, 0], unit)
		with localcontext() as context:
			context.prec = 400
			exact = Decimal(2) ** -(Decimal(exponent * denominator) / numerator)
			self.assertLess(abs(Decimal(power) / one / exact - 1), Decimal(2) ** -45)

	@given(st.integers(0, 10**15), st.integers(1, 10**14), st.integers(0, MOST_HALVINGS))
	def test_a_whole_half_life_halves_exactly(self, exponent, unit, times):
		younger, older = half_to_the([exponent, exponent + times * unit], F(unit))
		self.assertEqual(younger, older << times)

	def test_far_beyond_is_nothing(self):
		beyond, edge, one = half_to_the([10**30 + MOST_HALVINGS + 1, 10**30 + MOST_HALVINGS, 10**30], F(1))
		self.assertEqual((beyond, edge << MOST_HALVINGS), (0, one))


class TestSplitMoney(unittest.TestCase):
	"""ATT-2: credited money sums to the value to the last cent."""

	def test_table(self):
		thirds = [THIRD] * 3
		for value, shares, currency, expected in (
			("100", thirds, "EUR", "33.34 33.33 33.33"),
			("200", thirds, "EUR", "66.67 66.67 66.66"),
			("0.01", thirds, "EUR", "0.01 0.00 0.00"),
			("0.02", [FIFTH, F(2, 5), F(2, 5)], "EUR", "0.00 0.01 0.01"),
			("-100", thirds, "EUR", "-33.34 -33.33 -33.33"),
			("0", thirds, "EUR", "0.00 0.00 0.00"),
			("100", thirds, "JPY", "34 33 33"),
			("100", thirds, "jpy", "34 33 33"),
			("1", thirds, "KWD", "0.334 0.333 0.333"),
			("1", thirds, "CLF", "0.3334 0.3333 0.3333"),
			("100", thirds, "", "33.34 33.33 33.33"),
			("100", thirds, None, "33.34 33.33 33.33"),
			("100", [F(2, 5), FIFTH, F(2, 5)], "USD", "40.00 20.00 40.00"),
			("0.05", [HALF, HALF], "USD", "0.03 0.02"),
			# The larger remainder goes first, wherever it stands: 0.1, 0.4, 0.5 units.
			("0.01", [F(1, 10), F(4, 10), F(5, 10)], "USD", "0.00 0.00 0.01"),
			# Finer than the currency: nothing is lost, down to the value's own last digit.
			("100.005", [HALF, HALF], "USD", "50.003 50.002"),
			("100.500000000", [HALF, HALF], "USD", "50.25 50.25"),
			("100.5", [HALF, HALF], "JPY", "50.3 50.2"),
			("1E+3", [HALF, HALF], "USD", "500.00 500.00"),
			("100", [1, 0, 0], "USD", "100.00 0.00 0.00"),
			(
				"100",
				[Decimal("0.333333334"), Decimal("0.333333333"), Decimal("0.333333333")],
				"USD",
				"33.34 33.33 33.33",
			),
		):
			with self.subTest(value=value, currency=currency):
				parts = split_money(Decimal(value), shares, currency)
				self.assertEqual([str(part) for part in parts], expected.split())

	def test_values_of_every_type(self):
		for value, expected in (
			(100, "50.00"),
			("100.10", "50.05"),
			(100.1, "50.05"),
			(0.1 + 0.2, "0.15"),
			(1e22, "5000000000000000000000.00"),
			(1e-12, "0.00"),
		):
			with self.subTest(value=value):
				self.assertEqual(
					[str(part) for part in split_money(value, [HALF, HALF], "EUR")], [expected] * 2
				)

	def test_no_weights(self):
		self.assertEqual(split_money(100, [], "EUR"), [])

	def test_what_is_refused(self):
		for value, shares in (
			("NaN", [1]),
			("Infinity", [1]),
			(float("nan"), [1]),
			("1,000", [1]),
			("", [1]),
			(None, [1]),
			(1, [0, 0]),
			(1, [2, -1]),
			(1, [None]),
		):
			with self.subTest(value=value, shares=shares), self.assertRaises(ValueError):
				split_money(value, shares, "EUR")

	@settings(max_examples=300)
	@given(
		st.decimals(-(10**12), 10**12, places=2)
		| st.decimals(allow_nan=False, allow_infinity=False, places=6),
		st.sampled_from(MODEL_TYPES),
		JOURNEYS,
		st.sampled_from(["EUR", "JPY", "KWD", ""]),
	)
	def test_the_parts_are_the_value(self, value, model, touches, currency):
		shares = weights(model, touches, CONVERTED)
		parts = split_money(value, shares, currency)
		with localcontext() as context:
			context.prec = 60
			self.assertEqual(sum(parts), value)
			step = F(10) ** parts[0].as_tuple().exponent
			for part, share in zip(parts, shares, strict=True):
				# Never more than one unit off, never against the sign, nothing for a share of nothing.
				self.assertLess(abs(F(part) - F(value) * share), step)
				self.assertGreaterEqual(part * (1 if value >= 0 else -1), 0)
				if not share:
					self.assertEqual(part, 0)

	def test_the_callers_decimal_context_does_not_matter(self):
		with localcontext() as context:
			context.prec = 3
			parts = split_money(Decimal("123456.78"), [HALF, HALF], "EUR")
		self.assertEqual(parts, [Decimal("61728.39")] * 2)


class TestRoundWeights(unittest.TestCase):
	"""Section 2, Attribution Link: nine places that still sum to 1."""

	def test_table(self):
		for shares, places, expected in (
			([THIRD] * 3, 9, "0.333333334 0.333333333 0.333333333"),
			([F(1, 6)] * 6, 2, "0.17 0.17 0.17 0.17 0.16 0.16"),
			([1], 9, "1.000000000"),
			([HALF, HALF], 0, "1 0"),
			([F(2, 3), THIRD], 3, "0.667 0.333"),
		):
			with self.subTest(shares=shares):
				self.assertEqual([f"{part:f}" for part in round_weights(shares, places)], expected.split())

	def test_none(self):
		self.assertEqual(round_weights([]), [])

	@given(st.sampled_from(MODEL_TYPES), JOURNEYS, st.integers(0, 12))
	def test_sum_and_distance(self, model, touches, places):
		shares = weights(model, touches, CONVERTED)
		rounded = round_weights(shares, places)
		self.assertEqual(sum(rounded), 1)
		for part, share in zip(rounded, shares, strict=True):
			self.assertLess(abs(F(part) - share), F(1, 10**places))


class TestWindow(unittest.TestCase):
	"""ATT-3: the lookback window, its edges, and the order of the journey."""

	def ids(self, touches: list[Touch], days: float) -> list[str]:
		return [touch.id for touch in within(touches, CONVERTED, days)]

	def test_edges(self):
		instant = timedelta(microseconds=1)
		touches = [
			Touch("too old", CONVERTED - 30 * DAY - instant, "Email"),
			Touch("oldest", CONVERTED - 30 * DAY, "Email"),
			Touch("same moment", CONVERTED, "Email"),
			Touch("too late", CONVERTED + instant, "Email"),
		]
		self.assertEqual(self.ids(touches, 30), ["oldest", "same moment"])
		self.assertEqual(self.ids(touches, 0), ["same moment"])
		self.assertEqual(self.ids(touches, 1e15), ["too old", "oldest", "same moment"])
		self.assertEqual(self.ids(touches, 0.5), ["same moment"])

	def test_order_is_by_time_then_id(self):
		touches = [
			Touch("b", CONVERTED, "Email"),
			Touch("a", CONVERTED, "Email"),
			Touch("c", CONVERTED - DAY, "x"),
		]
		self.assertEqual(self.ids(touches, 30), ["c", "a", "b"])

	def test_touches_without_id(self):
		plain = namedtuple("plain", "occurred_at channel")
		touches = [plain(CONVERTED, "b"), plain(CONVERTED, "a"), plain(CONVERTED - DAY, "c")]
		self.assertEqual([touch.channel for touch in within(touches, CONVERTED, 30)], ["c", "b", "a"])

	def test_a_negative_window_is_refused(self):
		for days in (-1, float("nan")):
			with self.subTest(days=days), self.assertRaises(ValueError):
				within([], CONVERTED, days)

	@given(JOURNEYS, st.permutations(range(12)), st.integers(0, 5000))
	def test_does_not_depend_on_the_order_given(self, touches, order, days):
		shuffled = [touches[index] for index in order if index < len(touches)]
		self.assertEqual(within(shuffled, CONVERTED, days), within(touches, CONVERTED, days))


class TestChannelRules(unittest.TestCase):
	"""ATT-1: channel rules of a model name a channel anew and weigh it."""

	TOUCH = {
		"source": "Google",
		"medium": "cpc",
		"campaign": "brand-spring",
		"channel": "Paid Search",
		"platform": "Google Ads",
	}

	def test_table(self):
		for conditions, expected in (
			({}, True),
			(None, True),
			("", True),
			("{}", True),
			({"source": "google"}, True),
			({"source": " GOOGLE "}, True),
			({"source": "goo*"}, True),
			({"source": "*"}, True),
			({"source": "google*"}, True),
			({"source": "oogle"}, False),
			({"source": "g?ogle"}, False),
			({"source": "g.ogle"}, False),
			({"source": ""}, False),
			({"campaign": "brand*", "medium": "cp*"}, True),
			({"campaign": "brand*", "medium": "email"}, False),
			({"campaign": "*spring*"}, True),
			({"source": ["bing", "google"]}, True),
			({"source": []}, False),
			('{"channel": "paid search", "platform": "google ads"}', True),
		):
			with self.subTest(conditions=conditions):
				renamed = rename(self.TOUCH, [ChannelRule("Brand", conditions, weight=2)])
				self.assertEqual(renamed, ("Brand", 2) if expected else ("Paid Search", 1))

	def test_first_match_by_priority_then_by_order(self):
		rules = [
			ChannelRule("Last", {}, 9),
			ChannelRule("Second", {"source": "google"}, 2),
			ChannelRule("Also second", {"source": "google"}, 2),
			ChannelRule("First, but another", {"source": "bing"}, 1),
		]
		self.assertEqual(rename(self.TOUCH, rules)[0], "Second")
		self.assertEqual(rename({"channel": "Email"}, rules)[0], "Last")

	def test_objects_and_what_they_lack(self):
		touch = Touch("a", CONVERTED, "Email")
		self.assertEqual(rename(touch, [ChannelRule("Nobody", {"source": ""})]), ("Nobody", 1))
		self.assertEqual(rename(touch, []), ("Email", 1))

	def test_a_rule_without_name_only_weighs(self):
		self.assertEqual(rename(self.TOUCH, [ChannelRule("", {}, weight="0.1")]), ("Paid Search", F(1, 10)))

	def test_weights(self):
		for weight, expected in ((None, 1), ("", 1), (0, 0), (0.1, F(1, 10)), (Decimal("1.5"), F(3, 2))):
			with self.subTest(weight=weight):
				self.assertEqual(ChannelRule("x", {}, weight=weight).weight, expected)

	def test_what_is_refused(self):
		for arguments in (
			{"match_conditions": "{"},
			{"match_conditions": "[1]"},
			{"match_conditions": {"colour": "red"}},
			{"match_conditions": {"source": 1}},
			{"match_conditions": {"source": [1]}},
			{"weight": "much"},
			{"weight": -1},
			{"weight": float("nan")},
		):
			with self.subTest(arguments=arguments), self.assertRaises(RuleError):
				ChannelRule("x", **arguments)

	@given(st.text(max_size=8), st.text("ab*.?[", max_size=8))
	def test_a_pattern_without_star_is_equality(self, value, pattern):
		matched = rename({"source": value, "channel": "a"}, [ChannelRule("b", {"source": pattern})])[0] == "b"
		if "*" not in pattern and value.isascii():
			self.assertEqual(matched, value.strip().lower() == pattern.strip().lower())

	@given(st.text("abA ", max_size=8), st.text("abB* ", max_size=8))
	def test_a_star_is_any_text(self, value, pattern):
		expected = re.compile(".*".join(map(re.escape, pattern.strip().split("*"))), re.IGNORECASE)
		self.assertEqual(matches(pattern, value), bool(expected.fullmatch(value.strip())))

	def test_many_stars_take_no_time(self):
		"""Not even on a text that a visitor wrote for it: this would take a regular expression years."""
		self.assertFalse(matches("*a" * 20 + "*b", "a" * 10_000))
