"""LNK-4: links per second that a CSV makes, and that a preview of it tries out.

`python -m benchmarks.import_links [--rows 1000] [--repeats 3]`; see README.md.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import frappe

from benchmarks import host, report

CAMPAIGNS = 5


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--rows", type=int, default=1000)
	parser.add_argument("--repeats", type=int, default=3)
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args) as where:
		from trackflow.links import csv_export, csv_import

		_wipe()
		_make_campaigns()
		content = _csv(args.rows)
		_import(content)
		results = {
			"preview": _seconds(args.repeats, lambda: csv_import.preview(content)),
			"import": _seconds(args.repeats, lambda: _import(content)),
			"export": _seconds(args.repeats, lambda: csv_export.export().close()),
		}
		_wipe()
		rows = [[what, args.rows, seconds, args.rows / seconds] for what, seconds in results.items()]
		notes = [f"Site: {where.name}, {frappe.db.db_type}; medians of {args.repeats} runs, one process"]
		report.publish(
			"Links from a CSV (LNK-4)", ["What", "Rows", "Seconds", "Rows/s"], rows, notes, args.keep
		)


def _make_campaigns() -> None:
	for number in range(CAMPAIGNS):
		name = f"Benchmark {number}"
		if not frappe.db.exists("Link Campaign", name):
			frappe.get_doc({"doctype": "Link Campaign", "campaign_name": name, "source": "news"}).insert()
	frappe.db.commit()


def _wipe() -> None:
	_delete("Tracked Link")
	_delete("Link Campaign")


def _delete(doctype: str) -> None:
	field = "name" if doctype == "Link Campaign" else "campaign"
	frappe.db.delete(doctype, {field: ("like", "Benchmark %")})
	frappe.db.commit()


def _csv(rows: int) -> bytes:
	lines = [
		f"https://shop.example.com/products/{number},Product {number},Benchmark {number % CAMPAIGNS},email,red"
		for number in range(rows)
	]
	return "\n".join(["Target URL,Title,Campaign,Medium,Content", *lines]).encode()


def _import(content: bytes) -> None:
	from trackflow.links import csv_import

	_delete("Tracked Link")
	done = csv_import.import_now(content)
	if done["failed"]:
		raise SystemExit(f"Not all rows were made: {done['rows'][:3]}")


def _seconds(repeats: int, work: Callable[[], None]) -> float:
	taken = []
	for _repeat in range(repeats):
		began = time.monotonic()
		work()
		taken.append(time.monotonic() - began)
	return statistics.median(taken)


if __name__ == "__main__":
	main()
