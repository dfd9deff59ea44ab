"""Markov chains and Shapley values against figures worked out by hand, and against their definitions (ATT-5)."""

from __future__ import annotations

import unittest
from fractions import Fraction as F
from itertools import combinations, pairwise
from math import factorial

from trackflow.attribution.data_driven import MOST_STATES, along, markov, shapley
from trackflow.tests.properties import given, settings, st

# Names that a chain might take for its own states are names like others.
CHANNELS = st.sampled_from(["Email", "Paid Search", "start", "(conversion)", "null"])
PATHS = st.lists(
	st.tuples(st.lists(CHANNELS, max_size=6).map(tuple), st.integers(0, 9), st.integers(0, 9)), max_size=12
)


def conversions_of(paths) -> int:
	return sum(conversions for channels, conversions, _others in paths if channels)


def probability_without(paths, order: int, removed: str | None) -> F:
	"""The definition, step by step: the probability to convert in the chain whose ways into `removed` lead to nothing."""
	weights, totals, begun = {}, {}, 0
	for channels, conversions, others in paths:
		people = conversions + others
		if not channels or not people:
			continue
		begun += people
		memory = [tuple(channels[max(0, end - order) : end]) for end in range(1, len(channels) + 1)]
		steps = [*pairwise(["began", *memory])]
		for source, target in steps:
			weights[source, target] = weights.get((source, target), 0) + people
			totals[source] = totals.get(source, 0) + people
		weights[memory[-1], "converted"] = weights.get((memory[-1], "converted"), 0) + conversions
		totals[memory[-1]] = totals.get(memory[-1], 0) + people
	if not begun:
		return F(0)
	states = [state for state in totals if state == "began" or state[-1] != removed]
	# x = Q x + r, by plain elimination in fractions.
	rows = [
		[F(int(one == other)) - F(weights.get((one, other), 0), totals[one]) for other in states]
		+ [F(weights.get((one, "converted"), 0), totals[one])]
		for one in states
	]
	for place in range(len(states)):
		chosen = next(number for number in range(place, len(rows)) if rows[number][place])
		rows[place], rows[chosen] = rows[chosen], rows[place]
		rows[place] = [value / rows[place][place] for value in rows[place]]
		for number in range(len(rows)):
			if number != place:
				factor = rows[number][place]
				rows[number] = [a - factor * b for a, b in zip(rows[number], rows[place], strict=True)]
	return rows[states.index("began")][-1]


def shapley_by_definition(paths) -> dict[str, F]:
	"""The mean of what a channel adds to those that came before it, over all orders in which they can come."""
	channels = sorted(
		{channel for path, conversions, others in paths for channel in path if conversions + others}
	)

	def worth(some) -> int:
		return sum(conversions for path, conversions, _others in paths if path and set(path) <= set(some))

	values = dict.fromkeys(channels, F(0))
	for channel in channels:
		others = [one for one in channels if one != channel]
		for size in range(len(others) + 1):
			share = F(factorial(size) * factorial(len(others) - size), factorial(len(channels)))
			for some in combinations(others, size):
				values[channel] += share * (worth([*some, channel]) - worth(some))
	return values


