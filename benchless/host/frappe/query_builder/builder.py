"""`frappe.qb`: PyPika's MySQL dialect for both databases, so that apps meet one and the same builder.

What SQLite spells otherwise, its driver translates (`frappe.database.sqlite`). Every query runs through
`frappe.db.sql`.
"""

from typing import Any

from pypika import MySQLQuery, Order, terms
from pypika.dialects import MySQLQueryBuilder
from pypika.queries import QueryBuilder, Schema, Table, _SetOperation
from pypika.terms import Function

import frappe
from frappe.query_builder.terms import NamedParameterWrapper, ParameterizedValueWrapper, about


def prepare(query: Any) -> tuple[str, dict[str, Any]]:
	"""Text and parameters of a query."""
	collector = NamedParameterWrapper()
	return query.get_sql(param_wrapper=collector), collector.get_parameters()


def execute(query: Any, *args: Any, **kwargs: Any) -> Any:
	"""Run a query; returns rows as tuples, or as asked by as_dict, as_list, pluck."""
	sql, parameters = prepare(query)
	return frappe.db.sql(frappe.db.typed(sql, query), parameters, *args, **kwargs)


class Builder(MySQLQueryBuilder):
	"""PyPika's builder, with `run`, and with values that know their column."""

	def __init__(self, **kwargs: Any) -> None:
		super().__init__(**{"wrapper_cls": ParameterizedValueWrapper, **kwargs})
		# newer releases of PyPika put the parts of a UNION into brackets, which SQLite refuses
		self.wrap_set_operation_queries = False

	def __copy__(self) -> "Builder":
		new = super().__copy__()
		new._for_update = self._for_update
		return new

	def set(self, field: Any, value: Any) -> "Builder":
		new = super().set(field, value)
		column, term = new._updates[-1]
		about(term, column, new._update_table)
		return new

	def on_duplicate_key_update(self, field: Any, value: Any) -> "Builder":
		if isinstance(value, terms.Term):
			# PyPika would wrap even a term as a constant
			new = super().on_duplicate_key_update(field, None)
			new._duplicate_updates[-1] = (new._duplicate_updates[-1][0], value)
			return new
		new = super().on_duplicate_key_update(field, value)
		column, term = new._duplicate_updates[-1]
		about(term, column, new._insert_table)
		return new

	def _values_sql(self, **kwargs: Any) -> str:
		for row in self._values:
			for column, term in zip(self._columns, row, strict=False):
				about(term, column, self._insert_table)
		return super()._values_sql(**kwargs)

	run = execute
	walk = prepare


_SetOperation.run = execute
_SetOperation.walk = prepare


class Query(MySQLQuery):
	"""Where queries begin: `frappe.qb.from_`, `.into`, `.update`, and helpers of Frappe."""

	terms = terms
	Field = terms.Field
	desc = Order.desc
	asc = Order.asc
	Schema = Schema
	Table = Table
	_BuilderClasss = Builder

	@classmethod
	def _builder(cls, **kwargs: Any) -> Builder:
		return Builder(**kwargs)

	@staticmethod
	def functions(name: str, *args: Any, **kwargs: Any) -> Function:
		return Function(name, *args, **kwargs)

	@staticmethod
	def DocType(table_name: str, *args: Any, **kwargs: Any) -> Table:
		"""The table of a DocType."""
		from frappe.utils import get_table_name

		return Table(get_table_name(table_name), *args, **kwargs)

	@classmethod
	def _table(cls, table: Any) -> Any:
		return cls.DocType(table) if isinstance(table, str) else table

	@classmethod
	def from_(cls, table: Any, *args: Any, **kwargs: Any) -> QueryBuilder:
		return super().from_(cls._table(table), *args, **kwargs)

	@classmethod
	def into(cls, table: Any, *args: Any, **kwargs: Any) -> QueryBuilder:
		return super().into(cls._table(table), *args, **kwargs)

	@classmethod
	def update(cls, table: Any, *args: Any, **kwargs: Any) -> QueryBuilder:
		return super().update(cls._table(table), *args, **kwargs)

	@staticmethod
	def get_query(*args: Any, **kwargs: Any) -> QueryBuilder:
		"""A query from Frappe's filters. See `frappe.database.query.Engine`."""
		from frappe.database.query import Engine

		return Engine().get_query(*args, **kwargs)

	class engine:
		"""`frappe.qb.engine.get_query`, as older code spells it."""

		@staticmethod
		def get_query(*args: Any, **kwargs: Any) -> QueryBuilder:
			return Query.get_query(*args, **kwargs)

	@staticmethod
	def _aggregate(name: str, dt: str, fieldname: str, filters: Any, **kwargs: Any) -> Any:
		from frappe.query_builder import functions

		table = Query.DocType(dt)
		function = getattr(functions, name)(table[fieldname])
		return Query.get_query(dt, filters=filters, fields=[function]).run(**kwargs)[0][0] or 0

	@staticmethod
	def max(dt: str, fieldname: str, filters: Any = None, **kwargs: Any) -> Any:
		return Query._aggregate("Max", dt, fieldname, filters, **kwargs)

	@staticmethod
	def min(dt: str, fieldname: str, filters: Any = None, **kwargs: Any) -> Any:
		return Query._aggregate("Min", dt, fieldname, filters, **kwargs)

	@staticmethod
	def avg(dt: str, fieldname: str, filters: Any = None, **kwargs: Any) -> Any:
		return Query._aggregate("Avg", dt, fieldname, filters, **kwargs)

	@staticmethod
	def sum(dt: str, fieldname: str, filters: Any = None, **kwargs: Any) -> Any:
		return Query._aggregate("Sum", dt, fieldname, filters, **kwargs)
