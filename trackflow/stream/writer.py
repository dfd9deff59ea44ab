"""Puts click and event records on the stream, and sees that a drain will come for them.

One round trip to Redis. If Redis is down the records go to the spool; if that fails too the loss is logged and counted.
Never raises, never asks the database: a visitor waits for this.
"""

from typing import Any

import frappe
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.stream import connection, entries, spool

Record = dict[str, Any]

# While this key lives, a drain is queued or running and will look at the stream once more before it ends. It outlives
# a drain that died; the scheduler's minute is the last resort.
DUE_KEY = "drain-due"
DUE_SECONDS = 30
# How long the collector remembers event ids: events later than this are refused anyway.
SEEN_SECONDS = 24 * 60 * 60
# Records that could be stored nowhere, of all processes together.
LOSSES_KEY = "losses"
_losses = 0
_told_losses = 0
_spooled = 0


def write(records: list[Record], event_keys: list[str] | None = None) -> list[bool]:
	"""Put `records` on the stream as one entry.

	`event_keys` are identities of the records; the answer says for each whether it is new within the last day.
	Records seen before are written all the same: the drain has the last word on what is stored.
	"""
	keys = event_keys or []
	if not records:
		return []
	try:
		new, drain_wanted = _write_to_redis(records, keys)
	except (StreamUnavailable, RedisError, OSError) as error:
		put_aside(records, error)
		return [True] * len(keys)
	if drain_wanted:
		_queue_drain()
	return new


def losses() -> int:
	"""Records this process could store nowhere."""
	return _losses


def all_losses() -> int:
	"""Records that all processes together could store nowhere, as far as they said so: a process does with the next record
	that Redis takes. Raises StreamUnavailable if Redis is out of reach."""
	try:
		told = connection.connect().get(connection.key(LOSSES_KEY))
	except RedisError as error:
		raise StreamUnavailable(str(error)) from error
	return int(told or 0) + _losses - _told_losses


def spooled() -> int:
	"""Records this process gave to the spool."""
	return _spooled


def put_aside(records: list[Record], reason: object) -> None:
	"""Give records to the spool, for whoever knows that Redis would not take them. Never raises."""
	global _losses, _spooled
	try:
		spool.append(records)
		_spooled += len(records)
		frappe.logger("trackflow").error(
			"Redis is out of reach (%s): %d records spooled", reason, len(records)
		)
	except OSError:
		_losses += len(records)
		frappe.logger("trackflow").exception(
			"%d records are lost: neither Redis nor the spool took them", len(records)
		)


def _write_to_redis(records: list[Record], keys: list[str]) -> tuple[list[bool], bool]:
	pipeline = connection.connect().pipeline(transaction=True)
	for event_key in keys:
		pipeline.set(connection.key(f"seen:{event_key}"), 1, nx=True, ex=SEEN_SECONDS)
	pipeline.xadd(connection.key("stream"), {"records": entries.encode(records)})
	pipeline.set(connection.key(DUE_KEY), 1, nx=True, ex=DUE_SECONDS)
	*new, _entry, drain_wanted = pipeline.execute()
	if _losses > _told_losses:
		_tell_losses()
	return [bool(answer) for answer in new], bool(drain_wanted)


def _tell_losses() -> None:
	global _told_losses
	number = _losses - _told_losses
	_told_losses += number
	try:
		connection.connect().incrby(connection.key(LOSSES_KEY), number)
	except (StreamUnavailable, RedisError):
		_told_losses -= number


def _queue_drain() -> None:
	"""Queue a drain. The due key is the deduplication: it alone closes the gap between a drain's last look and its end,
	in which a job id that is still marked as running would swallow this call."""
	try:
		frappe.enqueue("trackflow.stream.drain.drain", queue="short", timeout=300)
	except Exception:
		# The records are safe on the stream; the scheduler's minute will find them.
		frappe.logger("trackflow").exception("A drain could not be queued")
