"""MariaDB's SQL as SQLite understands it: parameters, locks, conflicts, limits of DELETE and UPDATE.

Values never stand in the text of a query (they are parameters), so a few patterns do. What they do not know
passes through unchanged.
"""

import re
from functools import lru_cache
from typing import NamedTuple

LONG = 20_000
WRITES = ("insert", "update", "delete", "replace")
DDL = ("create", "alter", "drop")
LOCK = re.compile(r"\s+for update(\s+of\s+[`\w, ]+)?(\s+(nowait|skip locked))?\s*$", re.IGNORECASE)
IGNORE = re.compile(r"^insert\s+ignore\b", re.IGNORECASE)
DUPLICATE = re.compile(r"\s+on duplicate key update\s+", re.IGNORECASE)
DUPLICATE_IGNORE = re.compile(r"\s+on duplicate key ignore\s*$", re.IGNORECASE)
INSERTED = re.compile(r"\bvalues\(\s*(?:`[^`]+`\.)?(`[^`]+`|\w+)\s*\)", re.IGNORECASE)
LIMITED = re.compile(
	r"^(delete\s+from|update)\s+(`[^`]+`|\w+)\s+(.*?)\s*((?:\border by\b[^()]*)?\blimit\s+\d+)\s*$",
	re.IGNORECASE | re.DOTALL,
)
INDEX_HINT = re.compile(r"\s+(force|use) index \([^)]*\)", re.IGNORECASE)
NAMED = re.compile(r"%\((\w+)\)s")


class Statement(NamedTuple):
	"""A statement for SQLite, and what it does to the transaction."""

	text: str
	writes: bool = False
	ddl: bool = False
	control: str = ""


def translate(query: str, with_values: bool) -> Statement:
	"""Translate a statement; `with_values` as PyMySQL: only then % is special."""
	if len(query) > LONG:
		return _translate(str(query), with_values)
	return _cached(str(query), with_values)


def _translate(query: str, with_values: bool) -> Statement:
	text = query.rstrip().rstrip(";")
	word = text.lstrip("( ").split(maxsplit=1)[0].lower()
	if control := _control(word, text.lower()):
		return Statement(text, control=control)
	if word == "truncate":
		table = text.split()[-1]
		return Statement(f"DELETE FROM {table}", writes=True)
	locks = bool(LOCK.search(text))
	text = LOCK.sub("", text)
	if word == "insert":
		text = _insert(text)
	elif word in ("delete", "update"):
		text = _limited(text)
	elif word == "select":
		text = INDEX_HINT.sub("", text)
	if with_values:
		text = NAMED.sub(r":\1", text).replace("%s", "?").replace("%%", "%")
	return Statement(text, writes=locks or word in WRITES, ddl=word in DDL)


_cached = lru_cache(maxsize=2048)(_translate)


def _control(word: str, lowered: str) -> str:
	if word == "start" or word == "begin":
		return "begin"
	if word == "rollback":
		return "rollback_to" if " to " in lowered else "rollback"
	if word in ("commit", "savepoint"):
		return word
	return "release" if word == "release" else ""


def _insert(text: str) -> str:
	text = IGNORE.sub("INSERT OR IGNORE", text)
	if DUPLICATE_IGNORE.search(text):
		return IGNORE.sub(
			"INSERT OR IGNORE", re.sub(r"^insert\b", "INSERT IGNORE", _before(text), flags=re.I)
		)
	head, *tail = DUPLICATE.split(text, maxsplit=1)
	if not tail:
		return head
	# SELECT … ON CONFLICT is ambiguous without a WHERE
	if re.search(r"\bselect\b", head, re.IGNORECASE) and not re.search(r"\bwhere\b", head, re.IGNORECASE):
		head += " WHERE true"
	updates = INSERTED.sub(r"excluded.\1", tail[0])
	return f"{head} ON CONFLICT DO UPDATE SET {updates}"


def _before(text: str) -> str:
	return DUPLICATE_IGNORE.sub("", text)


def _limited(text: str) -> str:
	"""DELETE and UPDATE with a LIMIT pick their rows by a sub-query."""
	match = LIMITED.match(text)
	if not match:
		return text
	verb, table, rest, limit = match.groups()
	head, _where, condition = rest.partition("WHERE ") if "WHERE " in rest else (rest, "", "1=1")
	return f"{verb} {table} {head}WHERE rowid IN (SELECT rowid FROM {table} WHERE {condition} {limit})"
