"""Visitors and journeys, for people with permission; the visitor's own cookie learns its own consent (ROL-P).

A guest learns nothing of anybody else: the answer for another's id is that for one that does not exist.
"""

from typing import Any

import frappe

from trackflow.analytics import visitor_list
from trackflow.analytics.scope import period_of
from trackflow.incoming import CONSENT_COOKIE, DENIED, GRANTED, VISITOR_COOKIE
from trackflow.integrations import journey_access
from trackflow.paging import LIMIT, MOST, page_of, start_and_limit
from trackflow.privacy import reads
from trackflow.tracking import identity, timeline
from trackflow.validation import plain_text, yes_or_no

Row = dict[str, Any]


@frappe.whitelist(allow_guest=True, methods=["GET"])
def get_visitor_data(visitor_id: str = "") -> Row:
	"""The visitor's figures and the latest of the journey; for the visitor's own cookie, id and consent state alone."""
	if not frappe.has_permission("Visitor", "read"):
		return _own(visitor_id)
	visitor = journey_access.visitor(visitor_id)
	reads.note("Visitor", visitor)
	(row,) = visitor_list.told([visitor])
	return row | _references(visitor)


@frappe.whitelist(methods=["GET"])
def get_visitors(
	from_date: str | None = None,
	to_date: str | None = None,
	channel: str = "",
	source: str = "",
	campaign: str = "",
	country: str = "",
	converted: int | str = "",
	recognised: int | str = "",
	identified: int | str = "",
	search: str = "",
	sort: str = "",
	start: int | str = 0,
	limit: int | str = LIMIT,
) -> Row:
	"""The visitors who were seen last in a range of days, the last 30 by default: a page of `limit` (100 at most) from `start` on,
	by `sort`. By their first touch, whether they converted, whether they may be recognised again (1 or 0, as all of these); who
	may read who they are also by that: whether they gave an address (`identified`), and by what it begins with (`search`). Of
	very many those seen last are looked at: `looked_at` says how many, None where it is all."""
	texts = dict(channel=channel, source=source, campaign=campaign, country=country, search=search)
	wanted = visitor_list.Wanted(
		**{label: plain_text(value, label).strip() for label, value in texts.items()},
		has_converted=yes_or_no(converted, "converted"),
		is_recognised=yes_or_no(recognised, "recognised"),
		is_identified=yes_or_no(identified, "identified"),
	)
	period = period_of(from_date, to_date)
	page = page_of(start, limit, sort, visitor_list.SORTED_BY)
	found = visitor_list.listed(wanted, period, page)
	return {
		**period.named,
		"tells_contacts": visitor_list.tells_contacts(),
		"looked_at": visitor_list.MOST_VISITORS if found.is_cut else None,
		"visitors": found.visitors,
		"next_start": found.next_start,
	}


@frappe.whitelist(methods=["GET"])
def get_journey(
	visitor_id: str = "", lead: str = "", deal: str = "", start: int | str = 0, limit: int | str = LIMIT
) -> Row:
	"""The journey of the person behind a visitor, a lead or a deal, oldest first: `limit` entries (100 at most) from `start`
	on. `next_start` is where the next page begins, None after the last one."""
	first, length = start_and_limit(start, limit, MOST)
	ids = journey_access.person(*(plain_text(one, "reference") for one in (visitor_id, lead, deal)))
	reads.note("Visitor", *ids)
	entries, has_more = timeline.entries(ids, first, length)
	journey_access.hide_references(entries)
	return {
		"visitors": timeline.visitors(ids),
		"entries": entries,
		"next_start": first + len(entries) if has_more and entries else None,
	}


def _own(visitor_id: str) -> Row:
	"""What a browser may know of itself: what it sent."""
	cookies = frappe.request.cookies if frappe.request else {}
	own = cookies.get(VISITOR_COOKIE)
	if not identity.is_visitor_id(own) or visitor_id not in ("", own):
		journey_access.unknown()
	consent = cookies.get(CONSENT_COOKIE)
	return {"visitor_id": own, "consent": consent if consent in (GRANTED, DENIED) else ""}


def _references(visitor: str) -> Row:
	lead = frappe.db.get_value("Visitor", visitor, "crm_lead")
	return {"crm_lead": lead} if journey_access.may_read("CRM Lead", lead) else {}
