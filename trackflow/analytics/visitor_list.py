"""The visitors who were seen last in a period, as a list: by which ways they came, what they did. Reads only.

It is a list of the user's own, so that whatever narrows, refuses or logs lists of visitors does so here. Who they are is told
to those who may read it, and to nobody else, by no filter either.
"""

from dataclasses import dataclass
from typing import Any

import frappe
from frappe import _

from trackflow import bulk
from trackflow.analytics.scope import Period
from trackflow.paging import Page
from trackflow.privacy import reads
from trackflow.tracking import identity, timeline

Row = dict[str, Any]

SORTED_BY = ("last_seen", "first_seen", "page_views", "engagement_score", "conversion_count")
# What tells who somebody is: fields of permission level 1.
CONTACT_FIELDS = ("contact_name", "contact_email")


@dataclass(frozen=True, slots=True)
class Wanted:
	"""Which visitors: of this first touch and country; "" and None for any. `contact` is part of a name or an address."""

	channel: str = ""
	source: str = ""
	campaign: str = ""
	country: str = ""
	has_converted: bool | None = None
	is_recognised: bool | None = None
	is_identified: bool | None = None
	contact: str = ""

	@property
	def filters(self) -> list[list[Any]]:
		equal = {field: getattr(self, field) for field in ("channel", "source", "campaign", "country")}
		filters = [[field, "=", value] for field, value in equal.items() if value]
		if self.has_converted is not None:
			filters.append(["has_converted", "=", int(self.has_converted)])
		if self.is_recognised is not None:
			filters.append(["is_cookieless", "=", int(not self.is_recognised)])
		if self.is_identified is not None:
			filters.append(["contact_email", "is", "set" if self.is_identified else "not set"])
		return filters

	@property
	def asks_who(self) -> bool:
		"""Whether it chooses by who somebody is."""
		return bool(self.contact) or self.is_identified is not None


def tells_contacts() -> bool:
	"""Whether the user may read who visitors are."""
	return 1 in frappe.get_meta("Visitor").get_permlevel_access("read")


def listed(wanted: Wanted, period: Period, page: Page) -> tuple[list[Row], int | None]:
	"""The page's visitors, and where the next page begins."""
	if wanted.asks_who and not tells_contacts():
		frappe.throw(_("You may not read who visitors are, nor choose them by it."), frappe.PermissionError)
	alternatives = [[field, "like", f"%{wanted.contact}%"] for field in CONTACT_FIELDS]
	names = frappe.get_list(
		"Visitor",
		filters=[
			["last_seen", ">=", period.begin],
			["last_seen", "<", period.end],
			# Of who was erased there is nothing to look at.
			["name", "not like", identity.ANY_ERASED],
			*wanted.filters,
		],
		or_filters=alternatives if wanted.contact else None,
		pluck="name",
		order_by=page.order_by,
		start=page.start,
		limit=page.more,
	)
	names, next_start = page.cut(names)
	reads.note("Visitor", *names)
	return told(names), next_start


def told(names: list[str]) -> list[Row]:
	"""These visitors in this order, a page of them at most, with who they are where the user may read it."""
	rows = {row["name"]: row for row in timeline.visitors(names)}
	if rows and tells_contacts():
		for name, contact in bulk.load("Visitor", {"name": ("in", names)}, CONTACT_FIELDS).items():
			rows[name] |= contact
	return [rows[name] for name in names if name in rows]
