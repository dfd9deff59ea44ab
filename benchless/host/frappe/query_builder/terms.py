"""Terms of PyPika taught two things: values travel as parameters, and know the column that they meet.

The column tells SQLite, which has no types of its own to speak of, how to write a date or a decimal.
PyPika's classes are patched as Frappe patches them: terms made by PyPika itself must behave, too.
"""

import datetime
import decimal
from collections.abc import Callable
from typing import Any

import pypika.dialects
import pypika.queries
import pypika.terms
from pypika.enums import Arithmetic
from pypika.terms import ArithmeticExpression, Case, Criterion, Field, Function, Term, ValueWrapper
from pypika.terms import Values as PypikaValues
from pypika.utils import format_alias_sql

import frappe

PARAMETER_TYPES = (str, bytes, datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, float)


class NamedParameterWrapper:
	"""Collects the values of a query under the names that stand in its text."""

	def __init__(self) -> None:
		self.parameters: dict[str, Any] = {}

	def get_sql(self, param_value: Any, **kwargs: Any) -> str:
		key = f"param{len(self.parameters) + 1}"
		self.parameters[key] = param_value
		return f"%({key})s"

	def get_parameters(self) -> dict[str, Any]:
		return self.parameters


class ParameterizedValueWrapper(ValueWrapper):
	"""A value in a query."""

	column: Field | None = None
	column_table: Any = None

	def get_sql(
		self,
		quote_char: str | None = None,
		secondary_quote_char: str = "'",
		param_wrapper: NamedParameterWrapper | None = None,
		**kwargs: Any,
	) -> str:
		value = self.value
		if isinstance(value, Term):
			# PyPika's `set` wraps whatever it is given
			quotes = {"quote_char": quote_char, "secondary_quote_char": secondary_quote_char}
			return value.get_sql(param_wrapper=param_wrapper, **quotes, **kwargs)
		if isinstance(value, datetime.timedelta):
			from frappe.utils.data import format_timedelta

			value = format_timedelta(value)
		elif isinstance(value, datetime.time):
			value = str(value)
		if param_wrapper and isinstance(value, PARAMETER_TYPES):
			# the database, not the query, knows how a value is written into or compared with a column
			sql = param_wrapper.get_sql(frappe.db.adapt(value, self.column, self.column_table))
		else:
			sql = self.get_formatted_value(
				value, quote_char=quote_char, secondary_quote_char=secondary_quote_char, **kwargs
			)
		return format_alias_sql(sql, self.alias, quote_char=quote_char, **kwargs)


def about(term: Any, column: Field | None, table: Any = None) -> Any:
	"""Tell a value (or the values of a CASE) which column it is for."""
	if isinstance(term, ParameterizedValueWrapper) and isinstance(term.value, Term):
		about(term.value, column, table)
	elif isinstance(term, Case):
		for value in (*(then for _when, then in term._cases), term._else):
			about(value, column, table)
	elif isinstance(term, ParameterizedValueWrapper) and term.column is None:
		term.column, term.column_table = column, table
	return term


_wrap: Callable = Term.wrap_constant


def _wrap_for_field(self: Field, val: Any, wrapper_cls: type[Term] | None = None) -> Any:
	term = _wrap(val, wrapper_cls)
	if isinstance(term, pypika.terms.Tuple):
		for value in term.values:
			about(value, self)
	return about(term, self)


def _function_sql(self: Function, **kwargs: Any) -> str:
	"""Like PyPika's, but the parameters of a query reach the arguments."""
	with_alias = kwargs.pop("with_alias", False)
	kwargs.pop("subquery", None)
	quote_char = kwargs.get("quote_char")
	sql = self.get_function_sql(**kwargs)
	if self.schema is not None:
		sql = f"{self.schema.get_sql(**kwargs)}.{sql}"
	if with_alias:
		options = {key: value for key, value in kwargs.items() if key != "quote_char"}
		return format_alias_sql(sql, self.alias, quote_char=quote_char, **options)
	return sql


_arithmetic_sql: Callable = ArithmeticExpression.get_sql


def _division_sql(self: ArithmeticExpression, with_alias: bool = False, **kwargs: Any) -> str:
	"""A division of integers has decimals on MariaDB; SQLite wants to be told."""
	if self.operator is not Arithmetic.div or not frappe.db or frappe.db.db_type != "sqlite":
		return _arithmetic_sql(self, with_alias=with_alias, **kwargs)
	left, right = self.left.get_sql(**kwargs), self.right.get_sql(**kwargs)
	if isinstance(self.right, ArithmeticExpression):
		right = f"({right})"
	if self.left_needs_parens(self.operator, getattr(self.left, "operator", None)):
		left = f"({left})"
	sql = f"1.0*{left}/{right}"
	return format_alias_sql(sql, self.alias, **kwargs) if with_alias else sql


class Values(PypikaValues):
	"""`VALUES(column)` of MariaDB: the value that was to be inserted, in ON DUPLICATE KEY UPDATE."""


class RawCriterion(Criterion):
	"""A condition written as SQL by a permission hook."""

	def __init__(self, sql: str) -> None:
		super().__init__()
		self.sql = sql

	def nodes_(self) -> Any:
		yield self

	def get_sql(self, **kwargs: Any) -> str:
		# the text of a query with parameters is formatted with %
		return f"({self.sql.replace('%', '%%') if kwargs.get('param_wrapper') else self.sql})"


class SubQuery(Criterion):
	"""A query as an operand."""

	def __init__(self, subq: Any, alias: str | None = None) -> None:
		super().__init__(alias)
		self.subq = subq

	def get_sql(self, **kwargs: Any) -> str:
		return self.subq.get_sql(**{**kwargs, "subquery": True})


subqry = SubQuery

pypika.terms.ValueWrapper = ParameterizedValueWrapper
pypika.dialects.ValueWrapper = ParameterizedValueWrapper
pypika.queries.ValueWrapper = ParameterizedValueWrapper
Field.wrap_constant = _wrap_for_field
Function.get_sql = _function_sql
ArithmeticExpression.get_sql = _division_sql
