"""Leads and deals of Frappe CRM with what brought them, for people whom CRM lets read them and who work with them, or may read
visitors (CRM-1, CRM-4, ROL-P)."""

from typing import Any

import frappe

from trackflow.analytics.scope import period_of
from trackflow.integrations import attributed, crm_deal, crm_lead, visitor_reference
from trackflow.integrations.attributed import DEAL, LEAD, Kind, Wanted
from trackflow.paging import LIMIT, page_of
from trackflow.validation import plain_text, yes_or_no

Row = dict[str, Any]


@frappe.whitelist(methods=["GET"])
def get_leads(
	from_date: str | None = None,
	to_date: str | None = None,
	status: str = "",
	source: str = "",
	campaign: str = "",
	search: str = "",
	touched: int | str = "",
	sort: str = "",
	start: int | str = 0,
	limit: int | str = LIMIT,
) -> Row:
	"""The leads that were made in a range of days, the last 30 by default, as far as the user may read them in CRM: a page of
	`limit` (100 at most) from `start` on, by `sort`, each with source, campaign and touches as its fields say. `touched`, 1 or 0:
	with or without a known touch."""
	wanted = Wanted(**_texts(status, source, campaign, search), is_touched=yes_or_no(touched, "touched"))
	return _page("leads", LEAD, wanted, from_date, to_date, sort, start, limit)


@frappe.whitelist(methods=["GET"])
def get_deals(
	from_date: str | None = None,
	to_date: str | None = None,
	status: str = "",
	source: str = "",
	campaign: str = "",
	search: str = "",
	touched: int | str = "",
	influenced: int | str = "",
	sort: str = "",
	start: int | str = 0,
	limit: int | str = LIMIT,
) -> Row:
	"""The same of deals, with their value. `influenced`, 1 or 0: whether marketing other than direct took part."""
	wanted = Wanted(
		**_texts(status, source, campaign, search),
		is_touched=yes_or_no(touched, "touched"),
		is_influenced=yes_or_no(influenced, "influenced"),
	)
	return _page("deals", DEAL, wanted, from_date, to_date, sort, start, limit)


@frappe.whitelist(methods=["GET"])
def get_lead(lead: str) -> Row:
	"""A lead as the list has it, the statuses that it went through, and its deals as far as the user may read them."""
	name = plain_text(lead, "lead")
	crm_lead.check(name, visitor_reference.permission_for_data())
	return {**attributed.one(LEAD, name), "deals": attributed.deals_of(name)}


@frappe.whitelist(methods=["GET"])
def get_deal(deal: str) -> Row:
	"""A deal as the list has it, and the stages that it went through."""
	name = plain_text(deal, "deal")
	crm_deal.check(name, visitor_reference.permission_for_data())
	return attributed.one(DEAL, name)


def _texts(status: Any, source: Any, campaign: Any, search: Any) -> dict[str, str]:
	given = dict(status=status, source=source, campaign=campaign, search=search)
	return {label: plain_text(value, label).strip() for label, value in given.items()}


def _page(
	of: str, kind: Kind, wanted: Wanted, from_date: Any, to_date: Any, sort: Any, start: Any, limit: Any
) -> Row:
	attributed.check(kind)
	period, page = period_of(from_date, to_date), page_of(start, limit, sort, kind.sorted_by)
	rows, next_start = attributed.listed(kind, wanted, period, page)
	return {**period.named, "statuses": attributed.statuses(kind), of: rows, "next_start": next_start}
