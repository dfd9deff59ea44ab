"""Gathers what the reports on leads and deals count, from what is kept of their statuses and of visits (CRM-5, RPT-1).

Each function is one statement. The database counts where it can; where times are wanted, rows come one after the other and
none is kept. Nothing of a person leaves here: no name of a lead or deal, no visitor.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Coalesce, Count, Max, Min
from pypika.terms import LiteralValue

from trackflow.integrations.status_changes import DEALS, LEADS
from trackflow.reports.funnel import Shape, Tally, Visits
from trackflow.reports.stages import Stages, Status
from trackflow.reports.velocity import Change, Way

CAMPAIGN, SOURCE, MEDIUM = GROUPS = ("Campaign", "Source", "Medium")
LEAD_TO_DEAL, DEAL_TO_WON, LEAD_TO_WON = "Lead to Deal", "Deal to Won", "Lead to Won"
# The columns of each by which it is grouped and filtered.
_GROUPED_BY = {
	LEADS: {CAMPAIGN: "source_campaign", SOURCE: "source_source", MEDIUM: "source_medium"},
	DEALS: {CAMPAIGN: "campaign", SOURCE: "source", MEDIUM: "medium"},
}


@dataclass(frozen=True, slots=True)
class Wanted:
	"""What a report is about: from `begin` until before `end`, of these campaigns and so on alone, by `group_by` or ""."""

	begin: datetime
	end: datetime
	group_by: str = ""
	only: tuple[tuple[str, str], ...] = ()


def has_crm() -> bool:
	"""Whether the site has leads and deals."""
	return bool(frappe.db.exists("DocType", "CRM Lead"))


def statuses(doctype: str) -> list[Status]:
	"""The statuses that leads or deals may have."""
	table = frappe.qb.DocType(doctype)
	has_type = frappe.get_meta(doctype).has_field("type")
	fields = [table.name, table.position, *([table.type] if has_type else [])]
	rows = frappe.qb.from_(table).select(*fields).run()
	return [Status(name, position or 0, *(kind or "" for kind in more)) for name, position, *more in rows]


def visits(wanted: Wanted) -> list[Visits]:
	"""Sessions and visitors of the period; a visitor counts once in each group."""
	session = frappe.qb.DocType("Visitor Session")
	by = {
		CAMPAIGN: Coalesce(session.link_campaign, session.campaign, ""),
		SOURCE: Coalesce(session.source, ""),
		MEDIUM: Coalesce(session.medium, ""),
	}
	group = by.get(wanted.group_by, LiteralValue("''")).as_("grp")
	query = (
		frappe.qb.from_(session)
		.select(group, Count("*"), Count(session.visitor_id).distinct())
		.where(session.session_start >= wanted.begin)
		.where(session.session_start < wanted.end)
		.groupby(group)
	)
	for field, value in wanted.only:
		query = query.where(by[field] == value)
	return [Visits(*row) for row in query.run()]


def leads(wanted: Wanted, of_leads: Stages, of_deals: Stages, shape: Shape) -> list[Tally]:
	"""How far the leads came that were made in the period, with their deals."""
	entry = _entries(LEADS, wanted)
	own = _furthest(entry, LEADS, "lead_id", of_leads)
	deal = _furthest(entry, DEALS, "lead_id", of_deals)
	# Of several deals of a lead the furthest counts, and it is lost if all of them are.
	deals = (
		frappe.qb.from_(deal)
		.select(
			deal.document,
			Max(deal.step).as_("step"),
			Max(deal.is_won).as_("is_won"),
			Min(deal.is_lost).as_("is_lost"),
		)
		.groupby(deal.document)
	).as_("deals")
	fields = [own.grp, own.step, own.is_lost, deals.step, deals.is_won, deals.is_lost]
	query = frappe.qb.from_(own).left_join(deals).on(deals.document == own.document)
	return [
		Tally(
			group,
			shape.lead_step(step, stage, bool(is_won)),
			bool(is_lost if stage is None else are_lost),
			count,
		)
		for group, step, is_lost, stage, is_won, are_lost, count in query.select(*fields, Count("*"))
		.groupby(*fields)
		.run()
	]


def deals_alone(wanted: Wanted, of_deals: Stages, shape: Shape) -> list[Tally]:
	"""How far the deals came that were made in the period of no lead, or of one whose beginning is not kept."""
	own = _furthest(_entries(DEALS, wanted), DEALS, "deal_id", of_deals)
	fields = [own.grp, own.step, own.is_won, own.is_lost]
	return [
		Tally(group, shape.deal_step(step, bool(is_won)), bool(is_lost), count)
		for group, step, is_won, is_lost, count in frappe.qb.from_(own)
		.select(*fields, Count("*"))
		.groupby(*fields)
		.run()
	]


def lead_changes() -> Iterator[Change]:
	"""Every kept change of a lead's status, by lead, in order. A lead is through with its statuses when a deal is made of it."""
	change, lead, deal = frappe.qb.DocType(LEADS), frappe.qb.DocType("CRM Lead"), _first_deals()
	query = (
		frappe.qb.from_(change)
		.left_join(lead)
		.on(lead.name == change.lead_id)
		.left_join(deal)
		.on(deal.lead_id == change.lead_id)
		.select(
			change.lead_id,
			change.to_status,
			change.change_date,
			Coalesce(change.source_campaign, ""),
			deal.at,
			lead.name,
		)
		.orderby(change.lead_id, change.change_date, change.name)
	)
	for name, status, at, campaign, deal_at, there in _stream(query):
		yield Change(name, status, at, campaign, deal_at, bool(there))


