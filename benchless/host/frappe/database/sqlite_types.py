"""How values are written into SQLite and read back, so that they come back as MariaDB would return them.

Datetimes are text with six decimals of the second, decimals are rounded to the scale of their column. Results that
SQLite cannot type (MAX of a date, SUM of money) are typed by the query that asked for them.
"""

import datetime
import decimal
import enum
import re
import sqlite3
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from dateutil import parser
from pypika.queries import QueryBuilder, _SetOperation
from pypika.terms import ArithmeticExpression, Case, Field, Function, Star, ValueWrapper

DATETIME = "%Y-%m-%d %H:%M:%S.%f"
LOOKS_LIKE_DATE = re.compile(r"^\d{4}-\d{1,2}-\d{1,2}")
STORED_DATETIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$")
DATA_TOO_LONG = 1406
INCORRECT_VALUE = 1292
TEXT_LIMITS = {"text": 65_535}


def plain(value: Any) -> Any:
	"""A value as SQLite takes it, without knowing its column."""
	if value is None or type(value) in (str, int, float, bytes):
		return value
	if isinstance(value, enum.Enum):
		return plain(value.value)
	if isinstance(value, bool):
		return int(value)
	if isinstance(value, datetime.datetime):
		if value.tzinfo:
			value = value.replace(tzinfo=None)
		return value.strftime(DATETIME) if value.year >= 1000 else value.isoformat(" ", "microseconds")
	if isinstance(value, datetime.date):
		return value.isoformat()
	if isinstance(value, datetime.timedelta):
		return _time_text(value)
	if isinstance(value, datetime.time):
		return value.isoformat("microseconds")
	if isinstance(value, decimal.Decimal):
		return float(value)
	return str(value) if isinstance(value, str) else value


def plain_values(values: Any) -> Any:
	if isinstance(values, dict):
		return {key: plain(value) for key, value in values.items()}
	return [plain(value) for value in values]


def spread(query: str, values: Any) -> tuple[str, Any]:
	"""Lists among the values of a hand-written statement become lists of parameters (`in %s`)."""
	listed = list | tuple | set
	if isinstance(values, dict):
		for key, value in list(values.items()):
			if isinstance(value, listed):
				names = {f"{key}_{i}": plain(item) for i, item in enumerate(value)}
				query = query.replace(f"%({key})s", f"({', '.join(f'%({name})s' for name in names)})")
				values.update(names)
				del values[key]
		return query, values
	if not any(isinstance(value, listed) for value in values):
		return query, values
	pieces, flat = query.split("%s"), []
	out = pieces[0]
	for piece, value in zip(pieces[1:], values, strict=True):
		items = [plain(item) for item in value] if isinstance(value, listed) else [value]
		out += (f"({', '.join(['%s'] * len(items))})" if isinstance(value, listed) else "%s") + piece
		flat += items
	return out, flat


def inline(text: str, values: Any) -> tuple[str, None]:
	"""More parameters than SQLite takes (a list of very many names): write them into the statement."""

	def literal(value: Any) -> str:
		if value is None:
			return "NULL"
		return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)

	if isinstance(values, dict):
		return re.sub(r":(param\d+)\b", lambda match: literal(values[match.group(1)]), text), None
	pieces = text.split("?")
	tail = (literal(value) + piece for value, piece in zip(values, pieces[1:], strict=True))
	return pieces[0] + "".join(tail), None


def _time_text(value: datetime.timedelta) -> str:
	total = int(value.total_seconds())
	sign, total = ("-", -total) if total < 0 else ("", total)
	return f"{sign}{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}.{value.microseconds:06}"


@lru_cache(maxsize=256)
def _kind(declared: str) -> tuple[str, int]:
	"""First word of a declared type, and its length or scale."""
	match = re.match(r"(\w+)(?:\((\d+)(?:,(\d+))?\))?", declared)
	return match.group(1), int(match.group(3) or match.group(2) or 0)


def _as_datetime(value: Any) -> Any:
	if isinstance(value, str) and LOOKS_LIKE_DATE.match(value):
		if STORED_DATETIME.match(value):
			return value
		value = parser.parse(value)
	elif isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
		value = datetime.datetime.combine(value, datetime.time())
	return plain(value)


def _as_date(value: Any) -> Any:
	"""A moment compared with a date is compared as a moment: only midnight is the date itself."""
	if isinstance(value, str) and LOOKS_LIKE_DATE.match(value) and len(value) > 10:
		value = parser.parse(value)
	if isinstance(value, datetime.datetime):
		return value.date().isoformat() if value.time() == datetime.time() else plain(value)
	return plain(value)


def for_comparison(value: Any, declared: str | None) -> Any:
	"""A value that meets a column in a condition."""
	kind = _kind(declared)[0] if declared else ""
	if kind == "datetime":
		return _as_datetime(value)
	if kind == "date":
		return _as_date(value)
	return plain(value)


