"""Drains in processes of their own: killed between any two steps, several at once (RED-8). Needs the real servers."""

import os
import signal
import time
from collections.abc import Callable
from itertools import count
from multiprocessing import get_context
from typing import Any

import frappe
import redis
from redis.client import Pipeline

from trackflow.stream import drain, writer
from trackflow.tests.base import TrackFlowTestCase, fork, is_shared
from trackflow.tests.factories import SHOP, VISITOR, click_record, event_record, make_domain, make_link
from trackflow.tracking import store


class TestProcesses(TrackFlowTestCase):
	"""RED-8: drains that are killed between any two steps, and drains at once, in processes of their own."""

	def setUp(self) -> None:
		super().setUp()
		if not is_shared():
			self.skipTest(
				"other processes see neither an in-process Redis nor uncommitted SQLite: needs the real servers"
			)
		make_domain(SHOP)
		self.links = [make_link(f"link-{number}") for number in range(3)]
		frappe.db.commit()

	def test_killed_between_any_two_steps(self) -> None:
		sent = 0
		for step in count(1):
			self._send(sent, 4)
			sent += 4
			if self._in_child(lambda step=step: _kill_at(step)) == 0:
				break
		self.assertGreater(step, 20)
		drain.drain(claim_after_seconds=0)
		self._check(sent)

	def test_killed_while_lanes_are_at_work(self) -> None:
		sent = 0
		for step in count(1, 40):
			for _entry in range(6):
				self._send(sent, 2)
				sent += 2
			if self._in_child(lambda step=step: (_small_batches(), _kill_at(step))) == 0:
				break
		self.assertGreater(step, 80)
		drain.drain(claim_after_seconds=0)
		self._check(sent)

	def test_at_once(self) -> None:
		sent = 600
		for number in range(0, sent, 5):
			self._send(number, 5)
		children = [fork(lambda: _drained(_small_batches)) for _child in range(3)]
		self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0, 0, 0])
		drain.drain(claim_after_seconds=0)
		self._check(sent)

	def test_click_and_landing_at_once(self) -> None:
		"""RED-6: neither drain sees the other's record before its own is stored."""
		at, number = time.time() - 60, 25
		clicks = [click_record(self.links[0].name, 100 + index, at) for index in range(number)]
		landings = [
			event_record(200 + index, at + 2, click_ref=click["id"]) for index, click in enumerate(clicks)
		]
		meeting = get_context("fork").Barrier(2)

		def one_by_one(records: list[dict[str, Any]]) -> None:
			for record in records:
				meeting.wait(30)
				store.store([record])

		children = [fork(lambda some=some: one_by_one(some)) for some in (clicks, landings)]
		self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0, 0])
		frappe.db.rollback()
		self.assertEqual(frappe.db.count("Click Event", {"landing_event": ("is", "set")}), number)
		self.assertEqual(frappe.db.count("Touch Point"), number)

	def _send(self, first: int, number: int) -> None:
		"""Clicks and page views of a few visitors, a link for each in turn."""
		records = []
		for index in range(first, first + number):
			link = self.links[index % 3].name
			records += [click_record(link, index % 7), event_record(index % 7)]
		writer.write(records)

	def _check(self, sent: int) -> None:
		frappe.db.rollback()
		self.assertEqual(drain.waiting(), 0)
		self.assertEqual(frappe.db.count("Click Queue"), 0)
		self.assertEqual((frappe.db.count("Click Event"), frappe.db.count("Visitor Event")), (sent, sent))
		counted = [frappe.db.get_value("Tracked Link", link.name, "click_count") for link in self.links]
		self.assertEqual(counted, [len(range(index, sent, 3)) for index in range(3)])
		unique = [
			frappe.db.get_value("Tracked Link", link.name, "unique_visitor_count") for link in self.links
		]
		self.assertEqual(unique, [7, 7, 7])
		views = {row.name: row.page_views for row in frappe.get_all("Visitor", fields=["name", "page_views"])}
		self.assertEqual(views, {VISITOR.format(index): len(range(index, sent, 7)) for index in range(7)})
		self.assertEqual(frappe.db.count("Touch Point"), frappe.db.count("Visitor Session"))
		orphans = {"session": ("is", "not set")}
		self.assertEqual([frappe.db.count(one, orphans) for one in ("Click Event", "Visitor Event")], [0, 0])
		in_sessions = sum(frappe.get_all("Visitor Session", pluck="page_views"))
		self.assertEqual(in_sessions, sent)

	def _in_child(self, prepare: Callable[[], None]) -> int:
		return os.waitpid(fork(lambda: _drained(prepare)), 0)[1]


def _drained(prepare: Callable[[], None]) -> None:
	prepare()
	drain.drain(claim_after_seconds=0)


def _kill_at(step: int) -> None:
	"""Let this process die before its `step`th statement or Redis command."""
	steps = count(1)
	database = type(frappe.local.db)

	def counting(original: Callable[..., Any]) -> Callable[..., Any]:
		def run(*args: Any, **kwargs: Any) -> Any:
			if next(steps) == step:
				os.kill(os.getpid(), signal.SIGKILL)
			return original(*args, **kwargs)

		return run

	for owner, name in (
		(database, "sql"),
		(database, "commit"),
		(Pipeline, "execute"),
		(redis.Redis, "execute_command"),
	):
		setattr(owner, name, counting(getattr(owner, name)))


def _small_batches() -> None:
	drain.BATCH_ENTRIES = drain.BATCH_RECORDS = 4
