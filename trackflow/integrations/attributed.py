"""Leads and deals with what brought them, as lists and one by one, for people who work with them (CRM-1, ROL-P). Reads only.

Rows come by Frappe's lists, so that CRM's own permissions say which there are and which of their fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import get_system_timezone

from trackflow.analytics.scope import Period
from trackflow.constants.custom_fields import fieldnames
from trackflow.integrations import crm_deal, crm_lead, status_changes, visitor_reference
from trackflow.paging import Page
from trackflow.times import iso

Row = dict[str, Any]

_PREFIX = "trackflow_"
_VISITOR = visitor_reference.FIELD.removeprefix(_PREFIX)
_FLAGS = ("converted", "marketing_influenced")


@dataclass(frozen=True, slots=True)
class Kind:
	"""Leads or deals: the fields of CRM's that are shown, those that are searched, their statuses and the changes of these."""

	doctype: str
	fields: tuple[str, ...]
	searched: tuple[str, ...]
	statuses: str
	changes: str
	sorted_by: tuple[str, ...]


_SORTED_BY = ("creation", "last_touch_date", "first_touch_date", "touch_count")
LEAD = Kind(
	crm_lead.DOCTYPE,
	("lead_name", "organization", "status", "lead_owner", "converted"),
	("name", "lead_name", "organization", "email"),
	"CRM Lead Status",
	status_changes.LEADS,
	_SORTED_BY,
)
DEAL = Kind(
	crm_deal.DOCTYPE,
	("organization", "lead_name", "status", "deal_owner", "lead", "currency", "closed_date"),
	("name", "organization", "lead_name", "email"),
	"CRM Deal Status",
	status_changes.DEALS,
	(*_SORTED_BY, "value"),
)
KINDS = (LEAD, DEAL)


@dataclass(frozen=True, slots=True)
class Wanted:
	"""Which of them; "" and None for any. `search` is part of a name, an organization or an address; `is_touched` says whether any
	touch is known, `is_influenced`, of deals, whether marketing took part."""

	status: str = ""
	source: str = ""
	campaign: str = ""
	search: str = ""
	is_touched: bool | None = None
	is_influenced: bool | None = None

	def filters(self, columns: Mapping[str, str]) -> list[list[Any]]:
		equal = {name: getattr(self, name) for name in ("status", "source", "campaign")}
		filters = [[columns[name], "=", value] for name, value in equal.items() if value]
		if self.is_touched is not None:
			filters.append([columns["touch_count"], ">" if self.is_touched else "=", 0])
		if self.is_influenced is not None:
			filters.append([columns["marketing_influenced"], "=", int(self.is_influenced)])
		return filters


def may_list(kind: Kind) -> bool:
	"""Whether the user may see such lists: CRM lets everybody who is logged in read leads, this is for fewer."""
	permissions = ("read", visitor_reference.permission_for_data())
	return "crm" in frappe.get_installed_apps() and all(
		frappe.has_permission(kind.doctype, permission) for permission in permissions
	)


def check(kind: Kind) -> None:
	"""Stop whoever may not."""
	if "crm" not in frappe.get_installed_apps():
		frappe.throw(_("Frappe CRM is not installed on this site."), frappe.DoesNotExistError)
	if not may_list(kind):
		frappe.throw(
			_("You do not have permission to see {0} and what brought them.").format(_(kind.doctype)),
			frappe.PermissionError,
		)


def listed(kind: Kind, wanted: Wanted, period: Period, page: Page) -> tuple[list[Row], int | None]:
	"""The page's leads or deals, of those made in the period, and where the next page begins."""
	columns = _columns(kind)
	direction = "desc" if page.is_descending else "asc"
	rows = frappe.get_list(
		kind.doctype,
		filters=[
			["creation", ">=", period.begin],
			["creation", "<", period.end],
			*wanted.filters(columns),
		],
		or_filters=_searched(kind, wanted.search),
		fields=list(columns.values()),
		order_by=f"{columns[page.field]} {direction}, name {direction}",
		start=page.start,
		limit=page.more,
	)
	rows, next_start = page.cut(rows)
	return _told(rows, columns), next_start


def one(kind: Kind, name: str) -> Row:
	"""One of them, with the statuses that it went through (`steps`). The user may read it."""
	(row,) = _rows(kind, {"name": name})
	return {**row, "steps": status_changes.steps_of(kind.changes, name)}


def deals_of(lead: str) -> list[Row]:
	"""The deals that came of a lead, as far as the user may read them."""
	return _rows(DEAL, {"lead": lead}) if frappe.has_permission(DEAL.doctype, "read") else []


def statuses(kind: Kind) -> list[Row]:
	"""The statuses that they may have, in CRM's order: `name`, `color`, and of deals `type` where the installed version has one."""
	meta = frappe.get_meta(kind.statuses)
	fields = ["name", *(one for one in ("color", "type") if meta.has_field(one))]
	return frappe.get_all(kind.statuses, fields=fields, order_by="position, name")


def _rows(kind: Kind, filters: Row) -> list[Row]:
	columns = _columns(kind)
	rows = frappe.get_list(
		kind.doctype, filters=filters, fields=list(columns.values()), order_by="creation, name", limit=0
	)
	return _told(rows, columns)


def _columns(kind: Kind) -> dict[str, str]:
	"""The fields that the installed version has, by the names under which they are told: ours without their prefix."""
	meta = frappe.get_meta(kind.doctype)
	columns = {
		one: one
		for one in ("name", "creation", *kind.fields)
		if one in ("name", "creation") or meta.has_field(one)
	}
	ours = (one for one in fieldnames(kind.doctype) if meta.has_field(one))
	columns |= {one.removeprefix(_PREFIX): one for one in ours}
	return columns | ({"value": crm_deal.value_field()} if kind is DEAL else {})


def _searched(kind: Kind, text: str) -> list[list[Any]] | None:
	meta = frappe.get_meta(kind.doctype)
	fields = (one for one in kind.searched if one == "name" or meta.has_field(one))
	return [[one, "like", f"%{text}%"] for one in fields] if text else None


def _told(rows: list[Row], columns: Mapping[str, str]) -> list[Row]:
	"""Rows as the API speaks; what the user may not read of them is None. Deals without a currency have CRM's."""
	zone = ZoneInfo(get_system_timezone())
	fallback = (
		crm_deal.currency_of_crm()
		if any("currency" in columns and not row.get("currency") for row in rows)
		else ""
	)
	told = []
	for row in rows:
		values = {name: _spoken(row.get(column), zone) for name, column in columns.items()}
		values |= {name: bool(values[name]) for name in _FLAGS if name in values}
		# Whose browser it was, says the journey, to those who may see it.
		if "currency" in values:
			values["currency"] = values["currency"] or fallback
		is_erased = values.pop(_VISITOR, None) == visitor_reference.ERASED
		told.append({**values, "is_erased": is_erased})
	return told


def _spoken(value: Any, zone: ZoneInfo) -> Any:
	if isinstance(value, datetime):
		return iso(value, zone)
	if isinstance(value, date):
		return str(value)
	return float(value) if isinstance(value, Decimal) else value
