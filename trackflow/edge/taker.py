"""Takes a site's events to the stream in threads of their own, so that the loop goes on answering meanwhile.

A thread stays on the site, as Frappe's state and connections cost more than a batch. What waits is bounded: beyond that the
sender is asked to come again, which its retries do.
"""

import logging
import time
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread

from trackflow.frappe_thread import entered
from trackflow.stream import connection
from trackflow.tracking.collector import Answer

log = logging.getLogger("trackflow.edge")

# While one waits for Redis another computes.
THREADS = 3
# Batches; of the largest ones some 50 MB.
MOST_WAITING = 200
RETRY_SECONDS = 0.5
BUSY = Answer(503, {"error": "busy", "message": "Too much is waiting. Try again."}, origin="*", wait=1)

Work = Callable[[], Answer | None]


class Taker:
	"""`take` and `stop` belong to the event loop's thread."""

	def __init__(self, site: str, loop: AbstractEventLoop) -> None:
		self._site = site
		self._loop = loop
		self._queue: SimpleQueue[tuple[Work, Future[Answer | None]] | None] = SimpleQueue()
		self._waiting = 0
		self._has_threads = False

	def take(self, work: Work) -> "Future[Answer | None]":
		"""The answer of `work`, done in a thread on the site."""
		future = self._loop.create_future()
		if self._waiting >= MOST_WAITING:
			future.set_result(BUSY)
			return future
		if not self._has_threads:
			self._has_threads = True
			for number in range(THREADS):
				Thread(target=self._run, name=f"events {number} of {self._site}", daemon=True).start()
		self._waiting += 1
		self._queue.put((work, future))
		return future

	def stop(self) -> None:
		"""Let the threads end with what they are about."""
		for _thread in range(THREADS if self._has_threads else 0):
			self._queue.put(None)

	def _settle(
		self, future: "Future[Answer | None]", answer: Answer | None, error: Exception | None
	) -> None:
		self._waiting -= 1
		if future.cancelled():
			return
		if error is not None:
			future.set_exception(error)
		else:
			future.set_result(answer)

	# A thread.

	def _run(self) -> None:
		is_ended = False
		while not is_ended:
			try:
				with entered(self._site):
					connection.bound_waiting()
					self._work_all()
					is_ended = True
			except Exception:
				# The site's configuration may be in the middle of being written.
				log.exception("%s: no events can be taken for the moment", self._site)
				time.sleep(RETRY_SECONDS)

	def _work_all(self) -> None:
		while (job := self._queue.get()) is not None:
			work, future = job
			try:
				answer, error = work(), None
			except Exception as raised:
				answer, error = None, raised
			# A loop that has closed meanwhile has nobody to tell.
			with suppress(RuntimeError):
				self._loop.call_soon_threadsafe(self._settle, future, answer, error)
			if answer and answer.after:
				answer.after()
