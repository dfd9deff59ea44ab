"""How often each endpoint may be asked, in one table, and who is not answered at all (COL-3).

Values come from the settings; 0 is no limit. Addresses are counted under a keyed hash, of IPv6 the /64. Without Redis there
are no limits: a visitor's click or event is worth more than a limit that cannot be counted.
"""

import json
from functools import lru_cache
from typing import NamedTuple, NoReturn

import frappe
from redis.exceptions import RedisError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from trackflow.config import get_config
from trackflow.exceptions import StreamUnavailable
from trackflow.incoming import Incoming, client_address
from trackflow.keys import limit_secret
from trackflow.naming import keyed_hash
from trackflow.policy import ApiKey, Config
from trackflow.stream import buckets, tally
from trackflow.stream.buckets import Bucket
from trackflow.tracking import identity

MINUTE, HOUR = 60, 60 * 60


class Limit(NamedTuple):
	"""The setting that says how many, and in how many seconds."""

	field: str
	seconds: int


# By what is asked for, per address.
ENDPOINTS = {
	"events": Limit("limit_events_per_address_minute", MINUTE),
	"redirects": Limit("limit_redirects_per_address_minute", MINUTE),
	"consents": Limit("limit_consents_per_address_minute", MINUTE),
	"scripts": Limit("limit_scripts_per_address_minute", MINUTE),
	"images": Limit("limit_images_per_address_minute", MINUTE),
	"management": Limit("limit_management_requests_per_address_hour", HOUR),
}
SITE_EVENTS = Limit("limit_events_per_site_minute", MINUTE)
KEY_REQUESTS = Limit("limit_api_requests_per_key_hour", HOUR)
BLOCKED = "Requests from this address are not answered."
TOO_MANY = "Too many requests. Try again later."


class Turned(HTTPException):
	"""A request that is not answered: 400, 401, 403, or 429 with Retry-After, as JSON."""

	def __init__(self, status: int, code: str, text: str, wait: int = 0) -> None:
		body = json.dumps({"error": code, "message": text})
		response = Response(body, status=status, mimetype="application/json")
		response.headers.update({"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
		if wait:
			response.headers["Retry-After"] = str(wait)
		if status == 401:
			response.headers["WWW-Authenticate"] = "Bearer"
		super().__init__(description=text, response=response)


def is_blocked(address: str, config: Config) -> bool:
	return bool(config.blocked_addresses) and identity.in_ranges(address, config.blocked_addresses)


def of_address(endpoint: str, address: str, config: Config, secret: bytes) -> list[Bucket]:
	"""What one more request of this address to an endpoint takes."""
	limit = ENDPOINTS[endpoint]
	most = config.limits.get(limit.field, 0)
	return [Bucket(f"{endpoint}:{_name(secret, address)}", most, limit.seconds)] if most else []


def of_site(domain: str, events: int, config: Config) -> list[Bucket]:
	"""What so many events of a domain take."""
	most = config.limits.get(SITE_EVENTS.field, 0)
	return [Bucket(f"site:{domain}", most, SITE_EVENTS.seconds, events)] if most else []


def of_key(key: ApiKey, config: Config) -> list[Bucket]:
	"""What one more request with a key takes: by the key's own limits, else by that of the settings."""
	most = config.limits.get(KEY_REQUESTS.field, 0)
	limits = key.limits or (((most, KEY_REQUESTS.seconds),) if most else ())
	return [Bucket(f"key:{key.prefix}:{seconds}", most, seconds) for most, seconds in limits]


def wait_for(wanted: list[Bucket]) -> int:
	"""Take from these; the seconds to wait, 0 where they were taken. Never raises."""
	try:
		return buckets.take(wanted)
	except (StreamUnavailable, RedisError, OSError) as error:
		frappe.logger("trackflow").warning("Limits do not hold, Redis is out of reach: %s", error)
		return 0


def guard(endpoint: str) -> None:
	"""In a whitelisted method: raise `Turned` where the request's address is blocked or asks too often."""
	config = get_config()
	address = client_address(Incoming.of(frappe.request), config)
	if is_blocked(address, config):
		tally.add({f"{endpoint}.refused.blocked": 1})
		refuse(403, "blocked", BLOCKED)
	if wait := wait_for(of_address(endpoint, address, config, limit_secret())):
		tally.add({f"{endpoint}.refused.too_many": 1})
		refuse(429, "too_many", TOO_MANY, wait)


def refuse(status: int, code: str, text: str, wait: int = 0) -> NoReturn:
	"""Raise `Turned` for the present request. Frappe shows no hook what such an exception answers, so it is noted here."""
	frappe.local.flags.trackflow_refused = (status, code)
	raise Turned(status, code, text, wait)


@lru_cache(maxsize=4096)
def _name(secret: bytes, address: str) -> str:
	return keyed_hash(secret, "limit", identity.counted_address(address))[:32]
