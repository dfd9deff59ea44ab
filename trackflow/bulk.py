"""Writes many rows of one DocType at once, past the document lifecycle, for tables that no form writes.

`sync` makes rows be what they should be and touches no row that already is: the base of every rebuild. It never
commits. An empty text is written as NULL, always: so a column that says nothing in any row need not be sent at all.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice, repeat
from types import NoneType
from typing import Any

import frappe
from frappe.query_builder.functions import Coalesce
from frappe.utils import now_datetime
from pypika.terms import ContainsCriterion, Criterion, Field, Function, LiteralValue, Term, Values

Row = dict[str, Any]
CHUNK = 500
# Characters of a statement's values. MariaDB takes 16 MB at once where nobody set it otherwise; a character may have four bytes.
STATEMENT = 4_000_000
# Texts that stand in a statement as they are, also several at once, and what the driver makes a column's value of.
PLAIN = re.compile(r"[A-Za-z0-9 _.:@\x1f-]*")
HELD = {str, int, bool, float, Decimal, datetime, date, NoneType}
# Stands between texts that are escaped at once; a text that holds one itself is escaped alone.
SEPARATOR = "\x1f"
IFNULL = "ifnull("


def insert(doctype: str, rows: Iterable[Row], *, ignore_duplicates: bool = False) -> None:
	"""Insert rows that bring their `name`. Rows may differ in the fields they have; a missing one is NULL."""
	rows = list(rows)
	if not rows:
		return
	now, user = str(now_datetime()), frappe.session.user
	standard = {"creation": now, "modified": now, "owner": user, "modified_by": user}
	shapes = dict.fromkeys(map(tuple, rows))
	fields = dict.fromkeys(field for shape in shapes for field in shape)
	columns = {field: [value] * len(rows) for field, value in standard.items()}
	if len(shapes) == 1:
		columns |= zip(fields, zip(*map(dict.values, rows), strict=True), strict=True)
	else:
		columns |= {field: [row.get(field) for row in rows] for field in fields}
	columns = {
		field: _without_empty(column)
		for field, column in columns.items()
		if not _is_left_out(doctype, field, column)
	}
	if frappe.db.db_type == "mariadb":
		_write(doctype, columns, ignore_duplicates=ignore_duplicates)
		return
	values = zip(*columns.values(), strict=True)
	frappe.db.bulk_insert(
		doctype, list(columns), values, ignore_duplicates=ignore_duplicates, chunk_size=CHUNK
	)


def _is_left_out(doctype: str, field: str, column: Sequence[Any]) -> bool:
	"""Whether a column says nothing in any row (NULL, "", 0), and would say nothing without being named."""
	if any(column):
		return False
	docfield = frappe.get_meta(doctype).get_field(field)
	return bool(docfield and docfield.default in (None, "", "0"))


def _without_empty(column: Sequence[Any]) -> Sequence[Any]:
	return [None if value == "" else value for value in column] if "" in column else column


def update(doctype: str, changes: Mapping[str, Row], *, is_locked: bool = False) -> None:
	"""Set fields of rows by name. All rows of one call must change the same fields. A row that is gone stays gone.

	`is_locked` says that the caller has locked the rows, and so knows that they are there."""
	if changes and frappe.db.db_type == "mariadb":
		_upsert(doctype, changes, is_locked)
	elif changes:
		rows = {
			name: dict(zip(row, _without_empty([*row.values()]), strict=True))
			for name, row in changes.items()
		}
		frappe.db.bulk_update(doctype, rows, update_modified=False)


def add(
	doctype: str,
	increments: Mapping[str, Mapping[str, int]],
	values: Mapping[str, Row] | None = None,
	*,
	is_locked: bool = False,
) -> None:
	"""Add to figures of rows by name, in the statement, in the order of names, and set `values`: the same fields of all
	these rows; `is_locked` as for `update`."""
	values = values or {}
	if increments and frappe.db.db_type == "mariadb":
		fields = sorted({field for row in increments.values() for field in row})
		rows = {
			name: {field: row.get(field, 0) for field in fields} | values.get(name, {})
			for name, row in increments.items()
		}
		_upsert(doctype, rows, is_locked, sums=fields)
		return
	table = frappe.qb.DocType(doctype)
	for name in sorted(increments):
		query = frappe.qb.update(table).where(table.name == name)
		for field, number in increments[name].items():
			query = query.set(table[field], table[field] + number)
		for field, value in values.get(name, {}).items():
			query = query.set(table[field], value)
		query.run()


def lock(doctype: str, names: Collection[str], fields: Sequence[str] = ()) -> dict[str, Row]:
	"""Lock these rows until the transaction's end, in the order of names; answers `fields` of those that there are."""
	if not names:
		return {}
	table = frappe.qb.DocType(doctype)
	rows = (
		frappe.qb.from_(table)
		.select(table.name, *(table[field] for field in fields))
		.where(among(table.name, names))
		.orderby(table.name)
		.for_update()
		.run(as_dict=True)
	)
	return {row.name: row for row in rows}


