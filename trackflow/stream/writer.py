"""Puts click and event records on the stream, and sees that a drain will come for them.

One round trip to Redis, by one script. If Redis is down the records go to the spool; if that fails too the loss is logged
and counted. Never raises, never asks the database: a visitor waits for this.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import frappe
import msgspec
from redis.exceptions import RedisError

from trackflow.changes import STATE_KEY
from trackflow.exceptions import StreamUnavailable
from trackflow.stream import buckets, connection, entries, spool, tally
from trackflow.stream.buckets import Bucket
from trackflow.stream.connection import Script

# What JSON makes an object of; read back, it is a dict.
Record = dict[str, Any] | msgspec.Struct

# While this key lives, a drain is queued or running and will look at the stream once more before it ends. It outlives
# a drain that died; the scheduler's minute is the last resort.
DUE_KEY = "drain-due"
DUE_SECONDS = 30
# Event ids are remembered on the day they came (UTC) and the next: events later than a day are refused anyway. They stand as
# digests, spread by the first bytes over small hashes, which Redis packs: at a million a day an eighth of what a key for each
# would take.
SEEN_DAYS = 2
_PLACE_BYTES, _DIGEST_BYTES = 2, 10
# Records that could be stored nowhere, of all processes together.
LOSSES_KEY = "losses"
_losses = 0
_told_losses = 0
_spooled = 0

# Instead of a state that the site must be in.
ANY_STATE = "*"

# KEYS: stream, due key, prefix of ids that were seen, state, the tally's two, buckets. ARGV: records, seconds that the due key
# lives, digests of ids one after the other, days that they are remembered, the state that the site must be in, the tally, then
# what the buckets need. Answers the seconds to wait, or -1 where the site is in another state (nothing is written then), whether a drain is wanted,
# and of each id 1 where it is new, else 0.
_WRITE = Script(
	tally.TELL
	+ buckets.TAKE
	+ f"""
local PLACE, DIGEST = {_PLACE_BYTES}, {_DIGEST_BYTES}
"""
	+ """
tell(5, 6)
if ARGV[5] ~= "*" and (redis.call("GET", KEYS[4]) or "") ~= ARGV[5] then return {-1, 0, ""} end
local wait = take(7, 7)
if wait > 0 then return {wait, 0, ""} end
local new = {}
local day = math.floor(tonumber(redis.call("TIME")[1]) / 86400)
for at = 1, #ARGV[3], DIGEST do
	local place, id = string.sub(ARGV[3], at, at + PLACE - 1), string.sub(ARGV[3], at + PLACE, at + DIGEST - 1)
	local today, yesterday = KEYS[3] .. day .. place, KEYS[3] .. day - 1 .. place
	local is_new = redis.call("HEXISTS", yesterday, id) == 0 and redis.call("HSETNX", today, id, "") == 1
	if is_new then redis.call("EXPIRE", today, ARGV[4] * 86400) end
	new[#new + 1] = is_new and "1" or "0"
end
redis.call("XADD", KEYS[1], "*", "records", ARGV[1])
local wanted = redis.call("SET", KEYS[2], 1, "NX", "EX", ARGV[2]) and 1 or 0
return {0, wanted, table.concat(new)}
"""
)


class Written(NamedTuple):
	"""Which of the ids are new, at least within the last day; or nothing is written: the seconds to wait, or that the
	site's state has changed."""

	new: tuple[bool, ...] = ()
	wait: int = 0
	is_outdated: bool = False


def write(
	records: list[Record],
	ids: Sequence[str] = (),
	seen: str = "",
	limits: Sequence[Bucket] = (),
	as_of: str = ANY_STATE,
) -> Written:
	"""Put `records` on the stream as one entry, if the site is in the state `as_of` and all `limits` allow it.

	`ids` are identities of what the records hold, unique under the name `seen`; the answer says for each whether it is new.
	What was seen before is written all the same: the drain has the last word on what is stored. Without Redis there are no
	limits, all is new, and a state is taken for another one: nobody can compare it.
	"""
	if not records:
		return Written()
	try:
		written, drain_wanted = _write_to_redis(records, ids, seen, limits, as_of)
	except (StreamUnavailable, RedisError, OSError) as error:
		if as_of != ANY_STATE:
			return Written(is_outdated=True)
		put_aside(records, error)
		return Written((True,) * len(ids))
	if drain_wanted:
		_queue_drain()
	if not (written.wait or written.is_outdated):
		tally.add({"clicks": sum(_is_click(record) for record in records)})
	return written


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
	number = sum(_number_in(record) for record in records)
	try:
		spool.append(records)
		_spooled += number
		tally.add({"spooled": number})
		frappe.logger("trackflow").error("Redis is out of reach (%s): %d records spooled", reason, number)
	except OSError:
		_losses += number
		frappe.logger("trackflow").exception(
			"%d records are lost: neither Redis nor the spool took them", number
		)


def _is_click(record: Record) -> bool:
	return not isinstance(record, dict) or record.get("kind") == "click"


def _number_in(record: Record) -> int:
	"""How many will be stored: a batch of events is one record here."""
	return len(record.get("events", "?")) if isinstance(record, dict) else 1


def _write_to_redis(
	records: list[Record], ids: Sequence[str], seen: str, limits: Sequence[Bucket], as_of: str
) -> tuple[Written, bool]:
	figures = tally.due()
	stream = connection.key("stream")
	keys = (
		stream,
		connection.key(DUE_KEY),
		connection.key("seen:"),
		connection.key(STATE_KEY),
		*tally.keys(figures, unused=stream),
		*buckets.keys(limits),
	)
	arguments = (
		entries.encode(records),
		DUE_SECONDS,
		b"".join(_digest(seen, one) for one in ids),
		SEEN_DAYS,
		as_of,
		figures,
		*buckets.arguments(limits),
	)
	try:
		wait, drain_wanted, new = _WRITE.run(keys, arguments)
	except Exception:
		tally.untold(figures)
		raise
	if _losses > _told_losses:
		_tell_losses()
	if wait < 0:
		return Written(is_outdated=True), False
	return Written(tuple(one == ord("1") for one in new), wait), bool(drain_wanted)


def _digest(name: str, event_id: str) -> bytes:
	"""What is remembered of an id: 80 bits, so that two of a day's do not meet."""
	text = f"{name}\0{event_id}".encode("utf-8", "surrogatepass")
	return blake2b(text, digest_size=_DIGEST_BYTES).digest()


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
