"""Reads the stream and the spool and stores what they hold, each batch in one transaction, then acknowledges it. A backlog
is stored in lanes, side by side.

Safe to run twice, in several processes at once, and to be killed anywhere: a record is known by its id, an entry that was
not acknowledged is claimed by a later drain. A record that cannot be stored goes to the Click Queue, never away.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import frappe
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from trackflow.exceptions import StreamUnavailable
from trackflow.garbage import seldom_collected
from trackflow.keys import click_secret
from trackflow.runs import recorded
from trackflow.stream import click_queue, connection, lanes, spool, tally
from trackflow.stream.entries import decode
from trackflow.stream.writer import DUE_KEY, DUE_SECONDS
from trackflow.tracking.packing import unpacked
from trackflow.tracking.store import store

Record = dict[str, Any]
Entry = tuple[bytes, list[Record]]

GROUP = "drain"
# What the last drain did, for whoever looks after the site.
STATE_KEY = "last-drain"
# Redis's words, of all versions of its client.
OUT_OF_MEMORY = "command not allowed when used memory"
# Records per transaction: enough to make a statement worth its round trip, few enough to keep locks short.
BATCH_RECORDS = 2000
# Entries per reading: one may hold a hundred records.
BATCH_ENTRIES = 250
# Batches that lanes have and that are not acknowledged: one at hand for the lane that is ahead.
UNDER_WAY = 2
# An entry whose reader has been silent this long belongs to whoever asks next.
CLAIM_AFTER_SECONDS = 60
FORGET_AFTER_SECONDS = 600
# A drain hands over to the next one before its job would time out.
MAX_SECONDS = 240
CATCH_UP_SECONDS = 90


@dataclass(slots=True)
class Drained:
	"""What one drain did: records read, of them new in the database, and kept in the Click Queue; the seconds that storing
	took, and when it last did."""

	records: int = 0
	stored: int = 0
	failed: int = 0
	seconds: float = 0
	at: float = 0
	tell: Callable[["Drained"], None] | None = None
	told: tuple[int, int, int] = (0, 0, 0)

	def store(self, records: list[Record]) -> None:
		"""Store a batch, and count."""
		began = time.monotonic()
		self.count(len(records), store(records), time.monotonic() - began)

	def count(self, records: int, stored_and_failed: tuple[int, int], seconds: float) -> None:
		"""Count a batch that is stored."""
		self.seconds += seconds
		self.at = time.time()
		self.records += records
		self.stored += stored_and_failed[0]
		self.failed += stored_and_failed[1]
		if self.tell:
			self.tell(self)

	def untold(self) -> dict[str, int]:
		"""What came since this was last asked, as the tally has it: new in the database, there already, kept aside."""
		now = self.stored, self.records - self.stored - self.failed, self.failed
		new = [one - other for one, other in zip(now, self.told, strict=True)]
		self.told = now
		return dict(zip(("drain.stored", "drain.duplicate", "drain.failed"), new, strict=True))


def drain(
	max_seconds: float = MAX_SECONDS,
	claim_after_seconds: float = CLAIM_AFTER_SECONDS,
	tell: Callable[["Drained"], None] | None = None,
) -> Drained:
	"""Store all that waits, up to `max_seconds`: the spool first, which is older, then the stream. `tell` hears of each
	batch. Raises StreamUnavailable if Redis is out of reach (the spool is drained all the same)."""
	total = Drained(tell=tell)
	with seldom_collected():
		_drain_spool(total)
		try:
			if total.records:
				_tell(connection.connect(), total)
			_drain_stream(total, max_seconds, claim_after_seconds)
		except RedisError as error:
			raise StreamUnavailable(str(error)) from error
	return total


@contextmanager
def _although_full() -> Iterator[None]:
	"""A Redis whose memory is full refuses whatever needs some, and the drain is what frees it: so that must go on."""
	try:
		yield
	except ResponseError as error:
		if OUT_OF_MEMORY not in str(error):
			raise


def _drain_stream(total: Drained, max_seconds: float, claim_after_seconds: float) -> None:
	redis = connection.connect()
	_ensure_group(redis)
	consumer = uuid4().hex
	deadline = time.monotonic() + max_seconds
	try:
		with _Storing(redis, total) as storing:
			while time.monotonic() < deadline:
				with _although_full():
					redis.set(connection.key(DUE_KEY), 1, ex=DUE_SECONDS)
				entries = [] if storing.is_under_way else _claim(redis, consumer, claim_after_seconds)
				entries = entries or _read(redis, consumer)
				if not entries and storing.is_under_way:
					storing.finish()
					continue
				if not entries:
					# From here on a writer queues a drain of its own; what came before is seen by one more look.
					redis.delete(connection.key(DUE_KEY))
					entries = _read(redis, consumer)
					if not entries:
						break
				storing.add(entries)
			else:
				frappe.enqueue("trackflow.stream.drain.drain", queue="short", timeout=300)
	finally:
		_leave(redis, consumer)


class _Storing:
	"""Entries on their way into the database: batch after batch in this thread, or, of a backlog, side by side in lanes.
	They are acknowledged in the order in which they were read, once all their records are stored."""

	def __init__(self, redis: Redis, total: Drained) -> None:
		self._redis = redis
		self._total = total
		self._opened = ExitStack()
		self._lanes: lanes.Lanes | None = None
		self._under_way: deque[tuple[list[Entry], float, list[Future[tuple[int, int]]]]] = deque()
		self._settled_at = 0.0

	def __enter__(self) -> Self:
		return self

	def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
		with self._opened:
			if not kind:
				self.finish()

	@property
	def is_under_way(self) -> bool:
		"""Whether lanes are at something."""
		return bool(self._under_way)

	def add(self, entries: list[Entry]) -> None:
		"""Store entries, now or by and by."""
		for batch, records in _batches(entries):
			if lanes.number() == 1 or len(records) <= BATCH_RECORDS:
				self.finish()
				self._total.store(records)
				self._acknowledge(batch)
				continue
			self._lanes = self._lanes or self._opened.enter_context(lanes.opened())
			self._under_way.append((batch, time.monotonic(), self._lanes.store(records, store)))
			while len(self._under_way) > UNDER_WAY:
				self._settle()

	def finish(self) -> None:
		"""Wait for what is under way."""
		while self._under_way:
			self._settle()

	def _settle(self) -> None:
		batch, began, parts = self._under_way[0]
		done = [part.result() for part in parts]
		self._under_way.popleft()
		# Batches overlap: each is said to take the time that has passed since the one before.
		seconds = time.monotonic() - max(began, self._settled_at)
		self._settled_at = time.monotonic()
		stored, failed = map(sum, zip(*done, strict=True))
		self._total.count(sum(len(records) for _id, records in batch), (stored, failed), seconds)
		self._acknowledge(batch)

	def _acknowledge(self, batch: list[Entry]) -> None:
		ids = [entry_id for entry_id, _records in batch]
		# No MULTI: a Redis that is full takes nothing within one, not even what frees memory.
		pipeline = self._redis.pipeline(transaction=False)
		pipeline.xdel(connection.key("stream"), *ids)
		pipeline.xack(connection.key("stream"), GROUP, *ids)
		pipeline.execute()
		_tell(self._redis, self._total)


def _tell(redis: Redis, total: Drained) -> None:
	"""What this drain did so far, and in the tally what it did since it last told."""
	state = {name: getattr(total, name) for name in ("at", "records", "stored", "failed", "seconds")}
	pipeline = redis.pipeline(transaction=False)
	pipeline.hset(connection.key(STATE_KEY), mapping=state)
	tally.tell_by(pipeline, total.untold())
	with _although_full():
		pipeline.execute()


def catch_up(max_seconds: float = CATCH_UP_SECONDS) -> None:
	"""Store all that was written until now, and wait for what other drains have in hand. Raises StreamUnavailable where that
	cannot be had in time."""
	newest = _ask(lambda redis: redis.xrevrange(connection.key("stream"), count=1))
	deadline = time.monotonic() + max_seconds
	while True:
		drain(max_seconds=max(deadline - time.monotonic(), 1))
		oldest = _ask(lambda redis: redis.xrange(connection.key("stream"), count=1))
		if not newest or not oldest or _order(oldest[0][0]) > _order(newest[0][0]):
			return
		if time.monotonic() > deadline:
			raise StreamUnavailable("another drain is still at what was written before")
		time.sleep(0.25)


def _order(entry_id: bytes) -> tuple[int, ...]:
	return tuple(map(int, entry_id.split(b"-")))


@recorded
def drain_if_waiting() -> int:
	"""The scheduler's safety net: drain what no job came for; returns how many records are new."""
	try:
		if waiting() or spool.size():
			return drain().stored
	except StreamUnavailable:
		frappe.logger("trackflow").exception("The stream could not be drained")
	return 0


