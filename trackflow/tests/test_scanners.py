"""Mail scanners: told by how many links they open at once, and taken back where people were counted (RED-4)."""

import random
import time
import unittest
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import frappe

from trackflow.stream import drain, writer
from trackflow.tests.base import CHROME, GOOGLEBOT, TrackFlowTestCase
from trackflow.tests.factories import VISITOR, click_record, event_record, make_campaign, make_link
from trackflow.tests.properties import given, settings, st
from trackflow.tracking import bursts, counters, repair, store
from trackflow.tracking.bursts import Click, scanned

NOON = datetime(2026, 3, 1, 12)


def click(number: int, seconds: float, link: str, mailing: str = "") -> Click:
	return Click(f"c{number:03}", NOON + timedelta(seconds=seconds), link, mailing)


CLICKS = st.lists(
	st.builds(
		click,
		number=st.integers(0, 999),
		seconds=st.integers(0, 40),
		link=st.sampled_from("abcdefghijklmn"),
		mailing=st.sampled_from(["", "spring", "summer"]),
	),
	max_size=40,
	unique_by=lambda one: one.id,
)


class TestBursts(unittest.TestCase):
	"""RED-4: three links of one e-mail campaign, or ten of any, within ten seconds."""

	def test_three_links_of_one_mailing(self) -> None:
		clicks = [click(index, index * 5, "abc"[index], "spring") for index in range(3)]
		self.assertEqual(scanned(clicks), {"c000", "c001", "c002"})
		self.assertEqual(scanned(clicks[:2]), set())

	def test_one_link_again_and_again_is_no_scanner(self) -> None:
		self.assertEqual(
			scanned(click(index, index, "ab"[index % 2], "spring") for index in range(30)), set()
		)

	def test_links_of_different_mailings_or_none(self) -> None:
		self.assertEqual(scanned(click(index, 1, "abc"[index], str(index)) for index in range(3)), set())
		self.assertEqual(scanned(click(index, 1, str(index)) for index in range(9)), set())
		self.assertEqual(len(scanned(click(index, 1, str(index)) for index in range(10))), 10)

	def test_ten_seconds_and_no_more(self) -> None:
		self.assertEqual(
			len(scanned(click(index, at, str(index), "m") for index, at in enumerate((0, 5, 10)))), 3
		)
		self.assertEqual(
			scanned(click(index, at, str(index), "m") for index, at in enumerate((0, 5, 10.001))), set()
		)

	@given(CLICKS, st.randoms())
	def test_the_order_does_not_matter(self, clicks: list[Click], chance: random.Random) -> None:
		shuffled = list(clicks)
		chance.shuffle(shuffled)
		self.assertEqual(scanned(shuffled), scanned(clicks))

	@given(CLICKS)
	def test_it_is_what_the_rule_says(self, clicks: list[Click]) -> None:
		expected: set[str] = set()
		for first in clicks:
			span = [one for one in clicks if first.at <= one.at <= first.at + bursts.WITHIN]
			if len({one.link for one in span}) >= bursts.LINKS:
				expected |= {one.id for one in span}
			for mailing in {one.mailing for one in span} - {""}:
				some = [one for one in span if one.mailing == mailing]
				if len({one.link for one in some}) >= bursts.LINKS_OF_MAILING:
					expected |= {one.id for one in some}
		self.assertEqual(scanned(clicks), expected)

	@given(CLICKS, st.lists(st.integers(0, 40), max_size=4))
	def test_in_portions_as_at_once(self, clicks: list[Click], cuts: list[int]) -> None:
		"""Each portion is seen with what came before, no further away than the rule reaches."""
		found: set[str] = set()
		known: list[Click] = []
		edges = [0, *sorted(min(cut, len(clicks)) for cut in cuts), len(clicks)]
		for begin, end in pairwise(edges):
			portion = clicks[begin:end]
			known += portion
			if portion:
				early = min(one.at for one in portion) - bursts.WITHIN
				late = max(one.at for one in portion) + bursts.WITHIN
				found |= scanned(one for one in known if early <= one.at <= late)
		self.assertEqual(found, scanned(clicks))


