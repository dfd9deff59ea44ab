"""PRF-3: clicks per second that one drain stores, into tables that hold a million clicks: clicks alone, and clicks of which one
in ten visits comes with its landing page, whose click has to be found and given to another visitor. Beside it the yardstick of
the machine: bulk statements alone, which look at nothing, derive nothing and make no touch points.

`python -m benchmarks.drain [--clicks 60000] [--history 1000000] [--repeats 3] [--profile]`; see README.md.
"""

import argparse
import cProfile
import json
import pstats
import resource
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import frappe

from benchmarks import host, report, traffic

PIPELINED = 2000
BARE_ROWS = 1000
BARE_COLUMNS = 25


@dataclass
class Run:
	"""What one drain did."""

	clicks: int = 0
	records: int = 0
	seconds: float = 0
	cpu: float = 0
	database_cpu: float = 0
	database_seconds: float = 0
	statements: int = 0
	batches: int = 0
	by_statement: Counter[str] = field(default_factory=Counter)


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--clicks", type=int, default=60_000, help="clicks to drain in each run")
	parser.add_argument("--history", type=int, default=1_000_000, help="clicks that are stored before")
	parser.add_argument("--repeats", type=int, default=3)
	parser.add_argument("--profile", action="store_true", help="show where the time goes; slows the run down")
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args) as site:
		links = traffic.make_site()
		began = time.monotonic()
		traffic.history(links, args.history)
		print(f"History of {frappe.db.count('Click Event'):,} clicks: {time.monotonic() - began:.0f} s")
		_run(links, args, site, 1000, True)
		alone, runs = [], []
		for _number in range(args.repeats):
			alone.append(_run(links, args, site, args.clicks, False))
			runs.append(_run(links, args, site, args.clicks, True))
		bare = [_bare(links, args) for _number in range(args.repeats)]
		_publish(alone, runs, bare, args, site)


def _run(
	links: list[str], args: argparse.Namespace, site: host.Host, clicks: int, with_landings: bool
) -> Run:
	from trackflow.stream import drain

	run = Run(clicks=clicks)
	_send(traffic.clicks(links, clicks, args.history, time.time_ns(), with_landings))
	with _watched(run):
		profile = cProfile.Profile() if args.profile else None
		began, cpu, database_cpu = time.monotonic(), time.process_time(), site.database_cpu()
		done = profile.runcall(drain.drain) if profile else drain.drain()
		run.seconds = time.monotonic() - began
		run.cpu, run.database_cpu = time.process_time() - cpu, site.database_cpu() - database_cpu
	run.records = done.stored
	if done.failed or drain.waiting():
		raise SystemExit(f"Not all was stored: {done}")
	print(
		f"{run.clicks:,} clicks ({run.records:,} records): {run.clicks / run.seconds:,.0f} clicks/s, "
		f"µs of processor per click: {1e6 * run.cpu / clicks:.0f} worker, {1e6 * run.database_cpu / clicks:.0f} MariaDB"
	)
	if profile and clicks > 1000:
		pstats.Stats(profile).sort_stats("tottime").print_stats(45)
		pstats.Stats(profile).sort_stats("cumtime").print_stats(60)
		for text, seconds in run.by_statement.most_common(30):
			print(f"{seconds:8.2f} s  {text}")
	return run


def _bare(links: list[str], args: argparse.Namespace) -> float:
	"""Clicks per second by the driver's own bulk statements from rows that are ready: clicks, visitors, sessions, counters."""
	from trackflow.tracking.rows import click_row

	records = [
		one
		for entry in traffic.clicks(links, args.clicks, args.history, time.time_ns())
		for one in entry
		if one["kind"] == "click"
	]
	clicks = [click_row(one, ZoneInfo("UTC")) for one in records]
	portions = [_bare_rows(clicks[start : start + BARE_ROWS]) for start in range(0, len(clicks), BARE_ROWS)]
	columns = list(clicks[0])[:BARE_COLUMNS]
	statements = (
		_insert("Click Event", columns),
		_insert(
			"Visitor", ("name", "visitor_id", "first_seen", "last_seen"), "last_seen = values(last_seen)"
		),
		_insert(
			"Visitor Session",
			("name", "visitor_id", "session_start", "session_end"),
			"session_end = values(session_end)",
		),
		_insert("Tracked Link", ("name", "click_count"), "click_count = click_count + values(click_count)"),
	)
	cursor = frappe.db._conn.cursor()
	began = time.monotonic()
	for portion in portions:
		for statement, rows in zip(statements, portion, strict=True):
			cursor.executemany(statement, rows)
		frappe.db.commit()
	rate = len(clicks) / (time.monotonic() - began)
	print(f"Bulk statements alone: {rate:,.0f} clicks/s")
	return rate


