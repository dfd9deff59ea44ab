"""The paths of conversions (ATT-7): most common ones, lengths, times, assists."""

import unittest
from decimal import Decimal
from itertools import pairwise
from unittest.mock import patch

import frappe

from trackflow.attribution import path_figures, paths, telling_paths
from trackflow.attribution.path_figures import Converted, figures, spread, steps
from trackflow.tests.factories import changed_model, channel_rules, make_conversion, make_journey
from trackflow.tests.properties import given, st
from trackflow.tests.test_comparison import DAY, END, MARCH, ComparisonTestCase

SECONDS = 86_400
CHANNELS = st.lists(st.sampled_from(["Email", "Direct", "Paid Search"]), max_size=8)


class TestPathArithmetic(unittest.TestCase):
	"""ATT-7: paths, lengths, times and assists."""

	@given(CHANNELS)
	def test_steps_are_the_path(self, channels: list[str]) -> None:
		found = steps(channels)
		self.assertEqual([channel for channel, touches in found for _each in range(touches)], channels)
		self.assertTrue(all(one[0] != other[0] for one, other in pairwise(found)))

	@given(st.lists(st.tuples(CHANNELS, st.booleans(), st.integers(0, 999)), max_size=20), st.integers(1, 5))
	def test_everything_is_counted_once(self, some: list[tuple[list[str], bool, int]], limit: int) -> None:
		found = figures(
			Converted(channels, END, END, END, is_counted, Decimal(cents) / 100, "EUR")
			for channels, is_counted, cents in some
		)
		common, different, rest = found.most_common(limit)
		parts = [found.without_touch, rest, *(brought for _steps, brought in common)]
		self.assertEqual(
			sum(part.conversions for part in parts), sum(is_counted for _c, is_counted, _v in some)
		)
		total = Decimal(sum(cents for _channels, _counted, cents in some)) / 100
		self.assertEqual(sum(part.value.get("EUR", Decimal(0)) for part in parts), total)
		self.assertEqual(
			len({tuple(channels) for channels, *_more in some if channels}), len(common) + different
		)
		with_touch = [channels for channels, is_counted, _value in some if channels and is_counted]
		self.assertEqual(sum(one.first for one in found.by_channel.values()), len(with_touch))
		self.assertEqual(sum(one.last for one in found.by_channel.values()), len(with_touch))
		for name, one in found.channels():
			self.assertEqual(one.conversions, sum(name in channels for channels in with_touch))
			self.assertEqual(
				one.assists, sum(name in channels and channels[-1] != name for channels in with_touch)
			)

	def test_steps_are_kept_once(self) -> None:
		"""50,000 paths of 100 steps stay small."""
		found = figures(Converted(channels.split(), END, END, END) for channels in ("A B", "A B C"))
		one, other = found.by_path
		self.assertIs(one[0], other[0])

	def test_of_nothing(self) -> None:
		self.assertEqual(spread([]), (None, None))
		self.assertEqual(spread([1, 2, 9]), (2, 4))

	def test_the_last_touches_of_long_paths(self) -> None:
		channels = ["Direct", *["Email"] * path_figures.MOST_TOUCHES]
		found = figures([Converted(channels, END, END, END)])
		self.assertEqual(list(found.by_path), [(("Email", path_figures.MOST_TOUCHES),)])
		self.assertEqual((found.lengths[0], found.by_channel["Direct"].assists), (101, 1))


class TestPaths(ComparisonTestCase):
	"""ATT-7: the paths of conversions, worked out with a pencil."""

	def setUp(self) -> None:
		super().setUp()
		for _each in range(2):
			self.person("Paid Search", "Email", "Email", "Direct", value=10.01)
		self.person("Email", value=5)
		self.person("Email", value=5, currency="EUR")
		self.person("Email", "Paid Search", value=0)
		self.person()
		self.found = telling_paths.paths_answer(*MARCH, 2)

	def test_the_most_common(self) -> None:
		self.assertEqual(
			[(one["path"], one["conversions"], one["value"]) for one in self.found["paths"]],
			[
				("Email", 2, {"EUR": 5, "USD": 5}),
				("Paid Search → Email ×2 → Direct", 2, {"USD": 20.02}),
			],
		)
		self.assertEqual(self.found["paths"][1]["steps"][1], {"channel": "Email", "touches": 2})
		self.assertEqual(self.found["others"], {"paths": 1, "conversions": 1, "value": {}})
		self.assertEqual(self.found["without_touch"], {"conversions": 1, "value": {"USD": 100}})
		self.assertEqual(self.found["totals"], {"conversions": 6, "value": {"EUR": 5, "USD": 125.02}})

	def test_lengths_and_times(self) -> None:
		"""Four touches twice, one twice, two once; a day between touches, and the conversion with the last one."""
		self.assertEqual(self.found["touches"], {"median": 2, "mean": 2.4})
		days = {"median": 1 * SECONDS, "mean": 7 * SECONDS / 5}
		self.assertEqual(self.found["seconds_to_conversion"], days)
		self.assertEqual(self.found["seconds_to_last_touch"], days)

	def test_assists(self) -> None:
		columns = ("channel", "conversions", "first", "last", "assists", "assists_by_last")
		self.assertEqual(
			[tuple(one[column] for column in columns) for one in self.found["channels"]],
			[("Email", 5, 3, 2, 3, 1.5), ("Paid Search", 3, 2, 1, 2, 2), ("Direct", 2, 0, 2, 0, 0)],
		)

	def test_a_model_has_its_window_and_its_names(self) -> None:
		rules = (
			{"channel_name": "News", "match_conditions": '{"source": "email"}'},
			{"channel_name": "Closer", "match_conditions": '{"position": "last", "channel": "Paid*"}'},
		)
		with channel_rules("Linear", *rules), changed_model("Linear", lookback_days=1):
			found = telling_paths.paths_answer(*MARCH, 5, model_name="Linear")
		self.assertEqual(
			{one["path"]: one["conversions"] for one in found["paths"]},
			{"News → Direct": 2, "News": 2, "News → Closer": 1},
		)
		self.assertEqual(found["model"], "Linear")

	def test_time_after_the_last_touch(self) -> None:
		visitor = self.visitor()
		make_journey(visitor, "Referral", "Referral", end=END)
		make_conversion(visitor, END + 3 * DAY, "Call")
		found = telling_paths.paths_answer(*MARCH, 5, "Call")
		self.assertEqual(found["seconds_to_conversion"], {"median": 4 * SECONDS, "mean": 4 * SECONDS})
		self.assertEqual(found["seconds_to_last_touch"], {"median": SECONDS, "mean": SECONDS})

	def test_chunks_change_nothing(self) -> None:
		with patch.object(paths, "AT_ONCE", 2):
			self.assertEqual(telling_paths.paths_answer(*MARCH, 2), self.found)

	def test_too_many(self) -> None:
		with patch.object(telling_paths, "MOST_CONVERSIONS", 6):
			self.assertEqual(telling_paths.paths_answer(*MARCH, 2), self.found)
		with patch.object(telling_paths, "MOST_CONVERSIONS", 5), self.assertRaises(frappe.ValidationError):
			telling_paths.paths_answer(*MARCH, 2)
