"""CST-1: seconds that a file of 100,000 costs takes: preview, import, the same again, all changed, undo; and peak memory.

`python -m benchmarks.import_costs [--rows 100000]`; see README.md. On a bench it deletes the site's costs.
"""

import argparse
import resource
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import frappe

from benchmarks import host, report

FIRST = date(2026, 1, 1)
DAYS = 250
HEADER = "Day,Campaign,Campaign ID,Ad group,Ad group ID,Ad ID,Currency code,Cost,Impr.,Clicks,CTR,Device\n"


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--rows", type=int, default=100_000)
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args) as where:
		from trackflow.costs import files, imports

		_wipe()
		content, changed = _csv(args.rows, 0), _csv(args.rows, 1)
		before = _memory()
		results = [
			_timed("preview", lambda: imports.preview(content, files.options_of({}, None))),
			_timed("import", lambda: imports.import_now(content, {}, None, "costs.csv")),
			_timed("the same again", lambda: imports.import_now(content, {}, None, "costs.csv")),
			_timed("all rows changed", lambda: imports.import_now(changed, {}, None, "costs.csv")),
		]
		last = results[-1][-1]["name"]
		results.append(_timed("undo", lambda: imports.undo(last)))
		_wipe()
		rows = [[what, args.rows, seconds, args.rows / seconds] for what, seconds, _answer in results]
		notes = [
			f"Site: {where.name}, {frappe.db.db_type}; one process, whose memory grew by {_memory() - before} MB at most",
		]
		report.publish(
			"Costs from a CSV (CST-1)", ["What", "Rows", "Seconds", "Rows/s"], rows, notes, args.keep
		)


def _timed(what: str, work: Callable[[], Any]) -> tuple[str, float, Any]:
	started = time.perf_counter()
	answer = work()
	return what, time.perf_counter() - started, answer


def _memory() -> int:
	return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _csv(rows: int, more: int) -> bytes:
	lines = []
	for row in range(rows):
		ad = row // DAYS
		spend = f'"{row % 5000 + more:,}.{row % 100:02}"'
		day = FIRST + timedelta(days=row % DAYS)
		lines.append(
			f"{day},Campaign {ad % 50},{ad % 50},Group {ad},{ad},{ad}7,EUR,{spend},{row % 9000},{row % 90},1.2%,All\n"
		)
	return (HEADER + "".join(lines)).encode()


def _wipe() -> None:
	for doctype in ("Daily Campaign Metric", "Cost Import Row", "Cost Import"):
		frappe.db.delete(doctype)
	frappe.db.commit()


if __name__ == "__main__":
	main()
