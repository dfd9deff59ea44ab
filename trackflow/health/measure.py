"""Measures the site: what waits, how old it is, how database and Redis are, what the jobs did, what callers were answered.

A fixed number of statements, each of which an index answers, and a few round trips to Redis. What cannot be had is None, with the
reason where there is one: a page of health that fails with what it looks at is of no use.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import frappe
from frappe.query_builder import Case
from frappe.query_builder.functions import Count, Min
from frappe.utils import cint, get_datetime, now_datetime
from redis.exceptions import RedisError

from trackflow import __version__, hooks, runs
from trackflow.access import request_log
from trackflow.access.stored_keys import WEBHOOK
from trackflow.exceptions import StreamUnavailable
from trackflow.health import figures, schedule, totals
from trackflow.integrations import waiting
from trackflow.stream import connection, drain, spool, tally, writer
from trackflow.sync import status as crm_sync
from trackflow.webhooks.messages import PING
from trackflow.webhooks.outbox import DELIVERY, FAILED, PENDING

Row = dict[str, Any]

HOUR_MINUTES = 60
OUT_OF_REACH = (RedisError, StreamUnavailable, OSError)


def metrics() -> Row:
	"""All that is measured, as JSON."""
	with suppress(StreamUnavailable):
		tally.tell()
	return {
		"at": time.time(),
		"version": __version__,
		**totals.hourly(),
		"queue": queue(),
		"database": database(),
		"redis": {
			"queue": redis(connection.connect),
			"cache": redis(lambda: frappe.cache),
		},
		"jobs": jobs(),
		"drain": last_drain(),
		"crm_sync": crm_sync.figures(),
		"freshness_seconds": freshness(),
		**traffic(),
	}


def queue() -> Row:
	"""What waits to be stored or worked on."""
	by_status = dict.fromkeys(("Pending", "Failed"), 0)
	for status in by_status:
		by_status[status] = frappe.db.count("Click Queue", {"status": status})
	return {
		"entries": _asked(drain.waiting),
		"oldest_seconds": _asked(lambda: round(drain.age(), 1)),
		"spool_files": len(spool.files()),
		"spool_bytes": spool.size(),
		"spool_bad_files": len(spool.bad_files()),
		"lost_records": _asked(writer.all_losses),
		"click_queue": {status.lower(): number for status, number in by_status.items()},
		"leads": _asked(waiting.number),
		"conversions": frappe.db.count("Conversion", {"attribution_status": "Pending"}),
		"requests": _asked(request_log.waiting),
		"lost_requests": _asked(request_log.lost),
		"webhooks": webhooks(),
	}


def webhooks() -> Row:
	"""Deliveries that wait and that were given up, webhooks that are paused, and for how long the oldest has been due of those that
	may go."""
	hook, delivery = frappe.qb.DocType(WEBHOOK), frappe.qb.DocType(DELIVERY)
	may_go = (hook.is_paused == 0) & (hook.held_until.isnull() | (hook.held_until < now_datetime()))
	rows = (
		frappe.qb.from_(delivery)
		.left_join(hook)
		.on(hook.name == delivery.webhook)
		.select(delivery.status, Count("*"), Min(Case().when(may_go, delivery.next_attempt_at)))
		.where(delivery.status.isin([PENDING, FAILED]) & (delivery.event_type != PING))
		.groupby(delivery.status)
		.run()
	)
	found = {status: (number, oldest) for status, number, oldest in rows}
	pending, oldest = found.get(PENDING, (0, None))
	late = (now_datetime() - get_datetime(oldest)).total_seconds() if oldest else 0
	return {
		"pending": pending,
		"failed": found.get(FAILED, (0, None))[0],
		"paused": frappe.db.count(WEBHOOK, {"is_paused": 1, "is_active": 1}),
		"oldest_seconds": round(max(late, 0)),
	}


def database() -> Row:
	"""The database: it answers, or nobody would read this."""
	single = frappe.qb.DocType("Singles")
	began = time.perf_counter()
	frappe.qb.from_(single).select(single.field).where(single.doctype == "TrackFlow Settings").limit(1).run()
	return {"reachable": True, "type": frappe.db.db_type, "round_trip_ms": _ms(time.perf_counter() - began)}


def redis(connect: Callable[[], Any]) -> Row:
	"""A Redis server."""
	try:
		client = connect()
		began = time.perf_counter()
		client.ping()
		seconds = time.perf_counter() - began
	except OUT_OF_REACH as error:
		return {"reachable": False, "error": type(error).__name__}
	return {"reachable": True, "round_trip_ms": _ms(seconds), **_told_by(client)}


def _told_by(client: Any) -> Row:
	try:
		info = client.info()
	except RedisError:
		# Not every server tells of itself to everybody.
		return {}
	return {
		"memory_bytes": info.get("used_memory"),
		# Without a limit Redis says 0.
		"memory_limit_bytes": info.get("maxmemory") or None,
		"eviction_policy": info.get("maxmemory_policy"),
		"evicted_keys": info.get("evicted_keys"),
		"append_only_file": bool(info.get("aof_enabled")),
		"version": info.get("redis_version"),
	}


def jobs() -> list[Row] | None:
	"""The scheduler's jobs and those that ran besides, by name, with their last run as far as Redis knows it."""
	try:
		last = runs.last()
	except StreamUnavailable:
		return None
	periods, now = schedule.periods(hooks.scheduler_events), time.time()
	return [_job(name, periods.get(name), last.get(name), now) for name in sorted({*periods, *last})]


