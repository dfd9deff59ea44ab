"""The figures of health in Prometheus's text format. Pure.

Counters are sums since the queue Redis was last emptied, the rest is as it is now. Names begin as the edge's do, which tells of
itself under /metrics.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trackflow.health import figures

Row = Mapping[str, Any]
Sample = tuple[Mapping[str, str], float | int | bool | None]

PREFIX = "trackflow"


def as_text(metrics: Row, sums: Mapping[str, int], bounds: Sequence[int]) -> str:
	"""`metrics` as `measure` gives them with `checks`, `sums` and `bounds` of the tally."""
	parts = (
		*_counters(sums, bounds),
		*_waiting(metrics["queue"]),
		*_servers(metrics),
		*_sync(metrics["crm_sync"]),
		*_rest(metrics),
	)
	return "".join(parts)


def _counters(sums: Mapping[str, int], bounds: Sequence[int]) -> Iterable[str]:
	yield _family(
		"answers_total",
		"counter",
		"Answers by status.",
		[
			({"endpoint": endpoint, "status": status}, number)
			for endpoint in figures.ENDPOINTS
			for status, number in figures.under(sums, f"{endpoint}.status").items()
		],
	)
	yield _histogram(sums, bounds)
	refused = {**figures.refusals(sums)}
	for endpoint, number in figures.limit_hits(sums).items():
		refused[endpoint] = {**refused.get(endpoint, {}), figures.TOO_MANY: number}
	yield _family(
		"refused_total",
		"counter",
		"Requests that were refused, by reason.",
		[
			({"endpoint": endpoint, "reason": reason}, number)
			for endpoint, reasons in sorted(refused.items())
			for reason, number in reasons.items()
		],
	)
	yield _family("clicks_total", "counter", "Clicks taken to be recorded.", [({}, sums.get("clicks", 0))])
	yield _family(
		"events_total",
		"counter",
		"Events by verdict.",
		[({"verdict": one}, sums.get(f"events.{one}", 0)) for one in ("accepted", "duplicate", "rejected")],
	)
	yield _family(
		"drained_total",
		"counter",
		"Records that drains read: new in the database, there already, kept in the Click Queue.",
		[({"as": one}, sums.get(f"drain.{one}", 0)) for one in ("stored", "duplicate", "failed")],
	)
	yield _family(
		"spooled_total",
		"counter",
		"Records that went to the spool, since Redis did not take them.",
		[({}, sums.get("spooled", 0))],
	)


def _histogram(sums: Mapping[str, int], bounds: Sequence[int]) -> str:
	name = f"{PREFIX}_answer_seconds"
	lines = [f"# HELP {name} Time that answers took.", f"# TYPE {name} histogram"]
	for endpoint in figures.ENDPOINTS:
		groups = figures.under(sums, f"{endpoint}.ms")
		seen = 0
		for bound in bounds:
			seen += groups.get(str(bound), 0)
			lines.append(f'{name}_bucket{{endpoint="{endpoint}",le="{bound / 1000:g}"}} {seen}')
		total = sum(groups.values())
		lines.append(f'{name}_bucket{{endpoint="{endpoint}",le="+Inf"}} {total}')
		lines.append(f'{name}_sum{{endpoint="{endpoint}"}} {sums.get(f"{endpoint}.microseconds", 0) / 1e6:g}')
		lines.append(f'{name}_count{{endpoint="{endpoint}"}} {total}')
	return "\n".join(lines) + "\n"


def _waiting(queue: Row) -> Iterable[str]:
	texts = {
		"entries": ("stream_entries", "Entries of the stream that wait to be stored."),
		"oldest_seconds": ("stream_oldest_seconds", "Age of the oldest of them."),
		"spool_files": ("spool_files", "Files of the spool that wait."),
		"spool_bytes": ("spool_bytes", "Their size."),
		"leads": ("leads_waiting", "Leads that wait for their attribution."),
		"conversions": ("conversions_waiting", "Conversions that wait for their credits."),
		"requests": ("requests_waiting", "Requests with an API key that wait to be logged."),
	}
	for key, (name, text) in texts.items():
		yield _family(name, "gauge", text, [({}, queue[key])])
	lost = "Records that neither Redis nor the spool took."
	yield _family("lost_total", "counter", lost, [({}, queue["lost_records"])])
	unlogged = "Requests with an API key that are not in the log."
	yield _family("requests_lost_total", "counter", unlogged, [({}, queue["lost_requests"])])
	told = [({"state": state}, queue["webhooks"][state]) for state in ("pending", "failed")]
	yield _family(
		"webhook_deliveries", "gauge", "Deliveries to webhooks that wait, and that were given up.", told
	)
	paused = "Webhooks that are paused after failures in a row."
	yield _family("webhooks_paused", "gauge", paused, [({}, queue["webhooks"]["paused"])])
	kept = [({"status": status}, number) for status, number in queue["click_queue"].items()]
	yield _family("click_queue", "gauge", "Records in the Click Queue.", kept)


def _sync(sync: Row) -> Iterable[str]:
	forms = [({"status": status}, number) for status, number in sync["forms"].items()]
	yield _family("crm_sync_forms", "gauge", "Forms on their way to an outside CRM.", forms)
	yield _family("crm_sync_due", "gauge", "Those of them that are due.", [({}, sync["due"])])
	crm = sync["crm"] or {}
	closed = crm and crm["circuit"] == "closed" and not crm["trouble"]
	yield _family(
		"crm_sync_up", "gauge", "1 where the outside CRM is asked.", [({}, bool(closed) if crm else None)]
	)


def _servers(metrics: Row) -> Iterable[str]:
	servers = {"database": metrics["database"]}
	servers |= {f"{name}_redis": redis for name, redis in metrics["redis"].items()}
	gauges = {
		"reachable": ("up", "1 where the server answers.", 1),
		"round_trip_ms": ("round_trip_seconds", "Time of one question to it.", 1000),
		"memory_bytes": ("memory_bytes", "Memory that it uses.", 1),
		"memory_limit_bytes": ("memory_limit_bytes", "Memory that it may use.", 1),
	}
	for key, (name, text, divisor) in gauges.items():
		samples = [({"server": server}, _divided(one.get(key), divisor)) for server, one in servers.items()]
		yield _family(name, "gauge", text, samples)


def _rest(metrics: Row) -> Iterable[str]:
	jobs = metrics["jobs"] or []
	drained = metrics["drain"]
	if drained:
		jobs = [*jobs, {**drained, "job": "trackflow.stream.drain.drain", "error": None}]
	gauges = {
		"last_run": ("job_last_run_timestamp_seconds", "When the job last ended."),
		"seconds": ("job_seconds", "How long its last run took."),
		"rows": ("job_rows", "Rows that its last run wrote."),
	}
	for key, (name, text) in gauges.items():
		yield _family(name, "gauge", text, [({"job": job["job"]}, job[key]) for job in jobs])
	failed = [({"job": job["job"]}, bool(job["error"])) for job in jobs if job["last_run"]]
	yield _family("job_failed", "gauge", "1 where its last run ended in an error.", failed)
	for key, name, text in (
		("totals", "rows", "Rows of the database, counted once an hour."),
		("freshness_seconds", "newest_age_seconds", "Age of the newest that is stored."),
	):
		samples = [({"what": what}, number) for what, number in metrics[key].items() if what != "at"]
		yield _family(name, "gauge", text, samples)
	wasted = _divided(metrics["waste_rate"], 100)
	yield _family("waste_ratio", "gauge", "Part of the last 30 days' spend that was waste.", [({}, wasted)])
	checks = [({"check": one["check"]}, one["mark"] == "BROKEN") for one in metrics["checks"]]
	yield _family("check_broken", "gauge", "1 where the check fails.", checks)


def _family(name: str, kind: str, text: str, samples: Iterable[Sample]) -> str:
	"""A figure with its samples; what is not known has none."""
	lines = [f"# HELP {PREFIX}_{name} {text}", f"# TYPE {PREFIX}_{name} {kind}"]
	for labels, value in samples:
		if value is not None:
			lines.append(f"{PREFIX}_{name}{_labelled(labels)} {float(value):.15g}")
	return "\n".join(lines) + "\n"


def _labelled(labels: Mapping[str, str]) -> str:
	if not labels:
		return ""
	return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
	return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _divided(value: float | bool | None, divisor: int) -> float | None:
	return None if value is None else value / divisor
