"""PyPika as Frappe hands it out: `DocType`, `Field`, `Case`, `Criterion`, `Order` and all the rest.

Attributes of a table are columns, also those that PyPika has methods for (`table.field`, `table["name"]`).
"""

from typing import Any

import pypika.queries
import pypika.terms
from pypika import *
from pypika import Field
from pypika.queries import Table
from pypika.utils import ignore_copy

from frappe.query_builder.builder import Query
from frappe.query_builder.terms import (
	NamedParameterWrapper,
	ParameterizedValueWrapper,
	SubQuery,
	Values,
	subqry,
)
from frappe.query_builder.utils import Column, DocType, PseudoColumnMapper, get_query

pypika.queries.Selectable.__getattr__ = ignore_copy(lambda table, x: Field(x, table=table))
pypika.queries.Selectable.__getitem__ = lambda table, x: Field(x, table=table)
pypika.queries.Selectable.field = pypika.terms.PseudoColumn("field")


def get_query_builder(type_of_db: str) -> type[Query]:
	"""`frappe.qb` for a kind of database: the same for all, see `builder`."""
	return Query
