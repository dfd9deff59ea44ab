"""What became of mailings, by their mails' rows: one statement for each question (EML-1).

The figures on a mailing are these, stored: they outlive the rows, which go by their age.
"""

from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Max, Sum
from frappe.utils import cint

from trackflow import bulk
from trackflow.email.mailings import (
	BOUNCED,
	FAILED,
	LINK,
	LOG,
	MAILING,
	QUEUED,
	RECIPIENTS,
	SKIPPED,
	UNDER_WAY,
)
from trackflow.runs import recorded

Row = dict[str, Any]
COUNTED = (
	"recipient_count", "waiting_count", "sent_count", "skipped_count", "failed_count", "bounced_count", "unsubscribed_count",
	"delivered_count", "opened_count", "unsure_count", "open_count", "clicked_count", "click_count", "scanner_count",
)  # fmt: skip
AT_ONCE = 200


def of(mailing: str) -> Row:
	"""The figures of a mailing as they are now."""
	return _figures(mailing)


def of_campaign(campaign: str) -> Row:
	"""The figures of all mailings of a campaign together. An address that got two of them counts twice."""
	names = frappe.get_all(MAILING, filters={"campaign": campaign}, pluck="name", order_by="name")
	found = [stored_or_counted(name) for name in names]
	sums = {field: sum(one[field] for one in found) for field in COUNTED}
	return {**sums, "mailings": len(names), **_rates(sums)}


def stored_or_counted(mailing: str) -> Row:
	"""The figures of a mailing: counted, unless rows have gone since they were stored."""
	counted = of(mailing)
	stored = frappe.db.get_value(MAILING, mailing, list(COUNTED), as_dict=True) or {}
	if counted["recipient_count"] < cint(stored.get("recipient_count")):
		counted = {field: cint(stored[field]) for field in COUNTED}
	return {**counted, **_rates(counted)}


def store(mailing: str) -> Row:
	"""Count and store the figures of a mailing; part of the caller's transaction."""
	found = stored_or_counted(mailing)
	values = {field: found[field] for field in COUNTED}
	bulk.update(MAILING, {mailing: {**values, "is_stale": 0}})
	return found


@recorded
def store_stale() -> int:
	"""Every five minutes: the figures of mailings to which something happened; returns how many."""
	names = frappe.get_all(MAILING, filters={"is_stale": 1}, pluck="name", order_by="name", limit=AT_ONCE)
	for name in names:
		frappe.db.commit()
		# Locked first: what is noted from here on is counted by the next run.
		bulk.lock(MAILING, [name])
		store(name)
		frappe.db.commit()
	return len(names)


def _figures(mailing: str) -> Row:
	log = frappe.qb.DocType(LOG)

	def number(is_it: Any) -> Any:
		return Sum(Case().when(is_it, 1).else_(0))

	unsure = (log.is_unsure == 1) & log.opened_date.isnull()
	[row] = (
		frappe.qb.from_(log)
		.select(
			Count(log.name).as_("recipient_count"),
			number(log.status.isin([QUEUED, UNDER_WAY])).as_("waiting_count"),
			number(log.sent_date.isnotnull()).as_("sent_count"),
			number(log.sent_date.isnotnull() & log.bounced_date.isnull()).as_("delivered_count"),
			number(log.status == SKIPPED).as_("skipped_count"),
			number(log.status == FAILED).as_("failed_count"),
			number(log.status == BOUNCED).as_("bounced_count"),
			number(log.unsubscribed_date.isnotnull()).as_("unsubscribed_count"),
			number(log.opened_date.isnotnull()).as_("opened_count"),
			number(unsure).as_("unsure_count"),
			Sum(log.opens).as_("open_count"),
			number(log.clicked_date.isnotnull()).as_("clicked_count"),
			Sum(log.clicks).as_("click_count"),
			number(log.is_scanner == 1).as_("scanner_count"),
		)
		.where(log.mailing == mailing)
		.run(as_dict=True)
	)
	found = {field: cint(row[field]) for field in COUNTED}
	tracking, opens = frappe.db.get_value(MAILING, mailing, ["tracking", "anonymous_opens"]) or ("", 0)
	found["open_count"] += cint(opens)
	if tracking != RECIPIENTS:
		found["click_count"] = _clicks_of_links(mailing)
	return found


def _clicks_of_links(mailing: str) -> int:
	"""Clicks of a mailing whose links name nobody."""
	row, link = frappe.qb.DocType(LINK), frappe.qb.DocType("Tracked Link")
	of_links = (
		frappe.qb.from_(row)
		.join(link)
		.on(link.name == row.tracked_link)
		.select(link.name, Max(link.click_count).as_("clicks"))
		.where(row.parent == mailing)
		.groupby(link.name)
		.run(as_dict=True)
	)
	return sum(cint(one.clicks) for one in of_links)


def _rates(figures: Row) -> Row:
	"""Shares in percent: what came back of all whose fate is known, all else of what is known to have arrived; None where that is nothing."""
	delivered, bounced = figures["delivered_count"], figures["bounced_count"]

	def share(number: int, whole: int) -> float | None:
		return round(100 * number / whole, 2) if whole > 0 else None

	return {
		"open_rate": share(figures["opened_count"], delivered),
		"click_rate": share(figures["clicked_count"], delivered),
		"bounce_rate": share(bounced, delivered + bounced),
		"unsubscribe_rate": share(figures["unsubscribed_count"], delivered),
	}
