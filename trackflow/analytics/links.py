"""What links are called, for lists of them."""

from collections.abc import Collection
from typing import Any

import frappe

Row = dict[str, Any]


def labels(names: Collection[str]) -> dict[str, Row]:
	"""`short_code`, `title` and `campaign` of these links; one that is gone has none."""
	rows = frappe.get_all(
		"Tracked Link",
		filters={"name": ("in", sorted(names) or [""])},
		fields=["name", "short_code", "title", "campaign"],
		order_by="name",
	)
	return {row.name: row for row in rows}


def labelled(lines: Collection[Row]) -> list[Row]:
	"""Lines whose `name` is a link, with what the link is called."""
	known = labels({line["name"] for line in lines})
	fields = ("short_code", "title")
	return [{**line, **{field: known.get(line["name"], {}).get(field) for field in fields}} for line in lines]
