"""Finds the clicks of mail scanners (RED-4): in a batch before it is stored, and with what is stored afterwards.

A caller is an address (as far as it is kept) and a user agent; where no address is kept, the visitor id, which without a
cookie is a hash of the two. What is found is decided in `bursts`; taking stored clicks back is `store`'s.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

import frappe
from frappe.query_builder.functions import Count

from trackflow import bulk
from trackflow.tracking import bursts
from trackflow.tracking.channels import is_email

Row = dict[str, Any]
Caller = tuple[str, str]

FIELDS = (
	"visitor_id", "tracked_link", "variant", "campaign", "event_type", "click_timestamp", "session", "counted",
	"is_unique", "bot_reason", "ip_address", "user_agent", "utm_source", "utm_medium", "utm_campaign",
)  # fmt: skip
# Stored clicks that one look reads at most, the newest ones: a flood is no reason to run out of memory.
MOST = 20_000


def mark(clicks: Collection[Row]) -> None:
	"""Make robots' clicks of those rows that are a burst by themselves."""
	found = _found(clicks)
	for row in clicks:
		if row["name"] in found:
			row.update(as_robot(row))


def late(clicks: Collection[Row]) -> set[str]:
	"""The names of stored clicks that count and are part of a burst, seen together with these rows."""
	rows = [row for row in clicks if _is_of_interest(row)]
	if not rows:
		return set()
	times = [row["click_timestamp"] for row in rows]
	span = (min(times) - bursts.WITHIN, max(times) + bursts.WITHIN)
	stored = _stored("ip_address", {row["ip_address"] for row in rows} - {"", None}, span)
	without_address = {row["visitor_id"] for row in rows if not row["ip_address"]} - {"", None}
	stored += [row for row in _stored("visitor_id", without_address, span) if not row["ip_address"]]
	counted = {row["name"] for row in stored if row["counted"]}
	return _found(stored) & counted


def as_robot(row: Row) -> Row:
	"""What a scanner's click has instead. Its visitor stays where nothing else tells who called."""
	return {
		"event_type": "Bot",
		"is_bot": 1,
		"bot_reason": bursts.REASON,
		"counted": 0,
		"is_unique": 0,
		"session": None,
		"landing_event": None,
		"visitor_id": None if row["ip_address"] else row["visitor_id"],
	}


def _found(clicks: Iterable[Row]) -> set[str]:
	rows = [row for row in clicks if _is_of_interest(row)]
	campaigns = _email_campaigns({row["campaign"] for row in rows} - {"", None})
	callers: dict[Caller, list[bursts.Click]] = defaultdict(list)
	for row in rows:
		one = bursts.Click(row["name"], row["click_timestamp"], row["tracked_link"], _mailing(row, campaigns))
		callers[_caller(row)].append(one)
	many = (some for some in callers.values() if len(some) >= bursts.LINKS_OF_MAILING)
	return {name for some in many for name in bursts.scanned(some)}


def _is_of_interest(row: Row) -> bool:
	is_human = row["counted"] and row["event_type"] == "Click"
	return bool((is_human or row["bot_reason"] == bursts.REASON) and (row["ip_address"] or row["visitor_id"]))


def _caller(row: Row) -> Caller:
	return (row["ip_address"], row["user_agent"] or "") if row["ip_address"] else ("", row["visitor_id"])


def _mailing(row: Row, email_campaigns: Collection[str]) -> str:
	"""The e-mail campaign of a click: a Link Campaign of that type, or what its link's parameters say."""
	campaign = row["campaign"] or ""
	by_parameters = is_email((row["utm_source"] or "").lower(), (row["utm_medium"] or "").lower())
	if campaign in email_campaigns or (campaign and by_parameters):
		return f"campaign {campaign}"
	name = (row["utm_campaign"] or "").casefold()
	return f"utm {name}" if by_parameters and name else ""


def _email_campaigns(names: Collection[str]) -> Collection[str]:
	return bulk.load("Link Campaign", {"name": ("in", names), "campaign_type": "Email"}, ()) if names else ()


def _stored(field: str, values: Collection[str], span: tuple[Any, Any]) -> list[Row]:
	"""The stored clicks within that time of callers who opened enough links to be a scanner."""
	if not values:
		return []
	click = frappe.qb.DocType("Click Event")
	near = click.click_timestamp[span[0] : span[1]]
	many = (
		frappe.qb.from_(click)
		.select(click[field])
		.where(bulk.among(click[field], values))
		.where(near)
		.groupby(click[field])
		.having(Count(click.tracked_link).distinct() >= bursts.LINKS_OF_MAILING)
		.run()
	)
	if not many:
		return []
	return (
		frappe.qb.from_(click)
		.select(click.name, *(click[name] for name in FIELDS))
		.where(bulk.among(click[field], [value for (value,) in many]))
		.where(near)
		.orderby(click.click_timestamp, order=frappe.qb.desc)
		.limit(MOST)
		.run(as_dict=True)
	)
