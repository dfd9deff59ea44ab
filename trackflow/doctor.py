"""Looks whether the site can do its work, and says in words what is wrong and what to do about it. Changes nothing.

One table of checks, for the command `doctor`, the page of health (`api.health`) and the notifications (`health.alerts`).
"""

import time
from collections.abc import Callable
from typing import Any

import frappe
from frappe.utils.scheduler import is_scheduler_disabled
from redis.exceptions import ResponseError

from trackflow import place_file
from trackflow.click_rollups import run as clicks
from trackflow.config import read_config
from trackflow.constants.custom_fields import CUSTOM_FIELDS
from trackflow.costs.rates import reporting_currency
from trackflow.day_range import EARLIEST
from trackflow.exceptions import StreamUnavailable
from trackflow.health import measure
from trackflow.health.finding import BROKEN, FINE, NOTE, Finding
from trackflow.privacy.archive import keeping, places, trouble
from trackflow.rollups import marks, reading, run
from trackflow.setup.indexes import missing_indexes
from trackflow.stream import drain, spool, writer
from trackflow.stream.connection import connect as queue_redis
from trackflow.sync import status as crm_sync

# What a drain clears in seconds.
MANY_ENTRIES = 10_000
# The part of its memory from which on the queue Redis counts as full.
FULL = 0.85
# Of how many minutes answers are looked at, and how many there must be to speak of a share of them.
ANSWER_MINUTES, FEW_ANSWERS = 15, 20


def examine() -> list[Finding]:
	"""All findings; a check that fails itself is a finding too."""
	return [_safely(name, check) for name, check in CHECKS.items()]


def _safely(name: str, check: Callable[[], tuple[str, str]]) -> Finding:
	try:
		return Finding(check=name, **dict(zip(("mark", "text"), check(), strict=True)))
	except Exception as error:
		return Finding(BROKEN, name, f"{type(error).__name__}: {error}")


def _settings() -> tuple[str, str]:
	config = read_config()
	if not config.enabled:
		return NOTE, "Tracking is switched off: links redirect, nothing is recorded."
	return (
		FINE,
		f"Tracking is on; {len(config.domains)} domains, window {config.attribution_window_days} days.",
	)


def _redis() -> tuple[str, str]:
	redis = queue_redis()
	redis.ping()
	try:
		info = redis.info()
	except ResponseError:
		return NOTE, "It answers, but does not tell of its memory, nor whether it keeps what it has."
	if info.get("role") != "master":
		return (
			BROKEN,
			"The queue Redis is a read-only replica: clicks go to the spool. Name its master in the configuration.",
		)
	if info.get("maxmemory_policy", "noeviction") != "noeviction":
		policy = info["maxmemory_policy"]
		return BROKEN, f"The queue Redis may throw clicks away ({policy}): set maxmemory-policy noeviction."
	limit, used = info.get("maxmemory") or 0, info.get("used_memory") or 0
	if limit and used > limit * FULL:
		return (
			BROKEN,
			f"The queue Redis is {used / limit:.0%} full; beyond that clicks go to the spool. Give it more memory.",
		)
	if not info.get("aof_enabled"):
		return NOTE, "The queue Redis keeps no append-only file: what waits when it crashes is lost."
	return FINE, f"{used / 2**20:.0f} MiB in use, append-only file on."


def _stream() -> tuple[str, str]:
	try:
		waiting, age = drain.waiting(), drain.age()
	except StreamUnavailable as error:
		return BROKEN, f"The queue Redis is out of reach, clicks go to the spool and no limit holds: {error}"
	if not waiting:
		return FINE, "Nothing waits to be stored."
	text = f"{waiting:,} entries wait, the oldest for {_span(age)}"
	if age > 60 * measure.setting("health_late_minutes"):
		return (
			BROKEN,
			f"{text}: no worker stores them. Start one for the queue short, or run `trackflow drain`.",
		)
	if waiting > MANY_ENTRIES:
		return NOTE, f"{text}: more comes in than is stored right now{_until_done(waiting)}."
	return FINE, f"{text}."


def _until_done(waiting: int) -> str:
	last = drain.last_run()
	if not last or not last.seconds:
		return ""
	return f"; at the last rate it takes {_span(waiting * last.seconds / last.records)}"


def _drain() -> tuple[str, str]:
	last = drain.last_run()
	if not last:
		return NOTE, "No drain has stored anything yet, as far as Redis knows."
	rate = f"{last.records / last.seconds:,.0f} a second" if last.seconds else "at once"
	return FINE, f"The last one stored {last.records:,} records, {rate}, {_span(time.time() - last.at)} ago."


