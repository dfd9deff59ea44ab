"""What a link allows only so often: its clicks, and attempts at its password. Counted in the queue Redis, for all processes.

A step of a counter is one script, so no two visitors get the last click. A counter that is not there (a link's first
visit in a while, an emptied Redis) is begun from the rows and from what still waits on the stream. Without Redis, clicks
fall back on what the link's snapshot knows, and attempts are counted in this process.
"""

import json
import time
from collections.abc import Iterator
from threading import Lock

import frappe
from redis import Redis
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.redirect.answer import ClickLeft, MayTry, Question
from trackflow.redirect.passwords import ATTEMPT_SECONDS, ATTEMPTS
from trackflow.stream import connection

# After the last click that was taken, and no sooner, the counter is thrown away and begun anew: by then every click is in
# the rows or on the stream, and those that turned out to be robots' are given back.
COUNTER_SECONDS = 10 * 60
ENTRIES_AT_ONCE = 1000
MOST_LOCAL = 10_000

# KEYS: the counter. ARGV: limit; clicks that the rows are known to hold; 1 where a click is taken; seconds to live.
# Answers 1 or 0, or nothing where there is no counter.
TAKE_CLICK = """
local taken = tonumber(redis.call("GET", KEYS[1]) or "-1")
if taken < 0 then return false end
if taken < tonumber(ARGV[2]) then taken = tonumber(ARGV[2]) end
if taken >= tonumber(ARGV[1]) then return 0 end
if ARGV[3] == "1" then redis.call("SET", KEYS[1], taken + 1, "EX", ARGV[4]) end
return 1
"""
# KEYS: wrong attempts. ARGV: limit; 1 where this one is right; seconds that the first wrong one counts.
TRY_PASSWORD = """
local wrong = tonumber(redis.call("GET", KEYS[1]) or "0")
if wrong >= tonumber(ARGV[1]) then return 0 end
if ARGV[2] == "0" and redis.call("INCR", KEYS[1]) == 1 then redis.call("EXPIRE", KEYS[1], ARGV[3]) end
return 1
"""  # noqa: S105 a script

# Wrong attempts and when they are forgotten, by key: only while Redis is away.
_local: dict[str, tuple[int, float]] = {}
_lock = Lock()


def ask(question: Question) -> bool:
	"""Answer what a visit asks. One round trip to Redis; where a link's counter is begun, some more, and the database."""
	try:
		redis = connection.connect()
		return _may_try(redis, question) if isinstance(question, MayTry) else _click_left(redis, question)
	except (StreamUnavailable, RedisError, OSError):
		frappe.logger("trackflow").exception("A link's limit could not be looked up")
	if isinstance(question, MayTry):
		return may_try_here(question, time.monotonic())
	return question.link.clicks < question.link.max_clicks


def clicks_key(link: str) -> str:
	"""The key of a link's click counter."""
	return connection.key(f"clicks:{link}")


def attempts_key(caller: str) -> str:
	"""The key of a caller's wrong attempts at a link (see `passwords.attempts_of`)."""
	return connection.key(f"attempts:{caller}")


def taken_so_far(link: str) -> int:
	"""Counted clicks and scans of a link: those in the rows, and those that wait for a drain."""
	waiting = set(_waiting(connection.connect(), link))
	# What is read now must not be older than the list: what a drain stores meanwhile is in both, and counted once.
	frappe.db.rollback()
	counted = frappe.db.get_value("Tracked Link", link, ["click_count", "scan_count"])
	stored = frappe.get_all("Click Event", {"name": ("in", sorted(waiting))}, pluck="name") if waiting else []
	return sum(counted or ()) + len(waiting.difference(stored))


def may_try_here(question: MayTry, now: float) -> bool:
	"""The same as the script, in this process alone. Where too many try at once, nobody may."""
	with _lock:
		for caller in [one for one, (_wrong, until) in _local.items() if until <= now]:
			del _local[caller]
		wrong, until = _local.get(question.caller, (0, now + ATTEMPT_SECONDS))
		if wrong >= ATTEMPTS or (not wrong and len(_local) >= MOST_LOCAL):
			return False
		if not question.is_right:
			_local[question.caller] = (wrong + 1, until)
	return True


def _click_left(redis: Redis, question: ClickLeft) -> bool:
	link = question.link
	key = clicks_key(link.name)
	arguments = (1, key, link.max_clicks, link.clicks, int(question.takes), COUNTER_SECONDS)
	answer = redis.eval(TAKE_CLICK, *arguments)
	if answer is None:
		# Of two that begin it at once the first one's count stands, and both take their click from it.
		redis.set(key, taken_so_far(link.name), nx=True, ex=COUNTER_SECONDS)
		answer = redis.eval(TAKE_CLICK, *arguments)
	return bool(answer)


def _may_try(redis: Redis, question: MayTry) -> bool:
	arguments = (1, attempts_key(question.caller), ATTEMPTS, int(question.is_right), ATTEMPT_SECONDS)
	return bool(redis.eval(TRY_PASSWORD, *arguments))


def _waiting(redis: Redis, link: str) -> Iterator[str]:
	"""Ids of the link's counted clicks on the stream."""
	start = "-"
	while entries := redis.xrange(connection.key("stream"), min=start, count=ENTRIES_AT_ONCE):
		for _entry, fields in entries:
			for record in json.loads(fields[b"records"]):
				if record.get("link") == link and record.get("counted"):
					yield record["id"]
		start = b"(" + entries[-1][0]
