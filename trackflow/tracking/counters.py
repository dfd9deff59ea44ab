"""Counters of links and variants: incremented in the statement, never read and written back.

`Tracked Link.click_count` counts human clicks, `scan_count` human QR scans, `bot_count` robots and prefetches;
`unique_visitor_count` counts visitors at their first click or scan of the link.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Max, Sum

from trackflow import bulk

Row = dict[str, Any]

AT_ONCE = 200

COUNTERS = {"Click": "click_count", "QR Scan": "scan_count", "Bot": "bot_count", "Prefetch": "bot_count"}
HUMAN = frozenset({"Click", "QR Scan"})


def mark_unique(clicks: Iterable[Row], known: Mapping[str, Row]) -> None:
	"""Set `is_unique` of new counted clicks: the visitor's first of that link."""
	clicks = sorted(clicks, key=lambda row: (row["click_timestamp"], row["name"]))
	seen = _stored_pairs(clicks, known)
	for row in clicks:
		pair = (row["visitor_id"], row["tracked_link"])
		row["is_unique"] = int(pair not in seen)
		seen.add(pair)


def add_clicks(clicks: Collection[Row]) -> None:
	"""Add new clicks to the counters of their links and variants."""
	links: dict[str, Counter[str]] = {}
	last: dict[str, datetime] = {}
	variants: dict[str, Counter[str]] = {}
	for row in clicks:
		counter = COUNTERS.get(row["event_type"])
		if not counter or (row["event_type"] in HUMAN and not row["counted"]):
			continue
		link = row["tracked_link"]
		counts = links.setdefault(link, Counter())
		counts[counter] += 1
		if row["counted"]:
			counts["unique_visitor_count"] += row["is_unique"]
			last[link] = max(row["click_timestamp"], last.get(link, row["click_timestamp"]))
			if row["variant"]:
				variants.setdefault(row["variant"], Counter())["clicks"] += 1
	stored = bulk.lock("Tracked Link", links, ["last_click"])
	bulk.add("Tracked Link", {link: links[link] for link in stored}, is_locked=True)
	later = {
		link: {"last_click": at}
		for link, at in last.items()
		if link in stored and (not stored[link].last_click or stored[link].last_click < at)
	}
	bulk.update("Tracked Link", later, is_locked=True)
	bulk.add("Campaign Link Variant", variants)


def _stored_pairs(clicks: list[Row], known: Mapping[str, Row]) -> set[tuple[str, str]]:
	old = {row["visitor_id"] for row in clicks if known[row["visitor_id"]]["first_seen"]}
	if not old:
		return set()
	click = frappe.qb.DocType("Click Event")
	pairs = (
		frappe.qb.from_(click)
		.select(click.visitor_id, click.tracked_link)
		.distinct()
		.where(bulk.among(click.visitor_id, old))
		.where(click.counted == 1)
		.run()
	)
	return {(visitor_id, link) for visitor_id, link in pairs}


def rebuild() -> int:
	"""Count the clicks of all links again from their rows; returns links and variants written. Ends its transactions.

	A link is locked while it is counted, so a drain that is at it comes before or after. Clicks that the retention took away
	are not there to be counted: this is for figures that are in doubt, not for every night.
	"""
	links = frappe.get_all("Tracked Link", pluck="name", order_by="name")
	return sum(_rebuild(links[start : start + AT_ONCE]) for start in range(0, len(links), AT_ONCE))


def _rebuild(names: list[str]) -> int:
	frappe.db.commit()
	link = frappe.qb.DocType("Tracked Link")
	fields = ("name", "click_count", "scan_count", "bot_count", "unique_visitor_count", "last_click")
	rows = (
		frappe.qb.from_(link)
		.select(*(link[field] for field in fields))
		.where(link.name.isin(names))
		.orderby(link.name)
		.for_update()
		.run(as_dict=True)
	)
	variants = bulk.load("Campaign Link Variant", {"parent": ("in", names)}, ["clicks"])
	wrong = {
		"Tracked Link": _differing(_counted_links(names), {row.name: row for row in rows}, fields[1:]),
		"Campaign Link Variant": _differing(_counted_variants(names), variants, ["clicks"]),
	}
	for doctype, changes in wrong.items():
		bulk.update(doctype, changes)
	frappe.db.commit()
	return sum(map(len, wrong.values()))


def _differing(
	counted: Mapping[str, Row], stored: Mapping[str, Row], figures: Iterable[str]
) -> dict[str, Row]:
	"""The counted figures of the stored rows that say something else; what was never clicked counts nothing."""
	nothing = {figure: None if figure == "last_click" else 0 for figure in figures}
	desired = {name: counted.get(name, nothing) for name in stored}
	return {name: row for name, row in desired.items() if not bulk.same(row, stored[name])}


def _counted_links(names: list[str]) -> dict[str, Row]:
	click = frappe.qb.DocType("Click Event")

	def number(is_it: Any) -> Any:
		return Sum(Case().when(is_it, 1).else_(0))

	rows = (
		frappe.qb.from_(click)
		.select(
			click.tracked_link,
			number((click.event_type == "Click") & (click.counted == 1)).as_("click_count"),
			number((click.event_type == "QR Scan") & (click.counted == 1)).as_("scan_count"),
			number(click.event_type.isin(["Bot", "Prefetch"])).as_("bot_count"),
			Count(Case().when(click.counted == 1, click.visitor_id)).distinct().as_("unique_visitor_count"),
			Max(Case().when(click.counted == 1, click.click_timestamp)).as_("last_click"),
		)
		.where(click.tracked_link.isin(names))
		.groupby(click.tracked_link)
		.run(as_dict=True)
	)
	return {row.pop("tracked_link"): row for row in rows}


def _counted_variants(links: list[str]) -> dict[str, Row]:
	click = frappe.qb.DocType("Click Event")
	rows = (
		frappe.qb.from_(click)
		.select(click.variant, Count(click.name).as_("clicks"))
		.where(click.tracked_link.isin(links))
		.where(click.counted == 1)
		.groupby(click.variant)
		.run(as_dict=True)
	)
	return {row.pop("variant"): row for row in rows if row.variant}
