"""Max Clicks over HTTP and across processes (RED-3, RED-7)."""

import os
from unittest.mock import patch

import frappe
import redis

from trackflow.exceptions import StreamUnavailable
from trackflow.redirect import limits, links
from trackflow.redirect.answer import ClickLeft
from trackflow.stream import connection, writer
from trackflow.stream.connection import connect as queue_redis
from trackflow.stream.drain import drain
from trackflow.tests.base import GOOGLEBOT, TrackFlowTestCase, counted_statements, fork, is_shared
from trackflow.tests.factories import click_record, make_link, set_settings
from trackflow.trackflow.doctype.tracked_link.tracked_link import TrackedLink


class LimitTestCase(TrackFlowTestCase):
	def follow(self, times: int, path: str = "/r/few", **options: object) -> list[int]:
		return [self.get(path, **options).status_code for _time in range(times)]

	def counted(self, link: TrackedLink) -> int:
		drain()
		link.reload()
		return link.click_count + link.scan_count


class TestLimit(LimitTestCase):
	"""RED-3: a link with Max Clicks lets that many people through, and no one more."""

	def test_without_a_drain_in_between(self) -> None:
		link = make_link("few", max_clicks=3)
		self.assertEqual(self.follow(6), [302] * 3 + [410] * 3)
		self.assertEqual(self.counted(link), 3)
		self.assertEqual(frappe.db.count("Click Event", {"event_type": "Expired"}), 3)

	def test_with_drains_in_between(self) -> None:
		link = make_link("few", max_clicks=3)
		statuses = []
		for _time in range(5):
			statuses += self.follow(1)
			drain()
			links.forget("few")
		self.assertEqual(statuses, [302] * 3 + [410] * 2)
		self.assertEqual(self.counted(link), 3)

	def test_with_an_address_for_those_who_are_late(self) -> None:
		make_link("few", max_clicks=1, expired_url="https://shop.example.com/next", redirect_status="308")
		self.follow(1)
		answer = self.get("/r/few")
		self.assertEqual(
			(answer.status_code, answer.headers["Location"]), (302, "https://shop.example.com/next")
		)

	def test_scans_are_clicks_too(self) -> None:
		"""A limit that `?qr=1` goes round would be none."""
		link = make_link("few", max_clicks=2)
		self.assertEqual(self.follow(1) + self.follow(2, "/r/few?qr=1"), [302, 302, 410])
		self.assertEqual(self.counted(link), 2)

	def test_only_what_counts_takes_one(self) -> None:
		link = make_link("few", max_clicks=1)
		set_settings(exclude_internal_traffic=1)
		self.assertEqual(self.follow(2, agent=GOOGLEBOT), [302, 302])
		self.assertEqual(self.follow(2, address="10.0.0.1"), [302, 302])
		self.assertEqual(self.follow(2, headers={"Sec-Purpose": "prefetch"}), [302, 302])
		self.assertEqual([self.request("HEAD", "/r/few").status_code for _time in range(2)], [302, 302])
		self.assertEqual(self.follow(2), [302, 410])
		self.assertEqual(self.follow(1, agent=GOOGLEBOT) + self.follow(1, address="10.0.0.1"), [410, 410])
		self.assertEqual(self.request("HEAD", "/r/few").status_code, 410)
		self.assertEqual(self.counted(link), 1)

	def test_with_tracking_switched_off_nothing_is_recorded_but_the_limit_holds(self) -> None:
		set_settings(enable_tracking=0)
		make_link("few", max_clicks=2)
		self.assertEqual(self.follow(3), [302, 302, 410])
		self.assertEqual(queue_redis().xlen(connection.key("stream")), 0)

	def test_raised_and_lowered_later(self) -> None:
		link = make_link("few", max_clicks=2)
		self.assertEqual(self.follow(3), [302, 302, 410])
		for limit, statuses in ((3, [302, 410]), (1, [410]), (0, [302]), (6, [302, 302, 410])):
			# Before and after a drain: the limit counts what waits, too.
			link.reload()
			link.max_clicks = limit
			link.save()
			self.assertEqual(self.follow(len(statuses)), statuses, limit)
			drain()

	def test_an_unlimited_link_costs_nothing_more(self) -> None:
		make_link("free")
		with patch.object(limits, "ask", side_effect=AssertionError("asked")):
			self.assertEqual(self.follow(2, "/r/free"), [302, 302])

	def test_no_sql_once_the_counter_runs(self) -> None:
		make_link("few", max_clicks=9)
		self.follow(1)
		with counted_statements() as statements:
			self.follow(1)
		ends = ("rollback", "commit", "start transaction")
		self.assertEqual([one for one in statements if one.strip().lower() not in ends], [])


