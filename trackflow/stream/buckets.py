"""Token buckets in the queue Redis: how often something may happen, for all processes together (COL-3).

A bucket holds `capacity` tokens and fills up again within `seconds`. Several are asked at once, by one script: all give, or
none does. Without Redis whoever asks goes on: see `access.limits`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from trackflow.stream import connection, tally
from trackflow.stream.connection import Script

# Answers how many seconds are missing until all buckets can give; 0 where they have given.
# `first` is the place of the first bucket in KEYS, `at` that of its arguments: capacity, seconds, tokens wanted.
TAKE = """
local function take(first, at)
	local time = redis.call("TIME")
	local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
	local left, wait = {}, 0
	for i = first, #KEYS do
		local n = at + (i - first) * 3
		local capacity, seconds = tonumber(ARGV[n]), tonumber(ARGV[n + 1])
		local wanted = math.min(tonumber(ARGV[n + 2]), capacity)
		local tokens, since = string.match(redis.call("GET", KEYS[i]) or "", "^(%S+) (%S+)$")
		tokens = tokens and math.min(capacity, tonumber(tokens) + math.max(0, now - tonumber(since)) * capacity / seconds)
			or capacity
		left[i] = tokens - wanted
		if left[i] < 0 then wait = math.max(wait, -left[i] * seconds / capacity) end
	end
	if wait > 0 then return math.ceil(wait) end
	for i = first, #KEYS do
		local seconds = ARGV[at + (i - first) * 3 + 1]
		redis.call("SET", KEYS[i], string.format("%.4f %.4f", left[i], now), "EX", seconds)
	end
	return 0
end
"""
_ALONE = Script(tally.TELL + TAKE + "tell(1, 1)\nreturn take(3, 2)")


class Bucket(NamedTuple):
	"""A bucket by its name on the site, and how many tokens are wanted of it."""

	name: str
	capacity: int
	seconds: int
	wanted: int = 1


def take(buckets: Sequence[Bucket]) -> int:
	"""Take from all of these; answers the seconds to wait, 0 where they were taken. Raises RedisError or
	StreamUnavailable."""
	if not buckets:
		return 0
	figures = tally.due()
	try:
		names = keys(buckets)
		return int(
			_ALONE.run([*tally.keys(figures, unused=names[0]), *names], [figures, *arguments(buckets)])
		)
	except Exception:
		tally.untold(figures)
		raise


def keys(buckets: Sequence[Bucket]) -> list[str]:
	return [connection.key(f"bucket:{one.name}") for one in buckets]


def arguments(buckets: Sequence[Bucket]) -> list[int]:
	return [value for one in buckets for value in (one.capacity, one.seconds, one.wanted)]
