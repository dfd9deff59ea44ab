"""Names that follow from a key: the same short text for the same key, so that a unique key that can hold empty parts is
a primary key; and keyed hashes of what must not be known. Pure."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

# Between the parts of a key; none of them may hold it, or two keys are one.
SEPARATOR = "\x1f"


def key_name(*parts: Any) -> str:
	"""Return 32 hex digits for a key; None and empty parts are the same, the order matters."""
	texts = ["" if part is None else str(part) for part in parts]
	return hashlib.sha256(SEPARATOR.join(texts).encode()).hexdigest()[:32]


def timed_name(moment: datetime, *parts: Any) -> str:
	"""Return 32 hex digits for a moment (naive) and a key. Names of one time are neighbours in the database, which then
	writes a few pages for a batch instead of one for each row."""
	milliseconds = _milliseconds(moment)
	return f"{_begin_of_name(milliseconds)}{key_name(milliseconds, *parts)[:21]}"


def timed_names(begin: datetime, end: datetime) -> tuple[str, str]:
	"""Between which texts the `timed_name`s of all moments from `begin` to `end` are: not below the first, and below the second."""
	return _begin_of_name(_milliseconds(begin)), _begin_of_name(_milliseconds(end) + 1)


def _milliseconds(moment: datetime) -> int:
	return round(moment.replace(tzinfo=UTC).timestamp() * 1000)


def _begin_of_name(milliseconds: int) -> str:
	return f"{milliseconds % 16**11:011x}"


def keyed_hash(secret: bytes, *parts: str) -> str:
	"""Return 64 hex digits for these texts, which nobody without the secret can tell or make."""
	texts = (part.encode("utf-8", "surrogatepass") for part in parts)
	message = b"".join(len(one).to_bytes(4, "big") + one for one in texts)
	return hmac.digest(secret, message, hashlib.sha256).hex()
