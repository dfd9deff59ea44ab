"""Local times that occur twice or never: what has begun stays so, what is over stays over (RED-2, RED-3)."""

from __future__ import annotations

import unittest
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from trackflow.redirect.decision import Facts, Link, decide
from trackflow.redirect.rules import Rule, Traits, fits
from trackflow.tests.properties import given, st
from trackflow.times import advancing_time, site_time

HOUR = 3600
BERLIN = ZoneInfo("Europe/Berlin")
# When the clock is put back and forth, and by how much: an hour, half an hour, two hours.
CHANGES = {
	"Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
	"America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
	"Australia/Lord_Howe": (datetime(2026, 10, 3, 15, 30, tzinfo=UTC), datetime(2026, 4, 4, 15, tzinfo=UTC)),
	"Antarctica/Troll": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
}
MOMENTS = st.builds(
	lambda zone, which, seconds: (ZoneInfo(zone), CHANGES[zone][which], seconds),
	st.sampled_from(sorted(CHANGES)),
	st.integers(0, 1),
	st.floats(-3 * HOUR, 3 * HOUR),
)


def berlin(text: str) -> datetime:
	return advancing_time(datetime.fromisoformat(f"2026-10-25T{text}+00:00").timestamp(), BERLIN)


class TestAdvancingTime(unittest.TestCase):
	def test_the_hour_that_comes_twice(self) -> None:
		for utc, local in (
			("00:00:00", "02:00:00"),
			("00:40:00", "02:40:00"),
			("00:59:59.999999", "02:59:59.999999"),
			("01:00:00", "02:59:59.999999"),
			("01:20:00.5", "02:59:59.999999"),
			("01:59:59.999999", "02:59:59.999999"),
			("02:00:00", "03:00:00"),
		):
			self.assertEqual(berlin(utc), datetime.fromisoformat(f"2026-10-25T{local}"), utc)

	@given(MOMENTS, st.floats(0, 3 * HOUR))
	def test_it_never_goes_back(self, moment: tuple[ZoneInfo, datetime, float], later: float) -> None:
		zone, change, seconds = moment
		first = change.timestamp() + seconds
		self.assertLessEqual(advancing_time(first, zone), advancing_time(first + later, zone))

	@given(MOMENTS)
	def test_it_is_the_clocks_time_but_for_a_second_pass(
		self, moment: tuple[ZoneInfo, datetime, float]
	) -> None:
		zone, change, seconds = moment
		at = change.timestamp() + seconds
		if datetime.fromtimestamp(at, zone).fold:
			self.assertGreater(advancing_time(at, zone), site_time(at, zone) - timedelta(microseconds=1))
			self.assertLess(advancing_time(at, zone) - site_time(at, zone), timedelta(hours=2))
		else:
			self.assertEqual(advancing_time(at, zone), site_time(at, zone))


class TestWhatHasATime(unittest.TestCase):
	"""Over both changes of the clock, minute by minute, for every quarter of an hour that somebody may have entered."""

	def test_starts_ends_and_rules_change_once(self) -> None:
		for name, changes in CHANGES.items():
			zone = ZoneInfo(name)
			for change in changes:
				start = change.timestamp() - 4 * HOUR
				nows = [advancing_time(start + 60 * minute, zone) for minute in range(8 * 60)]
				for quarter in range(20):
					entered = site_time(start + HOUR, zone).replace(minute=0) + timedelta(
						minutes=15 * quarter
					)
					with self.subTest(zone=name, change=change, entered=entered):
						self.assert_changes_once(nows, entered)

	def assert_changes_once(self, nows: list[datetime], entered: datetime) -> None:
		ends = Link("n", "c", "Active", "https://a.example", expires_on=entered)
		starts = Link("n", "c", "Active", "https://a.example", starts_on=entered)
		until = Rule("Date", "https://a.example", ends_on=entered)
		states = [
			(
				decide(ends, Facts("v", now)).status,
				decide(starts, Facts("v", now)).status,
				fits(until, Traits(), "", now),
			)
			for now in nows
		]
		before, after = (302, 404, True), (410, 302, False)
		turn = states.index(after)
		self.assertEqual(states, [before] * turn + [after] * (len(states) - turn))