def for_storage(value: Any, declared: str | None, column: str = "") -> Any:
	"""A value that goes into a column; too long a text raises as MariaDB in strict mode does."""
	if value is None or not declared:
		return plain(value)
	kind, size = _kind(declared)
	if kind in ("date", "datetime"):
		return _stored_moment(value, kind, column)
	if kind == "decimal":
		return round(float(value), size) if value != "" else value
	value = plain(value)
	if isinstance(value, str):
		too_long = len(value) > size if kind == "varchar" else False
		limit = TEXT_LIMITS.get(kind)
		if too_long or (limit and len(value) > limit // 4 and len(value.encode()) > limit):
			from frappe.database.sqlite import DataError

			raise DataError(DATA_TOO_LONG, f"Data too long for column '{column}' at row 1")
	elif kind in ("varchar", "text", "longtext", "json") and isinstance(value, int | float):
		return str(value)
	return value


def _stored_moment(value: Any, kind: str, column: str) -> Any:
	"""A date or datetime; text that is none is refused, as MariaDB in strict mode does."""
	stored = _as_datetime(value) if kind == "datetime" else _as_date(value)
	if isinstance(stored, str) and stored and not LOOKS_LIKE_DATE.match(stored):
		raise sqlite3.OperationalError(
			INCORRECT_VALUE, f"Incorrect {kind} value: '{value}' for column '{column}' at row 1"
		)
	return stored[:10] if kind == "date" and isinstance(stored, str) else stored


# reading


def _to_datetime(value: Any) -> Any:
	if not isinstance(value, str):
		return value
	try:
		return datetime.datetime.fromisoformat(value)
	except ValueError:
		return None


def _to_date(value: Any) -> Any:
	if not isinstance(value, str):
		return value
	try:
		return datetime.date.fromisoformat(value[:10])
	except ValueError:
		return None


def _to_time(value: Any) -> Any:
	if not isinstance(value, str):
		return value
	sign, text = (-1, value[1:]) if value.startswith("-") else (1, value)
	hours, minutes, seconds = [*text.split(":"), "0", "0"][:3]
	return sign * datetime.timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))


def _to_float(value: Any) -> Any:
	return float(value) if isinstance(value, int | float) else value


def _to_decimal(value: Any) -> Any:
	return round(float(value), 9) if isinstance(value, int | float) else value


CONVERTERS: dict[str, Callable[[Any], Any]] = {
	"datetime": _to_datetime,
	"date": _to_date,
	"time": _to_time,
	"float": _to_float,
	"decimal": _to_decimal,
}

# What sqlite3 itself converts, by the declared type of a column.
for _name in ("datetime", "date", "time"):
	sqlite3.register_converter(_name, lambda raw, read=CONVERTERS[_name]: read(raw.decode()))
sqlite3.register_converter("decimal", lambda raw: round(float(raw), 9) if raw else None)


def guess(value: Any) -> Any:
	"""For hand-written statements: a text that is exactly what a stored datetime looks like is one."""
	return _to_datetime(value) if isinstance(value, str) and STORED_DATETIME.match(value) else value


def result_types(query: Any, column_type: Callable[[str, str], str | None]) -> dict[int | str, str]:
	"""Types of those columns of a result that SQLite will not type itself, by position or alias."""
	if isinstance(query, _SetOperation):
		query = query.base_query
	selects = getattr(query, "_selects", [])
	starred = any(isinstance(term, Star) for term in selects)
	found: dict[int | str, str] = {}
	for position, term in enumerate(selects):
		kind = infer(term, query, column_type)
		key = term.alias if starred else position
		if kind in CONVERTERS and key is not None:
			found[key] = kind
	return found


VALUE_OF_ARGUMENT = {"MAX", "MIN", "COALESCE", "IFNULL", "NULLIF", "GREATEST", "LEAST", "ANY_VALUE", "IF"}
VALUE_OF_ARGUMENT |= {"LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE"}
RETURNS = {"AVG": "float", "DATE": "date", "NOW": "datetime", "TIMESTAMP": "datetime", "CURDATE": "date"}
NUMBERS = ("decimal", "float")


def infer(term: Any, query: Any, column_type: Callable[[str, str], str | None]) -> str | None:
	"""What MariaDB would return for a term, None where SQLite returns the same."""

	def of(terms: Iterable) -> str | None:
		kinds = [kind for part in terms if (kind := infer(part, query, column_type))]
		return kinds[0] if kinds else None

	if isinstance(term, Field):
		return _field_type(term, query, column_type)
	if isinstance(term, ValueWrapper):
		return "float" if isinstance(term.value, float | decimal.Decimal) else None
	if isinstance(term, Case):
		return of([value for _criterion, value in term._cases] + ([term._else] if term._else else []))
	if isinstance(term, ArithmeticExpression):
		if term.operator.value == "/":
			return "float"
		return "float" if of((term.left, term.right)) in NUMBERS else None
	if isinstance(term, QueryBuilder):
		return infer(term._selects[0], term, column_type) if term._selects else None
	if isinstance(term, Function):
		name = term.name.upper()
		if name == "SUM":
			return "decimal" if of(term.args) == "decimal" else "float"
		if name in VALUE_OF_ARGUMENT:
			return of(term.args)
		if name in ("ROUND", "TRUNCATE", "ABS"):
			return "float" if of(term.args) in NUMBERS else None
		return RETURNS.get(name)
	return None


def _field_type(field: Field, query: Any, column_type: Callable[[str, str], str | None]) -> str | None:
	source = field.table
	if source is None and getattr(query, "_from", None):
		source = query._from[0]
	if isinstance(source, _SetOperation):
		# The first query names the columns of all.
		source = source.base_query
	if isinstance(source, QueryBuilder):
		for term in source._selects:
			if field.name in (term.alias, getattr(term, "name", None) if isinstance(term, Field) else None):
				return infer(term, source, column_type)
		return None
	name = getattr(source, "_table_name", None)
	declared = column_type(name, field.name) if name else None
	kind = _kind(declared)[0] if declared else None
	return kind if kind in CONVERTERS else None
