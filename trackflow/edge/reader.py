"""Reads links of one site that are not in memory: each code once however many ask, in threads, a bounded number ahead."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import frappe

from trackflow.frappe_thread import entered
from trackflow.redirect import links
from trackflow.redirect.decision import Link

log = logging.getLogger("trackflow.edge")

# Codes that wait to be read. Who tries codes at random fills it; links in memory do not notice.
MOST_WAITING = 1_000
# Threads of one site at once, of those that all sites share.
MOST_THREADS = 2
# A thread stays on the site for this long while there is work, then makes room for others.
THREAD_SECONDS = 1.0


class Busy(Exception):
	"""More codes wait to be read than can be within a time that anybody would wait."""


class Reader:
	"""Belongs to the event loop's thread, but for what says otherwise. `keep` takes what was read."""

	def __init__(
		self,
		site: str,
		loop: asyncio.AbstractEventLoop,
		pool: ThreadPoolExecutor,
		keep: Callable[[str, Link | None], None],
	) -> None:
		self.site = site
		self._loop = loop
		self._pool = pool
		self._keep = keep
		self._wanted: dict[str, asyncio.Future[Link | None]] = {}
		self._outdated: set[str] = set()
		self._waiting: deque[str] = deque()
		self._threads = 0

	def read(self, code: str) -> "asyncio.Future[Link | None]":
		"""The link of a code, once it is read. Raises Busy."""
		future = self._wanted.get(code)
		if future is None:
			if len(self._wanted) >= MOST_WAITING:
				raise Busy
			future = self._wanted[code] = self._loop.create_future()
			# Whoever asked may have gone when it fails.
			future.add_done_callback(lambda done: done.exception())
			self._waiting.append(code)
			self._start()
		return future

	def outdate(self, code: str) -> None:
		"""What is being read of this code may be from before a change: it answers who asked and is not kept."""
		if code in self._wanted:
			self._outdated.add(code)

	def outdate_all(self) -> None:
		self._outdated.update(self._wanted)

	def _start(self) -> None:
		if self._waiting and self._threads < MOST_THREADS:
			self._threads += 1
			self._pool.submit(self._work)

	def _settle(self, code: str, link: Link | None, error: Exception | None) -> None:
		future = self._wanted.pop(code, None)
		is_outdated = code in self._outdated
		self._outdated.discard(code)
		if future is None:
			return
		if error is not None:
			future.set_exception(error)
			return
		if not is_outdated:
			self._keep(code, link)
		future.set_result(link)

	def _end(self) -> None:
		self._threads -= 1
		self._start()

	# In a thread.

	def _work(self) -> None:
		try:
			with entered(self.site):
				self._read_all(time.monotonic() + THREAD_SECONDS)
		except Exception as error:
			log.warning("%s: links cannot be read: %r", self.site, error)
			while code := self._next():
				self._tell(self._settle, code, None, error)
		finally:
			self._tell(self._end)

	def _read_all(self, until: float) -> None:
		while time.monotonic() < until and (code := self._next()):
			try:
				# None is read as of an earlier one's time.
				frappe.db.rollback()
				link = links.find(code)
			except Exception as error:
				self._tell(self._settle, code, None, error)
			else:
				self._tell(self._settle, code, link, None)

	def _next(self) -> str | None:
		try:
			return self._waiting.popleft()
		except IndexError:
			return None

	def _tell(self, function: Callable[..., None], *arguments: object) -> None:
		if not self._loop.is_closed():
			self._loop.call_soon_threadsafe(function, *arguments)
