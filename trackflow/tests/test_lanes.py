"""A backlog that is stored in several threads at once (PRF-3), exactly once all the same (RED-8)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread
from typing import Any
from unittest.mock import patch

import frappe

from trackflow import bulk
from trackflow.stream import connection, drain, lanes, writer
from trackflow.tests.base import TrackFlowTestCase, is_shared
from trackflow.tests.factories import VISITOR, click_record, event_record, make_link
from trackflow.tracking import counters, repair, store

VISITORS = 30
STORED = ("Touch Point", "Visitor Event", "Visitor Session", "Click Event", "Visitor")
WHEN = {"creation", "modified", "received_at", "event_id", "_user_tags", "_comments", "_assign", "_liked_by"}


def records_of(links: list[str], at: float) -> list[dict[str, Any]]:
	"""Clicks of some visitors, each at an address of its own, on links in turn; every third is led to a page, every fifth
	is a robot's. The ids are the same each time."""
	records = []
	for number in range(3 * VISITORS):
		values = {"id": f"click-{number}", "address": f"192.0.2.{number % VISITORS}"}
		if number % 5 == 0:
			values |= {"counted": False, "is_bot": True, "event_type": "Bot"}
		click = click_record(links[number % len(links)], number % VISITORS, at + 10 * number, **values)
		records.append(click)
		if click["counted"] and number % 3 == 0:
			page = {"id": f"event-{number}", "click_ref": click["id"], "address": click["address"]}
			records.append(event_record(100 + number % VISITORS, click["at"] + 2, **page))
	return records


@contextmanager
def small_batches(records: int = 4) -> Iterator[None]:
	with patch.object(drain, "BATCH_RECORDS", records), patch.object(drain, "BATCH_ENTRIES", 2):
		yield


class TestParts(TrackFlowTestCase):
	"""PRF-3: what belongs together is stored in one lane, in order."""

	def setUp(self) -> None:
		super().setUp()
		self.seen: list[tuple[str, dict[str, Any]]] = []

	def store(self, records: list[dict[str, Any]]) -> tuple[int, int]:
		self.seen += [(current_thread().name, record) for record in records]
		return len(records), 0

	def test_an_address_has_one_lane(self) -> None:
		sent = [
			{"address": f"192.0.2.{number % 20}", "visitor": f"v{number}", "number": number}
			for number in range(200)
		]
		with patch.object(lanes, "number", return_value=2), lanes.opened() as opened:
			parts = opened.store(sent[:100], self.store) + opened.store(sent[100:], self.store)
			self.assertEqual(sum(part.result()[0] for part in parts), 200)
		threads: dict[str, set[str]] = {}
		for thread, record in self.seen:
			threads.setdefault(record["address"], set()).add(thread)
		self.assertEqual({len(some) for some in threads.values()}, {1})
		self.assertEqual(len(set.union(*threads.values())), 2)
		for address in threads:
			numbers = [record["number"] for _thread, record in self.seen if record["address"] == address]
			self.assertEqual(numbers, sorted(numbers))

	def test_without_an_address_a_visitor_has_one(self) -> None:
		sent = [{"address": "", "visitor": f"v{number % 20}"} for number in range(100)]
		with patch.object(lanes, "number", return_value=2), lanes.opened() as opened:
			for part in opened.store(sent, self.store):
				part.result()
		self.assertEqual(
			len({(thread, record["visitor"]) for thread, record in self.seen}),
			len({record["visitor"] for record in sent}),
		)

	def test_each_lane_is_on_the_site_and_leaves_it(self) -> None:
		def store(records: list[dict[str, Any]]) -> tuple[int, int]:
			self.assertEqual(frappe.db.count("DocType", {"name": "Visitor"}), 1)
			self.seen.append((frappe.local.site, {"database": frappe.local.db}))
			return len(records), 0

		sent = [{"address": f"192.0.2.{number}"} for number in range(40)]
		with patch.object(lanes, "number", return_value=2), lanes.opened() as opened:
			for part in opened.store(sent, store):
				part.result()
		databases = {id(one["database"]) for _site, one in self.seen} | {id(frappe.local.db)}
		self.assertEqual(({site for site, _one in self.seen}, len(databases)), ({frappe.local.site}, 3))
		self.assertTrue(all(one["database"]._conn is None for _site, one in self.seen))


