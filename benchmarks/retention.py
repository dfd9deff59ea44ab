"""RET-1: rows per second that are archived and deleted by their age, beside deleting alone, and while another process stores clicks
that keep coming; bytes of a row in the archive, seconds to read it back, and memory.

`python -m benchmarks.retention [--rows 200000] [--repeats 3]`; see README.md. On a bench it deletes the site's clicks and sessions.
"""

import argparse
import multiprocessing
import resource
import shutil
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import frappe

from benchmarks import host, report, traffic

AGE = timedelta(days=1000)
TIMES = {"Click Event": "click_timestamp", "Visitor Session": "session_start"}
DOCTYPES = (*TIMES,)
PORTION = 10_000
# Clicks that come at once while rows are deleted.
AT_ONCE = 500


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--rows", type=int, default=200_000, help="clicks, and as many sessions, of ten days")
	parser.add_argument("--repeats", type=int, default=3)
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args) as where:
		links = traffic.make_site()
		deleted = [
			_seconds(lambda: _fill(links, args.rows), lambda: _run("Off")) for _one in range(args.repeats)
		]
		archived, restored = [], []
		for _one in range(args.repeats):
			before = _memory()
			archived.append(_seconds(lambda: _fill(links, args.rows), lambda: _run("Private Files")))
			memory = _memory()
			sizes = _sizes()
			restored.append(_seconds(lambda: None, _restore))
		beside, stored = _beside(links, args.rows)
		_set("Off")
		_empty()
		_publish(args, where, deleted, archived, restored, sizes, (before, memory), (beside, stored))


def _seconds(prepare: Callable[[], None], work: Callable[[], None]) -> float:
	prepare()
	began = time.monotonic()
	work()
	return time.monotonic() - began


def _beside(links: list[str], rows: int) -> tuple[float, float]:
	"""Rows per second that are archived and deleted while clicks keep coming, and clicks per second that are stored meanwhile. Every
	one of these is looked for."""
	_fill(links, rows)
	context = multiprocessing.get_context("fork")
	is_over, stored = context.Event(), context.Value("q", 0)
	site, sites = frappe.local.site, frappe.local.sites_path
	frappe.db.commit()
	drain = context.Process(target=_store, args=(site, sites, links, is_over, stored))
	drain.start()
	began = time.monotonic()
	_run("Private Files")
	seconds = time.monotonic() - began
	is_over.set()
	drain.join()
	if drain.exitcode:
		raise SystemExit(f"Clicks could not be stored: {drain.exitcode}")
	frappe.db.rollback()
	there = frappe.db.count("Click Event")
	if there != stored.value:
		raise SystemExit(f"Of {stored.value:,} clicks that came meanwhile {there:,} are there")
	return len(DOCTYPES) * rows / seconds, stored.value / seconds


def _store(site: str, sites: str, links: list[str], is_over: Any, stored: Any) -> None:
	from trackflow.tracking import store

	frappe.init(site=site, sites_path=sites, force=True)
	frappe.connect()
	number = 0
	while not is_over.is_set():
		entries = traffic.clicks(links, AT_ONCE, 0, number)
		records = [record for entry in entries for record in entry if record["kind"] == "click"]
		store.store(records)
		number += AT_ONCE
		stored.value += len(records)


def _run(target: str) -> None:
	from trackflow.privacy import retention
	from trackflow.privacy.archive import trouble

	_set(target)
	retention.run()
	# What is stored meanwhile is of today.
	middle = frappe.utils.now_datetime() - AGE / 2
	left = sum(frappe.db.count(doctype, {field: ("<", middle)}) for doctype, field in TIMES.items())
	if left or trouble.current():
		raise SystemExit(f"{left:,} rows are left: {trouble.current()}")


def _restore() -> None:
	from trackflow.privacy.archive import keeping, restoring

	for name in frappe.get_all(keeping.RECORD, pluck="name", order_by="name"):
		found = restoring.restore(name)
		if found.missing != found.rows:
			raise SystemExit(f"{name}: only {found.missing:,} of {found.rows:,} rows came back")


def _set(target: str) -> None:
	settings = frappe.get_single("TrackFlow Settings")
	settings.archive_target = target
	settings.save(ignore_permissions=True)
	frappe.db.commit()


