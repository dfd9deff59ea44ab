"""Terms that Frappe adds to PyPika."""

from typing import Any

from pypika.functions import DistinctOptionFunction
from pypika.terms import Term
from pypika.utils import format_alias_sql, format_quotes


class GROUP_CONCAT(DistinctOptionFunction):
	"""Values of a group, joined by commas."""

	def __init__(self, column: Any, alias: str | None = None) -> None:
		super().__init__("GROUP_CONCAT", column, alias=alias)


class ConstantColumn(Term):
	"""A column that has one value in all rows."""

	alias = None

	def __init__(self, value: str) -> None:
		super().__init__()
		self.value = value

	def get_sql(self, quote_char: str | None = None, **kwargs: Any) -> str:
		return format_alias_sql(
			format_quotes(self.value, kwargs.get("secondary_quote_char") or "'"),
			self.alias or self.value,
			quote_char=quote_char,
			**kwargs,
		)