@recorded
def retry_kept() -> int:
	"""Try the records of the Click Queue again; returns how many are settled."""
	settled = 0
	for name, record in click_queue.waiting():
		_stored, failed = store([record])
		if not failed:
			click_queue.settle(name)
			settled += 1
	return settled


def waiting() -> int:
	"""Entries on the stream that are not stored yet."""
	return _ask(lambda redis: redis.xlen(connection.key("stream")))


def age() -> float:
	"""Seconds since the oldest entry that is not stored yet was written; 0 if there is none."""
	oldest = _ask(lambda redis: redis.xrange(connection.key("stream"), count=1))
	return max(time.time() - int(oldest[0][0].split(b"-")[0]) / 1000, 0) if oldest else 0


def last_run() -> Drained | None:
	"""What the last drain that stored something did (records and seconds); None if that is not known."""
	state = _ask(lambda redis: redis.hgetall(connection.key(STATE_KEY)))
	if not state:
		return None
	whole = {name: int(state.get(name.encode(), 0)) for name in ("records", "stored", "failed")}
	return Drained(**whole, seconds=float(state[b"seconds"]), at=float(state[b"at"]))


def _ask(question: Callable[[Redis], Any]) -> Any:
	try:
		return question(connection.connect())
	except RedisError as error:
		raise StreamUnavailable(str(error)) from error


