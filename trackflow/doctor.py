"""Looks whether the site can do its work, and says in words what is wrong and what to do about it. Changes nothing."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import frappe
from frappe.utils.scheduler import is_scheduler_disabled

from trackflow.config import read_config
from trackflow.constants.custom_fields import CUSTOM_FIELDS
from trackflow.exceptions import StreamUnavailable
from trackflow.setup.indexes import missing_indexes
from trackflow.stream import drain, spool

FINE, NOTE, BROKEN = "ok", "note", "BROKEN"
# What a drain clears in seconds; more means that none is running.
MANY_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class Finding:
	"""One thing that was looked at."""

	mark: str
	check: str
	text: str

	@property
	def is_broken(self) -> bool:
		return self.mark == BROKEN

	def as_dict(self) -> dict[str, str]:
		return asdict(self)


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


def _stream() -> tuple[str, str]:
	try:
		waiting = drain.waiting()
	except StreamUnavailable as error:
		return BROKEN, f"The queue Redis is out of reach, clicks go to the spool: {error}"
	if waiting > MANY_ENTRIES:
		return BROKEN, f"{waiting} entries wait: is a worker running?"
	return FINE, f"{waiting} entries wait to be stored."


def _spool() -> tuple[str, str]:
	size = spool.size()
	return (
		(NOTE, f"{size} bytes wait in the spool; the next drain stores them.") if size else (FINE, "Empty.")
	)


def _click_queue() -> tuple[str, str]:
	failed = frappe.db.count("Click Queue", {"status": "Failed"})
	waiting = frappe.db.count("Click Queue", {"status": "Pending"})
	if failed:
		return BROKEN, f"{failed} records could not be stored for good: see the Click Queue for the reasons."
	return (NOTE if waiting else FINE), f"{waiting} records wait for another attempt."


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


CHECKS: dict[str, Callable[[], tuple[str, Any]]] = {
	"Settings": _settings,
	"Stream": _stream,
	"Spool": _spool,
	"Click Queue": _click_queue,
	"Scheduler": _scheduler,
	"Indexes": _indexes,
	"Attribution models": _models,
	"Conversions": _conversions,
	"Frappe CRM": _crm,
}