def _job(name: str, period: int | None, run: runs.Run | None, now: float) -> Row:
	return {
		"job": name,
		"every_seconds": period,
		"last_run": run and run.at,
		"seconds": run and round(run.seconds, 3),
		"rows": run and run.rows,
		"error": (run and run.error) or None,
		"is_overdue": bool(period and run and schedule.is_overdue(period, run.at, now)),
	}


def last_drain() -> Row | None:
	"""What the last drain did that stored something; None where Redis does not know."""
	last = _asked(drain.last_run)
	if not last:
		return None
	return {
		"last_run": last.at,
		"seconds": round(last.seconds, 3),
		"rows": last.stored,
		"records": last.records,
		"failed": last.failed,
	}


def freshness() -> Row:
	"""How many seconds ago the newest stored click, event and credit happened; None where there is none."""
	model = frappe.db.get_value("Attribution Model", {"is_default": 1}, "name")
	return {
		"click": _age("Click Event", "click_timestamp"),
		"event": _age("Visitor Event", "timestamp"),
		# Each model credits the same conversions, and the index wants to know whose.
		"credit": _age("Attribution Link", "conversion_date", attribution_model=model or ""),
	}


def _age(doctype: str, field: str, **filters: str) -> float | None:
	newest = frappe.get_all(doctype, filters=filters, pluck=field, order_by=f"{field} desc", limit=1)
	return round(max((now_datetime() - newest[0]).total_seconds(), 0.0), 1) if newest else None


def traffic(minutes: int = HOUR_MINUTES) -> Row:
	"""What was asked and answered in the last minutes, as processes counted it (see `stream.tally`); None where Redis cannot say."""
	names = ("last_hour", "per_minute", "limit_hits", "refusals", "duplicates", "response_times", "errors")
	try:
		last, _sums = tally.read(minutes + 1)
	except StreamUnavailable:
		return dict.fromkeys(names)
	total = figures.added(last)
	of = {endpoint: figures.answers(total, endpoint) for endpoint in figures.ENDPOINTS}
	taken = total["events.accepted"] + total["events.duplicate"]
	return {
		"last_hour": {
			"clicks": total["clicks"],
			"events": total["events.accepted"],
			"rejected_events": total["events.rejected"],
			"stored": total["drain.stored"],
			"kept_aside": total["drain.failed"],
			"spooled": total["spooled"],
			"answers": of,
		},
		"per_minute": {
			"clicks": figures.a_minute(last, "clicks"),
			"events": figures.a_minute(last, "events.accepted"),
			"stored": figures.a_minute(last, "drain.stored"),
		},
		"limit_hits": figures.limit_hits(total),
		"refusals": figures.refusals(total),
		"duplicates": {
			"events": total["events.duplicate"],
			"percent": figures.percent(total["events.duplicate"], taken),
			"records": total["drain.duplicate"],
		},
		"response_times": {endpoint: figures.times(total, endpoint) for endpoint in of},
		"errors": _errors(of),
	}


def _errors(of: dict[str, Row]) -> Row:
	answers, errors = (sum(one[name] for one in of.values()) for name in ("answers", "errors"))
	return {"answers": answers, "errors": errors, "percent": figures.percent(errors, answers)}


def setting(field: str) -> int:
	"""A threshold that the settings have."""
	return cint(frappe.db.get_single_value("TrackFlow Settings", field))


def _asked(question: Callable[[], Any]) -> Any:
	try:
		return question()
	except OUT_OF_REACH:
		return None


def _ms(seconds: float) -> float:
	return round(seconds * 1000, 3)
