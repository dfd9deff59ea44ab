"""Functions of MariaDB that SQLite lacks, written in Python and registered with each connection.

NULL in, NULL out, unless said otherwise. Dates come and go as text, as SQLite stores them.
"""

import datetime
import hashlib
import re
import sqlite3
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

DATETIME_LENGTH = 10


def _parse(text: Any) -> datetime.datetime | None:
	try:
		return datetime.datetime.fromisoformat(str(text))
	except ValueError:
		return None


@lru_cache(maxsize=512)
def _like_pattern(pattern: str) -> re.Pattern:
	out, i = "", 0
	while i < len(pattern):
		char = pattern[i]
		if char == "\\" and i + 1 < len(pattern):
			i += 1
			out += re.escape(pattern[i])
		else:
			out += ".*" if char == "%" else "." if char == "_" else re.escape(char)
		i += 1
	return re.compile(out, re.IGNORECASE | re.DOTALL)


def like(pattern: Any, value: Any) -> int | None:
	"""LIKE with backslash as escape and without case beyond ASCII."""
	if pattern is None or value is None:
		return None
	return int(_like_pattern(str(pattern)).fullmatch(str(value)) is not None)


@lru_cache(maxsize=128)
def _regex(pattern: str) -> re.Pattern:
	return re.compile(pattern, re.IGNORECASE)


def regexp(pattern: Any, value: Any) -> int | None:
	if pattern is None or value is None:
		return None
	return int(_regex(str(pattern)).search(str(value)) is not None)


# Letters of MariaDB's DATE_FORMAT that strftime spells otherwise.
_FORMAT = {"i": "%M", "s": "%S", "S": "%S", "M": "%B", "W": "%A", "h": "%I", "v": "%V", "x": "%G", "D": "%d"}


def date_format(value: Any, pattern: Any) -> str | None:
	parsed = _parse(value) if value is not None else None
	if parsed is None or pattern is None:
		return None
	shorter = {"e": str(parsed.day), "c": str(parsed.month), "k": str(parsed.hour)}

	def spell(match: re.Match) -> str:
		letter = match.group(1)
		return shorter.get(letter) or parsed.strftime(_FORMAT.get(letter, f"%{letter}"))

	return re.sub(r"%(.)", spell, pattern)


def _part(read: Callable[[datetime.datetime], int]) -> Callable[[Any], int | None]:
	def part(value: Any) -> int | None:
		parsed = _parse(value) if value is not None else None
		return None if parsed is None else read(parsed)

	return part


def datediff(end: Any, start: Any) -> int | None:
	first, last = _parse(start), _parse(end)
	return None if first is None or last is None else (last.date() - first.date()).days


def timestamp(value: Any, time: Any = None) -> str | None:
	parsed = _parse(f"{str(value)[:DATETIME_LENGTH]} {str(time).zfill(8)}" if time is not None else value)
	return None if parsed is None else parsed.strftime("%Y-%m-%d %H:%M:%S.%f")


def unix_timestamp(value: Any = None) -> float | None:
	parsed = _parse(value) if value is not None else None
	return None if parsed is None else parsed.replace(tzinfo=datetime.UTC).timestamp()


def now() -> str:
	from frappe.utils import now_datetime

	return now_datetime().strftime("%Y-%m-%d %H:%M:%S.%f")


def concat(*values: Any) -> str | None:
	return None if None in values else "".join(map(str, values))


def concat_ws(separator: Any, *values: Any) -> str | None:
	"""NULLs among the values are left out."""
	return None if separator is None else str(separator).join(str(v) for v in values if v is not None)


def locate(needle: Any, text: Any, start: int = 1) -> int | None:
	if needle is None or text is None:
		return None
	return str(text).lower().find(str(needle).lower(), start - 1) + 1


def substring_index(text: Any, separator: Any, count: int) -> str | None:
	if text is None or separator is None:
		return None
	parts = str(text).split(separator)
	return separator.join(parts[:count] if count > 0 else parts[count:])


def truncate(value: Any, places: int) -> float | None:
	if value is None:
		return None
	factor = 10**places
	return int(value * factor) / factor


def _extreme(pick: Callable) -> Callable[..., Any]:
	return lambda *values: None if None in values else pick(values)


def _digest(name: str) -> Callable[[Any], str | None]:
	return lambda value: (
		None if value is None else hashlib.new(name, str(value).encode(), usedforsecurity=False).hexdigest()
	)


FUNCTIONS: dict[str, tuple[int, Callable]] = {
	"like": (2, like),
	"regexp": (2, regexp),
	"date_format": (2, date_format),
	"datediff": (2, datediff),
	"timestamp": (-1, timestamp),
	"unix_timestamp": (-1, unix_timestamp),
	"year": (1, _part(lambda d: d.year)),
	"month": (1, _part(lambda d: d.month)),
	"day": (1, _part(lambda d: d.day)),
	"hour": (1, _part(lambda d: d.hour)),
	"minute": (1, _part(lambda d: d.minute)),
	"second": (1, _part(lambda d: d.second)),
	"weekday": (1, _part(lambda d: d.weekday())),
	"dayofweek": (1, _part(lambda d: d.isoweekday() % 7 + 1)),
	"dayofyear": (1, _part(lambda d: d.timetuple().tm_yday)),
	"concat": (-1, concat),
	"concat_ws": (-1, concat_ws),
	"locate": (-1, locate),
	"substring_index": (3, substring_index),
	"truncate": (2, truncate),
	"greatest": (-1, _extreme(max)),
	"least": (-1, _extreme(min)),
	"if": (3, lambda condition, yes, no: yes if condition else no),
	"char_length": (1, lambda value: None if value is None else len(str(value))),
	"crc32": (1, lambda value: None if value is None else zlib.crc32(str(value).encode())),
	"reverse": (1, lambda value: None if value is None else str(value)[::-1]),
	"md5": (1, _digest("md5")),
	"sha1": (1, _digest("sha1")),
}


def register(connection: sqlite3.Connection) -> None:
	"""Teach a connection the functions."""
	for name, (arguments, function) in FUNCTIONS.items():
		connection.create_function(name, arguments, function, deterministic=True)
	connection.create_function("now", 0, now)
	connection.create_function("curdate", 0, lambda: now()[:DATETIME_LENGTH])
