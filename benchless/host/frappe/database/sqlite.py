"""SQLite made to behave like Frappe's MariaDB: types, case, lengths, errors, locks.

Write-ahead log; the first write (or lock) of a transaction takes the write lock at once, so that no transaction
fails half way. Reads before it see what is committed. One connection per `frappe.local`.
"""

import os
import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from pypika import Table

import frappe
from frappe.database import sqlite_types as types
from frappe.database.database import Database
from frappe.database.sqlite_functions import register
from frappe.database.sqlite_translate import Statement, translate
from frappe.database.utils import TypedQuery

DUPLICATE_ENTRY = 1062
DATA_TOO_LONG = 1406
CONSTRAINT_FAILED = 4025
NOT_NULL = 1048
BUSY_SECONDS = 30
INSERT_BY_NAME = re.compile(r"INSERT INTO (`tab[^`]+`) \(`name`")

# Declared types of all columns by database file and table; dropped whenever a schema changes.
_SCHEMAS: dict[str, dict[str, dict[str, str]]] = {}
_schemas_lock = threading.Lock()


class IntegrityError(sqlite3.IntegrityError):
	"""A violated constraint, with number and message as MariaDB gives them."""


class DataError(sqlite3.DataError):
	"""A value that its column does not take."""


class SQLiteDatabase(Database):
	db_type = "sqlite"

	IntegrityError = sqlite3.IntegrityError
	ProgrammingError = sqlite3.OperationalError
	TableMissingError = sqlite3.OperationalError
	OperationalError = sqlite3.OperationalError
	InternalError = sqlite3.InternalError
	InterfaceError = sqlite3.InterfaceError
	SQLError = sqlite3.OperationalError
	DataError = sqlite3.DataError

	# errors

	@staticmethod
	def _says(e: Exception, *texts: str) -> bool:
		return isinstance(e, sqlite3.Error) and any(text in str(e) for text in texts)

	@staticmethod
	def is_deadlocked(e: Exception) -> bool:
		return False

	@classmethod
	def is_timedout(cls, e: Exception) -> bool:
		return cls._says(e, "database is locked", "database table is locked")

	@classmethod
	def is_read_only_mode_error(cls, e: Exception) -> bool:
		return cls._says(e, "attempt to write a readonly database")

	@classmethod
	def is_table_missing(cls, e: Exception) -> bool:
		return cls._says(e, "no such table") or (
			isinstance(e, sqlite3.OperationalError) and e.args[:1] == ("DocType",)
		)

	is_missing_table = is_table_missing

	@classmethod
	def is_missing_column(cls, e: Exception) -> bool:
		return cls._says(e, "no such column", "has no column named")

	@classmethod
	def is_duplicate_fieldname(cls, e: Exception) -> bool:
		return cls._says(e, "duplicate column name")

	@staticmethod
	def is_duplicate_entry(e: Exception) -> bool:
		return bool(e.args) and e.args[0] == DUPLICATE_ENTRY

	@classmethod
	def is_primary_key_violation(cls, e: Exception) -> bool:
		return cls.is_duplicate_entry(e) and "PRIMARY" in str(e.args[1])

	@classmethod
	def is_unique_key_violation(cls, e: Exception) -> bool:
		return cls.is_duplicate_entry(e)

	@staticmethod
	def is_data_too_long(e: Exception) -> bool:
		return bool(e.args) and e.args[0] == DATA_TOO_LONG

	@classmethod
	def cant_drop_field_or_key(cls, e: Exception) -> bool:
		return cls._says(e, "no such index")

	@classmethod
	def is_syntax_error(cls, e: Exception) -> bool:
		return cls._says(e, "syntax error")

	@staticmethod
	def is_access_denied(e: Exception) -> bool:
		return False

	@staticmethod
	def is_statement_timeout(e: Exception) -> bool:
		return False

	@staticmethod
	def is_interface_error(e: Exception) -> bool:
		return isinstance(e, sqlite3.InterfaceError)

	# connection

	@cached_property
	def path(self) -> str:
		return os.path.abspath(frappe.get_site_path(frappe.conf.db_file or "site.db"))

	def get_connection(self) -> sqlite3.Connection:
		connection = sqlite3.connect(
			self.path,
			timeout=BUSY_SECONDS,
			isolation_level=None,
			detect_types=sqlite3.PARSE_DECLTYPES,
			check_same_thread=False,
			cached_statements=512,
		)
		for pragma in (
			"journal_mode=WAL",
			f"synchronous={frappe.conf.sqlite_synchronous or 'NORMAL'}",
			"temp_store=MEMORY",
			"cache_size=-32000",
		):
			connection.execute(f"PRAGMA {pragma}")
		register(connection)
		self.max_parameters = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
		return connection

	def close(self) -> None:
		if self._conn and self._conn.in_transaction:
			self._conn.rollback()
		super().close()

	# statements

	def _execute(self, query: str, values: Any) -> None:
		if values is not None and not isinstance(query, TypedQuery):
			values = types.plain_values(values)
			query, values = types.spread(query, values)
		statement = translate(query, values is not None)
		if statement.control:
			self._control(statement.control, statement.text)
			return
		text = statement.text
		if values is not None and len(values) > self.max_parameters:
			text, values = types.inline(text, values)
		if statement.writes and not self._conn.in_transaction:
			self._cursor.execute("BEGIN IMMEDIATE")
		try:
			self._cursor.execute(text, () if values is None else values)
		except sqlite3.IntegrityError as error:
			raise self._normalised(error, text, values) from error
		if statement.ddl:
			self._schema_changed(statement)

	def _control(self, control: str, text: str) -> None:
		"""Statements of transactions, which SQLite takes amiss where there is none."""
		open_transaction = self._conn.in_transaction
		if control == "savepoint" and not open_transaction:
			self._cursor.execute("BEGIN IMMEDIATE")
		if control == "begin" or (control in ("commit", "rollback") and not open_transaction):
			# nothing to do, and nothing to fetch either
			self._cursor.execute("PRAGMA no_such_pragma")
			return
		self._cursor.execute(text)

	def _normalised(self, error: sqlite3.IntegrityError, text: str, values: Any) -> Exception:
		"""The error as MariaDB words it, so that messages and checks are the same."""
		kind, _colon, columns = str(error).partition(": ")
		names = [name.strip().split(".")[-1] for name in columns.split(",")]
		if error.sqlite_errorname == "SQLITE_CONSTRAINT_PRIMARYKEY" or self._name_is_taken(text, values):
			return IntegrityError(DUPLICATE_ENTRY, "Duplicate entry for key 'PRIMARY'")
		if kind.startswith("UNIQUE"):
			return IntegrityError(DUPLICATE_ENTRY, f"Duplicate entry for key '{'_'.join(names)}'")
		if kind.startswith("NOT NULL"):
			return IntegrityError(NOT_NULL, f"Column '{names[0]}' cannot be null")
		return IntegrityError(CONSTRAINT_FAILED, f"CONSTRAINT `{columns}` failed")

	def _name_is_taken(self, text: str, values: Any) -> bool:
		"""Where several keys are violated MariaDB names the primary one, SQLite the youngest."""
		match = INSERT_BY_NAME.match(text)
		if not match or not values:
			return False
		name = values["param1"] if isinstance(values, dict) else values[0]
		found = self._conn.execute(f"SELECT 1 FROM {match.group(1)} WHERE name = ?", (name,))
		return found.fetchone() is not None

	def _schema_changed(self, statement: Statement) -> None:
		with _schemas_lock:
			_SCHEMAS.pop(self.path, None)

	# types

	def typed(self, sql: str, query: Any) -> TypedQuery:
		text = TypedQuery(sql)
		text.columns = types.result_types(query, self.column_type)
		return text

	def column_type(self, table: str, column: str) -> str | None:
		"""The declared type of a column, None if there is no such column."""
		tables = _SCHEMAS.get(self.path)
		if tables is None:
			with _schemas_lock:
				tables = _SCHEMAS.setdefault(self.path, {})
		columns = tables.get(table)
		if columns is None or column not in columns:
			columns = tables[table] = {row[1]: row[2] for row in self._pragma("table_info", table)}
		return columns.get(column)

	def _pragma(self, name: str, table: str) -> list[tuple]:
		if not self._conn:
			self.connect()
		return self._conn.execute(f'PRAGMA {name}("{table}")').fetchall()

	def adapt(self, value: Any, column: Any = None, table: Any = None) -> Any:
		source = table if table is not None else getattr(column, "table", None)
		# Columns of a derived table are declared nowhere, and PyPika takes any attribute of one for a column.
		name = source._table_name if isinstance(source, Table) else None
		declared = self.column_type(name, column.name) if name and column is not None else None
		if table is None:
			return types.for_comparison(value, declared)
		return types.for_storage(value, declared, column.name)

	def adapt_rows(self, table: str, fields: list[str], rows: list[Sequence[Any]]) -> Iterable[Sequence[Any]]:
		declared = [self.column_type(table, field) for field in fields]
		for row in rows:
			yield [
				types.for_storage(value, kind, field)
				for value, kind, field in zip(row, declared, fields, strict=True)
			]

	def _convert(self, query: str, rows: list[tuple]) -> Iterable[Sequence[Any]]:
		columns = getattr(query, "columns", None)
		if columns is None and re.search(r"\b(max|min|coalesce)\(", query, re.IGNORECASE):
			return [tuple(types.guess(value) for value in row) for row in rows]
		if not columns or not rows:
			return rows
		names = {name[0]: i for i, name in enumerate(self._cursor.description)}
		converters = {names.get(key, key): types.CONVERTERS[kind] for key, kind in columns.items()}
		converted = []
		for row in rows:
			values = list(row)
			for i, convert in converters.items():
				values[i] = convert(values[i])
			converted.append(tuple(values))
		return converted

	# schema

	@staticmethod
	def escape(s: Any, percent: bool = True) -> str:
		text = frappe.as_unicode(s).replace("'", "''")
		return f"'{text.replace('%', '%%') if percent else text}'"

	def estimate_count(self, doctype: str) -> int:
		return self.sql(f"select count(*) from `tab{doctype}`")[0][0] if self.table_exists(doctype) else 0

	def describe(self, doctype: str) -> Any:
		return [(row[1], row[2]) for row in self._pragma("table_info", f"tab{doctype}")]

	def _list_tables(self) -> list[str]:
		return self.sql("select name from sqlite_master where type = 'table'", pluck=True)

	def _list_columns(self, table: str) -> list[str]:
		return [row[1] for row in self._pragma("table_info", table)]

	def get_column_type(self, doctype: str, column: str) -> str | None:
		return self.column_type(f"tab{doctype}", column)

	def describe_columns(self, table: str) -> dict[str, frappe._dict]:
		unique = {
			index.fields[0]
			for index in self.indexes_of(table).values()
			if index.unique and len(index.fields) == 1
		}
		return {
			row[1]: frappe._dict(name=row[1], type=row[2], default=row[4], unique=row[1] in unique)
			for row in self._pragma("table_info", table)
		}

	def indexes_of(self, table: str) -> dict[str, frappe._dict]:
		found = {}
		for row in self._pragma("index_list", table):
			fields = [info[2] for info in self._pragma("index_info", row[1])]
			found[row[1].split("|")[-1]] = frappe._dict(fields=fields, unique=bool(row[2]))
		return found

	def has_index(self, table_name: str, index_name: str) -> bool:
		return index_name in self.indexes_of(table_name)

	def get_column_index(self, table_name: str, fieldname: str, unique: bool = False) -> frappe._dict | None:
		for name, index in self.indexes_of(table_name).items():
			if index.fields == [fieldname] and index.unique == unique:
				return frappe._dict(Key_name=name, Column_name=fieldname)
		return None

	def _create_index(self, table: str, fields: list[str], name: str, unique: bool) -> None:
		# names of indexes are the database's here, not the table's; MariaDB's prefix lengths mean nothing
		columns = ", ".join(f"`{re.sub(r'[(].*', '', field).strip(' `')}`" for field in fields)
		kind = "unique index" if unique else "index"
		self.sql(f"create {kind} if not exists `{table}|{name}` on `{table}` ({columns})")

	def drop_index(self, table: str, name: str) -> None:
		self.sql_ddl(f"drop index if exists `{table}|{name}`")

	def _create_system_table(self, table: str, definition: str) -> None:
		definition = re.sub(r"(varchar\(\d+\))", r"\1 collate nocase", definition)
		self.sql_ddl(f"create table if not exists `{table}` ({definition})")

	@staticmethod
	def table_options() -> str:
		return ""

	def column_definition(self, name: str, definition: str) -> str:
		"""Text compares without case, and JSON is checked, as on MariaDB."""
		kind = definition.split("(")[0].split()[0]
		if kind in ("varchar", "text", "longtext"):
			return f"`{name}` {definition} collate nocase"
		if kind == "json":
			default = definition.removeprefix("json").removeprefix(" text")
			return f"`{name}` json text{default} check (`{name}` is null or json_valid(`{name}`))"
		return f"`{name}` {definition}"

	def alter_table(self, table: str, add: dict[str, str], modify: dict[str, str], all_columns: Any) -> None:
		if modify:
			self._rebuild(table, all_columns)
			return
		for name, definition in add.items():
			self.sql_ddl(f"alter table `{table}` add column {self.column_definition(name, definition)}")

	def _rebuild(self, table: str, all_columns: dict[str, str]) -> None:
		"""SQLite cannot change a column: copy the table into one that is right."""
		kept = [name for name in self._list_columns(table) if name in all_columns]
		indexes = self.sql(
			"select sql from sqlite_master where type = 'index' and tbl_name = %s and sql is not null",
			table,
			pluck=True,
		)
		columns = ", ".join(f"`{name}`" for name in kept)
		definitions = ", ".join(self.column_definition(*item) for item in all_columns.items())
		self.sql_ddl(f"create table `{table}|new` ({definitions})")
		self.sql(f"insert into `{table}|new` ({columns}) select {columns} from `{table}`")
		self.sql_ddl(f"drop table `{table}`")
		self.sql_ddl(f"alter table `{table}|new` rename to `{table}`")
		for index in indexes:
			self.sql_ddl(index)

	def rename_column(self, doctype: str, old_column_name: str, new_column_name: str) -> None:
		self.sql_ddl(f"alter table `tab{doctype}` rename column `{old_column_name}` to `{new_column_name}`")
