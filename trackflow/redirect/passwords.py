"""Passwords of links, without the passwords: what is kept of one, and of whoever tries. Pure.

Promises that a snapshot holds no password and a counter's key no address: both are keyed, so that nobody who reads Redis
can try them out at home. Comparisons take the same time whatever is given.
"""

from __future__ import annotations

import hmac
from unicodedata import normalize

from trackflow.naming import keyed_hash
from trackflow.tracking import identity

# Wrong passwords of one address for one link in this time; then even the right one has to wait.
ATTEMPTS = 5
ATTEMPT_SECONDS = 15 * 60


def digest(secret: bytes, link: str, password: str) -> str:
	"""What stands for a link's password."""
	# Keyboards differ in how they compose an accent.
	return keyed_hash(secret, "password", link, normalize("NFC", password))


def is_right(secret: bytes, link: str, expected: str, given: str) -> bool:
	"""Tell whether `given` is the password whose digest is `expected`."""
	return hmac.compare_digest(digest(secret, link, given), expected)


def attempts_of(secret: bytes, link: str, address: str) -> str:
	"""The name under which one address's attempts at one link are counted."""
	return keyed_hash(secret, "attempts", link, identity.counted_address(address))