def _spool() -> tuple[str, str]:
	size, bad = spool.size(), spool.bad_files()
	if bad:
		names = ", ".join(path.name for path in bad[:3])
		more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
		return (
			NOTE,
			f"Lines that are no records, as a crash leaves them: {names}{more} in {spool.folder()}. Look, then delete.",
		)
	return (
		(NOTE, f"{size:,} bytes wait in the spool; the next drain stores them.") if size else (FINE, "Empty.")
	)


def _losses() -> tuple[str, str]:
	lost = writer.all_losses()
	if lost:
		return (
			NOTE,
			f"{lost:,} records were lost so far: neither Redis nor the disk took them. See logs/trackflow.log.",
		)
	return FINE, "None."


def _click_queue() -> tuple[str, str]:
	failed = frappe.db.count("Click Queue", {"status": "Failed"})
	waiting = frappe.db.count("Click Queue", {"status": "Pending"})
	oldest = frappe.get_all(
		"Click Queue", {"status": ("!=", "Processed")}, pluck="creation", order_by="creation", limit=1
	)
	since = f", the oldest of {oldest[0]:%Y-%m-%d %H:%M}" if oldest else ""
	if failed:
		return BROKEN, (
			f"{failed} records could not be stored for good, {waiting} wait for another attempt{since}. "
			"The list Click Queue has the reasons; mend them, then choose Retry there."
		)
	return (NOTE if waiting else FINE), f"{waiting} records wait for another attempt{since}."


def _webhooks() -> tuple[str, str]:
	figures = measure.webhooks()
	text = f"{figures['pending']:,} deliveries wait, {figures['failed']:,} were given up"
	if figures["paused"]:
		return BROKEN, (
			f"{figures['paused']} are paused after failures in a row; {text}. Mend the target, then choose Resume in the "
			"app's settings or on the API key."
		)
	if figures["oldest_seconds"] > 60 * measure.setting("health_late_minutes"):
		return (
			BROKEN,
			f"{text}; the oldest was due {_span(figures['oldest_seconds'])} ago. Is there a worker for the queue default?",
		)
	return (NOTE if figures["failed"] else FINE), f"{text}."


def _span(seconds: float) -> str:
	for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
		if seconds >= 2 * size:
			return f"{seconds / size:.0f} {unit}"
	return f"{seconds:.0f} seconds"


def _scheduler() -> tuple[str, str]:
	if is_scheduler_disabled():
		return BROKEN, "The scheduler is off: nothing is repaired. Run `bench --site … enable-scheduler`."
	return FINE, "On."


def _indexes() -> tuple[str, str]:
	missing = missing_indexes()
	return (BROKEN, f"Missing: {', '.join(missing)}. Run migrate.") if missing else (FINE, "All there.")


def _models() -> tuple[str, str]:
	active = frappe.get_all("Attribution Model", filters={"is_active": 1}, pluck="name", order_by="name")
	default = frappe.get_all(
		"Attribution Model", filters={"is_default": 1, "is_active": 1}, pluck="name", order_by="name"
	)
	if len(default) != 1:
		return BROKEN, "There must be exactly one active default Attribution Model."
	return FINE, f"{len(active)} active, {default[0]} is the default."


def _conversions() -> tuple[str, str]:
	failed = frappe.db.count("Conversion", {"attribution_status": "Failed"})
	pending = frappe.db.count("Conversion", {"attribution_status": "Pending"})
	if failed:
		return BROKEN, f"{failed} conversions could not be credited: see the Error Log."
	return FINE, f"{pending} wait for their credits."


def _daily_figures() -> tuple[str, str]:
	waiting = sorted({*marks.days(None, run.yesterday()), *clicks.waiting(until=clicks.last_day())})
	if waiting:
		return (
			NOTE,
			f"{len(waiting)} days changed or are new and wait to be worked out, the first is {waiting[0]}. A worker of the queue long does so "
			"within an hour, or `trackflow rollup` at once.",
		)
	return FINE, "All days that changed are worked out."


def _exchange_rates() -> tuple[str, str]:
	model = frappe.db.get_value("Attribution Model", {"is_default": 1})
	lacking = reading.lacking(EARLIEST, run.yesterday(), model)
	if lacking:
		named = "; ".join(
			f"{currency} on {reading.days_in_words(days)}" for currency, days in sorted(lacking.items())
		)
		return (
			NOTE,
			f"Missing, so what was spent or brought is not known: {named}. Enter TrackFlow Exchange Rates.",
		)
	return FINE, f"None is missing; figures are in {reporting_currency()}."


