"""Addresses that leave the browser for an app (`shop://product/7`). Pure.

Promises that what a browser or a system opens itself, or would run, is told apart from what an app opens. Knows no list of
apps: whoever has one may have made up its scheme.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from trackflow.links.destination import is_page

_APP_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://[^\s\x00-\x1f\x7f]+", re.IGNORECASE)
# Run, read or opened by a browser or a system itself.
_UNSAFE_SCHEMES = frozenset(
	{
		"javascript", "jscript", "vbscript", "livescript", "mocha", "data", "file", "blob", "filesystem", "content",
		"about", "view-source", "res", "resource", "jar", "feed", "mhtml", "mk", "its", "hcp", "shell", "ldap",
		"edge", "microsoft-edge", "opera", "brave", "vivaldi", "search", "search-ms", "devtools", "app-prefs", "prefs",
	}
)  # fmt: skip
# Windows' and Office's own (`ms-msdt`), Chrome's (`chrome`, `chrome-extension`, `chromewebdata`), Firefox's, Safari's.
_UNSAFE_PREFIXES = ("ms-", "chrome", "moz-", "safari-", "x-apple.")
# Android's way to name an app, by which a browser opens another address where the app is missing.
_INTENT = "intent"
_FALLBACK = "browser_fallback_url"


def can_be_opened(address: str) -> bool:
	"""Tell whether a deep link is an address that leaves the browser for a page or an app, and runs nothing."""
	found = _APP_ADDRESS.fullmatch(address)
	if found is None or _is_unsafe(found[1]):
		return False
	inner = (value for name, value in _intent_values(address) if name == "scheme")
	return not any(map(_is_unsafe, inner)) and all(map(is_page, pages(address)))


def pages(address: str) -> list[str]:
	"""The addresses that a browser opens for an `intent:`: its own, if it is a page's, and where it finds no app."""
	values = _intent_values(address)
	own = address.partition("://")[2].partition("#")[0]
	return [
		*(
			f"{value}://{own}"
			for name, value in values
			if name == "scheme" and value.lower() in ("http", "https")
		),
		*(unquote(value) for name, value in values if name == f"S.{_FALLBACK}"),
	]


def _is_unsafe(scheme: str) -> bool:
	scheme = scheme.lower()
	return scheme in _UNSAFE_SCHEMES or scheme.startswith(_UNSAFE_PREFIXES)


def _intent_values(address: str) -> list[tuple[str, str]]:
	"""Names, decoded as Android does, and values of an intent's parts; none of any other address."""
	scheme, _colon, rest = address.partition(":")
	if scheme.lower() != _INTENT:
		return []
	parts = (part.partition("=") for part in re.split("[;#]", rest))
	return [(unquote(name), value) for name, _equals, value in parts]
