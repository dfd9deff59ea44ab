"""The secrets of tracking: the day's key of cookieless ids, the key that signs click ids, and those that are derived like it.

The day's key is random, shared by all workers through the queue Redis, gone after 48 hours and never in the database. The
others are derived from the site's encryption key, so they are stored nowhere.
"""

import hashlib
import hmac
from datetime import UTC, date, datetime
from functools import lru_cache
from secrets import token_bytes

from frappe.utils.password import get_encryption_key
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.stream import connection

DAY_KEY_SECONDS = 48 * 60 * 60
# Days' keys by their Redis key, which names site and day; those of past days are dropped.
_day_keys: dict[str, bytes] = {}


def day_key() -> bytes:
	"""The key of the current day (UTC). Without Redis it is one that nobody else has, for this call alone: ids made with
	it join nothing, which is the careful way to fail."""
	try:
		return key_of(datetime.now(UTC).date())
	except (StreamUnavailable, RedisError, OSError):
		return nobodys_key()


def key_of(day: date) -> bytes:
	"""The key of a day (UTC), today or later. Raises StreamUnavailable, RedisError or OSError without Redis."""
	name = connection.key(f"day-key:{day.isoformat()}")
	if name not in _day_keys:
		fresh = _shared_key(name)
		today = datetime.now(UTC).date().isoformat()
		for known in [one for one in _day_keys if one.startswith(name.removesuffix(day.isoformat()))]:
			if known.rpartition(":")[2] < today:
				del _day_keys[known]
		_day_keys[name] = fresh
	return _day_keys[name]


def nobodys_key() -> bytes:
	"""A key for one call, where the day's is not to be had."""
	return token_bytes(32)


def click_secret() -> bytes:
	"""The key that signs click ids on this site."""
	return _derived(get_encryption_key(), "trackflow click id")


def password_secret() -> bytes:
	"""The key of what stands for a link's password, and for whoever tries one."""
	return _derived(get_encryption_key(), "trackflow link password")


def webhook_secret(secret_id: str) -> bytes:
	"""What the webhooks of an API key are signed with. It is derived from the site's encryption key and an id that the API key holds:
	so it is stored nowhere, neither a backup of the database nor a reader of its rows has it, and another id makes another one."""
	return _derived(get_encryption_key(), f"trackflow webhooks {secret_id}")


def limit_secret() -> bytes:
	"""The key of what stands for an address whose requests are counted."""
	return _derived(get_encryption_key(), "trackflow limits")


def sketch_salt() -> str:
	"""What visitors' ids are hashed with where they are only counted, so that nobody can choose ids that count for many."""
	return _derived(get_encryption_key(), "trackflow visitors counted").hex()[:16]


def _shared_key(name: str) -> bytes:
	pipeline = connection.connect().pipeline(transaction=True)
	pipeline.set(name, token_bytes(32), nx=True, ex=DAY_KEY_SECONDS)
	pipeline.get(name)
	return pipeline.execute()[1]


@lru_cache(maxsize=64)
def _derived(key: str, purpose: str) -> bytes:
	return hmac.digest(key.encode(), purpose.encode(), hashlib.sha256)
