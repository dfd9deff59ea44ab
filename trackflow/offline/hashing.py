"""E-mail addresses as platforms compare them: the SHA-256 of the normalised one, in lower-case hex. Pure.

Meta (Conversions API, Customer Information Parameters, `em`): without leading and trailing spaces, in lower case.
LinkedIn (Conversions API, `SHA256_EMAIL`): the same. Neither takes dots or what follows a plus out of the local part; Google's
enhanced conversions do so for gmail.com and googlemail.com, but the import of clicks takes no address at all (`google`).
"""

import hashlib
import re

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def normalised(address: str) -> str:
	"""The address as it is hashed; "" for what is none."""
	text = (address or "").strip().lower()
	return text if _ADDRESS.fullmatch(text) else ""


def email_hash(address: str) -> str:
	"""64 hex digits; "" for no address."""
	text = normalised(address)
	return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() if text else ""
