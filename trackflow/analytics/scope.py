"""What figures are about: the whole site, one domain, or the domains of a project. Days are the site's.

A domain is where it happened: the short link's host for a click, the website's for a session, an event or a touch.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import frappe
from frappe import _
from frappe.query_builder import Order
from frappe.utils import get_datetime

from trackflow.analytics.change import period_before
from trackflow.day_range import day_range, moments
from trackflow.validation import plain_text


@dataclass(frozen=True, slots=True)
class Scope:
	"""The domains that count; None for all, and for what has none."""

	domains: tuple[str, ...] | None = None
	domain: str = ""
	project: str = ""

	def narrow(self, query: Any, field: Any) -> Any:
		"""The query, of rows of these domains alone."""
		return query if self.domains is None else query.where(field.isin(self.domains))

	@property
	def only(self) -> dict[str, tuple[str, ...]]:
		"""What of sums by domain belongs to it."""
		return {} if self.domains is None else {"domain": self.domains}

	@property
	def named(self) -> dict[str, str | None]:
		"""What was asked for, as an answer repeats it."""
		return {"domain": self.domain or None, "project": self.project or None}


@dataclass(frozen=True, slots=True)
class Period:
	"""A range of days; `begin` until before `end`."""

	first: date
	last: date

	@property
	def begin(self) -> datetime:
		return moments(self.first, self.last)[0]

	@property
	def end(self) -> datetime:
		return moments(self.first, self.last)[1]

	@property
	def before(self) -> "Period":
		"""The period of the same length that ends when this one begins."""
		return Period(*period_before(self.first, self.last))

	@property
	def named(self) -> dict[str, str]:
		return {"from_date": str(self.first), "to_date": str(self.last)}

	def of(self, query: Any, field: Any) -> Any:
		"""The query, of this period's rows alone."""
		return query.where((field >= self.begin) & (field < self.end))


def newest_since(doctype: str, at: str, period: Period, most: int) -> datetime | None:
	"""Since when as many rows of the period are as `most`, counted from its end; None where there are no more. Read from the index of
	the time `at` alone."""
	table = frappe.qb.DocType(doctype)
	query = period.of(frappe.qb.from_(table).select(table[at]), table[at])
	rows = query.orderby(table[at], order=Order.desc).limit(1).offset(most).run()
	return get_datetime(rows[0][0]) if rows else None


def scope_of(domain: Any = None, project: Any = None) -> Scope:
	"""What a caller names: a domain, or a project, whose domains these are; nothing for the whole site."""
	domain, project = plain_text(domain, "domain"), plain_text(project, "project")
	if domain and project:
		frappe.throw(_("Name a domain or a project, not both."))
	if not (domain or project):
		return Scope()
	filters = {"name": domain} if domain else {"project": project}
	names = frappe.get_all("Domain Configuration", filters=filters, pluck="name", order_by="name")
	if not names:
		unknown = _("There is no domain {0}.") if domain else _("No domain belongs to the project {0}.")
		frappe.throw(unknown.format(domain or project))
	return Scope(tuple(names), domain, project)


def period_of(from_date: Any = None, to_date: Any = None) -> Period:
	"""The days that a caller names, the last 30 by default."""
	return Period(*day_range(plain_text(from_date, "from_date"), plain_text(to_date, "to_date")))


def check(*doctypes: str) -> None:
	"""Stop whoever may not read all of these."""
	for doctype in doctypes:
		frappe.has_permission(doctype, "read", throw=True)