class TestBeginning(LimitTestCase):
	"""RED-3, RED-7: a counter that is not there begins with the rows and what waits, each click once."""

	def test_clicks_from_before_the_limit(self) -> None:
		link = make_link("few")
		self.follow(2)
		drain()
		self.follow(1)
		writer.write([click_record("another link")])
		link.reload()
		link.max_clicks = 4
		link.save()
		self.assertEqual(self.follow(2), [302, 410])

	def test_a_redis_that_was_emptied(self) -> None:
		make_link("few", max_clicks=3)
		self.follow(2)
		drain()
		queue_redis().delete(*self.ours())
		self.assertEqual(self.follow(2), [302, 410])

	def test_a_counter_that_was_lost_alone(self) -> None:
		link = make_link("few", max_clicks=3)
		self.follow(2)
		queue_redis().delete(limits.clicks_key(link.name))
		self.assertEqual(self.follow(2), [302, 410])

	def test_clicks_that_are_stored_and_still_on_the_stream(self) -> None:
		"""As after a drain that was killed between its commit and its acknowledgement."""
		link = make_link("few", max_clicks=3)
		self.follow(2)
		entries = queue_redis().xrange(connection.key("stream"))
		drain()
		for _entry, fields in entries:
			queue_redis().xadd(connection.key("stream"), fields)
		self.assertEqual(limits.taken_so_far(link.name), 2)

	def test_more_entries_than_are_read_at_once(self) -> None:
		link = make_link("few", max_clicks=3)
		for number in range(7):
			writer.write([click_record(link.name if number % 3 == 0 else "another", number)])
		with patch.object(limits, "ENTRIES_AT_ONCE", 2):
			self.assertEqual(limits.taken_so_far(link.name), 3)

	def test_clicks_that_turned_out_to_be_robots_are_given_back(self) -> None:
		link = make_link("few", max_clicks=2)
		self.follow(2)
		drain()
		frappe.db.set_value("Tracked Link", link.name, "click_count", 1)
		links.forget("few")
		self.assertEqual(self.follow(1), [410])
		# Ten quiet minutes later.
		queue_redis().delete(limits.clicks_key(link.name))
		self.assertEqual(self.follow(2), [302, 410])

	def test_it_is_thrown_away_after_the_last_click_that_was_taken(self) -> None:
		link = make_link("few", max_clicks=1)
		key = limits.clicks_key(link.name)
		self.follow(1)
		queue_redis().expire(key, 100)
		self.follow(1)
		self.assertLessEqual(queue_redis().ttl(key), 100)

	def test_rows_that_know_more(self) -> None:
		"""Clicks that went to the spool while Redis was away, and are stored by now."""
		link = make_link("few", max_clicks=3)
		self.follow(1)
		frappe.db.set_value("Tracked Link", link.name, "click_count", 2)
		links.forget("few")
		self.assertEqual(self.follow(2), [302, 410])

	def test_without_redis_the_snapshot_decides(self) -> None:
		link = make_link("few", max_clicks=2)
		for count, statuses in ((0, [302, 302, 302]), (2, [410])):
			frappe.db.set_value("Tracked Link", link.name, "click_count", count)
			links.forget("few")
			for away in (
				StreamUnavailable("away"),
				redis.exceptions.ConnectionError("away"),
				OSError("away"),
			):
				with patch.object(connection, "connect", side_effect=away):
					self.assertEqual(self.follow(len(statuses)), statuses)

	def ours(self) -> list[bytes]:
		return list(queue_redis().scan_iter(connection.key("*").replace("{", "[{]").replace("}", "[}]")))


class TestProcesses(LimitTestCase):
	"""RED-3: the limit holds for all processes at once, whoever begins the counter, drains at work beside them."""

	def test_at_once(self) -> None:
		if not is_shared():
			self.skipTest("other processes see no in-process Redis: needs the real servers")
		link = make_link("few", max_clicks=40)
		writer.write([click_record(link.name, number) for number in range(5)])
		frappe.db.commit()
		snapshot = links.find("few")

		def click() -> None:
			granted = 0
			for number in range(20):
				if limits.ask(ClickLeft(snapshot, True)):
					granted += 1
					writer.write([click_record(link.name, number)])
				if number % 5 == 4:
					drain()
			queue_redis().rpush(connection.key("granted"), granted)

		children = [fork(click) for _child in range(4)]
		self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0] * 4)
		granted = sum(map(int, queue_redis().lrange(connection.key("granted"), 0, -1)))
		self.assertEqual(granted, 35)
		frappe.db.rollback()
		drain(claim_after_seconds=0)
		self.assertEqual(self.counted(link), 40)
		self.assertFalse(limits.ask(ClickLeft(snapshot, True)))
