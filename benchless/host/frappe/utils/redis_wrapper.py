"""`frappe.cache`: redis-py's client with keys of the site, pickled values and a copy in `frappe.local.cache`.

Without a Redis server one fakeredis store per process stands in, shared by all threads; addresses of it are
`memory://<database>`, 0 for the cache and 1 for the queue.
"""

import os
import pickle
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

import fakeredis
import redis
from redis.exceptions import ConnectionError

import frappe

MEMORY = "memory"
# The one store of this process, and its two databases. Made at the import: threads that asked for the first ones at once would get
# different ones, which fakeredis does not guard against.
_SERVER = fakeredis.FakeServer()
_DATABASES = [_SERVER.dbs[number] for number in (0, 1)]


def default_urls() -> tuple[str, str]:
	"""Addresses of cache and queue: those of BENCHLESS_REDIS_URL (the queue one database further), else memory."""
	url = os.environ.get("BENCHLESS_REDIS_URL")
	if not url:
		return f"{MEMORY}://0", f"{MEMORY}://1"
	parts = urlsplit(url)
	number = int(parts.path.strip("/") or 0)
	return (
		urlunsplit(parts._replace(path=f"/{number}")),
		urlunsplit(parts._replace(path=f"/{number + 1}")),
	)


def connect(url: str, real: type = redis.Redis, memory: type = fakeredis.FakeRedis, **options: Any) -> Any:
	"""A client for an address, `memory://n` included."""
	parts = urlsplit(url)
	if parts.scheme == MEMORY:
		return memory(server=_SERVER, db=int(parts.netloc or 0), **options)
	return real.from_url(url, **options)


class _Wrapper:
	"""Frappe's cache methods, over whichever client the class is mixed with."""

	def __call__(self) -> "_Wrapper":
		return self

	def connected(self) -> bool:
		try:
			return bool(self.ping())
		except ConnectionError:
			return False

	def make_key(self, key: str, user: str | bool | None = None, shared: bool = False) -> bytes | str:
		if shared:
			return key
		if user:
			key = f"user:{frappe.session.user if user is True else user}:{key}"
		return f"{frappe.conf.db_name}|{key}".encode()

	def set_value(
		self,
		key: str,
		val: Any,
		user: str | bool | None = None,
		expires_in_sec: int | None = None,
		shared: bool = False,
	) -> None:
		made = self.make_key(key, user, shared)
		if not expires_in_sec:
			frappe.local.cache[made] = val
		try:
			self.set(made, pickle.dumps(val), ex=expires_in_sec or None)
		except ConnectionError:
			return

	def get_value(
		self,
		key: str,
		generator: Callable[[], Any] | None = None,
		user: str | bool | None = None,
		expires: bool = False,
		shared: bool = False,
	) -> Any:
		made = self.make_key(key, user, shared)
		if made in frappe.local.cache:
			return frappe.local.cache[made]
		value = self._load(lambda: self.get(made))
		if expires:
			return value
		if value is None and generator:
			value = generator()
			self.set_value(key, value, user=user, shared=shared)
		else:
			frappe.local.cache[made] = value
		return value

	@staticmethod
	def _load(read: Callable[[], bytes | None]) -> Any:
		try:
			raw = read()
		except ConnectionError:
			return None
		return None if raw is None else pickle.loads(raw)

	def get_all(self, key: str) -> dict:
		return {found: self._load(lambda found=found: self.get(found)) for found in self.get_keys(key)}

	def get_keys(self, key: str) -> list:
		try:
			return list(self.keys(self.make_key(key + "*")))
		except ConnectionError:
			prefix = self.make_key(key)
			return [
				made for made in frappe.local.cache if isinstance(made, bytes) and made.startswith(prefix)
			]

	def delete_keys(self, key: str) -> None:
		self.delete_value(self.get_keys(key), make_keys=False)

	def delete_key(self, *args: Any, **kwargs: Any) -> None:
		self.delete_value(*args, **kwargs)

	def delete_value(
		self, keys: Any, user: str | bool | None = None, make_keys: bool = True, shared: bool = False
	) -> None:
		if not keys:
			return
		keys = list(keys) if isinstance(keys, list | tuple | set) else [keys]
		if make_keys:
			keys = [self.make_key(key, user=user, shared=shared) for key in keys]
		for key in keys:
			frappe.local.cache.pop(key, None)
		try:
			self.delete(*keys)
		except ConnectionError:
			return

	def exists(self, *names: str, user: str | bool | None = None, shared: bool = False) -> int:
		try:
			return super().exists(*(self.make_key(name, user=user, shared=shared) for name in names))
		except ConnectionError:
			return 0

	def hset(self, name: str, key: str, value: Any, shared: bool = False, *args: Any, **kwargs: Any) -> None:
		if key is None:
			return
		made = self.make_key(name, shared=shared)
		frappe.local.cache.setdefault(made, {})[key] = value
		try:
			super().hset(made, key, pickle.dumps(value), *args, **kwargs)
		except ConnectionError:
			return

	def hget(
		self, name: str, key: str, generator: Callable[[], Any] | None = None, shared: bool = False
	) -> Any:
		made = self.make_key(name, shared=shared)
		known = frappe.local.cache.setdefault(made, {})
		if not key:
			return None
		if key in known:
			return known[key]
		value = self._load(lambda: super(_Wrapper, self).hget(made, key))
		if value is not None:
			known[key] = value
		elif generator:
			value = generator()
			self.hset(name, key, value, shared=shared)
		return value

	def hexists(self, name: str, key: str, shared: bool = False) -> bool:
		if key is None:
			return False
		try:
			return bool(super().hexists(self.make_key(name, shared=shared), key))
		except ConnectionError:
			return False

	def hgetall(self, name: str) -> dict:
		return {key: pickle.loads(value) for key, value in super().hgetall(self.make_key(name)).items()}

	def hdel(self, name: str, key: str, shared: bool = False) -> None:
		made = self.make_key(name, shared=shared)
		frappe.local.cache.get(made, {}).pop(key, None)
		try:
			super().hdel(made, key)
		except ConnectionError:
			return

	def hdel_keys(self, name_starts_with: str, key: str) -> None:
		for name in self.get_keys(name_starts_with):
			self.hdel(name.decode().split("|", 1)[1], key)

	def hkeys(self, name: str) -> list:
		try:
			return super().hkeys(self.make_key(name))
		except ConnectionError:
			return []


