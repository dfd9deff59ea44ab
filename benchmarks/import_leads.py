"""CRM-2: leads per second of an import, with TrackFlow's hooks and without, and of their attribution; then every lead is
looked at.

`python -m benchmarks.import_leads [--leads 10000] [--bare 2000]`; see README.md. The leads are saved one by one by one process
and committed each, as Frappe's Data Import does. Without hooks means: TrackFlow's are taken out of this process's
list of document events. Both are measured in turns, some hundred leads each.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

import frappe

from benchmarks import host, report

VISITOR = "v_be9c4{:011x}"
EMAIL = "lead-{}@benchmark.example"
TURNS = 10
PORTION = 1000
SOURCE = "newsletter"


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--leads", type=int, default=10_000)
	parser.add_argument(
		"--bare", type=int, default=2000, help="leads that are saved without TrackFlow's hooks"
	)
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args, ["crm", "trackflow"]) as where:
		_wipe()
		_make_visitors(args.leads)
		host.work()
		seconds, bare = _import_in_turns(args.leads, args.bare)
		began = time.monotonic()
		memory = host.work()
		attribution = time.monotonic() - began
		credits = _check(args.leads)
		_wipe()
		_publish(args, where, seconds, bare, attribution, memory, credits)


def _publish(
	args: argparse.Namespace,
	where: host.Host,
	seconds: float,
	bare: float,
	attribution: float,
	memory: float,
	credits: int,
) -> None:
	rows = [
		[what, number, taken, 1000 * taken / number, number / taken]
		for what, number, taken in (
			("saved without TrackFlow's hooks", args.bare, bare),
			("saved with them", args.leads, seconds),
			("attributed, by the jobs that this queued", args.leads, attribution),
		)
	]
	cost = 1000 * (seconds / args.leads - bare / args.bare)
	notes = [
		f"Site: {where.name}, {frappe.db.db_type}; documents inserted and committed one by one in one process, as Data Import does",
		f"The hooks cost {cost:.2f} ms a lead; they were taken out of the process's document events for the others",
		f"Every lead has its visitor, source and Lead conversion, {credits:,} credits together; peak memory of the worker "
		f"{memory:.0f} MiB, its start is part of its time",
	]
	head = ["leads", "number", "seconds", "ms each", "leads/s"]
	report.publish(f"Import of {args.leads:,} leads with visitors (CRM-2)", head, rows, notes, args.keep)


def _make_visitors(number: int) -> None:
	"""Visitors with two touches each: paid search three days ago, then the newsletter."""
	from frappe.utils import now_datetime

	from trackflow import bulk

	now = now_datetime()
	touches = (("Paid Search", "google", "cpc", 72), ("Email", SOURCE, "email", 2))
	for ids in _portions([VISITOR.format(index) for index in range(number)]):
		bulk.insert(
			"Visitor", [{"name": one, "visitor_id": one, "first_seen": now, "last_seen": now} for one in ids]
		)
		rows = [
			{
				"name": f"{one}{source}",
				"visitor_id": one,
				"occurred_at": now - timedelta(hours=hours),
				"channel": channel,
				"source": source,
				"medium": medium,
				"is_direct": 0,
			}
			for one in ids
			for channel, source, medium, hours in touches
		]
		bulk.insert("Touch Point", rows)
	frappe.db.commit()


def _import_in_turns(leads: int, bare: int) -> tuple[float, float]:
	"""Seconds that saving took, with our hooks and without."""
	from trackflow.tests.bare_saves import without_our_hooks

	frappe.flags.in_import = True
	seconds = [0.0, 0.0]
	for turn in range(TURNS):
		with without_our_hooks():
			seconds[1] += _import(range(bare * turn // TURNS, bare * (turn + 1) // TURNS), is_bare=True)
		seconds[0] += _import(range(leads * turn // TURNS, leads * (turn + 1) // TURNS))
	frappe.flags.in_import = False
	return seconds[0], seconds[1]


def _import(numbers: Sequence[int], is_bare: bool = False) -> float:
	began = time.monotonic()
	for number in numbers:
		frappe.get_doc(
			{
				"doctype": "CRM Lead",
				"first_name": "Benchmark",
				"last_name": str(number),
				"email": EMAIL.format(f"bare-{number}" if is_bare else number),
				"status": "New",
				"trackflow_visitor_id": VISITOR.format(number),
			}
		).insert()
		frappe.db.commit()
	return time.monotonic() - began


def _check(number: int) -> int:
	"""Look at every lead; how many credits their conversions have."""
	from trackflow import bulk

	models = frappe.db.count("Attribution Model", {"is_active": 1})
	leads = bulk.load(
		"CRM Lead", {"email": ("in", [EMAIL.format(index) for index in range(number)])},
		["last_name", "trackflow_visitor_id", "trackflow_source", "trackflow_touch_count"],
	)  # fmt: skip
	done = bulk.load(
		"Conversion",
		{"source_name": ("in", list(leads)), "conversion_type": "Lead", "attribution_status": "Done"},
		["source_name", "visitor"],
	)
	credited: dict[str, set[str]] = {}
	credits = bulk.load(
		"Attribution Link", {"conversion": ("in", list(done))}, ["conversion", "attribution_model"]
	)
	for row in credits.values():
		credited.setdefault(row.conversion, set()).add(row.attribution_model)
	visitors = {row.source_name: row.visitor for row in done.values()}
	right = [
		name
		for name, row in leads.items()
		if row.trackflow_visitor_id == visitors.get(name) == VISITOR.format(int(row.last_name))
		and (row.trackflow_source, row.trackflow_touch_count) == (SOURCE, 2)
	]
	complete = [name for name, found in credited.items() if len(found) == models]
	if not len(right) == len(complete) == number:
		raise SystemExit(f"Of {number} leads {len(right)} are right and {len(complete)} have all credits")
	return len(credits)


def _wipe() -> None:
	"""Delete what this command makes; nothing else is named so."""
	leads = frappe.get_all(
		"CRM Lead", {"email": ("like", "%@benchmark.example")}, pluck="name", order_by="name"
	)
	for names in _portions(leads):
		conversions = frappe.get_all(
			"Conversion", {"source_name": ("in", names)}, pluck="name", order_by="name"
		)
		if conversions:
			frappe.db.delete("Attribution Link", {"conversion": ("in", conversions)})
			frappe.db.delete("Conversion", {"name": ("in", conversions)})
		frappe.db.delete("Lead Status Change", {"lead_id": ("in", names)})
		frappe.db.delete("CRM Status Change Log", {"parent": ("in", names)})
		frappe.db.delete("CRM Lead", {"name": ("in", names)})
		frappe.db.commit()
	frappe.db.delete("Touch Point", {"visitor_id": ("like", "v_be9c4%")})
	frappe.db.delete("Visitor", {"name": ("like", "v_be9c4%")})
	frappe.db.commit()


def _portions(names: Sequence[str]) -> Iterator[Sequence[str]]:
	for start in range(0, len(names), PORTION):
		yield names[start : start + PORTION]


if __name__ == "__main__":
	main()
