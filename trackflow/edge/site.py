"""One site in the memory of an edge: settings, secrets, links; how they are read, and how a request is answered from them.

Everything but the functions that say so belongs to the event loop's thread. What is not in memory is read by a thread,
through the same functions as on a bench; what cannot be read any more is answered from what was known.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone
from redis.exceptions import RedisError

from trackflow import keys
from trackflow.access.limits import ENDPOINTS, MINUTE, is_blocked
from trackflow.changes import Change
from trackflow.config import get_config
from trackflow.edge.feed import Feed
from trackflow.edge.http import Reply, reply
from trackflow.edge.rates import Rates
from trackflow.edge.reader import Busy, Reader
from trackflow.edge.recorder import Recorder
from trackflow.edge.taker import Taker
from trackflow.exceptions import StreamUnavailable
from trackflow.frappe_thread import entered
from trackflow.incoming import Incoming, client_address
from trackflow.policy import Config
from trackflow.recent import Recent
from trackflow.redirect import limits
from trackflow.redirect.answer import (
	METHODS,
	Answer,
	Keys,
	Question,
	Visit,
	code_in,
	turned_away,
	unavailable,
	visit,
)
from trackflow.redirect.decision import Link
from trackflow.redirect.page import Words
from trackflow.redirect.words import words
from trackflow.tracking.collector import Desk
from trackflow.tracking.identity import CLICK_DIGITS, counted_address

log = logging.getLogger("trackflow.edge")

# What no notice came for is read again after this long; without a connection for notices, sooner.
FRESH_SECONDS = 600
FRESH_SECONDS_DEAF = 60
# A code that does not exist; rows that were inserted behind the app's back come to light.
MISSING_SECONDS = 10
MOST_MISSING = 20_000
READ_SECONDS = 3.0
RETRY_SECONDS = 5.0
# The next day's key is fetched this long before its day.
KEY_AHEAD_SECONDS = 600
ASKING_METHODS = frozenset((*METHODS, "POST"))
DAY_SECONDS = 24 * 60 * 60
FIRST_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Snapshot:
	"""What a site says that every answer needs."""

	config: Config
	click_secret: bytes
	password_secret: bytes
	limit_secret: bytes
	zone: ZoneInfo
	words: Words
	# By number of the day since 1970.
	day_keys: dict[int, bytes]
	read_at: float


class NotInstalled(Exception):
	"""The site exists, but TrackFlow is not installed on it."""


class Site:
	"""A site that is served. `load` first; then `answer`."""

	def __init__(
		self, name: str, loop: asyncio.AbstractEventLoop, pool: ThreadPoolExecutor, most_links: int
	) -> None:
		self.name = name
		self.misses = 0
		self.failures = 0
		self.snapshot: Snapshot | None = None
		self.recorder = Recorder(name, loop)
		self.taker = Taker(name, loop)
		self.desk: Desk | None = None
		self._rates = Rates()
		self._redirects = 0
		self._loop = loop
		self._pool = pool
		self._links: Recent[Link] = Recent(most_links)
		self._missing: Recent[None] = Recent(MOST_MISSING)
		self._reader = Reader(name, loop, pool, self._keep)
		self._keys: Keys | None = None
		self._digits = hex_digits(CLICK_DIGITS)
		self.hears_changes = False
		self._fresh_seconds = FRESH_SECONDS_DEAF
		self._refreshing: asyncio.Task[None] | None = None
		self._is_outdated = False
		self._retry_at = 0.0
		self._feed = Feed(
			name, self._soon(self._on_connected), self._soon(self._on_change), self._soon(self._on_lost)
		)

	# Life.

	async def load(self) -> None:
		"""Read the snapshot and begin to listen. Raises NotInstalled, or whatever keeps the site from being read."""
		self.take(await self._in_thread(read_snapshot))
		self.recorder.start()
		self._feed.start()

	def tick(self, now: float) -> None:
		"""See that snapshot and day's key are fresh. To be called about once a second."""
		if self._is_outdated or self._needs_key() or now - self.snapshot.read_at > self._fresh_seconds:
			self._refresh(now)

	def stop(self) -> None:
		self._feed.stop()
		self.recorder.stop()
		self.taker.stop()

	@property
	def cached(self) -> int:
		"""Links in memory."""
		return len(self._links)

	# Answers.

	def answer(self, incoming: Incoming) -> Reply | Awaitable[Reply]:
		"""The answer to a request for a short link; at once where its link is in memory and asks nothing."""
		code = code_in(incoming.path)
		now = time.time()
		config = self.snapshot.config
		address = client_address(incoming, config)
		if is_blocked(address, config):
			return self._finish(turned_away(self.snapshot.words, 403))
		if wait := self._rates.take(counted_address(address), self._redirects, MINUTE, now):
			return self._finish(turned_away(self.snapshot.words, 429, wait))
		if not code or incoming.method not in ASKING_METHODS:
			return self._visit(incoming, None, now, address)
		entry = self._links.get(code)
		if entry is not None and now - entry.read_at < self._fresh_seconds:
			return self._visit(incoming, entry.value, now, address)
		missing = self._missing.get(code)
		if missing is not None and now - missing.read_at < MISSING_SECONDS:
			return self._visit(incoming, None, now, address)
		return self._visit_unknown(incoming, code, entry.value if entry else None)

	def busy(self) -> Reply:
		"""The page that asks to try again."""
		return self._finish(unavailable(self.snapshot.words))

	def _visit(
		self, incoming: Incoming, link: Link | None, now: float, address: str | None = None
	) -> Reply | Awaitable[Reply]:
		snapshot = self.snapshot
		steps = visit(
			incoming,
			link,
			snapshot.config,
			self._keys,
			now,
			snapshot.zone,
			self._words,
			address=address,
		)
		try:
			question = steps.send(None)
		except StopIteration as end:
			return self._finish(end.value)
		return self._ask(steps, question)

	async def _visit_unknown(self, incoming: Incoming, code: str, known: Link | None) -> Reply:
		self.misses += 1
		try:
			link = await asyncio.wait_for(asyncio.shield(self._reader.read(code)), READ_SECONDS)
		except Exception as error:
			self.failures += 1
			if not isinstance(error, Busy):
				log.warning("%s: link %s cannot be read: %r", self.name, code, error)
			if known is None:
				return self.busy()
			link = known
		answer = self._visit(incoming, link, time.time())
		return answer if type(answer) is Reply else await answer

	async def _ask(self, steps: Visit, question: Question) -> Reply:
		try:
			while True:
				said = await self._in_thread(limits.ask, question)
				question = steps.send(said)
		except StopIteration as end:
			return self._finish(end.value)

	def _finish(self, answer: Answer) -> Reply:
		made = reply(answer.status, answer.common, answer.body, answer.own)
		if answer.record is not None:
			self.recorder.add(answer.record)
		return made

	def _words(self) -> Words:
		return self.snapshot.words

	# The day's key.

	def day_key(self) -> bytes:
		"""As `keys.day_key`: where there is none, one that nobody else has."""
		return self.snapshot.day_keys.get(int(time.time() // DAY_SECONDS)) or keys.nobodys_key()

	def _needs_key(self) -> bool:
		return not all(day in self.snapshot.day_keys for day in days_ahead(time.time()))

	# What is kept, and how it becomes fresh.

	def _keep(self, code: str, link: Link | None) -> None:
		if link is None:
			self._links.drop(code)
			self._missing.put(code, None, time.time())
		else:
			self._missing.drop(code)
			self._links.put(code, link, time.time())

	def take(self, snapshot: Snapshot) -> None:
		"""Answer by this snapshot from now on."""
		self.snapshot = snapshot
		self._keys = Keys(
			self.day_key, snapshot.click_secret, snapshot.password_secret, self._digits.__next__
		)
		self._redirects = snapshot.config.limits.get(ENDPOINTS["redirects"].field, 0)
		self.desk = Desk(snapshot.config, self.day_key, snapshot.click_secret, snapshot.limit_secret)

	def _refresh(self, now: float) -> None:
		if self._refreshing is None and now >= self._retry_at:
			self._refreshing = self._loop.create_task(self._read_again())

	async def _read_again(self) -> None:
		self._is_outdated = False
		try:
			self.take(await self._in_thread(read_snapshot))
			self._retry_at = time.time() + RETRY_SECONDS if self._needs_key() else 0.0
		except Exception as error:
			self._is_outdated = True
			self._retry_at = time.time() + RETRY_SECONDS
			log.warning("%s: settings cannot be read, the last known ones stay: %r", self.name, error)
		finally:
			self._refreshing = None
		if self._is_outdated:
			self._refresh(time.time())

	def _on_connected(self) -> None:
		self.hears_changes = True
		self._fresh_seconds = FRESH_SECONDS
		self._links.clear()
		self._missing.clear()
		self._reader.outdate_all()
		self._on_change(Change(settings=True))

	def _on_lost(self) -> None:
		self.hears_changes = False
		self._fresh_seconds = FRESH_SECONDS_DEAF

	def _on_change(self, change: Change) -> None:
		for code in change.codes:
			self._links.drop(code)
			self._missing.drop(code)
			self._reader.outdate(code)
		if change.settings:
			self._is_outdated = True
			self._retry_at = 0.0
			self._refresh(time.time())

	# Threads.

	def _soon(self, function: Callable[..., None]) -> Callable[..., None]:
		"""The same function, to be called from another thread."""

		def call(*arguments: Any) -> None:
			if not self._loop.is_closed():
				self._loop.call_soon_threadsafe(function, *arguments)

		return call

	async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
		return await self._loop.run_in_executor(self._pool, on_site, self.name, function, *arguments)


def on_site(site: str, function: Callable[..., Any], *arguments: Any) -> Any:
	"""Call a function on a site, in whatever thread this is."""
	with entered(site):
		return function(*arguments)


def read_snapshot() -> Snapshot:
	"""Read what every answer needs. In a thread, on the site."""
	if "trackflow" not in frappe.get_installed_apps():
		raise NotInstalled(frappe.local.site)
	language = frappe.db.get_single_value("System Settings", "language") or frappe.local.lang
	return Snapshot(
		config=get_config(),
		click_secret=keys.click_secret(),
		password_secret=keys.password_secret(),
		limit_secret=keys.limit_secret(),
		zone=ZoneInfo(get_system_timezone()),
		words=words(language),
		day_keys=_read_day_keys(),
		read_at=time.time(),
	)


def _read_day_keys() -> dict[int, bytes]:
	try:
		return {day: keys.key_of(FIRST_DAY + timedelta(days=day)) for day in days_ahead(time.time())}
	except (StreamUnavailable, RedisError, OSError):
		return {}


def hex_digits(length: int) -> Iterator[str]:
	"""Random texts of that length without end, drawn from the kernel a page at a time: to ask it for each costs as much as a
	hash. To be made after a fork, else two processes have the same."""
	while True:
		drawn = secrets.token_hex(4096)
		yield from (drawn[start : start + length] for start in range(0, len(drawn) - length + 1, length))


def days_ahead(now: float) -> set[int]:
	"""Today (UTC), and tomorrow where it is near."""
	return {int(now // DAY_SECONDS), int((now + KEY_AHEAD_SECONDS) // DAY_SECONDS)}