def _with_key(method: str) -> Callable:
	"""A command of the client whose first argument is a key of the site."""

	def command(self: Any, name: str, *args: Any, **kwargs: Any) -> Any:
		return getattr(super(_Wrapper, self), method)(self.make_key(name), *args, **kwargs)

	command.__name__ = method
	return command


for _method in (
	"lpush rpush lpop rpop llen lrange ltrim sadd srem sismember spop srandmember smembers"
).split():
	setattr(_Wrapper, _method, _with_key(_method))


class RedisWrapper(_Wrapper, redis.Redis):
	"""The cache on a Redis server."""


class MemoryWrapper(_Wrapper, fakeredis.FakeRedis):
	"""The cache in this process. A file of the site tells the others when something was dropped from it: they then drop
	all of theirs with the next request or job, so that a command's changes are seen by a running server."""

	_seen: ClassVar[dict[str, int]] = {}
	# Else a thread could take for another process's what one of this process is about to note as its own.
	_noting: ClassVar[Lock] = Lock()

	def delete(self, *names: Any) -> int:
		deleted = super().delete(*names)
		notice = self._notice()
		with self._noting:
			if notice.parent.exists():
				notice.touch()
				self._seen[str(notice)] = notice.stat().st_mtime_ns
		return deleted

	def heed_others(self) -> None:
		"""Drop the site's keys if another process dropped any since this one last looked."""
		notice = self._notice()
		with self._noting:
			changed = notice.stat().st_mtime_ns if notice.exists() else 0
			if self._seen.setdefault(str(notice), changed) == changed:
				return
			self._seen[str(notice)] = changed
		if keys := list(self.keys(self.make_key("*"))):
			super().delete(*keys)

	@staticmethod
	def _notice() -> Path:
		return Path(frappe.local.site_path, ".cache-changed")


@lru_cache(maxsize=8)
def setup_cache(url: str) -> RedisWrapper | MemoryWrapper:
	"""`frappe.cache` for an address; one client, and so one pool of connections, per process."""
	return connect(url, RedisWrapper, MemoryWrapper)
