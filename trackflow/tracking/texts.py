"""Terms by which a database cuts addresses short: a page without its query, the host of a referrer. For MariaDB and SQLite.

What it cuts is for grouping; a host is read properly (`parameters.host_of`) by whoever shows it.
"""

from typing import Any

from pypika.functions import Coalesce
from pypika.terms import Function

from trackflow.tracking.parameters import host_of

# As much of a page as an index of the database has room for beside its day and domain.
PAGE_LENGTH = 400
# Names of hosts have at most 253 letters; what is longer was made up.
HOST_LENGTH = 255


def page(url: Any) -> Any:
	"""An address without query and fragment, PAGE_LENGTH letters of it at most; "" for none."""
	return Function("SUBSTRING", _page(url), 1, PAGE_LENGTH)


def host(url: Any) -> Any:
	"""What stands between an address's scheme and its path, query or fragment, port and all; "" for none."""
	return _part(_part(_page(url), "://", -1), "/", 1)


def plain_host(cut: str) -> str:
	"""The host of what `host` cut out, as browsers spell it, as far as a column holds it."""
	return host_of(f"https://{cut}")[:HOST_LENGTH] if cut else ""


def bracketed(host: str) -> str:
	"""What `plain_host` finds this host in: an IPv6 address has colons that are before no port."""
	return f"[{host}]" if ":" in host else host


def plain_page(url: str | None) -> str:
	"""An address without query and fragment, which may say who somebody is."""
	return (url or "").partition("#")[0].partition("?")[0]


def _page(url: Any) -> Any:
	return _part(_part(Coalesce(url, ""), "#", 1), "?", 1)


def _part(text: Any, mark: str, which: int) -> Any:
	return Function("SUBSTRING_INDEX", text, mark, which)