def _fill(links: list[str], rows: int) -> None:
	"""Clicks as redirects leave them, and their sessions, of ten days that are long past."""
	_empty()
	for start in range(0, rows, PORTION):
		_insert(links, rows, range(start, min(start + PORTION, rows)))


def _insert(links: list[str], rows: int, numbers: range) -> None:
	from zoneinfo import ZoneInfo

	from trackflow import bulk
	from trackflow.naming import timed_name
	from trackflow.tracking.rows import click_row

	began = (frappe.utils.now_datetime() - AGE).timestamp()
	clicks, sessions = [], []
	entries = traffic.clicks(links, len(numbers), 0, numbers.start)
	records = (record for entry in entries for record in entry if record["kind"] == "click")
	for number, record in zip(numbers, records, strict=False):
		row = click_row({**record, "at": began + number * 864_000 / rows}, ZoneInfo("UTC"))
		at = row["click_timestamp"]
		visitor = row["visitor_id"] or traffic.old_visitor(number)
		session = timed_name(at, visitor, row["name"])
		clicks.append({**row, "session": session})
		sessions.append(
			{
				"name": session,
				"visitor_id": visitor,
				"session_start": at,
				"session_end": at + timedelta(seconds=90),
				"duration_seconds": 90,
				"page_views": 3,
				"event_count": 4,
				"domain": traffic.SHOP,
				"entry_page": f"https://{traffic.SHOP}/products?utm_source=newsletter&utm_medium=social",
				"exit_page": f"https://{traffic.SHOP}/contact",
				"channel": "Organic Social",
				"source": "newsletter",
				"medium": "social",
				"tracked_link": row["tracked_link"],
				"click_event": row["name"],
				"device_type": row["device_type"],
				"browser": row["browser"],
				"os": row["os"],
				"country": row["country"],
			}
		)
	bulk.insert("Click Event", clicks)
	bulk.insert("Visitor Session", sessions)
	frappe.db.commit()


def _empty() -> None:
	from trackflow.privacy.archive import keeping, places

	for doctype in (*DOCTYPES, "Visitor", "Visitor Event", "Touch Point", keeping.RECORD):
		frappe.db.truncate(doctype)
	frappe.db.commit()
	shutil.rmtree(places.PrivateFiles().folder, ignore_errors=True)


def _sizes() -> dict[str, float]:
	"""Bytes of the archive for a row, by table."""
	from trackflow.privacy.archive import keeping

	rows = frappe.get_all(
		keeping.RECORD, fields=["document_type", "row_count", "size_bytes"], order_by="name"
	)
	return {
		doctype: sum(row.size_bytes for row in rows if row.document_type == doctype)
		/ sum(row.row_count for row in rows if row.document_type == doctype)
		for doctype in DOCTYPES
	}


def _memory() -> float:
	"""The highest that this process ever had, in MiB."""
	return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _publish(
	args: argparse.Namespace,
	where: host.Host,
	deleted: list[float],
	archived: list[float],
	restored: list[float],
	sizes: dict[str, float],
	memory: tuple[float, float],
	beside: tuple[float, float],
) -> None:
	rows = len(DOCTYPES) * args.rows

	def rate(seconds: list[float]) -> float:
		return rows / statistics.median(seconds)

	lines = [
		["deleted without an archive, rows per second", rate(deleted)],
		["archived and deleted, rows per second", rate(archived)],
		["the same while clicks keep coming", beside[0]],
		["clicks stored meanwhile by another process, per second", beside[1]],
		["read back, rows per second", rate(restored)],
		["bytes of a click in the archive", sizes["Click Event"]],
		["bytes of a session in the archive", sizes["Visitor Session"]],
		["peak memory of the process before, MiB", memory[0]],
		["peak memory of the process after, MiB", memory[1]],
	]
	notes = [
		f"Site: {where.name}, {frappe.db.db_type}; medians of {args.repeats} runs; made-up clicks with campaign parameters and addresses",
		"Archive: private files, each read back before its rows go",
	]
	title = f"Retention: {args.rows:,} clicks and as many sessions of ten days"
	report.publish(title, ["Figure", ""], lines, notes, args.keep)


if __name__ == "__main__":
	main()