class TestMarkov(unittest.TestCase):
	"""ATT-5: exact absorption probabilities, and what is lost without a channel."""

	def test_three_channels_by_hand(self):
		"""Of four people two begin with A, who goes on to B half the time; B converts two times of three."""
		found = markov([(("A", "B"), 1, 0), (("A",), 0, 1), (("B",), 1, 1)])
		self.assertEqual(found.conversion_probability, F(1, 2))
		# Without A only those who begin with B convert: 1/2 · 2/3 = 1/3, a third less. Without B nobody does.
		self.assertEqual(found.removal_effects, {"A": F(1, 3), "B": F(1)})
		self.assertEqual(found.credits, {"A": F(1, 2), "B": F(3, 2)})

	def test_a_loop_by_hand(self):
		"""A → B → A: of two steps from A one goes to B, which always comes back; the other converts."""
		found = markov([(("A", "B", "A"), 1, 0), (("C",), 0, 1)])
		self.assertEqual(found.conversion_probability, F(1, 2))
		# Without B half of those at A convert at once, the other half is lost.
		self.assertEqual(found.removal_effects, {"A": F(1), "B": F(1, 2), "C": F(0)})
		self.assertEqual(found.credits, {"A": F(2, 3), "B": F(1, 3), "C": F(0)})

	def test_more_memory_by_hand(self):
		"""Paths that one channel cannot tell apart: B converts after A, never after C."""
		paths = [(("A", "B"), 1, 0), (("C", "B"), 0, 1)]
		self.assertEqual(markov(paths).credits, {"A": F(1, 4), "B": F(1, 2), "C": F(1, 4)})
		found = markov(paths, order=2)
		self.assertEqual(found.removal_effects, {"A": F(1), "B": F(1), "C": F(0)})
		self.assertEqual(found.credits, {"A": F(1, 2), "B": F(1, 2), "C": F(0)})

	def test_names_of_states_are_names_of_channels(self):
		names = {"A": "start", "B": "(conversion)", "C": "null"}
		paths = [(("A", "B", "A"), 3, 2), (("C", "A"), 1, 0), (("B",), 0, 5)]
		renamed = [(tuple(names[one] for one in path), *figures) for path, *figures in paths]
		for order in (1, 2):
			with self.subTest(order=order):
				plain, odd = markov(paths, order), markov(renamed, order)
				self.assertEqual({names[one]: value for one, value in plain.credits.items()}, odd.credits)

	def test_nothing_to_learn_from(self):
		for paths in ([], [((), 5, 5)], [(("A",), 0, 0)]):
			with self.subTest(paths=paths):
				self.assertEqual(markov(paths).credits, {})
				self.assertEqual(markov(paths).conversion_probability, 0)
		nobody = markov([(("A", "B"), 0, 3)])
		self.assertEqual((nobody.conversion_probability, nobody.credits), (0, {"A": 0, "B": 0}))
		everybody = markov([(("A",), 3, 0), (("B",), 1, 0)])
		self.assertEqual((everybody.conversion_probability, everybody.credits), (1, {"A": 3, "B": 1}))

	def test_what_cannot_be_is_refused(self):
		for paths, order in (([(("A",), -1, 0)], 1), ([(("A",), 0, -1)], 1), ([(("A",), 1, 0)], 0)):
			with self.subTest(paths=paths, order=order), self.assertRaises(ValueError):
				markov(paths, order)
		with self.assertRaises(ValueError):
			shapley([(("A",), -1, 0)])

	def test_more_states_than_can_be_solved_are_refused(self):
		many = [((f"Channel {number:03}",), 1, 1) for number in range(MOST_STATES)]
		self.assertEqual(markov(many).conversion_probability, F(1, 2))
		with self.assertRaisesRegex(ValueError, "lower order"):
			markov([*many, (("One more",), 1, 1)])

	@given(PATHS, st.integers(1, 3))
	@settings(max_examples=150)
	def test_it_is_what_the_definition_says(self, paths, order):
		found = markov(paths, order)
		whole = probability_without(paths, order, None)
		self.assertEqual(found.conversion_probability, whole)
		for channel, effect in found.removal_effects.items():
			lost = whole - probability_without(paths, order, channel)
			self.assertEqual(effect, lost / whole if whole else 0)

	@given(PATHS, st.integers(1, 3))
	def test_credits_sum_to_the_conversions(self, paths, order):
		self.assertEqual(sum(markov(paths, order).credits.values()), conversions_of(paths))

	@given(PATHS, st.randoms())
	def test_the_order_of_paths_and_how_they_are_counted_make_no_difference(self, paths, random):
		one_by_one = [
			(channels, int(number < conversions), int(number >= conversions))
			for channels, conversions, others in paths
			for number in range(conversions + others)
		]
		random.shuffle(one_by_one)
		self.assertEqual(markov(one_by_one), markov(paths))
		self.assertEqual(shapley(one_by_one), shapley(paths))

	@given(PATHS)
	def test_a_touch_that_comes_twice_in_a_row_is_as_good_as_one(self, paths):
		twice = [(tuple(one for one in path for _ in "12"), *figures) for path, *figures in paths]
		self.assertEqual(markov(twice), markov(paths))

	@given(PATHS)
	def test_a_channel_on_no_converting_path_has_no_effect(self, paths):
		paths = [*paths, (("Email", "Billboard"), 0, 2), (("Billboard",), 0, 1)]
		found = markov(paths)
		self.assertEqual((found.removal_effects["Billboard"], found.credits["Billboard"]), (0, 0))
		self.assertEqual(shapley(paths)["Billboard"], 0)


class TestShapley(unittest.TestCase):
	"""ATT-5: exact over the sets of channels that occur."""

	def test_sets_by_hand(self):
		"""Six by A alone, four by A and B in any order, three by all: 6 + 4/2 + 3/3, 4/2 + 3/3, 3/3."""
		paths = [(("A",), 6, 1), (("A", "B"), 3, 0), (("B", "A", "B"), 1, 9), (("C", "A", "B"), 3, 0)]
		self.assertEqual(shapley(paths), {"A": 9, "B": 3, "C": 1})

	@given(PATHS)
	def test_it_is_what_the_definition_says(self, paths):
		self.assertEqual(shapley(paths), shapley_by_definition(paths))
		self.assertEqual(sum(shapley(paths).values()), conversions_of(paths))

	@given(PATHS)
	def test_channels_that_do_the_same_get_the_same(self, paths):
		def with_twin(path):
			return tuple(name for one in path for name in ((one, "Twin") if one == "Email" else (one,)))

		found = shapley([(with_twin(path), *figures) for path, *figures in paths])
		self.assertEqual(found.get("Email"), found.get("Twin"))

	def test_many_channels_take_no_longer_than_the_sets_that_occur(self):
		"""Enumerating the subsets of sixty channels would never end."""
		path = tuple(f"Channel {number}" for number in range(60))
		self.assertEqual(set(shapley([(path, 3, 0)]).values()), {F(1, 20)})


class TestAlongAPath(unittest.TestCase):
	"""ATT-5: a conversion's credits follow from the values of the channels on its path."""

	def test_by_hand(self):
		values = {"Email": F(3, 10), "Paid Search": F(1, 10), "Referral": F(0)}
		shares = along(["Email", "Paid Search", "Referral", "Email", "Unheard of"], values)
		self.assertEqual(shares, [F(3, 8), F(1, 4), 0, F(3, 8), 0])

	def test_channels_without_values_share_equally(self):
		self.assertEqual(along(["Email", "Email", "Referral"], {"Paid Search": F(1)}), [F(1, 3)] * 3)

	@given(st.lists(CHANNELS, min_size=1), st.dictionaries(CHANNELS, st.fractions(0, 5)))
	def test_the_shares_sum_to_one(self, channels, values):
		shares = along(channels, values)
		self.assertEqual(sum(shares), 1)
		self.assertGreaterEqual(min(shares), 0)