class TestBacklog(TrackFlowTestCase):
	"""RED-8, DATA-3: a backlog is stored in lanes as it would be without, whatever fails meanwhile."""

	def setUp(self) -> None:
		super().setUp()
		if not is_shared():
			self.skipTest("SQLite has one lane")
		self.links = [make_link(f"link-{number}").name for number in range(5)]
		self.records = records_of(self.links, time.time() - 3600)
		frappe.db.commit()

	def send(self) -> None:
		for start in range(0, len(self.records), 2):
			writer.write(self.records[start : start + 2])

	def tables(self) -> dict[str, list[tuple]]:
		"""All that was recorded, without when it was written."""
		found = {}
		for doctype in STORED:
			fields = frappe.db.get_table_columns(doctype)
			fields = sorted(set(fields) - WHEN)
			found[doctype] = frappe.get_all(doctype, fields=fields, order_by="name", as_list=True)
		figures = ["click_count", "bot_count", "unique_visitor_count", "last_click"]
		found["Tracked Link"] = frappe.get_all("Tracked Link", fields=figures, order_by="name", as_list=True)
		return found

	def check(self) -> None:
		"""All is there once, and counting and deriving it again changes nothing."""
		self.assertEqual(drain.waiting(), 0)
		stored = frappe.db.count("Click Event") + frappe.db.count("Visitor Event")
		self.assertEqual(stored, len(self.records))
		self.assertEqual((counters.rebuild(), repair.rebuild_all()), (0, 0))

	def test_what_comes_out_is_the_same(self) -> None:
		self.send()
		with patch.object(store, "_store_batch", wraps=store._store_batch) as whole:
			self.assertEqual(drain.drain().stored, len(self.records))
		self.assertEqual(whole.call_count, 1)
		at_once = self.tables()
		for doctype in STORED:
			frappe.db.delete(doctype)
		zeros = {"click_count": 0, "bot_count": 0, "unique_visitor_count": 0, "last_click": None}
		for link in self.links:
			frappe.db.set_value("Tracked Link", link, zeros)
		frappe.db.commit()
		self.send()
		threads = set()
		original = store.store

		def noting(records: list[dict[str, Any]]) -> tuple[int, int]:
			threads.add(current_thread().name)
			return original(records)

		with small_batches(), patch.object(drain, "store", noting):
			self.assertEqual(drain.drain().stored, len(self.records))
		self.assertGreater(len(threads - {current_thread().name}), 1)
		self.assertEqual(self.tables(), at_once)
		self.check()

	def test_what_is_sent_again_changes_nothing(self) -> None:
		for _time in range(2):
			self.send()
		with small_batches():
			self.assertEqual(drain.drain().stored, len(self.records))
		self.check()

	def test_a_lane_that_fails_leaves_what_it_had_to_a_later_drain(self) -> None:
		self.send()
		original = store.store

		def failing(records: list[dict[str, Any]]) -> tuple[int, int]:
			if any(record["id"] == "click-40" for record in records):
				raise ConnectionError("the database is gone")
			return original(records)

		with small_batches(), patch.object(drain, "store", failing):
			with self.assertRaises(ConnectionError):
				drain.drain()
		self.assertGreater(drain.waiting(), 0)
		self.assertGreater(frappe.db.count("Click Event"), 0)
		with small_batches():
			drain.drain(claim_after_seconds=0)
		self.check()

	def test_what_cannot_be_stored_or_read_holds_up_nothing(self) -> None:
		broken = click_record(self.links[0], variant=["not", "a", "text"], utm=None)
		self.records.insert(50, broken)
		self.send()
		connection.connect().xadd(connection.key("stream"), {"records": "no json"})
		with small_batches():
			done = drain.drain()
		self.assertEqual((done.stored, done.failed, drain.waiting()), (len(self.records) - 1, 1, 0))
		self.assertEqual(frappe.db.get_value("Click Queue", {}, "reference"), broken["id"])

	def test_what_this_thread_has_open_is_stored_first(self) -> None:
		"""Lanes would wait for its locks, and it for them."""
		frappe.db.set_value("Tracked Link", self.links[0], "source", "open")
		self.send()
		with small_batches():
			drain.drain()
		self.check()

	def test_visitors_of_two_lanes(self) -> None:
		"""A visitor whose address changes is in both at once."""
		for number, record in enumerate(self.records):
			record["address"] = f"192.0.2.{number}"
		self.send()
		with small_batches(20):
			self.assertEqual(drain.drain().stored, len(self.records))
		self.check()
		self.assertEqual(frappe.db.count("Click Queue"), 0)
		names = {record["visitor"] for record in self.records if record["counted"]}
		self.assertLessEqual(set(frappe.get_all("Visitor", pluck="name")), names)
		self.assertIn(VISITOR.format(1), names)


class TestNewVisitors(TrackFlowTestCase):
	"""RED-8: a visitor's row is made once, whoever else is at it."""

	def test_a_visitor_whom_another_drain_makes_meanwhile(self) -> None:
		"""Not there when looked for, and there when the row is made: the batch is tried again, and knows the visitor."""
		link = make_link("spring")
		store.store([click_record(link.name)])
		self.store_with_visitors_as({}, click_record(link.name))
		link.reload()
		self.assertEqual((link.click_count, link.unique_visitor_count), (2, 1))

	def test_a_visitor_who_goes_away_meanwhile(self) -> None:
		"""There when looked for, and gone when the lock is taken: the row is made anew."""
		link = make_link("spring")
		self.store_with_visitors_as({VISITOR.format(1): {}}, click_record(link.name))
		self.assertEqual(frappe.get_all("Visitor", pluck="name"), [VISITOR.format(1)])

	def store_with_visitors_as(self, found: dict[str, Any], record: dict[str, Any]) -> None:
		"""Store a record where the first look for its visitor finds these."""
		answers = [found]
		load = bulk.load

		def once(doctype: str, *args: Any) -> dict[str, Any]:
			return answers.pop() if doctype == "Visitor" and answers else load(doctype, *args)

		with patch.object(bulk, "load", once):
			self.assertEqual(store.store([record]), (1, 0))
		self.assertEqual(answers, [])
		self.assertEqual((frappe.db.count("Visitor"), frappe.db.count("Click Queue")), (1, 0))