def _ensure_group(redis: Redis) -> None:
	try:
		with _although_full():
			redis.xgroup_create(connection.key("stream"), GROUP, id="0", mkstream=True)
	except ResponseError as error:
		if "BUSYGROUP" not in str(error):
			raise


def _read(redis: Redis, consumer: str) -> list[Entry]:
	"""New entries, about a batch of records for each lane."""
	entries: list[Entry] = []
	records = 0
	while records < lanes.number() * BATCH_RECORDS:
		answer = redis.xreadgroup(GROUP, consumer, {connection.key("stream"): ">"}, count=BATCH_ENTRIES)
		some = [_decode(entry) for _stream, found in answer or [] for entry in found]
		entries += some
		records += sum(len(found) for _id, found in some)
		if len(some) < BATCH_ENTRIES:
			break
	return entries


def _claim(redis: Redis, consumer: str, after_seconds: float) -> list[Entry]:
	"""Entries that another drain read and neither stored nor acknowledged: it died, or it is very slow."""
	answer = redis.xautoclaim(
		connection.key("stream"), GROUP, consumer, int(after_seconds * 1000), count=BATCH_ENTRIES
	)
	return [_decode(entry) for entry in answer[1] if entry[1]]


def _decode(entry: tuple[bytes, dict[bytes, bytes]]) -> Entry:
	"""An entry's records. One that is not ours cannot be stored, and must not be read again and again."""
	entry_id, fields = entry
	try:
		records = decode(fields[b"records"])
		return entry_id, [one for record in records for one in unpacked(record, click_secret)]
	except (KeyError, ValueError, TypeError, IndexError, AttributeError):
		frappe.logger("trackflow").error("Entry %s of the stream holds no records: %r", entry_id, fields)
		return entry_id, []


def _batches(entries: list[Entry]) -> Iterator[tuple[list[Entry], list[Record]]]:
	"""Entries in portions that the lanes take at once, with their records."""
	batch: list[Entry] = []
	records: list[Record] = []
	for entry in entries:
		batch.append(entry)
		records += entry[1]
		if len(records) >= lanes.number() * BATCH_RECORDS:
			yield batch, records
			batch, records = [], []
	if batch:
		yield batch, records


def _leave(redis: Redis, consumer: str) -> None:
	"""Remove this drain's consumer and those of dead drains, but none that holds entries: deleting it would lose them."""
	for known in redis.xinfo_consumers(connection.key("stream"), GROUP):
		name = known["name"].decode()
		is_dead = known["idle"] > FORGET_AFTER_SECONDS * 1000
		if not known["pending"] and (name == consumer or is_dead):
			redis.xgroup_delconsumer(connection.key("stream"), GROUP, name)


def _drain_spool(total: Drained) -> None:
	for path in spool.take():
		try:
			_drain_spool_file(path, total)
		except FileNotFoundError:
			# Another drain stored and removed it at the same time.
			continue


def _drain_spool_file(path: Path, total: Drained) -> None:
	records = (one for record in spool.read(path) for one in unpacked(record, click_secret))
	while batch := list(islice(records, BATCH_RECORDS)):
		total.store(batch)
	path.unlink(missing_ok=True)
