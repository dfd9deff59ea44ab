"""Links that were asked for lately, by code, within a bound. Plain values in, plain values out; the time is the caller's.

Two generations: what is asked for moves to the younger one, and when that holds half of the bound, the older one goes as
a whole. So a hit costs one look-up, and what is dropped was not asked for since the last change of generations.
"""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Entry(msgspec.Struct, Generic[T], frozen=True, gc=False):
	"""A value, and when it was read."""

	value: T
	read_at: float


class Recent(Generic[T]):
	"""At most `limit` values by key."""

	__slots__ = ("_half", "_old", "_young")

	def __init__(self, limit: int) -> None:
		self._half = max(1, limit // 2)
		self._young: dict[str, Entry[T]] = {}
		self._old: dict[str, Entry[T]] = {}

	def get(self, key: str) -> Entry[T] | None:
		"""The entry of a key, or None."""
		entry = self._young.get(key)
		if entry is None and (entry := self._old.pop(key, None)) is not None:
			self._put(key, entry)
		return entry

	def put(self, key: str, value: T, read_at: float) -> None:
		"""Keep a value that was read at that time."""
		self._old.pop(key, None)
		self._put(key, Entry(value, read_at))

	def drop(self, key: str) -> None:
		"""Forget a key."""
		self._young.pop(key, None)
		self._old.pop(key, None)

	def clear(self) -> None:
		"""Forget everything."""
		self._young, self._old = {}, {}

	def __len__(self) -> int:
		return len(self._young) + len(self._old)

	def _put(self, key: str, entry: Entry[T]) -> None:
		if len(self._young) >= self._half and key not in self._young:
			self._old, self._young = self._young, {}
		self._young[key] = entry
