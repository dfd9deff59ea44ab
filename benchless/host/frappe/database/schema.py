"""The table of a DocType: created from its fields, and altered when they change. Columns are never dropped."""

import re
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, cstr, flt

INDEXABLE = ("text", "longtext", "json")
STANDARD = {
	"creation": "datetime(6)",
	"modified": "datetime(6)",
	"modified_by": "varchar(140)",
	"owner": "varchar(140)",
	"docstatus": "int(1) not null default 0",
	"idx": "int(8) not null default 0",
}
CHILD = dict.fromkeys(("parent", "parentfield", "parenttype"), "varchar(140)")


def get_definition(fieldtype: str, precision: Any = None, length: Any = None) -> str | None:
	"""Column type of a field, None for fields without a column."""
	length = cint(length)
	kind = frappe.db.type_map.get("Long Int" if fieldtype == "Int" and length > 11 else fieldtype)
	if not kind:
		return None
	name, size = kind
	if length and (name == "varchar" or (name == "int" and length < 11)):
		size = length
	return f"{name}({size})" if size else name


def validate_column_name(name: str) -> str:
	if special := re.findall(r"\W", name):
		characters = ", ".join(f'"{character}"' for character in special)
		frappe.throw(
			_("Fieldname {0} cannot have special characters like {1}").format(frappe.bold(name), characters),
			frappe.InvalidColumnName,
		)
	if len(name) >= frappe.db.MAX_COLUMN_LENGTH:
		frappe.throw(_("Fieldname is limited to 64 characters ({0})").format(frappe.bold(name)))
	return name


def column_of(df: Any) -> str | None:
	"""Definition of a field's column, with its default."""
	definition = get_definition(df.get("fieldtype"), df.get("precision"), df.get("length"))
	if not definition:
		return None
	fieldtype, default = df.get("fieldtype"), df.get("default")
	if fieldtype in ("Check", "Int"):
		return f"{definition} not null default {cint(default)}"
	if fieldtype in ("Currency", "Float", "Percent"):
		return f"{definition} not null default {flt(default)}"
	literal = default and default not in frappe.db.DEFAULT_SHORTCUTS and not cstr(default).startswith(":")
	if literal and definition not in INDEXABLE and fieldtype not in ("Date", "Datetime", "Time"):
		return f"{definition} default {frappe.db.escape(default, percent=False)}"
	return definition


class DBTable:
	"""Brings one table to what a DocType says."""

	def __init__(self, doctype: str, meta: Any) -> None:
		self.doctype = doctype
		self.meta = meta
		self.table_name = f"tab{doctype}"
		self.fields = [df for df in meta.get("fields") if not df.get("is_virtual") and column_of(df)]
		self.columns = {"name": "varchar(140) primary key", **STANDARD}
		for df in self.fields:
			self.columns[validate_column_name(df.fieldname)] = column_of(df)
		if meta.get("istable"):
			self.columns.update(CHILD)
		else:
			self.columns.update(dict.fromkeys(frappe.db.OPTIONAL_COLUMNS, "text"))
			if meta.get("track_seen"):
				self.columns["_seen"] = "text"

	def sync(self) -> None:
		"""Create or alter the table, then its indexes."""
		tables = frappe.db.get_tables(cached=False)
		if self.table_name in tables:
			self.alter()
		else:
			self.create()
		frappe.cache.hdel("table_columns", self.table_name)
		self.sync_indexes()

	def create(self) -> None:
		definitions = [frappe.db.column_definition(*item) for item in self.columns.items()]
		# the key's collation must stand before the constraint's end on both databases: it may follow it
		frappe.db.sql_ddl(
			f"create table `{self.table_name}` ({', '.join(definitions)}) {frappe.db.table_options()}"
		)

	def alter(self) -> None:
		current = frappe.db.describe_columns(self.table_name)
		known = {name.lower() for name in current}
		add = {name: value for name, value in self.columns.items() if name.lower() not in known}
		modify = {
			df.fieldname: self.columns[df.fieldname]
			for df in self.fields
			if df.fieldname in current and self._differs(df, current[df.fieldname])
		}
		everything = {name: self._current(value) for name, value in current.items()} | self.columns
		frappe.db.alter_table(self.table_name, add, modify, everything)

	@staticmethod
	def _current(column: Any) -> str:
		default = f" default {column.default}" if column.default is not None else ""
		return f"{column.type}{default}"

	def _differs(self, df: Any, column: Any) -> bool:
		wanted = get_definition(df.get("fieldtype"), df.get("precision"), df.get("length"))
		have = str(column.type).lower()
		if wanted == "json":
			return have not in ("json text", "longtext", "json")
		if wanted != have:
			return True
		default = str(column.default).strip("'") if column.default is not None else None
		if df.get("fieldtype") in ("Check", "Int", "Currency", "Float", "Percent"):
			return flt(default) != flt(df.get("default"))
		match = re.search(r" default '(.*)'$", self.columns[df.fieldname])
		return (match.group(1) if match else None) != (None if default in (None, "NULL") else default)

	def sync_indexes(self) -> None:
		"""Unique fields and search indexes; an index that is no longer unique is dropped."""
		present = frappe.db.indexes_of(self.table_name)
		single = {index.fields[0]: index for index in present.values() if len(index.fields) == 1}
		unique = {
			index.fields[0]: name
			for name, index in present.items()
			if index.unique and len(index.fields) == 1 and name != "PRIMARY"
		}
		for df in self.fields:
			if get_definition(df.get("fieldtype")) in INDEXABLE:
				continue
			name = df.fieldname
			if df.get("unique") and name not in unique:
				self._add_unique(name)
			elif not df.get("unique") and name in unique and not unique[name].startswith("unique_"):
				frappe.db.drop_index(self.table_name, unique[name])
			if df.get("search_index") and not df.get("unique") and name not in single:
				frappe.db.commit()
				frappe.db._create_index(self.table_name, [name], name, unique=False)
		standard = ["parent"] if self.meta.get("istable") else ["modified"]
		if self.meta.get("sort_field") == "creation":
			standard.append("creation")
		for name in standard:
			if name not in single and name not in present:
				frappe.db.commit()
				frappe.db._create_index(self.table_name, [name], name, unique=False)

	def _add_unique(self, name: str) -> None:
		frappe.db.commit()
		try:
			frappe.db._create_index(self.table_name, [name], name, unique=True)
		except frappe.db.IntegrityError:
			frappe.throw(
				_("{0} field cannot be set as unique in {1}, as there are non-unique existing values").format(
					name, self.table_name
				)
			)


def add_column(
	doctype: str,
	column_name: str,
	fieldtype: str,
	precision: Any = None,
	length: Any = None,
	default: Any = None,
	not_null: bool = False,
) -> None:
	"""Add a column by hand, unless it is there."""
	if frappe.db.has_column(doctype, column_name):
		return
	definition = get_definition(fieldtype, precision, length)
	if not_null:
		definition += " not null"
	if default:
		definition += f" default {frappe.db.escape(default, percent=False)}"
	frappe.db.alter_table(f"tab{doctype}", {column_name: definition}, {}, {})
	frappe.cache.hdel("table_columns", f"tab{doctype}")
