"""The edge's threads for events: what waits is bounded, and nothing that was taken stays without an answer (COL-1)."""

import asyncio
import unittest
from threading import Event

import frappe

from trackflow.stream import connection
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tracking.collector import Answer

try:
	from trackflow.edge.taker import BUSY, MOST_WAITING, Taker
except ModuleNotFoundError:
	raise unittest.SkipTest("The extra `edge` is not installed.") from None

FINE = Answer(202, {})


class TestTaker(TrackFlowTestCase):
	"""COL-1: on the edge a batch is taken by a thread on the site; too many at once are asked to come again."""

	def test_what_comes_above_the_bound_is_told_to_wait(self) -> None:
		async def run() -> list[Answer]:
			taker, gate = Taker(frappe.local.site, asyncio.get_running_loop()), Event()

			def work() -> Answer:
				gate.wait(30)
				return FINE

			waiting = [taker.take(work) for _ in range(MOST_WAITING)]
			busy = await taker.take(work)
			gate.set()
			answers = [busy, *(await asyncio.gather(*waiting)), await taker.take(work)]
			taker.stop()
			return answers

		busy, *others = asyncio.run(run())
		self.assertIs(busy, BUSY)
		self.assertIn(("Retry-After", "1"), busy.headers)
		self.assertEqual(set(map(id, others)), {id(FINE)})

	def test_work_is_done_on_the_site(self) -> None:
		async def run() -> str:
			taker = Taker(frappe.local.site, asyncio.get_running_loop())
			answer = await taker.take(lambda: Answer(202, {"key": connection.key("stream")}))
			taker.stop()
			return answer.body["key"]

		self.assertEqual(asyncio.run(run()), connection.key("stream"))

	def test_what_breaks_is_told_and_the_thread_goes_on(self) -> None:
		async def run() -> Answer:
			taker = Taker(frappe.local.site, asyncio.get_running_loop())
			for _time in range(5):
				with self.assertRaises(ZeroDivisionError):
					await taker.take(lambda: 1 // 0)
			answer = await taker.take(lambda: FINE)
			taker.stop()
			return answer

		self.assertIs(asyncio.run(run()), FINE)
