"""What a link allows only so often: its clicks, and attempts at its password. Counted in the queue Redis, for all processes.

A step of a counter is one script, so no two visitors get the last click. A counter that is not there (a link's first
visit, an emptied Redis) is begun from the rows and from what still waits on the stream. Without Redis a limit falls
back on what the link's snapshot knows.
"""

import json

import frappe
from redis import Redis
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.redirect.answer import ClickLeft, Question
from trackflow.redirect.decision import Link
from trackflow.stream import connection

# A counter that nobody asked for in this time is begun anew: by then everything is in the rows.
COUNTER_SECONDS = 30 * 24 * 60 * 60

# KEYS: the counter. ARGV: limit, 1 where a click is taken, seconds to live. Answers 1 or 0, or nothing without a counter.
TAKE_CLICK = """
local taken = redis.call("GET", KEYS[1])
if not taken then return false end
if tonumber(taken) >= tonumber(ARGV[1]) then return 0 end
if ARGV[2] == "1" then redis.call("INCR", KEYS[1]) end
redis.call("EXPIRE", KEYS[1], ARGV[3])
return 1
"""


def ask(question: Question) -> bool:
	"""Answer what a visit asks. One round trip to Redis; three and the database where a link's counter is begun."""
	try:
		return _click_left(connection.connect(), question)
	except (StreamUnavailable, RedisError, OSError):
		frappe.logger("trackflow").exception("A limit could not be looked up")
		return question.link.clicks < question.link.max_clicks


def clicks_key(link: str) -> str:
	"""The key of a link's click counter."""
	return connection.key(f"clicks:{link}")


def taken_so_far(link: str) -> int:
	"""Counted clicks and scans of a link: those in the rows, and those that wait for a drain."""
	waiting = _waiting(connection.connect(), link)
	# What is read now must not be older than the list: what a drain stores meanwhile is in both, and counted once.
	frappe.db.rollback()
	counted = frappe.db.get_value("Tracked Link", link, ["click_count", "scan_count"])
	if waiting:
		stored = frappe.get_all("Click Event", filters={"name": ("in", sorted(waiting))}, pluck="name")
		waiting -= set(stored)
	return sum(counted or ()) + len(waiting)


def _click_left(redis: Redis, question: ClickLeft) -> bool:
	link = question.link
	key = clicks_key(link.name)
	arguments = (1, key, link.max_clicks, int(question.takes), COUNTER_SECONDS)
	answer = redis.eval(TAKE_CLICK, *arguments)
	if answer is None:
		# Of two that begin it at once, the first one's count stands; the other's click is taken from it.
		redis.set(key, taken_so_far(link.name), nx=True, ex=COUNTER_SECONDS)
		answer = redis.eval(TAKE_CLICK, *arguments)
	return bool(answer)


def _waiting(redis: Redis, link: str) -> set[str]:
	"""Ids of the link's counted clicks on the stream."""
	ids = set()
	for _entry, fields in redis.xrange(connection.key("stream")):
		for record in json.loads(fields[b"records"]):
			if record.get("link") == link and record.get("counted"):
				ids.add(record["id"])
	return ids