def _crm() -> tuple[str, str]:
	if "crm" not in frappe.get_installed_apps():
		return (
			NOTE,
			"Frappe CRM is not installed: websites and links work, leads and deals are not attributed.",
		)
	missing = [
		f"{doctype}.{field['fieldname']}"
		for doctype, fields in CUSTOM_FIELDS.items()
		for field in fields
		if not frappe.get_meta(doctype).has_field(field["fieldname"])
	]
	return (
		(BROKEN, f"Fields are missing: {', '.join(missing)}. Run migrate.")
		if missing
		else (FINE, "Fields are there.")
	)


def _places() -> tuple[str, str]:
	file = place_file.configured()
	if file is None:
		return FINE, "Countries come from your proxies, else from the registries' data; no file knows cities."
	try:
		return FINE, file.check()
	except place_file.UNREADABLE as error:
		return BROKEN, f"{place_file.SETTING} names no MaxMind DB file that can be read: {error}"


def _cache() -> tuple[str, str]:
	state = measure.redis(lambda: frappe.cache)
	if not state["reachable"]:
		return (
			BROKEN,
			f"The cache Redis is out of reach ({state['error']}): each link is read from the database.",
		)
	used = state.get("memory_bytes")
	return FINE, f"{used / 2**20:.0f} MiB in use." if used else "It answers."


def _jobs() -> tuple[str, str]:
	jobs = measure.jobs()
	if jobs is None:
		return BROKEN, "The queue Redis is out of reach: nobody knows when the jobs last ran."
	failed = [f"{one['job']} ({one['error']})" for one in jobs if one["error"]]
	late = [one["job"] for one in jobs if one["is_overdue"]]
	if late:
		return BROKEN, (
			f"Due long ago: {', '.join(late)}. Is there a worker for the queue long, and a scheduler that runs?"
		)
	if failed:
		return BROKEN, f"Ended in an error when they last ran: {', '.join(failed)}. See the Error Log."
	waiting = sum(1 for one in jobs if one["every_seconds"] and not one["last_run"])
	if waiting:
		return NOTE, f"{waiting} of the scheduler's jobs have not run yet, as far as Redis knows."
	return FINE, "All ran when they were due."


def _answers() -> tuple[str, str]:
	most = measure.setting("health_error_percent")
	errors = measure.traffic(ANSWER_MINUTES)["errors"]
	if errors is None:
		return NOTE, "The queue Redis is out of reach: nobody knows what was answered."
	text = (
		f"{errors['errors']:,} of {errors['answers']:,} answers of the last {ANSWER_MINUTES} minutes failed"
	)
	if most and errors["answers"] >= FEW_ANSWERS and errors["percent"] > most:
		return BROKEN, f"{text}, more than {most} %. See logs/trackflow.log."
	return FINE, f"{text}."


def _freshness() -> tuple[str, str]:
	hours = measure.setting("health_quiet_hours")
	ages = measure.freshness()
	known = [age for age in (ages["click"], ages["event"]) if age is not None]
	if not known:
		return NOTE, "Neither a click nor an event is stored yet."
	text = f"The newest click or event is of {_span(min(known))} ago"
	if hours and min(known) > hours * 3600:
		return BROKEN, f"{text}: is the website's script still there, and does the redirect answer?"
	return FINE, f"{text}."


def _archive() -> tuple[str, str]:
	if places.target() == places.OFF:
		return FINE, "Off: clicks and sessions that are deleted by their age are gone."
	if said := trouble.current():
		return BROKEN, f"Nothing is archived, and nothing of visitors deleted by its age: {said}"
	labels = ", ".join(place.label for place in places.configured())
	begun = frappe.db.count(keeping.RECORD, {"status": ("in", (keeping.WRITING, keeping.DELETING))})
	files = frappe.db.count(keeping.RECORD)
	text = f"{files:,} files in {labels}"
	return (NOTE, f"{text}; {begun} of them wait for the next run.") if begun else (FINE, f"{text}.")


CHECKS: dict[str, Callable[[], tuple[str, Any]]] = {
	"Settings": _settings,
	"Queue Redis": _redis,
	"Cache Redis": _cache,
	"Stream": _stream,
	"Drain": _drain,
	"Spool": _spool,
	"Losses": _losses,
	"Click Queue": _click_queue,
	"Webhooks": _webhooks,
	"Scheduler": _scheduler,
	"Jobs": _jobs,
	"Answers": _answers,
	"Freshness": _freshness,
	"Indexes": _indexes,
	"Countries and cities": _places,
	"Attribution models": _models,
	"Conversions": _conversions,
	"Daily figures": _daily_figures,
	"Exchange rates": _exchange_rates,
	"Frappe CRM": _crm,
	"Archive": _archive,
	"CRM sync": crm_sync.examined,
}
