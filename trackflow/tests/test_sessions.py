"""Sessions and touch points as pure functions of hits (COL-6, TCH-1)."""

import unittest
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trackflow.tracking.sessions import Hit, sessionize
from trackflow.tracking.visits import chain

NOON = datetime(2026, 3, 2, 12)
TIMEOUT = timedelta(minutes=30)
SHOP = "https://shop.example.com"


def page(minute: float, number: int | str = 0, **values: object) -> Hit:
	values = {"url": f"{SHOP}/{number}", **values}
	at = NOON + timedelta(minutes=minute)
	return Hit(id=f"e{minute}-{number}", at=at, kind="event", event_type="PAGE_VIEW", **values)


def click(minute: float, link: str = "L1", **values: object) -> Hit:
	values = {"source": "newsletter", "medium": "email", "campaign": "spring", **values}
	return Hit(
		id=f"c{minute}", at=NOON + timedelta(minutes=minute), kind="click", tracked_link=link, **values
	)


def leaving(minute: float, number: int | str = 0, **values: object) -> Hit:
	"""What a page sends when it is left."""
	sent = replace(page(minute, number, **values), event_type="CUSTOM", event_name="engagement")
	return replace(sent, id=f"l{minute}-{number}")


def cut(*hits: Hit) -> list:
	return sessionize(hits, TIMEOUT, {"shop.example.com"})


class TestSessionEnds(unittest.TestCase):
	"""COL-6: 30 minutes since the last event, or other campaign parameters."""

	def test_thirty_minutes_of_silence_are_still_one_session(self) -> None:
		self.assertEqual(len(cut(page(0), page(30), page(60))), 1)

	def test_a_microsecond_more_begins_another(self) -> None:
		late = replace(page(30), at=NOON + TIMEOUT + timedelta(microseconds=1))
		self.assertEqual([len(session.hits) for session in cut(page(0), late)], [1, 1])

	def test_other_campaign_parameters_begin_another(self) -> None:
		sessions = cut(page(0, source="a", medium="m"), page(1), page(2, source="b", medium="m"), page(3))
		self.assertEqual([len(session.hits) for session in sessions], [2, 2])

	def test_the_same_parameters_in_other_case_do_not(self) -> None:
		self.assertEqual(
			len(cut(page(0, source="News", medium="Email"), page(1, source="news", medium="email"))), 1
		)

	def test_a_campaign_ends_a_direct_session(self) -> None:
		self.assertEqual(len(cut(page(0), page(1, source="a", medium="m"))), 2)

	def test_another_ad_of_the_same_platform_begins_another(self) -> None:
		sessions = cut(page(0, click_ids=(("gclid", "1"),)), page(1, click_ids=(("gclid", "2"),)))
		self.assertEqual(len(sessions), 2)

	def test_another_link_begins_another_and_a_double_click_does_not(self) -> None:
		self.assertEqual(len(cut(click(0, "L1"), click(1, "L2"))), 2)
		self.assertEqual(len(cut(click(0, "L1"), click(1, "L1"))), 1)


class TestLeavingAPage(unittest.TestCase):
	"""TCH-1: what a page sends when it is left comes after the click that leads away from it, and begins no visit."""

	FIRST = {"source": "newsletter", "medium": "email", "campaign": "spring"}
	NEXT = {"source": "newsletter", "medium": "poster", "campaign": "spring"}

	def test_the_next_link_begins_the_next_visit_and_nothing_else_does(self) -> None:
		sessions = cut(
			page(0, "first", **self.FIRST),
			click(5, "L2", **self.NEXT),
			leaving(
				5.01, "first", **self.FIRST, click_ids=(("gclid", "1"),), referrer="https://blog.example.org/"
			),
			page(5.02, "next", **self.NEXT),
			page(6, "more"),
		)
		self.assertEqual([len(session.hits) for session in sessions], [1, 4])
		figures = sessions[1].derived()
		self.assertEqual((figures["medium"], figures["gclid"], figures["referrer"]), ("poster", "", ""))

	def test_back_on_the_first_page_is_another_visit(self) -> None:
		"""That the page said goodbye in the next visit does not make its campaign one of that visit's."""
		sessions = cut(
			page(0, **self.FIRST),
			page(5, 1, **self.NEXT),
			leaving(5.1, **self.FIRST),
			page(6, 2, **self.FIRST),
		)
		self.assertEqual([len(session.hits) for session in sessions], [1, 2, 1])

	def test_alone_it_says_where_it_came_from(self) -> None:
		"""Somebody came back to an open page an hour later."""
		sessions = cut(page(0, **self.FIRST), leaving(60, **self.FIRST), page(61, 1, **self.FIRST))
		self.assertEqual([len(session.hits) for session in sessions], [1, 2])
		self.assertEqual(cut(leaving(60, **self.FIRST))[0].attributes()["medium"], "email")


