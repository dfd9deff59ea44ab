"""Passwords of links, without the passwords: what is kept of one, and of whoever tries. Pure.

Promises that a snapshot holds no password and a counter's key no address: both are keyed, so that nobody who reads Redis
can try them out at home. Comparisons take the same time whatever is given.
"""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import ip_address, ip_network
from unicodedata import normalize

# Wrong passwords of one address for one link in this time; then even the right one has to wait.
ATTEMPTS = 5
ATTEMPT_SECONDS = 15 * 60


def digest(secret: bytes, link: str, password: str) -> str:
	"""What stands for a link's password."""
	# Keyboards differ in how they compose an accent.
	return _keyed(secret, "password", link, normalize("NFC", password))


def is_right(secret: bytes, link: str, expected: str, given: str) -> bool:
	"""Tell whether `given` is the password whose digest is `expected`."""
	return hmac.compare_digest(digest(secret, link, given), expected)


def attempts_of(secret: bytes, link: str, address: str) -> str:
	"""The name under which one address's attempts at one link are counted."""
	return _keyed(secret, "attempts", link, _network(address))


def _network(address: str) -> str:
	"""An IPv6 address is one of 2^64 that a single connection has: they count as one."""
	try:
		parsed = ip_address(address)
	except ValueError:
		return address
	return str(ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


def _keyed(secret: bytes, *parts: str) -> str:
	message = b"".join(
		len(one).to_bytes(4, "big") + one for one in (part.encode("utf-8", "surrogatepass") for part in parts)
	)
	return hmac.digest(secret, message, hashlib.sha256).hex()
