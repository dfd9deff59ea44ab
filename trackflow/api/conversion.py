"""Conversions and what they are credited to, for people who may read conversions and credits (ATT-6, ROL-P)."""

from typing import Any

import frappe
from frappe import _

from trackflow.analytics import conversion_list
from trackflow.analytics.credited import model_of
from trackflow.analytics.scope import check, period_of
from trackflow.integrations import journey_access
from trackflow.paging import LIMIT, page_of
from trackflow.validation import plain_text, readable

Row = dict[str, Any]


@frappe.whitelist(methods=["GET"])
def get_conversions(
	from_date: str | None = None,
	to_date: str | None = None,
	conversion_type: str = "",
	status: str = "",
	channel: str = "",
	campaign: str = "",
	tracked_link: str = "",
	model: str = "",
	sort: str = "",
	start: int | str = 0,
	limit: int | str = LIMIT,
) -> Row:
	"""The conversions of a range of days, the last 30 by default: a page of `limit` (100 at most) from `start` on, by `sort`, each
	with what a model (the default one if none is named) credits it to. Of one type, one status (Pending, Done, Failed), or those
	that the model credits to a channel, a campaign, a link, if only in part. Of very many the newest are looked at: `looked_at` says how
	many, None where it is all."""
	check(*conversion_list.DOCTYPES)
	texts = dict(
		conversion_type=conversion_type,
		status=status,
		channel=channel,
		campaign=campaign,
		tracked_link=tracked_link,
	)
	wanted = conversion_list.Wanted(
		model_of(plain_text(model, "model")),
		**{label: plain_text(value, label).strip() for label, value in texts.items()},
	)
	if wanted.status not in ("", *conversion_list.STATUSES):
		frappe.throw(_("{0} is none of: {1}.").format(wanted.status, ", ".join(conversion_list.STATUSES)))
	period = period_of(from_date, to_date)
	page = page_of(start, limit, sort, conversion_list.SORTED_BY)
	found = conversion_list.listed(wanted, period, page)
	journey_access.hide_references(found.conversions)
	return {
		**period.named,
		"model": wanted.model,
		"looked_at": conversion_list.MOST_CONVERSIONS if found.is_cut else None,
		"conversions": found.conversions,
		"next_start": found.next_start,
	}


@frappe.whitelist(methods=["GET"])
def get_conversion(conversion: str, model: str = "") -> Row:
	"""One of them, as the list has it; why its credits are what they are, says `trackflow.api.attribution.explain`."""
	check(*conversion_list.DOCTYPES)
	name, credited_by = readable("Conversion", conversion).name, model_of(plain_text(model, "model"))
	rows = conversion_list.told([name], credited_by)
	journey_access.hide_references(rows)
	return {"model": credited_by, **rows[0]}


@frappe.whitelist(methods=["GET"])
def get_summary(from_date: str | None = None, to_date: str | None = None, model: str = "") -> Row:
	"""The conversions of a range of days, the last 30 by default, by type: how many, their value, how many wait for their credits,
	and how many a model (the default one if none is named) credits to no touch, and why."""
	check(*conversion_list.DOCTYPES)
	period, credited_by = period_of(from_date, to_date), model_of(plain_text(model, "model"))
	return {**period.named, "model": credited_by, "types": conversion_list.by_type(period, credited_by)}
