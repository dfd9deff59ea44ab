"""Tells running edges what has changed, over the queue Redis. Nobody waits for it, and nobody needs it to be right.

A notice says which snapshot is out of date, never what is in the new one. Whoever was not listening drops everything when
it listens again (`edge.feed`), so one that gets lost costs a moment of freshness.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple

import frappe
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.stream import connection

CHANNEL = "changes"


class Change(NamedTuple):
	"""Codes of links whose snapshots are out of date, and whether that of the settings is."""

	codes: tuple[str, ...] = ()
	settings: bool = False


def tell(codes: Iterable[str] = (), settings: bool = False) -> None:
	"""Say that these links, or the settings, have changed; to be called once everybody can see the change."""
	notice = json.dumps({"codes": list(codes), "settings": settings})
	try:
		connection.connect().publish(connection.key(CHANNEL), notice)
	except (StreamUnavailable, RedisError, OSError) as error:
		frappe.logger("trackflow").warning("Edges could not be told of a change: %s", error)


def read(notice: bytes) -> Change:
	"""A notice as it was told. What is none is taken for a change of the settings: reading them again does no harm."""
	try:
		told = json.loads(notice)
		return Change(tuple(map(str, told["codes"])), bool(told["settings"]))
	except (ValueError, KeyError, TypeError):
		return Change(settings=True)
