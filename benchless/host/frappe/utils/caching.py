"""Caches as decorators: for the request (`request_cache`), the process (`site_cache`) and all (`redis_cache`)."""

import json
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

import frappe

_SITE_CACHE: dict = defaultdict(lambda: defaultdict(dict))


def _key(args: tuple, kwargs: dict) -> int:
	return hash((args, frozenset(kwargs.items()))) if kwargs else hash(args)


def request_cache(func: Callable) -> Callable:
	"""Call `func` once per request for the same arguments."""

	@wraps(func)
	def wrapper(*args: Any, **kwargs: Any) -> Any:
		local = frappe.local
		if not getattr(local, "initialised", None):
			return func(*args, **kwargs)
		if not hasattr(local, "request_cache"):
			local.request_cache = defaultdict(dict)
		try:
			key = _key(args, kwargs)
		except TypeError:
			return func(*args, **kwargs)
		known = local.request_cache[func]
		if key not in known:
			value = func(*args, **kwargs)
			# looked up again: the call may have cleared the cache
			local.request_cache[func][key] = value
			return value
		return known[key]

	return wrapper


def site_cache(ttl: int | Callable | None = None, maxsize: int | None = None) -> Callable:
	"""Call `func` once per process and site for the same arguments, again after `ttl` seconds."""

	def decorate(func: Callable) -> Callable:
		func_key = f"{func.__module__}.{func.__name__}"
		seconds = None if callable(ttl) else ttl
		state = {"expires": time.monotonic() + seconds if seconds else None}

		def clear_cache() -> None:
			_SITE_CACHE[func_key].clear()

		@wraps(func)
		def wrapper(*args: Any, **kwargs: Any) -> Any:
			if not getattr(frappe.local, "initialised", None):
				return func(*args, **kwargs)
			if seconds and time.monotonic() >= state["expires"]:
				clear_cache()
				state["expires"] = time.monotonic() + seconds
			known = _SITE_CACHE[func_key][frappe.local.site]
			key = json.dumps((args, kwargs))
			if key not in known:
				if maxsize and len(known) >= maxsize:
					known.pop(next(iter(known)), None)
				known[key] = func(*args, **kwargs)
			return known[key]

		wrapper.clear_cache = clear_cache
		return wrapper

	return decorate(ttl) if callable(ttl) else decorate


def redis_cache(
	ttl: int | Callable | None = 3600, user: str | bool | None = None, shared: bool = False
) -> Callable:
	"""Keep what `func` returns in Redis for `ttl` seconds."""

	def decorate(func: Callable) -> Callable:
		func_key = f"{func.__module__}.{func.__qualname__}"
		seconds = 3600 if callable(ttl) else ttl

		def clear_cache() -> None:
			frappe.cache.delete_keys(func_key)

		@wraps(func)
		def wrapper(*args: Any, **kwargs: Any) -> Any:
			key = f"{func_key}::{_key(args, kwargs)}"
			if frappe.cache.exists(key, user=user, shared=shared):
				return frappe.cache.get_value(key, user=user, shared=shared)
			value = func(*args, **kwargs)
			frappe.cache.set_value(key, value, expires_in_sec=seconds, user=user, shared=shared)
			return value

		wrapper.clear_cache = clear_cache
		return wrapper

	return decorate(ttl) if callable(ttl) else decorate
