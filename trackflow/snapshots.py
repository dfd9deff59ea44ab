"""Snapshots of rows in the cache Redis, so kept that no slow reader can put back what a writer has dropped.

Beside each snapshot stands its generation, which every drop makes anew. Whoever reads the rows asks for it first, and what
was read is kept only if it is still the same; Redis compares and stores in one step. Without Redis nothing is kept.
"""

import pickle
from collections.abc import Callable, Iterable
from functools import lru_cache
from secrets import token_bytes
from typing import Any

import frappe
from redis.exceptions import ConnectionError

# Longer than any reader takes from its question to its answer.
GENERATION_SECONDS = 60 * 60

# KEYS: snapshot, generation. ARGV: the generation that the reader found ("" for none), snapshot, seconds to live.
KEEP = """
if (redis.call("GET", KEYS[2]) or "") == ARGV[1] then redis.call("SET", KEYS[1], ARGV[2], "EX", ARGV[3]) end
"""


def cached(*keys: str) -> list[Any]:
	"""The snapshots that are there, None for each that is not. One round trip."""
	try:
		found = frappe.cache.mget([frappe.cache.make_key(key) for key in keys])
	except ConnectionError:
		return [None] * len(keys)
	return [_unpickled(one) if one else None for one in found]


def generation(key: str) -> bytes:
	"""What `keep` wants to see again; to be asked for before the rows are read."""
	try:
		return frappe.cache.get(_generation_key(key)) or b""
	except ConnectionError:
		return b""


def keep(key: str, generation: bytes, value: Any, seconds: int) -> None:
	"""Keep a snapshot, unless it was dropped since its reader asked for the generation."""
	keys = (frappe.cache.make_key(key), _generation_key(key))
	try:
		frappe.cache.eval(KEEP, 2, *keys, generation, pickle.dumps(value), seconds)
	except ConnectionError:
		return


def forget(keys: Iterable[str], then: Callable[[], None]) -> None:
	"""Drop snapshots now, for the writer's own eyes, and again when its transaction ends; after a commit, call `then`.

	Before the commit others read the old rows, and the writer reads rows that may never be.
	"""
	keys = list(keys)

	def committed() -> None:
		_drop(keys)
		then()

	_drop(keys)
	frappe.db.after_commit.add(committed)
	frappe.db.after_rollback.add(lambda: _drop(keys))


def _drop(keys: list[str]) -> None:
	pipeline = frappe.cache.pipeline(transaction=True)
	for key in keys:
		pipeline.set(_generation_key(key), token_bytes(8), ex=GENERATION_SECONDS)
		pipeline.delete(frappe.cache.make_key(key))
	try:
		pipeline.execute()
	except ConnectionError:
		return


def _generation_key(key: str) -> bytes:
	return frappe.cache.make_key(f"{key}:generation")


@lru_cache(maxsize=1024)
def _unpickled(cached: bytes) -> Any:
	"""The same bytes are the same frozen value: asking Redis keeps it right, and unpacking it again would cost more."""
	return pickle.loads(cached)  # noqa: S301 our own bytes, from the cache that Frappe pickles into
