"""Takes a site's clicks from the event loop to the stream: gathered for a moment, written by a thread of its own.

The visitor has the answer before the click is on Redis: a killed edge loses what it gathered within INTERVAL_SECONDS, one
that is stopped loses nothing. What waits is bounded; what comes above the bound is lost, counted and logged.
"""

import logging
import time
from asyncio import AbstractEventLoop, TimerHandle
from queue import Empty, SimpleQueue
from threading import Thread

from trackflow.frappe_thread import entered
from trackflow.redirect.answer import Click
from trackflow.stream import connection, writer

log = logging.getLogger("trackflow.edge")

INTERVAL_SECONDS = 0.03
# Records of one entry: encoding more at once would hold the event loop up.
ENTRY_RECORDS = 500
# About 1 kB each in memory.
MAX_WAITING = 50_000
# After Redis did not take an entry, the spool is asked directly for this long.
AWAY_SECONDS = 2.0
SPOOL_RECORDS = 5_000
RETRY_SECONDS = 0.5


class Recorder:
	"""The clicks of one site on their way. `add`, `start` and `stop` belong to the event loop's thread."""

	def __init__(self, site: str, loop: AbstractEventLoop) -> None:
		self.site = site
		self.lost = 0
		self.taken = 0
		self._settled = 0
		self._loop = loop
		self._gathered: list[Click] = []
		self._timer: TimerHandle | None = None
		self._batches: SimpleQueue[list[Click] | None] = SimpleQueue()
		self._away_until = 0.0
		self._is_ended = False
		self._thread = Thread(target=self._run, name=f"recorder of {site}", daemon=True)

	@property
	def waiting(self) -> int:
		"""Records that are neither on the stream nor in the spool yet."""
		return self.taken - self._settled

	@property
	def is_full(self) -> bool:
		"""Whether what comes now is lost."""
		return self.waiting >= MAX_WAITING

	@property
	def is_redis_away(self) -> bool:
		"""Whether the last attempt to write failed."""
		return self._away_until > 0

	def start(self) -> None:
		self._thread.start()

	def add(self, record: Click) -> None:
		"""Take a record; it is written within a moment."""
		if self.taken - self._settled >= MAX_WAITING:
			self._lose()
			return
		self.taken += 1
		self._gathered.append(record)
		if self._timer is None:
			self._timer = self._loop.call_later(INTERVAL_SECONDS, self._hand_over)

	def stop(self) -> None:
		"""Let the thread write what waits, and end. `join` waits for it."""
		self._hand_over()
		self._batches.put(None)

	def join(self, seconds: float) -> None:
		if self._thread.ident:
			self._thread.join(seconds)

	def _hand_over(self) -> None:
		self._timer = None
		records, self._gathered = self._gathered, []
		for start in range(0, len(records), ENTRY_RECORDS):
			self._batches.put(records[start : start + ENTRY_RECORDS])

	def _lose(self) -> None:
		if self.lost % 10_000 == 0:
			log.error("%s: more than %d records wait, what comes now is lost", self.site, MAX_WAITING)
		self.lost += 1

	# The thread.

	def _run(self) -> None:
		while not self._is_ended:
			try:
				with entered(self.site):
					connection.bound_waiting()
					self._write_all()
			except Exception:
				# What waits goes on waiting: the site's configuration may be in the middle of being written.
				log.exception("%s: nothing can be recorded for the moment", self.site)
				time.sleep(RETRY_SECONDS)

	def _write_all(self) -> None:
		while (batch := self._batches.get()) is not None:
			try:
				self._write(batch)
			except Exception:
				log.exception("%s: %d records are lost", self.site, len(batch))
				self.lost += len(batch)
			self._settled += len(batch)
		self._is_ended = True

	def _write(self, batch: list[Click]) -> None:
		if time.monotonic() < self._away_until:
			rest = self._all_waiting()
			writer.put_aside([*batch, *rest], "still away")
			self._settled += len(rest)
			return
		before = writer.spooled() + writer.losses()
		writer.write(batch)
		is_away = writer.spooled() + writer.losses() > before
		self._away_until = time.monotonic() + AWAY_SECONDS if is_away else 0.0

	def _all_waiting(self) -> list[Click]:
		"""What waits behind, to be spooled at once: each write to the spool waits for the disk."""
		records: list[Click] = []
		while len(records) < SPOOL_RECORDS:
			try:
				batch = self._batches.get_nowait()
			except Empty:
				break
			if batch is None:
				self._batches.put(None)
				break
			records += batch
		return records