def _upsert(doctype: str, changes: Mapping[str, Row], is_locked: bool, sums: Collection[str] = ()) -> None:
	"""MariaDB changes many rows fastest by an INSERT … ON DUPLICATE KEY UPDATE. They are locked before, so that what is
	gone is not made anew."""
	found = changes if is_locked else lock(doctype, changes)
	names = [name for name in sorted(changes) if name in found]
	if names:
		columns = {"name": names}
		columns |= {
			field: _without_empty([changes[name][field] for name in names]) for field in changes[names[0]]
		}
		_write(doctype, columns, is_update=True, sums=sums)


def _write(
	doctype: str,
	columns: Mapping[str, Sequence[Any]],
	*,
	ignore_duplicates: bool = False,
	is_update: bool = False,
	sums: Collection[str] = (),
) -> None:
	"""INSERT rows on MariaDB. The builder makes the text for one row, whose values are put in for each: a builder's term for
	every value would take ten times as long as the insert. What has to be escaped goes to the driver beside the text:
	Frappe looks through each statement for a word that it replaces, which takes longer than sending it."""
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.into(table).columns(*columns).insert(*[LiteralValue("?")] * len(columns))
	if ignore_duplicates:
		query = query.ignore()
	for field in list(columns)[1:] if is_update else ():
		new = Values(table[field])
		query = query.on_duplicate_key_update(table[field], table[field] + new if field in sums else new)
	head, _row, tail = query.get_sql().partition(f"({','.join('?' * len(columns))})")
	literals = {field: _literals(column) for field, column in columns.items()}
	escaped = [columns[field] for field, texts in literals.items() if not texts]
	number = len(next(iter(columns.values())))
	texts = map(",".join, zip(*(texts or repeat("%s", number) for texts in literals.values()), strict=True))
	values = zip(*escaped, strict=True) if escaped else repeat((), number)
	at_once = _rows_at_once(escaped)
	while some := list(islice(texts, at_once)):
		driver_values = list(chain.from_iterable(islice(values, len(some))))
		frappe.db.sql(f"{head}({'),('.join(some)}){tail}", driver_values)


