"""PRF-5: conversions per second that the attribution job credits under all models, database included, and that the pure models
share out; seconds that Markov and Shapley take for many paths; seconds of a whole training.

`python -m benchmarks.attribution [--conversions 20000] [--others 100000] [--paths 100000] [--repeats 3]`; see README.md.
"""

import argparse
import random
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import frappe

from benchmarks import host, report

Row = dict[str, Any]

TOUCHES = 5
PORTION = 5000
SEED = 7
CONVERSION_TYPE = "Benchmark"
PREFIX = "v_benchmark"
CHANNELS = (
	"Paid Search", "Organic Search", "Email", "Paid Social", "Organic Social", "Referral", "Display", "Video",
	"Affiliates", "Direct",
)  # fmt: skip
DAY = timedelta(days=1)


def main() -> None:
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--conversions", type=int, default=20_000, help="conversions of five touches each")
	parser.add_argument("--others", type=int, default=100_000, help="people without a conversion")
	parser.add_argument("--paths", type=int, default=100_000, help="paths for Markov and Shapley alone")
	parser.add_argument("--repeats", type=int, default=3)
	host.add_arguments(parser)
	args = parser.parse_args()
	with host.open_site(args) as where:
		_wipe()
		former = _count_only(CONVERSION_TYPE)
		try:
			rows = [*_of_site(args), *_of_models(args), *_of_paths(args)]
		finally:
			_wipe()
			_count_only(former)
		notes = [
			f"Site: {where.name}, {frappe.db.db_type}; medians of {args.repeats} runs, one process",
			f"Peak memory of the process: {_peak():,.0f} MiB",
			"Markov and Shapley remember the shares of the same channels, as they do in the job",
			"Targets of PRF-5: 500 conversions/s with the database, 100,000 for each pure model; 0.15 s for 10 channels, 1 s for 30",
		]
		report.publish("Attribution (PRF-5)", ["Figure", "Of", "Value"], rows, notes, args.keep)


def _of_site(args: argparse.Namespace) -> Iterator[tuple[str, str, object]]:
	"""Training, the job for new conversions, and a rebuild that finds all as it should be."""
	from trackflow.attribution import run, training

	now = datetime.now().replace(microsecond=0)
	_people(args.conversions, now, converts=True)
	_people(args.others, now, converts=False)
	before = _peak()
	began = time.monotonic()
	trained = training.train((now + DAY).date())
	seconds = time.monotonic() - began
	if not all(one.version for one in trained):
		raise SystemExit(f"Not all was learnt: {trained}")
	people = f"{args.conversions:,} conversions, {args.others:,} others"
	yield f"training of {len(trained)} models, s", people, seconds
	yield "memory that it added, MiB", people, _peak() - before
	models = f"{frappe.db.count('Attribution Model', {'is_active': 1})} models, {TOUCHES} touches"
	began = time.monotonic()
	done = run.credit_pending()
	yield "job: conversions credited/s", models, done / (time.monotonic() - began)
	began = time.monotonic()
	seen, written = run.rebuild()
	if written:
		raise SystemExit(f"A rebuild of unchanged data wrote {written} rows.")
	yield "rebuild without a change: conversions/s", models, seen / (time.monotonic() - began)


def _of_models(args: argparse.Namespace) -> Iterator[tuple[str, str, object]]:
	"""Shares alone, from touches that are ready."""
	from trackflow.attribution.models import DATA_DRIVEN, MODEL_TYPES, Touch, weights

	some = random.Random(SEED)
	at = datetime(2026, 3, 20, 12)
	journeys = [
		[
			Touch(
				str(n),
				at - DAY * (TOUCHES - n) - timedelta(seconds=some.randrange(86_400)),
				some.choice(CHANNELS),
			)
			for n in range(TOUCHES)
		]
		for _number in range(args.conversions)
	]
	values = _values(args)
	milestones = {"lead_created_at": at - DAY * 3, "deal_created_at": at - DAY}
	for model in MODEL_TYPES:
		learnt = {"channel_values": values[model], "count_direct": False} if model in DATA_DRIVEN else {}

		def work(model: str = model, learnt: Row = learnt) -> None:
			for touches in journeys:
				weights(model, touches, at, **milestones, **learnt)

		yield f"{model}: conversions shared out/s", f"{TOUCHES} touches", len(journeys) / _seconds(args, work)