class TestScanners(TrackFlowTestCase):
	"""RED-4: in the drain, over batches, whatever was counted before."""

	FIGURES = ("name", "click_count", "scan_count", "bot_count", "unique_visitor_count", "last_click")

	def setUp(self) -> None:
		super().setUp()
		self.campaign = make_campaign("Spring", campaign_type="Email").name
		self.links = [make_link(f"mail-{number}", campaign=self.campaign).name for number in range(4)]

	def clicks(self, *numbers: int, at: float | None = None, **values: Any) -> list[dict[str, Any]]:
		values = {"address": "192.0.2.9", "user_agent": CHROME, "campaign": self.campaign, **values}
		at = at or time.time() - 60
		return [click_record(self.links[number], number, at + number, **values) for number in numbers]

	def send(self, *records: dict[str, Any]) -> None:
		writer.write(list(records))
		drain.drain()

	def state(self) -> list[Any]:
		"""All that follows from the clicks."""
		frappe.db.commit()
		fields = (
			"name",
			"visitor_id",
			"event_type",
			"is_bot",
			"bot_reason",
			"counted",
			"session",
		)
		return [
			frappe.get_all("Click Event", fields=fields, order_by="name"),
			frappe.get_all("Tracked Link", fields=self.FIGURES, order_by="name"),
			frappe.get_all("Campaign Link Variant", fields=["name", "clicks"], order_by="name"),
			*(
				frappe.get_all(one, fields=["name"], order_by="name")
				for one in ("Visitor Session", "Touch Point", "Visitor")
			),
		]

	def assert_rebuilding_changes_nothing(self) -> None:
		self.assertEqual((counters.rebuild(), repair.rebuild_all(), repair.repair()), (0, 0, 0))

	def test_a_burst_in_one_batch_is_never_counted(self) -> None:
		self.send(*self.clicks(0, 1, 2))
		rows = frappe.get_all("Click Event", fields=["is_bot", "bot_reason", "event_type", "counted"])
		self.assertEqual({tuple(row.values()) for row in rows}, {(1, "scanner burst", "Bot", 0)})
		self.assertEqual((frappe.db.count("Visitor"), frappe.db.count("Touch Point")), (0, 0))
		self.assertEqual(sum(frappe.get_all("Tracked Link", pluck="bot_count")), 3)
		self.assert_rebuilding_changes_nothing()

	def test_what_was_counted_before_is_taken_back(self) -> None:
		first, second, third = self.clicks(0, 1, 2)
		self.send(first)
		self.send(second)
		self.assertEqual(sum(frappe.get_all("Tracked Link", pluck="click_count")), 2)
		self.assertEqual(frappe.db.count("Touch Point"), 2)
		self.send(third)
		self.assertEqual(frappe.db.count("Click Event", {"bot_reason": "scanner burst"}), 3)
		figures = frappe.get_all("Tracked Link", fields=self.FIGURES, order_by="name")
		self.assertEqual(sum(row.click_count + row.unique_visitor_count for row in figures), 0)
		self.assertEqual(sum(row.bot_count for row in figures), 3)
		self.assertEqual({row.last_click for row in figures}, {None})
		counts = [frappe.db.count(one) for one in ("Touch Point", "Visitor Session", "Visitor")]
		self.assertEqual(counts, [0, 0, 0])
		self.assert_rebuilding_changes_nothing()

	def test_in_any_order_and_portion_the_same(self) -> None:
		"""Scanner, people and robots mixed; each order and cut ends in the same rows, counters and visits."""
		at = time.time() - 300
		records = [
			*self.clicks(0, 1, 2, 3, at=at),
			*self.clicks(0, 1, at=at, address="192.0.2.10"),
			*self.clicks(0, at=at + 100),
			click_record(self.links[1], 9, at + 3, address="192.0.2.9", user_agent="other"),
			click_record(self.links[1], 0, at + 2, address="192.0.2.11", user_agent=CHROME),
			click_record(
				self.links[2], 0, at + 9, event_type="Bot", counted=False, is_bot=True, user_agent=GOOGLEBOT
			),
			event_record(1, at + 4),
			event_record(2, at + 2000),
		]
		chance = random.Random(5)
		states = []
		for _round in range(6):
			order = list(records)
			chance.shuffle(order)
			while order:
				portion = chance.randint(1, 6)
				self.send(*order[:portion])
				order = order[portion:]
			self.assert_rebuilding_changes_nothing()
			states.append(self.state())
			for doctype in ("Visitor Session", "Touch Point", "Visitor Event", "Click Event", "Visitor"):
				frappe.db.delete(doctype)
			frappe.db.commit()
			counters.rebuild()
		for state in states:
			self.assertEqual(state, states[0])
		self.assertEqual(sum(row.bot_reason == "scanner burst" for row in states[0][0]), 4)

	def test_without_an_address_the_visitor_id_tells(self) -> None:
		"""Where privacy keeps no address: a cookieless id is a hash of address and agent."""
		records = self.clicks(0, 1, 2, 3, address="", user_agent="")
		for record in records:
			record["visitor"] = VISITOR.format(7)
			self.send(record)
		self.assertEqual(frappe.db.count("Click Event", {"bot_reason": "scanner burst"}), 4)
		self.assertEqual(frappe.db.count("Visitor"), 0)
		self.assert_rebuilding_changes_nothing()

	def test_mail_by_parameters(self) -> None:
		mail = {"utm_source": "news", "utm_medium": "Email", "utm_campaign": "may"}
		self.send(*self.clicks(0, 1, 2, campaign="", utm=mail))
		self.assertEqual(frappe.db.count("Click Event", {"bot_reason": "scanner burst"}), 3)
		self.send(
			*self.clicks(0, 1, 2, campaign="", utm={**mail, "utm_medium": "social"}, address="192.0.2.20")
		)
		self.assertEqual(frappe.db.count("Click Event", {"counted": 1}), 3)

	def test_a_person_who_clicks_the_same_link_keeps_the_count(self) -> None:
		"""The scanner came first, so its click was the unique one of that visitor id."""
		at = time.time() - 3600
		scanner = self.clicks(0, 1, 2, at=at)
		for record in scanner:
			record["visitor"] = VISITOR.format(1)
		later = click_record(self.links[0], 1, at + 1000, address="192.0.2.30", user_agent=CHROME)
		self.send(scanner[0], later)
		self.send(*scanner[1:])
		link = frappe.get_doc("Tracked Link", self.links[0])
		self.assertEqual((link.click_count, link.bot_count, link.unique_visitor_count), (1, 1, 1))
		self.assertEqual(frappe.db.get_value("Click Event", later["id"], "is_unique"), 1)
		self.assert_rebuilding_changes_nothing()

	def test_conversions_are_opened_again(self) -> None:
		at = time.time() - 100
		scanner = self.clicks(0, 1, 2, at=at)
		for record in scanner:
			record["visitor"] = VISITOR.format(1)
		bought = event_record(1, at + 50, event_type="CONVERSION", event_name="Purchase", value="10")
		self.send(scanner[0], bought)
		frappe.db.set_value("Conversion", {}, "attribution_status", "Done")
		self.send(*scanner[1:])
		self.assertEqual(frappe.db.get_value("Conversion", {}, "attribution_status"), "Pending")
		self.assertEqual(frappe.get_all("Touch Point", pluck="tracked_link"), [None])

	def test_storing_a_batch_again_changes_nothing(self) -> None:
		records = self.clicks(0, 1, 2, 3)
		self.send(*records[:2])
		self.send(*records[2:])
		before = self.state()
		store.store(records)
		self.assertEqual(self.state(), before)