def deal_changes() -> Iterator[Change]:
	"""Every kept change of a deal's stage, by deal, in order."""
	change, deal = frappe.qb.DocType(DEALS), frappe.qb.DocType("CRM Deal")
	query = (
		frappe.qb.from_(change)
		.left_join(deal)
		.on(deal.name == change.deal_id)
		.select(change.deal_id, change.to_stage, change.change_date, Coalesce(change.campaign, ""), deal.name)
		.orderby(change.deal_id, change.change_date, change.name)
	)
	for name, stage, at, campaign, there in _stream(query):
		yield Change(name, stage, at, campaign, None, bool(there))


def ways(of_deals: Stages, since: datetime) -> Iterator[Way]:
	"""From lead to deal and to won, of all deals that moved since then. A lead's way to a deal is that to its first one."""
	change, first, won = frappe.qb.DocType(DEALS), _first_deals(), _won_since(of_deals.won)
	is_entry = change.from_stage.isnull()
	deal = (
		frappe.qb.from_(change)
		.select(
			change.deal_id,
			Max(change.lead_id).as_("lead_id"),
			Min(Case().when(is_entry, change.change_date)).as_("began"),
			Max(Case().when(is_entry, change.campaign)).as_("campaign"),
			Max(change.change_date).as_("moved"),
		)
		.groupby(change.deal_id)
	).as_("deal")
	entry = frappe.qb.DocType(LEADS)
	lead = (
		frappe.qb.from_(entry)
		.select(
			entry.lead_id, Min(entry.change_date).as_("began"), Max(entry.source_campaign).as_("campaign")
		)
		.where(entry.from_status.isnull())
		.groupby(entry.lead_id)
	).as_("lead_entry")
	query = (
		frappe.qb.from_(deal)
		.left_join(lead)
		.on(lead.lead_id == deal.lead_id)
		.left_join(first)
		.on(first.lead_id == deal.lead_id)
		.left_join(won)
		.on(won.deal_id == deal.deal_id)
		.where(deal.moved >= since)
		.select(
			lead.began,
			Coalesce(lead.campaign, ""),
			deal.began,
			Coalesce(deal.campaign, ""),
			won.at,
			first.at,
		)
	)
	for lead_at, lead_campaign, deal_at, campaign, won_at, first_at in _stream(query):
		if deal_at and deal_at == first_at:
			yield Way(LEAD_TO_DEAL, lead_at, deal_at, lead_campaign)
		if won_at:
			yield Way(DEAL_TO_WON, deal_at, won_at, campaign)
			yield Way(LEAD_TO_WON, lead_at, won_at, lead_campaign)


