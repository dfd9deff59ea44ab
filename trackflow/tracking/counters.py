"""Counters of links and variants: incremented in the statement, never read and written back.

`Tracked Link.click_count` counts human clicks, `scan_count` human QR scans, `bot_count` robots and prefetches;
`unique_visitor_count` counts visitors at their first click or scan of the link.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Max, Sum

from trackflow import bulk
from trackflow.privacy import aged

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


def add_clicks(clicks: Collection[Row], more_unique: Mapping[str, int] | None = None) -> None:
	"""Add new clicks to the counters of their links and variants; `more_unique` adds visitors of links beside."""
	links: dict[str, Counter[str]] = defaultdict(Counter)
	last: dict[str, datetime] = {}
	variants: dict[str, Counter[str]] = defaultdict(Counter)
	for row in clicks:
		counter = COUNTERS.get(row["event_type"])
		if not counter or (row["event_type"] in HUMAN and not row["counted"]):
			continue
		link = row["tracked_link"]
		links[link][counter] += 1
		if row["counted"]:
			links[link]["unique_visitor_count"] += row["is_unique"]
			last[link] = max(row["click_timestamp"], last.get(link, row["click_timestamp"]))
			if row["variant"]:
				variants[row["variant"]]["clicks"] += 1
	for link, number in (more_unique or {}).items():
		links[link]["unique_visitor_count"] += number
	stored = bulk.lock("Tracked Link", links, ["last_click"])
	latest = {
		link: {"last_click": max(filter(None, (row.last_click, last.get(link))), default=None)}
		for link, row in stored.items()
	}
	bulk.add("Tracked Link", {link: links[link] for link in stored}, latest, is_locked=True)
	bulk.add("Campaign Link Variant", variants)


def take_back(clicks: Collection[Row]) -> None:
	"""Undo `add_clicks` for stored clicks that turned out to be a robot's, given as they were; their rows say so already."""
	links: dict[str, Counter[str]] = defaultdict(Counter)
	variants: dict[str, Counter[str]] = defaultdict(Counter)
	for row in clicks:
		links[row["tracked_link"]].subtract(
			{COUNTERS[row["event_type"]]: 1, "bot_count": -1, "unique_visitor_count": row["is_unique"]}
		)
		if row["variant"]:
			variants[row["variant"]]["clicks"] -= 1
	for link, number in settle_unique({(row["visitor_id"], row["tracked_link"]) for row in clicks}).items():
		links[link]["unique_visitor_count"] += number
	stored = bulk.lock("Tracked Link", links, ["last_click"])
	times = {(row["tracked_link"], row["click_timestamp"]) for row in clicks}
	in_doubt = sorted(link for link, row in stored.items() if (link, row.last_click) in times)
	bulk.add("Tracked Link", {link: links[link] for link in stored}, is_locked=True)
	bulk.update(
		"Tracked Link", {link: {"last_click": _last_click(link)} for link in in_doubt}, is_locked=True
	)
	bulk.add("Campaign Link Variant", variants)


def settle_unique(pairs: Collection[tuple[str, str]]) -> Counter[str]:
	"""See that of each of these visitors' clicks on that link one is the unique one, after clicks came or went. Answers by
	how much the sum of each link changed."""
	if not pairs:
		return Counter()
	filters = {
		"visitor_id": ("in", {one for one, _link in pairs}),
		"tracked_link": ("in", {link for _one, link in pairs}),
		"counted": 1,
	}
	rows = bulk.load("Click Event", filters, ["visitor_id", "tracked_link", "click_timestamp", "is_unique"])
	by_pair: dict[tuple[str, str], list[Row]] = defaultdict(list)
	for row in rows.values():
		by_pair[row.visitor_id, row.tracked_link].append(row)
	changes: dict[str, Row] = {}
	added: Counter[str] = Counter()
	for pair in pairs:
		some = sorted(by_pair[pair], key=lambda row: (-row.is_unique, row.click_timestamp, row.name))
		for number, row in enumerate(some):
			if row.is_unique != (number == 0):
				changes[row.name] = {"is_unique": int(number == 0)}
				added[pair[1]] += 1 if number == 0 else -1
	bulk.update("Click Event", changes)
	return added


def _last_click(link: str) -> datetime | None:
	click = frappe.qb.DocType("Click Event")
	newest = (
		frappe.qb.from_(click)
		.select(click.click_timestamp)
		.where((click.tracked_link == link) & (click.counted == 1))
		.orderby(click.click_timestamp, order=frappe.qb.desc)
		.limit(1)
		.run()
	)
	return newest[0][0] if newest else None


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

	A link is locked while it is counted, so a drain that is at it comes before or after. A link that is older than the days for
	which clicks are kept stays as it is: not all of its clicks are there to be counted.
	"""
	since = aged.horizon()
	links = frappe.get_all(
		"Tracked Link", filters={"creation": (">=", since)} if since else {}, pluck="name", order_by="name"
	)
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
