"""The arithmetic of velocity: stays, times, averages (RPT-1)."""

from __future__ import annotations

import statistics
import unittest
from datetime import datetime, timedelta

from trackflow.reports import velocity
from trackflow.reports.velocity import OTHERS, Change, Question, Times, Way, percentile
from trackflow.tests.properties import given, st

DAY = datetime(2026, 3, 1)
HOUR = timedelta(hours=1)
ASKED = Question(DAY, DAY + timedelta(days=10), DAY + timedelta(days=20))


def changes(*some: tuple[str, float], **more: object) -> list[Change]:
	"""Of one document, hours after DAY."""
	return [Change("LEAD-1", status, DAY + hours * HOUR, **more) for status, hours in some]


def hours(found: list[Times]) -> dict[str, tuple[list[float], list[float], int]]:
	"""Finished times and ages, in hours, and how many came back."""
	return {
		times.name: (
			[one / 3600 for one in times.finished],
			[one / 3600 for one in times.ages],
			times.returned,
		)
		for times in found
	}


class TestStages(unittest.TestCase):
	"""RPT-1: the time between stages."""

	def test_one_after_the_other(self) -> None:
		found = velocity.stages(changes(("New", 0), ("Contacted", 5), ("Qualified", 12)), ASKED)
		self.assertEqual(
			hours(found), {"New": ([5], [], 0), "Contacted": ([7], [], 0), "Qualified": ([], [468], 0)}
		)

	def test_back_and_forth_adds_up(self) -> None:
		found = hours(velocity.stages(changes(("A", 0), ("B", 2), ("A", 3), ("C", 7)), ASKED))
		self.assertEqual((found["A"], found["B"]), (([6], [], 1), ([1], [], 0)))

	def test_statuses_that_were_merged_are_one_stay(self) -> None:
		"""A change from a status to itself is what a merge leaves of one between the two."""
		found = hours(velocity.stages(changes(("A", 0), ("A", 2), ("A", 3), ("C", 7)), ASKED))
		self.assertEqual(found["A"], ([7], [], 0))

	def test_a_stage_that_was_entered_again_is_not_finished(self) -> None:
		found = hours(velocity.stages(changes(("A", 0), ("B", 2), ("A", 240)), ASKED))
		self.assertEqual(found["A"], ([], [240], 0))

	def test_of_the_period_is_what_ended_in_it(self) -> None:
		for left, expected in ((-0.001, {}), (0, {"A": ([48], [], 0)}), (240, {})):
			some = changes(("A", left - 48), ("B", left))
			found = hours(velocity.stages(some, ASKED))
			found.pop("B")
			self.assertEqual(found, expected)

	def test_a_lead_ends_with_its_deal(self) -> None:
		"""Neither its last status nor what is done with it afterwards is a time of waiting."""
		some = changes(("New", 0), ("Contacted", 1), ("Nurture", 9), closed_at=DAY + 4 * HOUR)
		self.assertEqual(
			hours(velocity.stages(some, ASKED)), {"New": ([1], [], 0), "Contacted": ([3], [], 0)}
		)
		some = changes(("New", 0), ("Qualified", 4), closed_at=DAY + 4 * HOUR)
		self.assertEqual(hours(velocity.stages(some, ASKED)), {"New": ([4], [], 0)})

	def test_who_is_gone_waits_no_more(self) -> None:
		found = hours(velocity.stages(changes(("A", 0), ("B", 1), is_there=False), ASKED))
		self.assertEqual(found, {"A": ([1], [], 0)})

	def test_groups(self) -> None:
		"""A document's campaign is that of its first row."""
		some = [
			Change("1", "A", DAY, "Spring"),
			Change("1", "B", DAY + HOUR, "Autumn"),
			Change("2", "A", DAY, "spring"),
			Change("2", "B", DAY + HOUR, "spring"),
			Change("3", "A", DAY, ""),
		]
		grouped = Question(ASKED.begin, ASKED.end, ASKED.now, by_group=True)
		found = {(one.group, one.name): one.size for one in velocity.stages(some, grouped)}
		self.assertEqual(found, {("Spring", "A"): 2, ("Spring", "B"): 2, ("", "A"): 1})
		only = Question(ASKED.begin, ASKED.end, ASKED.now, only="SPRING")
		self.assertEqual([(one.name, one.size) for one in velocity.stages(some, only)], [("A", 2), ("B", 2)])

	def test_small_groups_are_put_together(self) -> None:
		some = [Change(str(one), "A", DAY, f"campaign {one}") for one in range(velocity.MOST_GROUPS + 7)]
		grouped = Question(ASKED.begin, ASKED.end, ASKED.now, by_group=True)
		found = velocity.stages(some, grouped)
		self.assertEqual((len(found), found[-1].group, found[-1].size), (velocity.MOST_GROUPS + 1, OTHERS, 7))

	@given(
		st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0, 400)), min_size=1, max_size=12),
		st.none() | st.floats(0, 400),
	)
	def test_times_are_never_negative_and_never_more_than_there_was(
		self, steps: list[tuple[str, float]], closed: float | None
	) -> None:
		closed_at = None if closed is None else DAY + closed * HOUR
		some = changes(*sorted(steps, key=lambda step: step[1]), closed_at=closed_at)
		question = Question(DAY, DAY + timedelta(days=30), DAY + timedelta(days=30))
		found = velocity.stages(some, question)
		finished = [one for times in found for one in times.finished]
		ages = [one for times in found for one in times.ages]
		self.assertTrue(all(one >= 0 for one in (*finished, *ages)))
		whole = (max(some[-1].at, closed_at or DAY) - some[0].at).total_seconds()
		self.assertLessEqual(sum(finished), whole + 0.001)
		self.assertEqual(len(ages), closed_at is None)


class TestWays(unittest.TestCase):
	"""RPT-1: the whole way, from lead to deal to won."""

	def test_ways(self) -> None:
		end = DAY + 30 * HOUR
		some = [
			Way("won", DAY, end, "a"),
			Way("won", DAY + 10 * HOUR, end, "b"),
			Way("won", end, DAY, "a"),
			Way("won", None, end, "a"),
			Way("won", DAY, None, "a"),
			Way("won", DAY, ASKED.end, "a"),
		]
		self.assertEqual(hours(velocity.ways(some, ASKED)), {"won": ([30, 20], [], 0)})


class TestFigures(unittest.TestCase):
	"""RPT-1: median, mean, 90th percentile, count."""

	def test_figures(self) -> None:
		times = Times("", "A")
		times.finished.extend([5, 1, 2, 3, 4, 6, 7, 8, 9, 100])
		times.ages.extend([10, 30])
		figures = velocity.figures(times)
		self.assertEqual((figures.count, figures.median, figures.mean), (10, 5.5, 14.5))
		self.assertAlmostEqual(figures.most, 18.1)
		self.assertEqual((figures.waiting, figures.median_age, figures.oldest), (2, 20, 30))

	def test_of_nothing(self) -> None:
		figures = velocity.figures(Times("", "A"))
		self.assertEqual((figures.count, figures.median, figures.mean, figures.most), (0, None, None, None))

	@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=50), st.floats(0, 1))
	def test_a_percentile_lies_between(self, values: list[float], part: float) -> None:
		values.sort()
		found = percentile(values, part)
		self.assertTrue(values[0] <= found <= values[-1])
		self.assertAlmostEqual(percentile(values, 0.5), statistics.median(values), delta=1e-6 * values[-1])
