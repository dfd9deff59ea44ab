"""The scheduler: puts what `scheduler_events` of the installed apps asks for on the queue when it is due.

When each event last ran is kept (Scheduled Job Type), so that a restart neither forgets nor repeats one. Events missed
while the server was down run once.
"""

import logging
from collections.abc import Callable, Sequence
from threading import Event

import frappe
from frappe.utils import cint

logger = logging.getLogger("benchless.scheduler")


def enqueue_events(site: str) -> list[str]:
	"""Queue the events of the current site that are due; answers their methods."""
	queued = []
	for name in frappe.get_all(
		"Scheduled Job Type", filters={"stopped": 0}, pluck="name", order_by="name asc"
	):
		event = frappe.get_doc("Scheduled Job Type", name)
		if event.enqueue():
			queued.append(event.method)
	return queued


def enqueue_events_for_site(site: str, sites_path: str | None = None) -> None:
	frappe.init(site, sites_path=sites_path or frappe.local.sites_path, force=True)
	try:
		frappe.connect()
		if not is_scheduler_inactive(verbose=False):
			enqueue_events(site)
	except Exception:
		logger.exception("Could not queue the events of %s", site)
	finally:
		frappe.destroy()


def run(sites: Callable[[], Sequence[str]], sites_path: str, stopping: Event, tick: float = 10) -> None:
	"""Look at every site every `tick` seconds until stopped."""
	while not stopping.wait(tick):
		for site in sites():
			try:
				enqueue_events_for_site(site, sites_path)
			except Exception:
				logger.exception("Could not look at %s", site)


def is_scheduler_inactive(verbose: bool = True) -> bool:
	conf = frappe.local.conf
	return bool(conf.maintenance_mode or conf.pause_scheduler or is_scheduler_disabled(verbose))


def is_scheduler_disabled(verbose: bool = True) -> bool:
	if frappe.local.conf.disable_scheduler:
		return True
	return not cint(frappe.db.get_single_value("System Settings", "enable_scheduler"))


def toggle_scheduler(enable: bool) -> None:
	frappe.db.set_single_value("System Settings", "enable_scheduler", int(enable))


def enable_scheduler() -> None:
	toggle_scheduler(True)


def disable_scheduler() -> None:
	toggle_scheduler(False)


@frappe.whitelist()
def get_scheduler_status() -> dict[str, str]:
	return {"status": "inactive" if is_scheduler_inactive() else "active"}
