"""Whose journeys the report Visitor Journey shows: a person's, or of those who came in a period (RPT-1). Reads only."""

from collections.abc import Iterable
from datetime import datetime

import frappe
from frappe.query_builder import Order
from frappe.query_builder.functions import Coalesce, Max

from trackflow import bulk
from trackflow.tracking import people, timeline

# People of a period that are shown: those who came last.
MOST_PEOPLE = 50


def came(period: tuple[datetime, datetime], channel: str, campaign: str) -> tuple[dict[str, str], bool]:
	"""The visitors who came in a period, by this channel and campaign (all where they are empty), with everybody who is one person
	with them: by visitor, what stands for the person. And whether there are more of them."""
	frappe.has_permission("Visitor", "read", throw=True)
	newest = _newest(period, channel, campaign)
	readable = set(_readable(newest))
	persons = people.of_visitors(readable)
	found: dict[str, str] = {}
	for visitor in newest[:MOST_PEOPLE]:
		if visitor not in readable or visitor in found:
			continue
		person = persons.get(visitor, {visitor})
		if len(found.keys() | person) > timeline.MOST_VISITORS:
			return found, True
		found |= dict.fromkeys(person, min(person))
	return found, len(newest) > MOST_PEOPLE


def _newest(period: tuple[datetime, datetime], channel: str, campaign: str) -> list[str]:
	touch = frappe.qb.DocType("Touch Point")
	last = Max(touch.occurred_at)
	query = (
		frappe.qb.from_(touch)
		.select(touch.visitor_id)
		.where((touch.occurred_at >= period[0]) & (touch.occurred_at < period[1]))
		.where(touch.visitor_id.isnotnull())
		.groupby(touch.visitor_id)
		.orderby(last, order=Order.desc)
		.orderby(touch.visitor_id)
		.limit(MOST_PEOPLE + 1)
	)
	if channel:
		query = query.where(touch.channel == channel)
	if campaign:
		query = query.where(Coalesce(touch.link_campaign, touch.campaign, "") == campaign)
	return [name for (name,) in query.run()]


def _readable(names: Iterable[str]) -> list[str]:
	"""Those of these visitors whom the user may read."""
	wanted = sorted(bulk.load("Visitor", {"name": ("in", set(names))}, ()))
	return frappe.get_list("Visitor", filters={"name": ("in", wanted or [""])}, pluck="name", limit=0)
