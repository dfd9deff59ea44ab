"""Tells what has changed, over the queue Redis: edges by a notice, web workers by a new state of the site.

A notice says which snapshot is out of date, never what is in the new one. Whoever was not listening drops everything when
it listens again (`edge.feed`). The state is a name that each change makes anew: what was read in one state is good as long
as it lasts (`redirect.known`). Where Redis is away nobody is told, which costs a moment of freshness.
"""

import json
from collections.abc import Iterable
from secrets import token_hex
from typing import NamedTuple

import frappe
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.stream import connection

CHANNEL = "changes"
STATE_KEY = "state"


class Change(NamedTuple):
	"""Codes of links whose snapshots are out of date, and whether that of the settings is."""

	codes: tuple[str, ...] = ()
	settings: bool = False


def tell(codes: Iterable[str] = (), settings: bool = False) -> None:
	"""Say that these links, or the settings, have changed; to be called once everybody can see the change."""
	notice = json.dumps({"codes": list(codes), "settings": settings})
	try:
		pipeline = connection.connect().pipeline(transaction=False)
		pipeline.set(connection.key(STATE_KEY), token_hex(8))
		pipeline.publish(connection.key(CHANNEL), notice)
		pipeline.execute()
	except (StreamUnavailable, RedisError, OSError) as error:
		frappe.logger("trackflow").warning("Edges could not be told of a change: %s", error)


def state() -> str | None:
	"""The site's state, to be asked for before rows are read; None if Redis is out of reach."""
	try:
		return (connection.connect().get(connection.key(STATE_KEY)) or b"").decode()
	except (StreamUnavailable, RedisError, OSError):
		return None


def read(notice: bytes) -> Change:
	"""A notice as it was told. What is none is taken for a change of the settings: reading them again does no harm."""
	try:
		told = json.loads(notice)
		return Change(tuple(map(str, told["codes"])), bool(told["settings"]))
	except (ValueError, KeyError, TypeError):
		return Change(settings=True)
