"""How often each address asks one process of the edge: token buckets in memory, within bounds. Pure.

No question to Redis stands in a visitor's way, so each process counts for itself.
"""

import math

MOST_ADDRESSES = 50_000


class Rates:
	"""Tokens by address, and when they were counted."""

	def __init__(self, most: int = MOST_ADDRESSES) -> None:
		self._most = most
		self._buckets: dict[str, tuple[float, float]] = {}

	def take(self, address: str, capacity: int, seconds: float, now: float) -> int:
		"""Take a token of a bucket that fills up within `seconds`: 0, or the seconds until there is one. A `capacity` of 0 is
		no limit."""
		if not capacity:
			return 0
		buckets = self._buckets
		if (bucket := buckets.get(address)) is None:
			tokens = float(capacity)
		else:
			tokens, since = bucket
			if now > since:
				tokens += (now - since) * capacity / seconds
			if tokens > capacity:
				tokens = float(capacity)
		if tokens < 1:
			return math.ceil((1 - tokens) * seconds / capacity)
		if bucket is None and len(buckets) >= self._most:
			# The oldest go, a tenth at a time: they ask least.
			for one in list(buckets)[: self._most // 10]:
				del buckets[one]
		buckets[address] = (tokens - 1, now)
		return 0
