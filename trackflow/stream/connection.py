"""The queue Redis and the names of our keys in it.

The stream lives on the queue Redis, never on the cache, which evicts. Keys carry the site, since sites share a Redis,
and the site in braces, so that a Redis cluster keeps them together and one MULTI reaches them all.
"""

import frappe
from frappe.utils.background_jobs import get_redis_conn
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
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