def _bare_rows(clicks: list[dict[str, Any]]) -> tuple[list[tuple[Any, ...]], ...]:
	human = [one for one in clicks if one["visitor_id"]]
	return (
		[tuple(one.values())[:BARE_COLUMNS] for one in clicks],
		[(one["visitor_id"], one["visitor_id"], *[one["click_timestamp"]] * 2) for one in human],
		[(one["name"], one["visitor_id"], *[one["click_timestamp"]] * 2) for one in human],
		sorted(Counter(one["tracked_link"] for one in clicks).items()),
	)


def _insert(doctype: str, columns: Sequence[str], on_duplicate: str = "") -> str:
	names = ", ".join(f"`{one}`" for one in columns)
	statement = f"insert into `tab{doctype}` ({names}) values ({', '.join(['%s'] * len(columns))})"
	return statement + (f" on duplicate key update {on_duplicate}" if on_duplicate else "")


def _send(entries: Iterator[list[dict[str, Any]]]) -> None:
	"""Onto the stream, as the writer puts them there, but many in one round trip."""
	from trackflow.stream import connection

	redis, key = connection.connect(), connection.key("stream")
	while some := list(islice(entries, PIPELINED)):
		pipeline = redis.pipeline(transaction=False)
		for records in some:
			pipeline.xadd(key, {"records": json.dumps(records, separators=(",", ":"))})
		pipeline.execute()


@contextmanager
def _watched(run: Run) -> Iterator[None]:
	"""Count what all threads send to the database meanwhile, and how long it takes; the time includes building the text."""
	from trackflow.tracking import store

	database, original, original_store = type(frappe.local.db), type(frappe.local.db).sql, store._store_batch

	def sql(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
		began = time.perf_counter()
		try:
			return original(self, query, *args, **kwargs)
		finally:
			took = time.perf_counter() - began
			run.statements += 1
			run.database_seconds += took
			run.by_statement[str(query)[:110].replace("\n", " ")] += took

	def store_batch(*args: Any) -> Any:
		run.batches += 1
		return original_store(*args)

	database.sql, store._store_batch = sql, store_batch
	try:
		yield
	finally:
		database.sql, store._store_batch = original, original_store


def _publish(
	alone: list[Run], runs: list[Run], bare: list[float], args: argparse.Namespace, site: host.Host
) -> None:
	memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
	rates_alone = sorted(run.clicks / run.seconds for run in alone)
	rates = sorted(run.clicks / run.seconds for run in runs)
	rows = [
		["clicks alone per second, median", statistics.median(rates_alone)],
		["lowest and highest run", f"{rates_alone[0]:,.0f} – {rates_alone[-1]:,.0f}"],
		["clicks per second with landing pages, median", statistics.median(rates)],
		["lowest and highest run", f"{rates[0]:,.0f} – {rates[-1]:,.0f}"],
		["bulk statements alone, clicks per second, median", statistics.median(bare)],
		["clicks alone as a share of that, median", f"{statistics.median(rates_alone) / statistics.median(bare):.0%}"],
		["*With landing pages:*", ""],
		["records (clicks and events) per second, median", statistics.median(run.records / run.seconds for run in runs)],
		["records per batch", sum(run.records for run in runs) / sum(run.batches for run in runs)],
		["statements per batch", sum(run.statements for run in runs) / sum(run.batches for run in runs)],
		["time in the database call, of all lanes", f"{sum(r.database_seconds for r in runs) / sum(r.seconds for r in runs):.0%}"],
		["processor time per click, worker, µs", 1e6 * sum(run.cpu for run in runs) / sum(run.clicks for run in runs)],
		["processor time per click, MariaDB, µs", 1e6 * sum(run.database_cpu for run in runs) / sum(run.clicks for run in runs)],
		["peak memory of the process, MiB", memory],
	]  # fmt: skip
	title = f"Drain: {args.clicks:,} clicks into {args.history:,}, one worker, on {site.name}"
	report.publish(
		title,
		["figure", "value"],
		rows,
		[f"Runs: {args.repeats}; target of PRF-3: 6,000, where bulk statements alone reach 9,600 (62 %)"],
		args.keep,
	)


if __name__ == "__main__":
	main()