def _values(args: argparse.Namespace) -> Row:
	"""Values as many people give them: with as many digits."""
	from trackflow.attribution.data_driven import markov, shapley
	from trackflow.attribution.versions import Values

	paths = _paths(args.paths, len(CHANNELS))
	named = [(tuple(CHANNELS[int(one)] for one in path), *figures) for path, *figures in paths]
	return {"Markov": Values(markov(named).removal_effects), "Shapley": Values(shapley(named))}


def _of_paths(args: argparse.Namespace) -> Iterator[tuple[str, str, object]]:
	from trackflow.attribution.data_driven import markov, shapley

	for channels in (10, 30):
		paths = _paths(args.paths, channels)
		for name, work in (("Markov", markov), ("Shapley", shapley)):
			seconds = _seconds(args, lambda work=work, paths=paths: work(paths))
			yield f"{name}, s", f"{len(paths):,} paths, {channels} channels", seconds


def _paths(number: int, channels: int) -> list[tuple[tuple[str, ...], int, int]]:
	"""Paths of one to nine touches; one of ten converts."""
	some = random.Random(SEED)
	names = [str(one) for one in range(channels)]
	found = []
	for _number in range(number):
		converts = some.random() < 0.1
		found.append((tuple(some.choices(names, k=some.randint(1, 9))), int(converts), int(not converts)))
	return found


def _people(number: int, now: datetime, converts: bool) -> None:
	from trackflow import bulk

	some = random.Random(SEED + converts)
	for start in range(0, number, PORTION):
		visitors, touches, conversions = [], [], []
		for one in range(start, min(start + PORTION, number)):
			visitor = f"{PREFIX}_{int(converts)}_{one}"
			at = now - timedelta(seconds=some.randrange(60 * 86_400))
			visitors.append({"name": visitor, "visitor_id": visitor, "first_seen": at, "last_seen": at})
			for place in range(TOUCHES if converts else some.randint(1, TOUCHES)):
				touches.append(_touch(visitor, at - DAY * (TOUCHES - place), place, some.choice(CHANNELS)))
			conversions.append(_conversion(visitor, at))
		bulk.insert("Visitor", visitors)
		bulk.insert("Touch Point", touches)
		bulk.insert("Conversion", conversions if converts else ())
		frappe.db.commit()


def _touch(visitor: str, at: datetime, place: int, channel: str) -> Row:
	is_direct = int(channel == "Direct")
	return {
		"name": f"{visitor}_{place}", "visitor_id": visitor, "occurred_at": at, "channel": channel, "is_direct": is_direct,
		"source": channel.lower(), "medium": "benchmark",
	}  # fmt: skip


def _conversion(visitor: str, at: datetime) -> Row:
	return {
		"name": f"{visitor}_c", "conversion_type": CONVERSION_TYPE, "external_id": visitor, "visitor": visitor,
		"value": 99.99, "currency": "EUR", "conversion_date": at, "source_doctype": "Visitor Event", "source_name": visitor,
		"lead_created_at": at - DAY * 2, "deal_created_at": at - DAY, "attribution_status": "Pending",
	}  # fmt: skip


def _count_only(types: str) -> str:
	"""Let only these conversions be learnt from; answers which they were before."""
	settings = frappe.get_single("TrackFlow Settings")
	former = settings.counted_conversion_types or ""
	# Past the document: no job is to compute all credits anew meanwhile.
	frappe.db.set_single_value("TrackFlow Settings", "counted_conversion_types", types)
	frappe.clear_document_cache("TrackFlow Settings", "TrackFlow Settings")
	frappe.db.commit()
	return former


def _wipe() -> None:
	"""Remove what a benchmark made: also versions, which would credit others."""
	frappe.db.delete("Attribution Training")
	made = f"{PREFIX}%"
	for doctype, field in (
		("Attribution Link", "visitor_id"),
		("Conversion", "visitor"),
		("Touch Point", "visitor_id"),
		("Visitor", "name"),
	):
		frappe.db.delete(doctype, {field: ("like", made)})
		frappe.db.commit()


def _seconds(args: argparse.Namespace, work: Callable[[], Any]) -> float:
	taken = []
	for _repeat in range(args.repeats):
		began = time.monotonic()
		work()
		taken.append(time.monotonic() - began)
	return statistics.median(taken)


def _peak() -> float:
	"""The most memory that this process ever had, MiB."""
	return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
	main()
