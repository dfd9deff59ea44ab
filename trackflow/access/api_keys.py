"""What an API key is, and whether one that is shown may do what it wants (KEY-1). Pure.

A key is its public prefix and a secret of 256 bits; only the secret's hash is kept. Whoever shows a wrong one learns nothing
but that; why a right one is refused is said.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import NamedTuple

from trackflow.policy import ApiKey, Config
from trackflow.tracking import identity

PREFIX_LENGTH = 20
HEADER = "x-trackflow-key"

_PREFIX = re.compile(r"tfk_[0-9a-f]{16}")
# Longer than any key of ours; what is longer is not read.
_LONGEST = 512
# What an unknown key is compared with, so that it takes as long as a known one.
_NOBODY = "0" * 64


class Refused(ValueError):
	"""The key that was shown may not do this: HTTP `status`, a `code` for programs, a text for people, and where it may later the
	seconds to `wait`."""

	def __init__(self, status: int, code: str, text: str, wait: int = 0) -> None:
		super().__init__(text)
		self.status, self.code, self.wait = status, code, wait


class Made(NamedTuple):
	"""A new key: its prefix and the secret's hash are stored, `whole` is shown once."""

	prefix: str
	secret_hash: str
	whole: str


def made_of(random: bytes) -> Made:
	"""A key of 40 random bytes."""
	prefix = f"tfk_{random[:8].hex()}"
	secret = base64.urlsafe_b64encode(random[8:40]).decode().rstrip("=")
	return Made(prefix, hash_of(secret), f"{prefix}_{secret}")


def hash_of(secret: str) -> str:
	"""The hash by which a secret is known. It is random and long, so it needs no salt and no slowness."""
	return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def shown_in(headers: Mapping[str, str]) -> str:
	"""The key that a server shows to the collector: as `of_people`, any `Authorization: Bearer`, or the name of `Authorization:
	Basic`; "" where it shows none. Names of headers in lower case."""
	if key := headers.get(HEADER, ""):
		return key.strip()[:_LONGEST]
	scheme, _blank, value = headers.get("authorization", "").partition(" ")
	if scheme.lower() == "bearer":
		return value.strip()[:_LONGEST]
	return _basic_name(value.strip()) if scheme.lower() == "basic" else ""


def of_people(headers: Mapping[str, str]) -> str:
	"""The key that a request of people's API shows: `X-TrackFlow-Key`, or `Authorization: Bearer` with what looks like a key of
	ours, since Frappe and other apps have bearers too; "" for none."""
	if key := headers.get(HEADER, "").strip():
		return key[:_LONGEST]
	scheme, _blank, value = headers.get("authorization", "").partition(" ")
	shown = value.strip()[:_LONGEST] if scheme.lower() == "bearer" else ""
	return shown if is_one(shown) else ""


def is_one(shown: str) -> bool:
	"""Whether it looks like a key of ours: other apps have keys too."""
	return _PREFIX.fullmatch(shown[:PREFIX_LENGTH]) is not None


def known(shown: str, config: Config) -> ApiKey | None:
	"""The key that was shown, whether it may be used or not; None for a wrong secret as for a prefix that there is not."""
	key = config.api_keys.get(shown[:PREFIX_LENGTH])
	secret = hash_of(shown[PREFIX_LENGTH + 1 :])
	return key if hmac.compare_digest(secret, key.secret_hash if key else _NOBODY) else None


def checked(shown: str, config: Config, address: str, now: float) -> ApiKey:
	"""The key that was shown from this address. Raises Refused."""
	key = known(shown, config)
	if key is None:
		raise Refused(401, "wrong_key", "This API key is not known here.")
	if not key.is_active:
		raise Refused(401, "key_revoked", "This API key is switched off.")
	if key.expires_at is not None and key.expires_at <= now:
		raise Refused(401, "key_expired", "This API key has expired.")
	if key.networks and not identity.in_ranges(address, key.networks):
		raise Refused(403, "key_address", "This API key may not be used from this address.")
	return key


def check_scope(key: ApiKey, scope: str) -> None:
	"""See that a key may do this, on all domains. Raises Refused."""
	if _narrowed(key, scope):
		raise Refused(
			403, "key_domain", f"This API key has the scope {scope} for events of some domains alone."
		)


def check_domain(key: ApiKey, scope: str, domain: str) -> None:
	"""See that a key may do this on a domain. Raises Refused."""
	narrowed = _narrowed(key, scope)
	if (key.domain and domain != key.domain) or (narrowed and domain not in narrowed):
		raise Refused(403, "key_domain", "This API key belongs to another domain.")


def _narrowed(key: ApiKey, scope: str) -> frozenset[str]:
	"""The domains that a scope of the key is narrowed to; none: all."""
	if scope not in key.scopes:
		raise Refused(403, "key_scope", f"This API key has no scope {scope}.")
	return key.scopes[scope]


def _basic_name(value: str) -> str:
	if len(value) > _LONGEST:
		return ""
	try:
		return base64.b64decode(value, validate=True).decode().partition(":")[0]
	except (binascii.Error, ValueError):
		return ""
