"""`frappe.qb.get_query`: Frappe's filters, fields and order as a PyPika query.

Filters compare plainly here: unlike in `frappe.get_all`, nothing is done about NULL.
"""

import re
from collections.abc import Callable
from typing import Any

import frappe
from frappe import _
from frappe.database.utils import DefaultOrderBy
from frappe.query_builder import Criterion, Field, Order, Table

TABLE_NAME_PATTERN = re.compile(r"^[\w -]*$", re.ASCII)
SPECIAL_CHARACTERS = re.compile(r"\W")
FUNCTION = re.compile(r"^(\w+)\((distinct\s+)?(.*)\)$", re.IGNORECASE | re.DOTALL)
ALIAS = re.compile(r"^(.*?)\s+as\s+`?([\w .]+?)`?$", re.IGNORECASE | re.DOTALL)
QUALIFIED = re.compile(r"^`?tab([^`.]+)`?\.`?(\*|[^`.]+)`?$")
# Functions that a text may name, as `count(name) as total`; for others there is frappe.qb.
FUNCTIONS = {
	"abs",
	"avg",
	"count",
	"date",
	"date_format",
	"dayofyear",
	"extract",
	"group_concat",
	"locate",
	"lower",
	"max",
	"min",
	"month",
	"now",
	"round",
	"sum",
	"timestamp",
	"upper",
	"year",
}


def _between(key: Any, value: Any) -> Any:
	start, end = value.split(",") if isinstance(value, str) else value
	return key.between(start, end)


def _is(key: Any, value: str) -> Any:
	return key.isnotnull() if value.lower() == "set" else key.isnull()


def _listed(value: Any) -> list:
	if isinstance(value, str):
		return value.split(",")
	return list(value) or [""]


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
	"=": lambda key, value: key == value,
	"!=": lambda key, value: key != value,
	"<>": lambda key, value: key != value,
	">": lambda key, value: key > value,
	"<": lambda key, value: key < value,
	">=": lambda key, value: key >= value,
	"<=": lambda key, value: key <= value,
	"like": lambda key, value: key.like(value),
	"not like": lambda key, value: key.not_like(value),
	"regex": lambda key, value: key.regex(value),
	"in": lambda key, value: key.isin(_listed(value)),
	"not in": lambda key, value: key.notin(_listed(value)),
	"between": _between,
	"is": _is,
}


def parse_field(text: str, table: Table, throw: Callable[[str], None]) -> Any:
	"""A field as text (`name`, `tabX`.`name`, `count(name) as n`) as a term; `throw` is called for anything else."""
	from frappe.query_builder import functions

	text, alias = text.strip(), None
	if match := ALIAS.match(text):
		text, alias = match.group(1).strip(), match.group(2)
	if match := FUNCTION.match(text):
		name, distinct, inner = match.groups()
		if name.lower() not in FUNCTIONS:
			throw(_("Use of function {0} in field is restricted").format(name))
		arguments = [_argument(part, table, throw) for part in inner.split(",") if part.strip()]
		kinds = {kind.lower(): kind for kind in dir(functions) if kind[0].isupper()}
		kind = kinds.get(name.lower())
		term = getattr(functions, kind)(*arguments) if kind else functions.Function(name.upper(), *arguments)
		if distinct:
			term = term.distinct()
	elif text == "*":
		return table.star
	elif match := QUALIFIED.match(text):
		source = frappe.qb.DocType(match.group(1))
		term = source.star if match.group(2) == "*" else source[match.group(2)]
	else:
		name = text.strip("`")
		if SPECIAL_CHARACTERS.search(name):
			throw(_("Use of sub-query or function is restricted"))
		term = table[name]
	return term.as_(alias) if alias else term


def _argument(text: str, table: Table, throw: Callable[[str], None]) -> Any:
	text = text.strip()
	if text == "*":
		return "*"
	if text[:1] in "'\"" and text[-1:] == text[:1]:
		return text[1:-1]
	return int(text) if text.isdigit() else parse_field(text, table, throw)


def _restricted(message: str) -> None:
	frappe.throw(message, frappe.DataError)


