"""`frappe.db`: statements, transactions and schema. Values and rows are in `values`, dialects in their drivers.

Every statement of app, ORM and query builder passes through `sql`. A connection belongs to one `frappe.local`;
it opens with the first statement. DDL commits, as MariaDB does it.
"""

import random
import re
import string
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe
from frappe.database.utils import EmptyQueryValues, TypedQuery, is_query_type
from frappe.database.values import ValuesMixin
from frappe.utils import CallbackManager, get_table_name

IFNULL_PATTERN = re.compile(r"ifnull\(", re.IGNORECASE)
INDEX_LENGTH = re.compile(r"\s*\([^)]+\)\s*")
DDL = ("alter", "drop", "create", "truncate", "rename")
TEXT = ("varchar", 140)


class Database(ValuesMixin):
	"""What both databases have in common."""

	VARCHAR_LEN = 140
	MAX_COLUMN_LENGTH = 64
	MAX_WRITES_PER_TRANSACTION = 200_000
	OPTIONAL_COLUMNS = ("_user_tags", "_comments", "_assign", "_liked_by")
	DEFAULT_SHORTCUTS = ("_Login", "__user", "_Full Name", "Today", "__today", "now", "Now")
	STANDARD_VARCHAR_COLUMNS = ("name", "owner", "modified_by")
	DEFAULT_COLUMNS = ("name", "creation", "modified", "modified_by", "owner", "docstatus", "idx")
	CHILD_TABLE_COLUMNS = ("parent", "parenttype", "parentfield")
	InvalidColumnName = frappe.InvalidColumnName

	db_type = ""
	type_map: dict[str, tuple[str, Any]] = {
		"Currency": ("decimal", "21,9"),
		"Int": ("int", "11"),
		"Long Int": ("bigint", "20"),
		"Float": ("decimal", "21,9"),
		"Percent": ("decimal", "21,9"),
		"Check": ("int", "1"),
		"Small Text": ("text", ""),
		"Long Text": ("longtext", ""),
		"Code": ("longtext", ""),
		"Text Editor": ("longtext", ""),
		"Markdown Editor": ("longtext", ""),
		"HTML Editor": ("longtext", ""),
		"Date": ("date", ""),
		"Datetime": ("datetime", "6"),
		"Time": ("time", "6"),
		"Text": ("text", ""),
		"Data": TEXT,
		"Link": TEXT,
		"Dynamic Link": TEXT,
		"Password": ("text", ""),
		"Select": TEXT,
		"Rating": ("decimal", "3,2"),
		"Read Only": TEXT,
		"Attach": ("text", ""),
		"Attach Image": ("text", ""),
		"Signature": ("longtext", ""),
		"Color": TEXT,
		"Barcode": ("longtext", ""),
		"Geolocation": ("longtext", ""),
		"Duration": ("decimal", "21,9"),
		"Icon": TEXT,
		"Phone": TEXT,
		"Autocomplete": TEXT,
		"JSON": ("json", ""),
	}

	def __init__(self, cur_db_name: str | None = None) -> None:
		self.cur_db_name = cur_db_name or frappe.conf.db_name
		self._conn: Any = None
		self._cursor: Any = None
		self.transaction_writes = 0
		self.auto_commit_on_many_writes = 0
		self.value_cache: dict = {}
		self.last_query = ""
		self.before_commit = CallbackManager()
		self.after_commit = CallbackManager()
		self.before_rollback = CallbackManager()
		self.after_rollback = CallbackManager()

	# what a driver must bring

	def get_connection(self) -> Any:
		raise NotImplementedError

	def _execute(self, query: str, values: Any) -> None:
		raise NotImplementedError

	def adapt(self, value: Any, column: Any = None, table: Any = None) -> Any:
		"""A value as it is written into (or compared with) a column."""
		return value

	def typed(self, sql: str, query: Any) -> str:
		"""The text of a built query, with what the driver wants to know of it."""
		return sql

	def _convert(self, query: str, rows: Any) -> Any:
		"""Values of a result that the connection could not convert by itself."""
		return rows

	# statements

	def connect(self) -> None:
		self._conn = self.get_connection()
		self._cursor = self._conn.cursor()

	def close(self) -> None:
		if self._conn:
			self._conn.close()
			self._conn = self._cursor = None

	def sql(
		self,
		query: Any,
		values: Any = EmptyQueryValues,
		*,
		as_dict: bool | int = 0,
		as_list: bool | int = 0,
		debug: bool | int = 0,
		ignore_ddl: bool | int = 0,
		auto_commit: bool | int = 0,
		update: dict | None = None,
		explain: bool = False,
		run: bool = True,
		pluck: bool = False,
		as_iterator: bool = False,
	) -> Any:
		"""Execute a statement and fetch its rows.

		`values` fill `%s` or `%(name)s`. Deadlocks and timeouts raise QueryDeadlockError and QueryTimeoutError;
		anything else the driver's own error (see `is_duplicate_entry` and its like).
		"""
		text = query if isinstance(query, TypedQuery) else IFNULL_PATTERN.sub("coalesce(", str(query).strip())
		if not run:
			return str(text)
		if not self._conn:
			self.connect()
		self.check_transaction_status(text)
		if is_query_type(text, ("drop", "create")):
			frappe.cache.delete_value("db_tables")
		if auto_commit:
			self.commit()
		if values is EmptyQueryValues:
			values = None
		elif not isinstance(values, tuple | dict | list):
			values = (values,)
		if debug:
			frappe.log(f"{text} {values or ''}")
		self.last_query = text
		if not self._try(text, values, ignore_ddl):
			return ()
		if auto_commit:
			self.commit()
		if not self._cursor.description:
			return ()
		if as_iterator:
			return self._iterate(text, as_dict, as_list, pluck, update)
		rows = self._convert(text, self._cursor.fetchall())
		return self._shape(rows, as_dict, as_list, pluck, update)

	def _try(self, text: str, values: Any, ignore_ddl: Any) -> bool:
		"""Execute; False if it failed on a missing table or column and that is fine."""
		try:
			self._execute(text, values)
		except Exception as error:
			if self.is_deadlocked(error):
				raise frappe.QueryDeadlockError(error) from error
			if self.is_timedout(error):
				raise frappe.QueryTimeoutError(error) from error
			missing = self.is_missing_table_or_column(error) or self.cant_drop_field_or_key(error)
			if not (ignore_ddl and missing):
				raise
			return False
		return True

	def _shape(self, rows: Any, as_dict: Any, as_list: Any, pluck: bool, update: dict | None) -> Any:
		if pluck:
			return [row[0] for row in rows]
		if as_dict:
			keys = [column[0] for column in self._cursor.description]
			found = [frappe._dict(zip(keys, row, strict=True)) for row in rows]
			for row in found if update else ():
				row.update(update)
			return found
		if as_list:
			return [list(row) for row in rows]
		return tuple(rows)

	def _iterate(self, text: str, as_dict: Any, as_list: Any, pluck: bool, update: dict | None) -> Iterator:
		while rows := self._cursor.fetchmany(1000):
			yield from self._shape(self._convert(text, rows), as_dict, as_list, pluck, update)

	def sql_list(self, query: str, values: Any = (), debug: bool = False, **kwargs: Any) -> list:
		return self.sql(query, values, **kwargs, debug=debug, pluck=True)

	def sql_ddl(self, query: str, debug: bool = False) -> None:
		"""Commit, then change the schema."""
		self.commit()
		self.sql(query, debug=debug)

	def multisql(self, sql_dict: dict[str, str], values: Any = (), **kwargs: Any) -> Any:
		return self.sql(sql_dict[self.db_type], values, **kwargs)

	def check_transaction_status(self, query: str) -> None:
		"""Refuse DDL in the middle of a transaction, and transactions without end."""
		if self.transaction_writes and is_query_type(query, ("start", "begin", *DDL[:-1])):
			raise frappe.ImplicitCommitError("This statement can cause implicit commit", query)
		if is_query_type(query, ("commit", "rollback")) and "savepoint" not in query.lower():
			self.transaction_writes = 0
		if query[:6].lower() in ("update", "insert", "delete"):
			self.transaction_writes += 1
			if self.transaction_writes > self.MAX_WRITES_PER_TRANSACTION:
				if not self.auto_commit_on_many_writes:
					raise frappe.TooManyWritesError(
						frappe._(
							"Too many changes to database in single action. The changes have been reverted."
						)
					)
				self.commit()

	@contextmanager
	def unbuffered_cursor(self) -> Iterator[None]:
		"""A cursor of its own, for reading a large result with as_iterator."""
		if not self._conn:
			self.connect()
		original = self._cursor
		self._cursor = self._open_unbuffered()
		try:
			yield
		finally:
			self._cursor.close()
			self._cursor = original

	def _open_unbuffered(self) -> Any:
		return self._conn.cursor()

	# transactions

	def begin(self, *, read_only: bool = False) -> None:
		self.sql("START TRANSACTION READ ONLY" if read_only else "START TRANSACTION")

	def commit(self) -> None:
		self.before_rollback.reset()
		self.after_rollback.reset()
		self.before_commit.run()
		self.sql("commit")
		self.begin()
		self.after_commit.run()

	def rollback(self, *, save_point: str | None = None) -> None:
		"""Undo the transaction, or what happened since a savepoint."""
		if save_point:
			self.sql(f"rollback to savepoint {save_point}")
			return
		self.before_commit.reset()
		self.after_commit.reset()
		self.before_rollback.run()
		self.sql("rollback")
		self.begin()
		self.after_rollback.run()

	def savepoint(self, save_point: str) -> None:
		self.sql(f"savepoint {save_point}")

	def release_savepoint(self, save_point: str) -> None:
		self.sql(f"release savepoint {save_point}")

	# schema

	def get_tables(self, cached: bool = True) -> list[str]:
		tables = frappe.cache.get_value("db_tables") if cached else None
		if not tables:
			tables = self._list_tables()
			frappe.cache.set_value("db_tables", tables)
		return tables

	def table_exists(self, doctype: str, cached: bool = True) -> bool:
		name = f"tab{doctype}"
		# a table may have been made by another process since
		return name in self.get_tables(cached) or (cached and name in self.get_tables(cached=False))

	has_table = table_exists

	def get_db_table_columns(self, table: str) -> list[str]:
		columns = frappe.cache.hget("table_columns", table)
		if columns is None:
			columns = self._list_columns(table)
			if columns:
				frappe.cache.hset("table_columns", table, columns)
		return columns

	def get_table_columns(self, doctype: str) -> list[str]:
		columns = self.get_db_table_columns(get_table_name(doctype))
		if not columns:
			raise self.TableMissingError("DocType", doctype)
		return columns

	def has_column(self, doctype: str, column: str) -> bool:
		return column in self.get_table_columns(doctype)

	def field_exists(self, dt: str, fn: str) -> Any:
		return self.exists("DocField", {"fieldname": fn, "parent": dt})

	@staticmethod
	def get_index_name(fields: list[str]) -> str:
		# MariaDB takes the length of a prefix with a column's name: `url(255)`
		return INDEX_LENGTH.sub("", "_".join(fields) + "_index")

	def add_index(self, doctype: str, fields: list[str], index_name: str | None = None) -> None:
		"""Add an index unless it is there."""
		index_name = index_name or self.get_index_name(fields)
		if not self.has_index(get_table_name(doctype), index_name):
			self.commit()
			self._create_index(get_table_name(doctype), fields, index_name, unique=False)

	def add_unique(self, doctype: str, fields: list[str] | str, constraint_name: str | None = None) -> None:
		"""Add a unique index unless it is there."""
		fields = [fields] if isinstance(fields, str) else fields
		constraint_name = constraint_name or "unique_" + "_".join(fields)
		if not self.has_index(get_table_name(doctype), constraint_name):
			self.commit()
			self._create_index(get_table_name(doctype), fields, constraint_name, unique=True)

	def updatedb(self, doctype: str, meta: Any = None) -> None:
		"""Bring the table of a DocType to what its fields say."""
		from frappe.database.schema import DBTable

		meta = meta or frappe.get_meta(doctype, cached=False)
		if meta.issingle or meta.get("is_virtual"):
			return
		DBTable(doctype, meta).sync()
		self.commit()

	def create_auth_table(self) -> None:
		self._create_system_table(
			"__Auth",
			"`doctype` varchar(140) not null, `name` varchar(255) not null, `fieldname` varchar(140) not null, "
			"`password` text not null, `encrypted` int(1) not null default 0, "
			"primary key (`doctype`, `name`, `fieldname`)",
		)

	def create_singles_table(self) -> None:
		self._create_system_table(
			"tabSingles", "`doctype` varchar(255), `field` varchar(255), `value` longtext"
		)
		if not self.has_index("tabSingles", "singles_doctype_field_index"):
			self._create_index(
				"tabSingles", ["doctype", "field"], "singles_doctype_field_index", unique=False
			)

	def create_series_table(self) -> None:
		self._create_system_table(
			"tabSeries", "`name` varchar(100) primary key, `current` int(10) not null default 0"
		)

	def truncate(self, doctype: str) -> None:
		self.sql_ddl(f"truncate table `{get_table_name(doctype)}`")

	def drop_table(self, doctype: str) -> None:
		self.sql_ddl(f"drop table if exists `{get_table_name(doctype)}`")

	def is_missing_table_or_column(self, e: Exception) -> bool:
		return self.is_missing_column(e) or self.is_table_missing(e)


@contextmanager
def savepoint(catch: type | tuple[type, ...] = Exception) -> Iterator[None]:
	"""Do what is inside as a whole or, where an error of `catch` comes up, not at all."""
	name = "".join(random.sample(string.ascii_lowercase, 10))
	frappe.db.savepoint(name)
	try:
		yield
	except catch:
		frappe.db.rollback(save_point=name)
	else:
		frappe.db.release_savepoint(name)
