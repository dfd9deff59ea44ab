"""The funnel's arithmetic, and what a CRM's statuses mean to it (RPT-1)."""

from __future__ import annotations

import unittest
from itertools import pairwise

from trackflow.reports import funnel, stages
from trackflow.reports.funnel import OTHERS, Shape, Tally, Visits
from trackflow.reports.stages import Status
from trackflow.tests.properties import given, st

LENGTH = 5
tallies = st.lists(
	st.builds(
		Tally,
		group=st.sampled_from(["", "a", "A", "b"]),
		step=st.integers(0, LENGTH - 1),
		is_lost=st.booleans(),
		count=st.integers(0, 1000),
	),
	max_size=20,
)


class TestChain(unittest.TestCase):
	"""RPT-1: who reached a step has passed those before."""

	def test_figures(self) -> None:
		chain = funnel.chain(
			[
				Tally("", 0, False, 40),
				Tally("", 1, True, 10),
				Tally("", 2, False, 30),
				Tally("", 3, False, 20),
			],
			4,
		)
		self.assertEqual([step.count for step in chain], [100, 60, 50, 20])
		self.assertEqual([step.of_step_before for step in chain], [None, 60, 100 * 50 / 60, 40])
		self.assertEqual([step.of_entry for step in chain], [100, 60, 50, 20])
		self.assertEqual(
			[(step.lost, step.still_open) for step in chain], [(0, 40), (10, 0), (0, 30), (0, 0)]
		)

	def test_nobody(self) -> None:
		(only,) = set(funnel.chain([], LENGTH))
		self.assertEqual((only.count, only.of_step_before, only.of_entry), (0, None, None))

	@given(tallies)
	def test_it_never_grows(self, some: list[Tally]) -> None:
		counts = [step.count for step in funnel.chain(some, LENGTH)]
		self.assertEqual(counts, sorted(counts, reverse=True))
		self.assertEqual(counts[0], funnel.total(some))

	@given(tallies)
	def test_whoever_does_not_go_on_is_lost_or_open(self, some: list[Tally]) -> None:
		chain = funnel.chain(some, LENGTH)
		for step, following in pairwise(chain):
			self.assertEqual(step.count - following.count, step.lost + step.still_open)

	@given(tallies)
	def test_shares_are_per_cent(self, some: list[Tally]) -> None:
		for step in funnel.chain(some, LENGTH):
			for share in (step.of_step_before, step.of_entry):
				self.assertTrue(share is None or 0 <= share <= 100)


class TestShape(unittest.TestCase):
	"""RPT-1: a lead's statuses, its deal's stages and won are one chain."""

	def test_steps(self) -> None:
		shape = Shape(lead_steps=3, deal_steps=2)
		self.assertEqual((shape.of_leads, shape.of_deals), (8, 4))
		for status, stage, is_won, expected in (
			(0, None, False, 0),
			(2, None, False, 2),
			# A deal is made of a lead that has passed its statuses, whatever was kept of them.
			(1, 0, False, 4),
			(1, 2, False, 6),
			(0, 1, True, 7),
		):
			self.assertEqual(shape.lead_step(status, stage, is_won), expected)
		self.assertEqual((shape.deal_step(2, False), shape.deal_step(0, True)), (2, 3))


class TestGroups(unittest.TestCase):
	"""RPT-1: by campaign, source or medium."""

	def test_largest_first_whatever_their_case(self) -> None:
		leads = [Tally("Spring", 0, False, 1), Tally("spring ", 1, False, 2), Tally("Autumn", 0, False, 5)]
		found = funnel.groups([Visits("SPRING", 7, 4)], leads, [Tally("", 0, False, 9)])
		self.assertEqual(
			[(one.name, funnel.total(one.leads), funnel.total(one.deals), one.sessions) for one in found],
			[("Autumn", 5, 0, 0), ("Spring", 3, 0, 7), ("", 0, 9, 0)],
		)

	@given(st.integers(0, 2 * funnel.MOST_GROUPS))
	def test_small_ones_are_put_together(self, number: int) -> None:
		visits = [Visits(f"campaign {one}", one + 1, one + 1) for one in range(number)]
		found = funnel.groups(visits, [], [])
		self.assertEqual(len(found), min(number, funnel.MOST_GROUPS + 1))
		self.assertEqual(sum(one.visitors for one in found), sum(one.visitors for one in visits))
		self.assertEqual([one.name for one in found if one.name is OTHERS], [OTHERS] * (number > 50))


class TestMeanings(unittest.TestCase):
	"""RPT-1: statuses named and ordered as somebody likes."""

	def test_by_type(self) -> None:
		found = stages.of_deals(
			[
				Status("Gewonnen", 1, "Won"),
				Status("Angebot", 3, "Ongoing"),
				Status("Won", 2, "Open"),
				Status("Pause", 4, "On Hold"),
				Status("Verloren", 5, "Lost"),
				Status("Neu", 3, ""),
			]
		)
		self.assertEqual(
			(found.steps, found.won, found.lost, found.on_hold),
			(("Won", "Angebot", "Neu"), ("Gewonnen",), ("Verloren",), ("Pause",)),
		)

	def test_by_name_where_there_are_no_types(self) -> None:
		names = ("New", "Contacted", "Qualified", "Unqualified", "Junk", "Won", "Lost")
		statuses = [Status(name, number) for number, name in enumerate(names)]
		self.assertEqual(
			stages.of_deals(statuses),
			stages.Stages(("New", "Contacted", "Qualified"), ("Won",), ("Unqualified", "Junk", "Lost")),
		)

	def test_a_lead_that_is_won_goes_on(self) -> None:
		found = stages.of_leads(
			[Status("Qualified", 1, "Won"), Status("New", 2, "Open"), Status("Junk", 3, "Lost")]
		)
		self.assertEqual((found.steps, found.won, found.lost), (("New", "Qualified"), (), ("Junk",)))