class TestClickAndVisit(unittest.TestCase):
	"""TCH-1: a click and the visit that it led to are one session and one touch."""

	def test_joined_by_the_same_parameters(self) -> None:
		landing = page(1, source="newsletter", medium="email", campaign="spring")
		self.assertEqual(len(cut(click(0), landing)), 1)

	def test_joined_by_the_click_id_whatever_the_page_says(self) -> None:
		landing = page(1, source="other", medium="thing", click_ref="c0")
		(session,) = cut(click(0), landing)
		self.assertEqual(session.attributes()["source"], "newsletter")

	def test_joined_by_time_where_the_page_says_nothing(self) -> None:
		self.assertEqual(len(cut(click(0), page(1))), 1)

	def test_a_link_without_parameters_is_not_direct(self) -> None:
		(session,) = cut(click(0, source="", medium="", campaign=""))
		self.assertEqual(session.attributes()["channel"], "Unassigned")


class TestFigures(unittest.TestCase):
	"""COL-6: entry, exit, duration, bounce, page views."""

	def test_of_a_visit(self) -> None:
		(session,) = cut(click(0), page(1, "in"), page(4, "out"))
		figures = session.derived()
		self.assertEqual(
			(figures["page_views"], figures["duration_seconds"], figures["is_bounce"]), (2, 240, 0)
		)
		self.assertEqual((figures["entry_page"], figures["exit_page"]), (f"{SHOP}/in", f"{SHOP}/out"))
		self.assertEqual((figures["tracked_link"], figures["click_event"]), ("L1", "c0"))

	def test_one_page_and_nothing_else_is_a_bounce(self) -> None:
		form = Hit(id="f", at=NOON, kind="event", event_type="FORM_SUBMIT")
		consent = Hit(id="g", at=NOON, kind="event", event_type="CONSENT")
		self.assertEqual(cut(page(0))[0].derived()["is_bounce"], 1)
		self.assertEqual(cut(page(0), consent)[0].derived()["is_bounce"], 1)
		self.assertEqual(cut(page(0), form)[0].derived()["is_bounce"], 0)

	def test_a_page_that_was_only_looked_at_stays_a_bounce(self) -> None:
		def custom(name: str) -> Hit:
			at = NOON + timedelta(minutes=9)
			return Hit(id=name, at=at, kind="event", event_type="CUSTOM", event_name=name)

		figures = cut(page(0), custom("engagement"))[0].derived()
		self.assertEqual((figures["is_bounce"], figures["event_count"]), (1, 1))
		self.assertEqual(figures["duration_seconds"], 540)
		figures = cut(page(0), custom("video"))[0].derived()
		self.assertEqual((figures["is_bounce"], figures["event_count"]), (0, 2))

	def test_where_a_visit_came_from(self) -> None:
		cases = [
			(page(0), "Direct", ""),
			(page(0, referrer="https://www.google.com/"), "Organic Search", "google"),
			(page(0, referrer=f"{SHOP}/cart"), "Direct", ""),
			(page(0, referrer="https://blog.example.org/post"), "Referral", "blog.example.org"),
			(page(0, source="google", medium="cpc"), "Paid Search", "google"),
		]
		for hit, channel, source in cases:
			found = cut(hit)[0].attributes()
			self.assertEqual((found["channel"], found["source"]), (channel, source))


hits = st.lists(
	st.builds(
		lambda make, minute, campaign, number: make(
			minute, number, source=campaign, medium="m" if campaign else "", campaign=campaign
		),
		make=st.sampled_from([page, page, leaving]),
		minute=st.integers(0, 300),
		campaign=st.sampled_from(["", "", "a", "b"]),
		number=st.integers(0, 5),
	),
	min_size=1,
	max_size=14,
	unique_by=lambda hit: hit.id,
)


class TestPortions(unittest.TestCase):
	"""COL-6: late and out-of-order events land in the right session."""

	@given(hits, st.randoms())
	def test_the_order_of_arrival_does_not_matter(self, hits: list[Hit], random: object) -> None:
		shuffled = list(hits)
		random.shuffle(shuffled)
		self.assertEqual(cut(*shuffled), cut(*hits))

	@given(hits)
	def test_every_hit_is_in_one_session_and_none_has_a_gap(self, hits: list[Hit]) -> None:
		sessions = cut(*hits)
		self.assertEqual(
			sorted(hit.id for one in sessions for hit in one.hits), sorted(hit.id for hit in hits)
		)
		for session in sessions:
			self.assertTrue(all(b.at - a.at <= TIMEOUT for a, b in pairwise(session.hits)))

	@given(hits, st.integers(0, 13))
	def test_cutting_again_around_a_late_hit_gives_what_all_at_once_gives(
		self, hits: list[Hit], late: int
	) -> None:
		"""What `Visits` does: only the sessions that the late hit reaches, directly or through others, are cut again."""
		newcomer = hits[late % len(hits)]
		stored = [
			{"session_start": one.start, "session_end": one.end, "session": one}
			for one in cut(*(hit for hit in hits if hit != newcomer))
		]
		reached = chain(stored, (newcomer.at, newcomer.at), TIMEOUT)
		again = cut(newcomer, *(hit for row in reached for hit in row["session"].hits))
		rest = [row["session"] for row in stored if row not in reached]
		self.assertEqual(sorted([*again, *rest], key=lambda one: one.start), cut(*hits))
