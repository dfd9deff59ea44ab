"""Which version of what a model learnt credits a conversion (ATT-4, ATT-5)."""

import unittest
from datetime import date, timedelta
from fractions import Fraction as F

from trackflow.attribution.data_driven import along
from trackflow.attribution.versions import Values, Version, concerned_since, from_text, to_text, version_for
from trackflow.tests.properties import given, st

FIRST = date(2026, 3, 2)
WEEK = timedelta(days=7)


def version(number: int, weeks: int, is_too_little: bool = False) -> Version:
	return Version(f"t{number}", number, FIRST + WEEK * weeks, is_too_little, 5, 5)


VERSIONS = st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=6).map(
	lambda some: [version(number, *one) for number, one in enumerate(some, 1)]
)
DAYS = st.integers(-10, 50).map(lambda days: FIRST + timedelta(days=days))


class TestChoice(unittest.TestCase):
	"""ATT-4: a function of what is stored: the newest that had learnt before the conversion, or else the first."""

	def number(self, versions: list[Version], day: date) -> int | None:
		found = version_for(versions, day)
		return found.number if found else None

	def test_the_newest_that_learnt_before(self):
		versions = [version(1, 0), version(2, 1), version(3, 2)]
		for day, expected in (
			(FIRST - timedelta(days=400), 1),
			(FIRST, 1),
			(FIRST + WEEK - timedelta(days=1), 1),
			(FIRST + WEEK, 2),
			(FIRST + WEEK * 9, 3),
		):
			with self.subTest(day=day):
				self.assertEqual(self.number(versions, day), expected)
				self.assertEqual(self.number(versions[::-1], day), expected)

	def test_of_one_day_the_higher_number(self):
		versions = [version(1, 0), version(2, 0)]
		for day in (FIRST - WEEK, FIRST, FIRST + WEEK):
			self.assertEqual(self.number(versions, day), 2)

	def test_too_little_data_credits_nobody_where_another_has_enough(self):
		versions = [version(1, 0, True), version(2, 1), version(3, 2, True)]
		for day in (FIRST - WEEK, FIRST, FIRST + WEEK * 3):
			self.assertEqual(self.number(versions, day), 2)

	def test_too_little_data_is_said(self):
		found = version_for([version(1, 0, True), version(2, 1, True)], FIRST)
		self.assertEqual((found.number, found.is_too_little), (2, True))

	def test_nothing_was_learnt(self):
		self.assertIsNone(version_for([], FIRST))


class TestConcerned(unittest.TestCase):
	"""ATT-4: after a new version only the conversions that it concerns are credited again."""

	def test_what_a_later_version_concerns(self):
		self.assertEqual(concerned_since([version(1, 0)], version(2, 1)), FIRST + WEEK)

	def test_the_first_with_enough_concerns_all(self):
		self.assertEqual(concerned_since([], version(1, 0)), date.min)
		self.assertEqual(concerned_since([version(1, 0, True)], version(2, 1)), date.min)

	def test_too_little_concerns_none(self):
		self.assertIsNone(concerned_since([version(1, 0)], version(2, 1, True)))

	@given(VERSIONS, st.tuples(st.integers(0, 5), st.booleans()), DAYS)
	def test_no_other_day_changes(self, former, one, day):
		new = version(len(former) + 1, *one)
		since = concerned_since(former, new)

		def credited_by(versions: list[Version]) -> Version | None:
			found = version_for(versions, day)
			return found if found and not found.is_too_little else None

		if since is None or day < since:
			self.assertEqual(credited_by([*former, new]), credited_by(former))


class TestValues(unittest.TestCase):
	"""ATT-5: shares that are remembered are those of the path, in its order."""

	@given(
		st.dictionaries(st.sampled_from("ABCD"), st.fractions(0, 9), max_size=3),
		st.lists(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=6), max_size=4),
	)
	def test_as_worked_out_alone(self, values, journeys):
		remembering = Values(values)
		for channels in [*journeys, *map(sorted, journeys)]:
			self.assertEqual(remembering.along(channels), along(channels, values))


class TestText(unittest.TestCase):
	"""ATT-5: values are kept exactly."""

	def test_as_it_is_stored(self):
		self.assertEqual(
			to_text({"Paid Search": F(1), "E-Mail “neu”": F(2, 3)}),
			'{"E-Mail “neu”": "2/3", "Paid Search": "1/1"}',
		)
		self.assertEqual(from_text(None), {})

	@given(st.dictionaries(st.text(), st.fractions()))
	def test_there_and_back(self, values):
		self.assertEqual(from_text(to_text(values)), values)
