"""Keeps the log of requests with a key, and counts how each key is used (KEY-2).

A request leaves one line in a list of the queue Redis once its answer is on its way, by one round trip that nobody waits for; a job
makes rows of what is there, each minute, and adds to the figures of the keys. What Redis does not take is counted as lost. What is kept
of a request is decided in `redacted`, of its address in `incoming`.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone
from redis.exceptions import RedisError

from trackflow import bulk, keys
from trackflow.access import redacted
from trackflow.access.stored_keys import DOCTYPE
from trackflow.exceptions import StreamUnavailable
from trackflow.incoming import Incoming, recognise
from trackflow.policy import Config
from trackflow.runs import recorded
from trackflow.stream import connection, tally
from trackflow.stream.connection import Script
from trackflow.times import site_time

LOG = "API Request Log"
# Lines that wait for the job.
REQUESTS_KEY = "requests"
# Beyond so many they are lost: a program that runs wild must not fill Redis. Of the longest some 100 MB.
MOST_WAITING = 100_000
# One transaction's worth.
AT_ONCE = 1000
# A run ends before the next ones pile up.
MAX_SECONDS = 240
# A sum of the tally.
LOST = "requests.lost"

# KEYS: list, the tally's two. ARGV: line, lines that may wait, the tally. Answers whether it was taken.
_ADD = Script(
	tally.TELL
	+ """
tell(2, 3)
if redis.call("LLEN", KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call("RPUSH", KEYS[1], ARGV[1])
return 1
"""
)
# KEYS: list. ARGV: the line that was read first, how many were. Whoever was overtaken finds another first line, and takes nothing.
_DROP = Script(
	"""
if redis.call("LINDEX", KEYS[1], 0) == ARGV[1] then redis.call("LTRIM", KEYS[1], ARGV[2], -1) end
"""
)


class Answered(NamedTuple):
	"""A request with a key that was answered: the key's name, when it came (seconds since 1970), the seconds until the answer, its
	arguments, and what is said of the answer."""

	key: str
	at: float
	seconds: float
	status: int
	asked: Mapping[str, Any]
	told: Mapping[str, Any]


class _Line(NamedTuple):
	"""A line of the list: the row's name and fields in short."""

	name: str
	at: float
	key: str
	method: str
	endpoint: str
	status: int
	milliseconds: int
	address: str
	asked: str
	told: str


def write(request: Answered, incoming: Incoming, config: Config) -> None:
	"""Let a request wait to be stored. Never raises; to be called when the answer is on its way."""
	try:
		line = _Line(
			uuid4().hex[:20],
			request.at,
			request.key,
			incoming.method[:10],
			redacted.endpoint(incoming.path),
			request.status,
			int(request.seconds * 1000),
			recognise(incoming, config, None, keys.day_key, sets_cookie=False).address,
			redacted.arguments(request.asked),
			json.dumps(request.told),
		)
		is_taken = _add(json.dumps(line))
	except Exception as error:
		frappe.logger("trackflow").error("A request with a key is not logged: %s", type(error).__name__)
		is_taken = False
	if not is_taken:
		tally.add({LOST: 1})


def waiting() -> int:
	"""How many requests wait to be stored. Raises RedisError or StreamUnavailable."""
	return connection.connect().llen(connection.key(REQUESTS_KEY))


def lost() -> int:
	"""How many requests are not in the log, as far as processes have told. Raises RedisError or StreamUnavailable."""
	return int(connection.connect().hget(connection.key(tally.TOTALS_KEY), LOST) or 0)


@recorded
def store() -> int:
	"""Every minute: make rows of what waits; returns how many are new."""
	stored, deadline = 0, time.monotonic() + MAX_SECONDS
	while time.monotonic() < deadline and (lines := _first()):
		stored += _store([_Line(*json.loads(line)) for line in lines])
		_DROP.run([connection.key(REQUESTS_KEY)], [lines[0], len(lines)])
	return stored


def _add(line: str) -> bool:
	figures, name = tally.due(), connection.key(REQUESTS_KEY)
	try:
		return bool(_ADD.run([name, *tally.keys(figures, unused=name)], [line, MOST_WAITING, figures]))
	except (RedisError, StreamUnavailable, OSError):
		tally.untold(figures)
		raise


def _first() -> Sequence[bytes]:
	return connection.connect().lrange(connection.key(REQUESTS_KEY), 0, AT_ONCE - 1)


def _store(lines: Sequence[_Line]) -> int:
	"""In one transaction, rows and figures: whoever comes second to the same lines waits for the keys' locks and finds them stored."""
	zone = ZoneInfo(get_system_timezone())
	frappe.db.commit()
	used = bulk.lock(DOCTYPE, {line.key for line in lines}, ("last_used",))
	stored = bulk.load(LOG, {"name": ("in", [line.name for line in lines])}, ())
	new = [line for line in lines if line.name not in stored]
	bulk.insert(LOG, [_row(line, zone) for line in new])
	_count(new, {name: row.last_used for name, row in used.items()}, zone)
	frappe.db.commit()
	return len(new)


def _count(lines: Sequence[_Line], last_used: dict[str, datetime | None], zone: ZoneInfo) -> None:
	"""Add requests to the figures of the keys that there still are, which are locked."""
	numbers, last = Counter[str](), dict[str, dict[str, datetime]]()
	for line in sorted(lines, key=attrgetter("at")):
		if line.key in last_used:
			numbers[line.key] += 1
			moment = max(site_time(line.at, zone), last_used[line.key] or datetime.min)
			last[line.key] = {"last_used": moment}
	increments = {name: {"usage_count": number} for name, number in numbers.items()}
	bulk.add(DOCTYPE, increments, last, is_locked=True)


def _row(line: _Line, zone: ZoneInfo) -> dict[str, Any]:
	return {
		"name": line.name,
		"request_time": site_time(line.at, zone),
		"api_key": line.key,
		"method": line.method,
		"endpoint": line.endpoint,
		"response_code": line.status,
		"duration_ms": line.milliseconds,
		"ip_address": line.address,
		"request_data": line.asked,
		"response_data": line.told,
	}