def _rows_at_once(columns: Collection[Sequence[Any]]) -> int:
	"""How many rows go into a statement: fewer where these columns have long texts."""
	longest = (max((len(value) for value in column if type(value) is str), default=0) for column in columns)
	return max(1, min(CHUNK, STATEMENT // max(1, sum(longest))))


def _literals(column: Sequence[Any]) -> list[str]:
	"""Values as they stand in a statement; none where one of them has to be escaped."""
	number = column.count(column[0]) if column[0] is column[-1] else 0
	if 1 < number == len(column):
		return _literals(column[:1]) * number
	kinds = set(map(type, column))
	if strange := kinds - HELD:
		raise TypeError(f"{strange.pop().__name__} is nothing that a column holds")
	if kinds == {int}:
		return list(map(str, column))
	if not kinds <= {str, datetime, NoneType}:
		return []
	texts = column if kinds == {str} else ["" if value is None else str(value) for value in column]
	if not PLAIN.fullmatch(SEPARATOR.join(texts)):
		return []
	if NoneType not in kinds:
		return [f"'{text}'" for text in texts]
	return ["NULL" if value is None else f"'{text}'" for value, text in zip(column, texts, strict=True)]


def among(field: Field, values: Collection[str]) -> Criterion:
	"""The field is one of these texts; what `isin` says, without a builder's term for each on MariaDB."""
	if frappe.db.db_type != "mariadb" or not values:
		return field.isin(sorted(values))
	texts = "','".join(_escaped(sorted(values)))
	return ContainsCriterion(field, LiteralValue(f"('{texts}')"))


def as_hex(text: Term) -> Term:
	"""A text to group by, in hex, so that no collation takes two for one: which of them it gave back would be anybody's guess."""
	return Function("HEX", Coalesce(text, ""))


def of_hex(digits: str) -> str:
	"""The text that `as_hex` was of."""
	return bytes.fromhex(digits).decode()


def _escaped(texts: Sequence[str]) -> list[str]:
	"""Texts as they stand in a statement, escaped at once, which is what takes time where each is escaped by itself."""
	joined = frappe.db.escape(SEPARATOR.join(texts))[1:-1]
	if IFNULL in joined.lower():
		# Frappe replaces this word wherever it stands in a statement; a needless backslash hides it.
		joined = joined.replace("(", "\\(")
	found = joined.split(SEPARATOR)
	return found if len(found) == len(texts) else [_escaped_alone(text) for text in texts]


def _escaped_alone(text: str) -> str:
	return SEPARATOR.join(_escaped(text.split(SEPARATOR)))


def delete(doctype: str, names: Collection[str]) -> None:
	"""Delete rows by name."""
	if names:
		frappe.db.delete(doctype, {"name": ("in", list(names))})


def load(doctype: str, filters: Mapping[str, Any], fields: Collection[str]) -> dict[str, Row]:
	"""Rows by name. A filter is a value, or ("in", texts), (">=", value) or ("between", (value, value)). Among no texts there
	is no row, and no statement."""
	if any(isinstance(wanted, tuple) and wanted[0] == "in" and not wanted[1] for wanted in filters.values()):
		return {}
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.from_(table).select(table.name, *(table[field] for field in fields)).orderby(table.name)
	for field, wanted in filters.items():
		query = query.where(
			_criterion(table[field], *(wanted if isinstance(wanted, tuple) else ("=", wanted)))
		)
	return {row.name: row for row in query.run(as_dict=True)}


def _criterion(field: Field, operator: str, value: Any) -> Criterion:
	if operator == "in":
		return among(field, value)
	if operator == "between":
		return field[value[0] : value[1]]
	return field >= value if operator == ">=" else field == value


@dataclass(frozen=True, slots=True)
class Differences:
	"""What `sync` wrote: rows that were added, changed (both by name, as desired) and names that vanished."""

	added: dict[str, Row]
	changed: dict[str, Row]
	vanished: list[str]

	def __len__(self) -> int:
		return len(self.added) + len(self.changed) + len(self.vanished)


def sync(doctype: str, desired: Mapping[str, Row], existing: Mapping[str, Row]) -> Differences:
	"""Make the rows named in `existing` be those of `desired` (both by name), writing only what differs.

	Only fields that `desired` names are compared and set.
	"""
	found = Differences(
		added={name: row for name, row in desired.items() if name not in existing},
		changed={
			name: row for name, row in desired.items() if name in existing and not same(row, existing[name])
		},
		vanished=[name for name in existing if name not in desired],
	)
	insert(doctype, found.added.values())
	update(doctype, {name: _without_name(row) for name, row in found.changed.items()})
	delete(doctype, found.vanished)
	return found


def same(row: Row, stored: Mapping[str, Any]) -> bool:
	"""Whether `stored` says what `row` says, read with the eyes of a database: NULL is empty, money has nine places."""
	return all(_same_value(value, stored.get(field)) for field, value in row.items())


def _same_value(one: Any, other: Any) -> bool:
	if one == other:
		return True
	if one in (None, "") or other in (None, ""):
		return (one or None) == (other or None) or (one or 0) == (other or 0)
	if isinstance(one, int | float | Decimal) and isinstance(other, int | float | Decimal):
		return round(float(one), 9) == round(float(other), 9)
	if isinstance(one, datetime) or isinstance(other, datetime):
		return frappe.utils.get_datetime(one) == frappe.utils.get_datetime(other)
	return str(one) == str(other)


def _without_name(row: Row) -> Row:
	return {field: value for field, value in row.items() if field != "name"}
