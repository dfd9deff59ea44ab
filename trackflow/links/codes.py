"""Short codes: made at random from an alphabet that people can read off a poster, or chosen by hand (LNK-1).

Promises lower-case codes that survive being typed. Never looks whether a code is taken: the unique index of the
Tracked Link does, and the caller tries again.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

# Without 0 and o, 1 and l and i.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
DEFAULT_LENGTH = 6
MAX_LENGTH = 64

# Words that a visitor, a crawler or a later version of the app may ask for under the prefix.
RESERVED = frozenset(
	{
		"about", "account", "admin", "api", "app", "apps", "assets", "collect", "consent", "css", "desk",
		"download", "edit", "error", "favicon", "files", "health", "healthz", "help", "home", "img", "index",
		"js", "list", "login", "logout", "metrics", "new", "none", "null", "password", "pixel", "ping", "preview",
		"private", "public", "qr", "r", "register", "robots", "signup", "sitemap", "static", "stats", "status",
		"track", "trackflow", "tracking", "undefined", "unsubscribe", "update", "well-known", "www",
	}
)  # fmt: skip

_ALLOWED = re.compile(r"[A-Za-z0-9_-]+")


class CodeError(ValueError):
	"""The code cannot be used; the message is for the person who chose it."""


def make_code(length: int = DEFAULT_LENGTH, choice: Callable[[str], str] = secrets.choice) -> str:
	"""Return a new code of `length` characters; `choice` picks one character from a text."""
	if not 1 <= length <= MAX_LENGTH:
		raise CodeError(f"A short code has 1 to {MAX_LENGTH} characters, not {length}.")
	while (code := "".join(choice(ALPHABET) for _ in range(length))) in RESERVED:
		pass
	return code


def normalise(code: str | None) -> str:
	"""Return `code` as it is stored and looked up: people type codes in any case, with blanks around."""
	return (code or "").strip().lower()


def check(code: str) -> None:
	"""Raise CodeError unless `code` may be chosen as a short code."""
	if not code:
		raise CodeError("The short code is empty.")
	if len(code) > MAX_LENGTH:
		raise CodeError(f"The short code is longer than {MAX_LENGTH} characters.")
	if not _ALLOWED.fullmatch(code):
		raise CodeError("A short code may hold letters (a to z), digits, hyphens and underscores only.")
	if normalise(code) in RESERVED:
		raise CodeError(f"The short code {code} is reserved.")
