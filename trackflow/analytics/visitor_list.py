"""The visitors who were seen last in a period, as a list: by which ways they came, what they did. Reads only.

Who they are is told to those who may read it, and to nobody else, by no filter either. Of millions the newest are looked at, so
that no filter and no order reads them all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Order
from frappe.query_builder.functions import Count
from pypika.terms import ExistsCriterion

from trackflow import bulk
from trackflow.analytics.scope import Period, newest_since
from trackflow.paging import Page
from trackflow.privacy import reads
from trackflow.tracking import identity, timeline

Row = dict[str, Any]

SORTED_BY = ("last_seen", "first_seen", "page_views", "engagement_score")
# What tells who somebody is: fields of permission level 1.
CONTACT_FIELDS = ("contact_name", "contact_email")
# The visitors who are looked at: those seen last.
MOST_VISITORS = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
	"""Which visitors: of this first touch and country; "" and None for any. `search` is what the address begins with."""

	channel: str = ""
	source: str = ""
	campaign: str = ""
	country: str = ""
	has_converted: bool | None = None
	is_recognised: bool | None = None
	is_identified: bool | None = None
	search: str = ""

	@property
	def asks_who(self) -> bool:
		"""Whether it chooses by who somebody is."""
		return bool(self.search) or self.is_identified is not None

	def narrow(self, query: Any, visitor: Any) -> Any:
		"""The query, of these visitors alone."""
		for field in ("channel", "source", "campaign", "country"):
			if value := getattr(self, field):
				query = query.where(visitor[field] == value)
		if self.is_recognised is not None:
			query = query.where(visitor.is_cookieless == int(not self.is_recognised))
		if self.search:
			query = query.where(visitor.contact_email.like(f"{self.search}%"))
		if self.is_identified is not None:
			is_known = visitor.contact_email.isnotnull()
			query = query.where(is_known if self.is_identified else is_known.negate())
		if self.has_converted is not None:
			conversion = frappe.qb.DocType("Conversion")
			has_one = ExistsCriterion(
				frappe.qb.from_(conversion).select(conversion.name).where(conversion.visitor == visitor.name)
			)
			query = query.where(has_one if self.has_converted else has_one.negate())
		return query


def tells_contacts() -> bool:
	"""Whether the user may read who visitors are."""
	return 1 in frappe.get_meta("Visitor").get_permlevel_access("read")


@dataclass(frozen=True, slots=True)
class Found:
	"""A page of visitors, and where the next one begins. `is_cut`: of the period those seen last were looked at, MOST_VISITORS."""

	visitors: list[Row]
	next_start: int | None
	is_cut: bool


def listed(wanted: Wanted, period: Period, page: Page) -> Found:
	"""The page's visitors."""
	frappe.has_permission("Visitor", "read", throw=True)
	if wanted.asks_who and not tells_contacts():
		frappe.throw(_("You may not read who visitors are, nor choose them by it."), frappe.PermissionError)
	# Addresses are few, and found by themselves.
	since = None if wanted.search else newest_since("Visitor", "last_seen", period, MOST_VISITORS)
	visitor = frappe.qb.DocType("Visitor")
	order = Order.desc if page.is_descending else Order.asc
	query = wanted.narrow(frappe.qb.from_(visitor).select(visitor.name), visitor)
	names = (
		query.where((visitor.last_seen >= (since or period.begin)) & (visitor.last_seen < period.end))
		# Of who was erased there is nothing to look at.
		.where(visitor.name.not_like(identity.ANY_ERASED))
		.orderby(visitor[page.field], visitor.name, order=order)
		.limit(page.more)
		.offset(page.start)
		.run(pluck=True)
	)
	names, next_start = page.cut(names)
	# As a list of the user's own, so that whatever narrows, refuses or logs such lists does so here.
	own = frappe.get_list(
		"Visitor", filters={"name": ("in", names or [""])}, pluck="name", order_by="name", limit=len(names)
	)
	names = [name for name in names if name in set(own)]
	reads.note("Visitor", *names)
	return Found(told(names), next_start, since is not None)


def told(names: list[str]) -> list[Row]:
	"""These visitors in this order, a page of them at most: with how many conversions are theirs (leads, won deals, what websites
	told), and who they are, where the user may read it."""
	rows = {row["name"]: row for row in timeline.visitors(names)}
	if rows and frappe.has_permission("Conversion", "read"):
		counted = _conversions(rows)
		for name, row in rows.items():
			row["conversions"] = counted.get(name, 0)
	if rows and tells_contacts():
		for name, contact in bulk.load("Visitor", {"name": ("in", names)}, CONTACT_FIELDS).items():
			rows[name] |= contact
	return [rows[name] for name in names if name in rows]


def _conversions(names: Iterable[str]) -> dict[str, int]:
	conversion = frappe.qb.DocType("Conversion")
	query = frappe.qb.from_(conversion).select(conversion.visitor, Count("*"))
	return dict(query.where(conversion.visitor.isin(sorted(names))).groupby(conversion.visitor).run())
