"""A page of a list, as people ask for it: where it begins, how long it is, and by what it is sorted."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar

import frappe
from frappe import _

from trackflow.validation import plain_text, whole_number

One = TypeVar("One")

LIMIT, MOST = 20, 100
# How far a list can be paged: the database walks past all that lies before a page.
MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Page:
	"""`limit` rows from `start` on, by `field`."""

	start: int
	limit: int
	field: str
	is_descending: bool

	@property
	def more(self) -> int:
		"""How many rows to ask for: one more than are shown, which tells whether another page follows."""
		return self.limit + 1

	@property
	def order_by(self) -> str:
		"""The order as lists take it; what is equal stands by name, or a row could be on two pages."""
		direction = "desc" if self.is_descending else "asc"
		return f"{self.field} {direction}, name {direction}"

	def cut(self, rows: list[One]) -> tuple[list[One], int | None]:
		"""The page's rows, and where the next page begins; None after the last one."""
		follows = self.start + self.limit
		has_more = len(rows) > self.limit and follows < MOST_ROWS
		return rows[: self.limit], follows if has_more else None


def limit_of(limit: Any, most: int) -> int:
	"""How many lines are asked for: 1 to `most`."""
	number = whole_number(limit, "limit")
	if not 1 <= number <= most:
		frappe.throw(_("limit is 1 to {0}.").format(most))
	return number


def start_and_limit(start: Any, limit: Any, most: int) -> tuple[int, int]:
	"""Where a page of a list begins that is put together before it is cut, and how many lines it has."""
	first = whole_number(start, "start")
	if first < 0:
		frappe.throw(_("{0} is at least 0.").format("start"))
	return first, limit_of(limit, most)


def page_of(start: Any, limit: Any, sort: Any, fields: Collection[str]) -> Page:
	"""What a caller names; `sort` is one of the fields with or without `asc` or `desc` behind it, by default the first one, and
	descending."""
	first, length = whole_number(start, "start"), whole_number(limit, "limit")
	if not 0 <= first < MOST_ROWS or not 1 <= length <= MOST:
		frappe.throw(_("start is 0 to {0}, limit is 1 to {1}.").format(f"{MOST_ROWS - 1:,}", MOST))
	field, _blank, direction = plain_text(sort, "sort").partition(" ")
	field = field or next(iter(fields))
	if field not in fields or direction not in ("", "asc", "desc"):
		frappe.throw(_("sort is one of {0}, with asc or desc behind it.").format(", ".join(fields)))
	return Page(first, length, field, direction != "asc")
