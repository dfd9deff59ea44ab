"""SQL functions for `frappe.qb`: PyPika's, and those that Frappe adds. SQLite gets them from its driver."""

from typing import Any

from pypika.functions import *
from pypika.terms import CustomFunction, Function

from frappe.query_builder.custom import GROUP_CONCAT, ConstantColumn

GroupConcat = GROUP_CONCAT
CombineDatetime = CustomFunction("TIMESTAMP", ["date", "time"])
DateFormat = CustomFunction("DATE_FORMAT", ["date", "format"])
UnixTimestamp = CustomFunction("unix_timestamp", ["date"])


class Concat_ws(Function):
	def __init__(self, *terms: Any, **kwargs: Any) -> None:
		super().__init__("CONCAT_WS", *terms, **kwargs)


class Locate(Function):
	def __init__(self, *terms: Any, **kwargs: Any) -> None:
		super().__init__("LOCATE", *terms, **kwargs)


class Ifnull(IfNull):
	pass


class Timestamp(Function):
	def __init__(self, term: Any, time: Any = None, alias: str | None = None) -> None:
		super().__init__("TIMESTAMP", *([term, time] if time else [term]), alias=alias)


class Round(Function):
	def __init__(self, term: Any, decimal: int = 0, **kwargs: Any) -> None:
		super().__init__("ROUND", term, decimal, **kwargs)


class Truncate(Function):
	def __init__(self, term: Any, decimal: int, **kwargs: Any) -> None:
		super().__init__("TRUNCATE", term, decimal, **kwargs)


class Cast_(Cast):
	pass
