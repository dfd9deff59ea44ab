"""Stores a backlog side by side: a lane is a thread with a database connection of its own, so that one works out its rows
while the database is busy with another's.

What an address sent goes to one lane: clicks, the landing pages they led to and the bursts of scanners stay together, and
lanes seldom wait for each other's locks. Right is what comes out for the same reason as with two drains at once.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import frappe

from trackflow.frappe_thread import entered

Record = dict[str, Any]
Stored = tuple[int, int]

LANES = 2


def number() -> int:
	"""How many lanes this database has a use for: SQLite lets one connection write at a time."""
	return 1 if frappe.db.db_type == "sqlite" else LANES


class Lanes:
	"""Lanes that are open, for `store` to be called in with parts of what there is to store."""

	def __init__(self, threads: list[ThreadPoolExecutor]) -> None:
		self._threads = threads

	def store(self, records: list[Record], store: Callable[[list[Record]], Stored]) -> list[Future[Stored]]:
		"""Have records stored, each lane's behind what it has to do already."""
		parts: list[list[Record]] = [[] for _thread in self._threads]
		for record in records:
			parts[hash(_sender(record)) % len(parts)].append(record)
		return [thread.submit(store, part) for thread, part in zip(self._threads, parts, strict=True) if part]


@contextmanager
def opened() -> Iterator[Lanes]:
	"""Open as many lanes as there is a use for. Leaving waits for what they were given. This thread's transaction ends, as
	storing in it would end it: lanes must not wait for its locks, nor it read what was there before them."""
	frappe.db.commit()
	with ExitStack() as open_lanes:
		yield Lanes([open_lanes.enter_context(_thread(f"lane {one}")) for one in range(number())])
	frappe.db.commit()


@contextmanager
def _thread(name: str) -> Iterator[ThreadPoolExecutor]:
	"""A thread that is on this site. It enters and leaves it by itself, as Frappe's state is its own."""
	with ThreadPoolExecutor(1, name) as thread, ExitStack() as stay:
		thread.submit(stay.enter_context, entered(frappe.local.site, frappe.local.sites_path)).result()
		try:
			yield thread
		finally:
			thread.submit(stay.close).result()


def _sender(record: Record) -> str:
	return str(record.get("address") or record.get("visitor"))