def _won_since(names: Iterable[str]) -> Any:
	"""Since when deals are won that are so now: `deal_id` and `at`, the first change to a status of winning behind the last one
	to another status."""
	change, last = frappe.qb.DocType(DEALS), frappe.qb.DocType(DEALS).as_("last_change")
	is_won = [*names] or [""]
	other = (
		frappe.qb.from_(last)
		.select(last.deal_id, Max(Case().when(last.to_stage.notin(is_won), last.change_date)).as_("at"))
		.groupby(last.deal_id)
	).as_("other_stage")
	return (
		frappe.qb.from_(change)
		.join(other)
		.on(other.deal_id == change.deal_id)
		.select(change.deal_id, Min(change.change_date).as_("at"))
		.where(change.to_stage.isin(is_won))
		.where(other.at.isnull() | (change.change_date > other.at))
		.groupby(change.deal_id)
	).as_("won_deal")


def _entries(doctype: str, wanted: Wanted) -> Any:
	"""The leads, or the deals without a lead, that were made in the period: `document` and `grp`."""
	table, by = frappe.qb.DocType(doctype), _GROUPED_BY[doctype]
	document, former = (
		(table.lead_id, table.from_status) if doctype == LEADS else (table.deal_id, table.from_stage)
	)
	group = Coalesce(table[by[wanted.group_by]], "") if wanted.group_by else LiteralValue("''")
	query = (
		frappe.qb.from_(table)
		.select(document.as_("document"), Max(group).as_("grp"))
		.where(former.isnull())
		.where(table.change_date >= wanted.begin)
		.where(table.change_date < wanted.end)
		.groupby(document)
	)
	for field, value in wanted.only:
		query = query.where(table[by[field]] == value)
	if doctype == DEALS:
		lead = frappe.qb.DocType(LEADS)
		is_its_entry = (lead.lead_id == table.lead_id) & lead.from_status.isnull()
		query = query.left_join(lead).on(is_its_entry).where(lead.name.isnull())
	return query.as_("entry")


def _furthest(entry: Any, doctype: str, belongs_by: str, stages: Stages) -> Any:
	"""How far each lead or deal came whose rows belong to an entry: `step`, numbered from 1 by `stages.steps`, 0 for none, and
	whether its last row is one of winning or losing. A lead's deals are several."""
	change = frappe.qb.DocType(doctype)
	own, status = (
		(change.lead_id, change.to_status) if doctype == LEADS else (change.deal_id, change.to_stage)
	)
	rank = Case()
	for number, name in enumerate(stages.steps, 1):
		rank = rank.when(status == name, number)
	return (
		frappe.qb.from_(entry)
		.join(change)
		.on(change[belongs_by] == entry.document)
		.select(
			entry.document,
			entry.grp,
			Max(rank.else_(0) if stages.steps else LiteralValue("0")).as_("step"),
			_is_last(change, status, stages.won).as_("is_won"),
			_is_last(change, status, stages.lost).as_("is_lost"),
		)
		.groupby(entry.document, entry.grp, own)
	).as_(f"furthest_{doctype.partition(' ')[0].lower()}")


def _is_last(change: Any, status: Any, names: Iterable[str]) -> Any:
	"""1 where the last change of a document is one to a status of these names."""
	at = Max(Case().when(status.isin([*names] or [""]), change.change_date))
	return Case().when(at == Max(change.change_date), 1).else_(0)


def _first_deals() -> Any:
	"""When the first deal was made of a lead: `lead_id` and `at`."""
	change = frappe.qb.DocType(DEALS)
	return (
		frappe.qb.from_(change)
		.select(change.lead_id, Min(change.change_date).as_("at"))
		.where(change.from_stage.isnull())
		.where(change.lead_id.isnotnull())
		.groupby(change.lead_id)
	).as_("first_deal")


def _stream(query: Any) -> Iterator[list[Any]]:
	"""Rows one after the other; nothing else may be asked meanwhile."""
	with frappe.db.unbuffered_cursor():
		yield from query.run(as_list=True, as_iterator=True)