class Engine:
	"""Builds one query."""

	def get_query(
		self,
		table: str | Table,
		fields: Any = None,
		filters: Any = None,
		order_by: str | None = None,
		group_by: str | None = None,
		limit: int | None = None,
		offset: int | None = None,
		distinct: bool = False,
		for_update: bool = False,
		update: bool = False,
		into: bool = False,
		delete: bool = False,
		*,
		validate_filters: bool = False,
		skip_locked: bool = False,
		wait: bool = True,
	) -> Any:
		if isinstance(table, str):
			if not TABLE_NAME_PATTERN.match(table):
				frappe.throw(_("Invalid DocType: {0}").format(table))
			self.doctype, self.table = table, frappe.qb.DocType(table)
		else:
			self.doctype, self.table = table._table_name.removeprefix("tab"), table
		if update:
			self.query = frappe.qb.update(self.table)
		elif into:
			self.query = frappe.qb.into(self.table)
		elif delete:
			self.query = frappe.qb.from_(self.table).delete()
		else:
			self.query = frappe.qb.from_(self.table).select(*self.parse_fields(fields))
		self.apply_filters(filters)
		if order_by and order_by != DefaultOrderBy:
			self.apply_order_by(order_by)
		if limit:
			self.query = self.query.limit(limit)
		if offset:
			self.query = self.query.offset(offset)
		if distinct:
			self.query = self.query.distinct()
		if for_update:
			self.query = self.query.for_update(skip_locked=skip_locked, nowait=not wait)
		if group_by:
			self.query = self.query.groupby(*(self.table[part.strip()] for part in group_by.split(",")))
		return self.query

	def parse_fields(self, fields: Any) -> list:
		if not fields:
			return [self.table.name]
		if isinstance(fields, str):
			fields = [part for part in re.split(r",\s*(?![^()]*\))", fields) if part.strip()]
		elif not isinstance(fields, list | tuple | set):
			fields = [fields]
		return [
			parse_field(field, self.table, _restricted) if isinstance(field, str) else field
			for field in fields
			if field
		]

	def apply_filters(self, filters: Any) -> None:
		if filters is None:
			return
		if isinstance(filters, str | int):
			filters = {"name": str(filters)}
		if isinstance(filters, Criterion):
			self.query = self.query.where(filters)
		elif isinstance(filters, dict):
			for field, value in filters.items():
				operator, value = value if isinstance(value, list | tuple) else ("=", value)
				self.apply_filter(field, operator, value)
		elif filters and all(isinstance(item, str | int) for item in filters):
			self.apply_filter("name", "in", filters)
		else:
			for item in filters:
				self._apply_item(item)

	def _apply_item(self, item: Any) -> None:
		if not isinstance(item, list | tuple):
			self.apply_filters(item)
		elif len(item) == 2:
			self.apply_filter(item[0], "=", item[1])
		elif len(item) == 3:
			self.apply_filter(item[0], item[1], item[2])
		else:
			self.apply_filter(item[1], item[2], item[3], item[0])

	def apply_filter(self, field: Any, operator: str, value: Any, doctype: str | None = None) -> None:
		if isinstance(field, str):
			if SPECIAL_CHARACTERS.search(field):
				frappe.throw(_("Invalid filter: {0}").format(field))
			table = self.table
			if doctype and doctype != self.doctype:
				table = frappe.qb.DocType(doctype)
				if frappe.get_meta(doctype).istable and not self.query.is_joined(table):
					on = (table.parent == self.table.name) & (table.parenttype == self.doctype)
					self.query = self.query.left_join(table).on(on)
			field = table[field]
		if isinstance(value, bool):
			value = int(value)
		if value is None and isinstance(field, Field) and operator in ("=", "!="):
			self.query = self.query.where(field.isnull() if operator == "=" else field.isnotnull())
			return
		if operator.lower() not in OPERATORS:
			frappe.throw(_("Operator {0} is not supported").format(operator))
		self.query = self.query.where(OPERATORS[operator.lower()](field, value))

	def apply_order_by(self, order_by: str) -> None:
		for part in order_by.split(","):
			field, _space, direction = part.strip().partition(" ")
			order = Order.asc if direction.strip().lower() == "asc" else Order.desc
			self.query = self.query.orderby(parse_field(field, self.table, _restricted), order=order)