class TestRebuild(TrackFlowTestCase):
	"""DATA-3, rule 4: what is derived can be derived again, and then nothing changes."""

	@settings(max_examples=12)
	@given(st.integers(0, 10**9))
	def test_changes_nothing(self, seed: int) -> None:
		chance = random.Random(seed)
		if not frappe.db.count("Tracked Link"):
			for number in range(3):
				make_link(f"link-{number}")
		links = frappe.get_all("Tracked Link", pluck="name")
		now = time.time() - 10_000
		clicks = [
			click_record(
				chance.choice(links),
				chance.randrange(4),
				now + chance.randrange(9000),
				cookieless=chance.random() < 0.5,
			)
			for _click in range(12)
		]
		events = [
			event_record(
				chance.randrange(2, 6),
				one["at"] + chance.randrange(60),
				click_ref=chance.choice([one["id"], ""]),
				event_type=chance.choice(["PAGE_VIEW", "CUSTOM", "CONVERSION"]),
			)
			for one in clicks
		]
		records = [*clicks, *events]
		chance.shuffle(records)
		for start in range(0, len(records), 5):
			store.store(records[start : start + 5])
		self.assertEqual((counters.rebuild(), repair.rebuild_all()), (0, 0))

	def test_mends_what_is_wrong(self) -> None:
		link = make_link("spring")
		store.store([click_record(link.name), event_record(event_type="CONVERSION")])
		fields = ["page_views", "engagement_score", "first_seen", "source", "ip_address"]
		right = frappe.db.get_value("Visitor", VISITOR.format(1), fields)
		wrong = dict(zip(fields, (9, 99, None, "x", "?"), strict=True))
		frappe.db.set_value(
			"Visitor", VISITOR.format(1), {**wrong, "contact_name": "Ada"}, update_modified=False
		)
		self.assertEqual(repair.rebuild_all(), 1)
		self.assertEqual(frappe.db.get_value("Visitor", VISITOR.format(1), fields), right)
		self.assertEqual(frappe.db.get_value("Visitor", VISITOR.format(1), "contact_name"), "Ada")
