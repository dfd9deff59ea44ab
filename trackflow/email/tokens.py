"""What a mail carries back: the name of its row, signed for one purpose (EML-1, SEC-3). Pure.

Nobody can make such a token or turn one into another purpose's; it tells nothing by itself. Short, of small letters and digits: a
header line of Frappe's queue takes 78 characters, and mail programs may change the case of what they show.
"""

import base64
import re
from hashlib import blake2b
from hmac import compare_digest

# The parameter of a short link that says whose mail it was clicked in.
PARAMETER = "tfm"
OPENED, OPENED_BY_ANYBODY, LEAVE, MESSAGE = "opened", "opened by anybody", "leave", "message"
NAME_LENGTH, SIGNATURE_LENGTH = 16, 12
_TOKEN = re.compile(rf"([a-z0-9]{{8,40}})([a-z2-7]{{{SIGNATURE_LENGTH}}})")
_MAIL, _NAME = b"trackflow.mail", b"trackflow.mailname"


def row_name(secret: bytes, mailing: str, address: str) -> str:
	"""The name of the row of an address in a mailing: the same each time, and nobody's to work out without the secret."""
	return _digits(secret, _NAME, f"{len(mailing)}:{mailing}{address.lower()}")[:NAME_LENGTH]


def clicked(link: str) -> str:
	"""The purpose of a token that goes with one link."""
	return f"clicked {link}"


def sign(purpose: str, name: str, secret: bytes) -> str:
	"""The token of a row (or of a mailing, for OPENED_BY_ANYBODY) for one purpose."""
	return name + _signature(purpose, name, secret)


def read(purpose: str, token: object, secret: bytes) -> str:
	"""The name that a token holds; "" for anything that was not signed for this purpose."""
	found = _TOKEN.fullmatch(token.lower()) if isinstance(token, str) and len(token) < 64 else None
	if not found:
		return ""
	name, signature = found.groups()
	return name if compare_digest(signature, _signature(purpose, name, secret)) else ""


def in_query(query: str) -> str:
	"""The token that a short link was asked with; "" for none."""
	if PARAMETER not in query:
		return ""
	pieces = (piece.partition("=") for piece in query.split("&"))
	return next((value for name, _equals, value in pieces if name == PARAMETER), "")


def with_token(short_url: str, token: str) -> str:
	"""A short link as it stands in one person's mail."""
	return f"{short_url}{'&' if '?' in short_url else '?'}{PARAMETER}={token}"


def _signature(purpose: str, name: str, secret: bytes) -> str:
	return _digits(secret, _MAIL, f"{len(purpose)}:{purpose}{name}")[:SIGNATURE_LENGTH]


def _digits(secret: bytes, kind: bytes, text: str) -> str:
	digest = blake2b(
		text.encode("utf-8", "surrogatepass"), digest_size=10, key=secret, person=kind[:16]
	).digest()
	return base64.b32encode(digest).decode().lower()
