"""Helpers of `frappe.query_builder` under the names that apps import."""

from typing import Any

from pypika.queries import Column
from pypika.terms import PseudoColumn

import frappe


class PseudoColumnMapper(PseudoColumn):
	"""A column written as SQL."""


def DocType(*args: Any, **kwargs: Any) -> Any:
	return frappe.qb.DocType(*args, **kwargs)


def Table(*args: Any, **kwargs: Any) -> Any:
	return frappe.qb.Table(*args, **kwargs)


def get_query(*args: Any, **kwargs: Any) -> Any:
	return frappe.qb.get_query(*args, **kwargs)


__all__ = ["Column", "DocType", "PseudoColumnMapper", "Table", "get_query"]
