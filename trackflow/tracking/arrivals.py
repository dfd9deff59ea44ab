"""What becomes of what websites send, counted by their public keys, so that a check can say why nothing arrives (COL-2, RPT-3).

Figures of the tally, and the host that was refused last. Both are kept of domains that are configured alone: what strangers send
makes no more of them.
"""

import re
import time
from contextlib import suppress

import frappe
from redis.exceptions import RedisError

from trackflow.exceptions import StreamUnavailable
from trackflow.policy import Config, Domain
from trackflow.stream import connection, tally

SCRIPTS, ACCEPTED, REJECTED, OTHER_KEY, NO_PAGE = "scripts", "accepted", "rejected", "other_key", "no_page"
ORIGIN = "origin"
HOST_SECONDS = 2 * 60 * 60
# A website that is refused sends again with every page: its host is told this often.
TELL_SECONDS = 60
_HOST = re.compile(r"[0-9a-z.:\[\]-]{1,253}")
# When this process told which host last, by site and key.
_told: dict[tuple[str, str], float] = {}


def prefix(public_key: str) -> str:
	"""What the names of a website's figures begin with, before the point."""
	return f"website.{public_key}"


def count(domain: Domain, **figures: int) -> None:
	tally.add({f"{prefix(domain.public_key)}.{name}": number for name, number in figures.items()})


def refused(code: str, public_key: str, host: str, config: Config) -> None:
	"""Count a request that is refused, of the website whose key it shows, and of the one whose page it came from."""
	of_key = config.domain_of_key(public_key) or config.domain_of(public_key)
	of_page = config.website_of(host) if host else None
	if of_key:
		count(of_key, **{NO_PAGE if code == ORIGIN and not host else code: 1})
		if code == ORIGIN and host:
			_remember(of_key.public_key, host)
	if of_page and of_page is not of_key:
		count(of_page, **{OTHER_KEY if of_key else code: 1})


def refused_host(public_key: str) -> str:
	"""The host whose pages showed this key last and were refused; "" where none was lately, or nobody knows."""
	with suppress(RedisError, StreamUnavailable, OSError):
		return (connection.connect().get(_key(public_key)) or b"").decode()
	return ""


def _remember(public_key: str, host: str) -> None:
	of, now = (frappe.local.site, public_key), time.monotonic()
	if not _HOST.fullmatch(host) or now - _told.get(of, -TELL_SECONDS) < TELL_SECONDS:
		return
	_told[of] = now
	with suppress(RedisError, StreamUnavailable, OSError):
		connection.connect().set(_key(public_key), host, ex=HOST_SECONDS)


def _key(public_key: str) -> str:
	return connection.key(f"refused-host:{public_key}")
