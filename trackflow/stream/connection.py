"""The queue Redis and the names of our keys in it.

The stream lives on the queue Redis, never on the cache, which evicts. Keys carry the site, since sites share a Redis,
and the site in braces, so that a Redis cluster keeps them together and one script or MULTI reaches them all.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import frappe
from frappe.utils.background_jobs import get_redis_conn
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from trackflow.exceptions import StreamUnavailable


def connect() -> Redis:
	"""The queue Redis. Raises StreamUnavailable where there is none."""
	try:
		return get_redis_conn()
	except (RedisError, OSError) as error:
		raise StreamUnavailable(str(error)) from error


def bound_waiting(seconds: float = 2.0) -> None:
	"""Let no call of this process to the queue Redis take longer: for servers, not for workers, who wait for jobs there."""
	options = connect().connection_pool.connection_kwargs
	options |= {"socket_timeout": seconds, "socket_connect_timeout": seconds, "retry": Retry(NoBackoff(), 0)}


def key(name: str) -> str:
	"""The site's key of that name."""
	return f"trackflow:{{{frappe.conf.db_name}}}:{name}"


class Script:
	"""A script that Redis runs in one step; sent once, then called by its hash."""

	def __init__(self, text: str) -> None:
		self.text = text
		self._hash = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

	def run(self, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
		"""Raises RedisError or StreamUnavailable."""
		redis = connect()
		try:
			return redis.evalsha(self._hash, len(keys), *keys, *arguments)
		except NoScriptError:
			return redis.eval(self.text, len(keys), *keys, *arguments)
