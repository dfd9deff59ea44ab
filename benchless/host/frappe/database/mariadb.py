"""MariaDB through PyMySQL, as Frappe connects to it: utf8mb4, decimals as floats, no autocommit."""

from typing import Any

import pymysql
from pymysql.constants import ER, FIELD_TYPE
from pymysql.converters import conversions
from pymysql.cursors import SSCursor

import frappe
from frappe.database.database import Database

CHARSET = "utf8mb4"
COLLATION = "utf8mb4_unicode_ci"
READ_ONLY_TRANSACTION = 1792
STATEMENT_TIMEOUT = 1969


def _code(number: int) -> Any:
	"""A check of an error's number."""
	return staticmethod(lambda e: bool(e.args) and e.args[0] == number)


class MariaDBDatabase(Database):
	db_type = "mariadb"
	CONVERSIONS = conversions | {FIELD_TYPE.NEWDECIMAL: float}

	IntegrityError = pymysql.IntegrityError
	ProgrammingError = pymysql.ProgrammingError
	TableMissingError = pymysql.ProgrammingError
	OperationalError = pymysql.OperationalError
	InternalError = pymysql.InternalError
	InterfaceError = pymysql.InterfaceError
	SQLError = pymysql.ProgrammingError
	DataError = pymysql.DataError

	is_deadlocked = _code(ER.LOCK_DEADLOCK)
	is_timedout = _code(ER.LOCK_WAIT_TIMEOUT)
	is_read_only_mode_error = _code(READ_ONLY_TRANSACTION)
	is_table_missing = _code(ER.NO_SUCH_TABLE)
	is_missing_table = _code(ER.NO_SUCH_TABLE)
	is_missing_column = _code(ER.BAD_FIELD_ERROR)
	is_duplicate_fieldname = _code(ER.DUP_FIELDNAME)
	is_duplicate_entry = _code(ER.DUP_ENTRY)
	is_access_denied = _code(ER.ACCESS_DENIED_ERROR)
	cant_drop_field_or_key = _code(ER.CANT_DROP_FIELD_OR_KEY)
	is_syntax_error = _code(ER.PARSE_ERROR)
	is_statement_timeout = _code(STATEMENT_TIMEOUT)
	is_data_too_long = _code(ER.DATA_TOO_LONG)

	def _open_unbuffered(self) -> Any:
		return self._conn.cursor(SSCursor)

	@staticmethod
	def is_primary_key_violation(e: Exception) -> bool:
		return MariaDBDatabase.is_duplicate_entry(e) and "PRIMARY" in str(e.args[1])

	@staticmethod
	def is_unique_key_violation(e: Exception) -> bool:
		return MariaDBDatabase.is_duplicate_entry(e) and "Duplicate" in str(e.args[1])

	@staticmethod
	def is_interface_error(e: Exception) -> bool:
		return isinstance(e, pymysql.InterfaceError)

	def get_connection(self) -> pymysql.Connection:
		return open_connection(frappe.conf, self.cur_db_name, conv=self.CONVERSIONS)

	def _execute(self, query: str, values: Any) -> None:
		self._cursor.execute(query, values)

	@staticmethod
	def escape(s: Any, percent: bool = True) -> str:
		text = pymysql.converters.escape_string(frappe.as_unicode(s)).replace("`", "\\`")
		return f"'{text.replace('%', '%%') if percent else text}'"

	def estimate_count(self, doctype: str) -> int:
		rows = self.sql(
			"select table_rows from information_schema.tables where table_schema = %s and table_name = %s",
			(self.cur_db_name, f"tab{doctype}"),
		)
		return int(rows[0][0] or 0) if rows else 0

	def describe(self, doctype: str) -> Any:
		return self.sql(f"desc `tab{doctype}`")

	# schema

	def _list_tables(self) -> list[str]:
		return self.sql(
			"select table_name from information_schema.tables where table_schema = %s",
			self.cur_db_name,
			pluck=True,
		)

	def _list_columns(self, table: str) -> list[str]:
		return self.sql(
			"select column_name from information_schema.columns where table_schema = %s and table_name = %s "
			"order by ordinal_position",
			(self.cur_db_name, table),
			pluck=True,
		)

	def get_column_type(self, doctype: str, column: str) -> str | None:
		return self.describe_columns(f"tab{doctype}").get(column, {}).get("type")

	def describe_columns(self, table: str) -> dict[str, frappe._dict]:
		"""Type, default and uniqueness of each column."""
		rows = self.sql(
			"select column_name as `name`, column_type as `type`, column_default as `default`, "
			"column_key = 'UNI' as `unique` from information_schema.columns "
			"where table_schema = %s and table_name = %s",
			(self.cur_db_name, table),
			as_dict=True,
		)
		return {row.name: row for row in rows}

	def indexes_of(self, table: str) -> dict[str, frappe._dict]:
		"""Columns and uniqueness of each index."""
		found: dict[str, frappe._dict] = {}
		for row in self.sql(f"show index from `{table}`", as_dict=True):
			index = found.setdefault(row.Key_name, frappe._dict(fields=[], unique=not row.Non_unique))
			index.fields.append(row.Column_name)
		return found

	def has_index(self, table_name: str, index_name: str) -> Any:
		return self.sql(f"show index from `{table_name}` where Key_name = %s", index_name)

	def get_column_index(self, table_name: str, fieldname: str, unique: bool = False) -> frappe._dict | None:
		"""The index that is of this column alone."""
		for name, index in self.indexes_of(table_name).items():
			if index.fields == [fieldname] and bool(index.unique) == unique:
				return frappe._dict(Key_name=name, Column_name=fieldname)
		return None

	def _create_index(self, table: str, fields: list[str], name: str, unique: bool) -> None:
		kind = "unique" if unique else "index"
		self.sql(f"alter table `{table}` add {kind} `{name}`({', '.join(fields)})")

	def drop_index(self, table: str, name: str) -> None:
		self.sql_ddl(f"alter table `{table}` drop index `{name}`")

	def _create_system_table(self, table: str, definition: str) -> None:
		self.sql_ddl(f"create table if not exists `{table}` ({definition}) {self.table_options()}")

	@staticmethod
	def table_options() -> str:
		return f"ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET={CHARSET} COLLATE={COLLATION}"

	def column_definition(self, name: str, definition: str) -> str:
		return f"`{name}` {definition}"

	def alter_table(self, table: str, add: dict[str, str], modify: dict[str, str], all_columns: Any) -> None:
		changes = [f"add column {self.column_definition(*item)}" for item in add.items()]
		changes += [f"modify {self.column_definition(*item)}" for item in modify.items()]
		if changes:
			self.sql_ddl(f"alter table `{table}` {', '.join(changes)}")

	def rename_column(self, doctype: str, old_column_name: str, new_column_name: str) -> None:
		self.sql_ddl(f"alter table `tab{doctype}` rename column `{old_column_name}` to `{new_column_name}`")


def open_connection(conf: Any, database: str | None, **options: Any) -> pymysql.Connection:
	"""A connection to the server that a site's configuration names."""
	return pymysql.connect(
		host=conf.get("db_host") or "127.0.0.1",
		port=int(conf.get("db_port") or 3306),
		user=conf.get("db_user") or conf.get("db_name"),
		password=conf.get("db_password") or "",
		unix_socket=conf.get("db_socket") or None,
		database=database,
		charset=CHARSET,
		**options,
	)


def create_database(conf: Any, force: bool = False) -> None:
	"""Create the site's own database; one that is there is only replaced by force."""
	with open_connection(conf, None) as connection, connection.cursor() as cursor:
		if force:
			cursor.execute(f"DROP DATABASE IF EXISTS `{conf['db_name']}`")
		cursor.execute(f"CREATE DATABASE `{conf['db_name']}` CHARACTER SET {CHARSET} COLLATE {COLLATION}")


def drop_database(conf: Any) -> None:
	"""Drop the site's own database."""
	with open_connection(conf, None) as connection, connection.cursor() as cursor:
		cursor.execute(f"DROP DATABASE IF EXISTS `{conf['db_name']}`")
