"""Scheduled Job Type: one event of the apps' `scheduler_events`, when it last ran and when it is due next.

The records follow the hooks at install and migrate. A failing event is rolled back and logged, and runs again when it
is due again.
"""

from datetime import datetime

from croniter import CroniterBadCronError, croniter

import frappe
from frappe import _
from frappe.core.doctype.scheduled_job_log.scheduled_job_log import ScheduledJobLog
from frappe.model.document import Document
from frappe.utils import cint, get_datetime, now_datetime
from frappe.utils.background_jobs import enqueue, is_job_enqueued

CRON = {
	"Yearly": "0 0 1 1 *",
	"Annual": "0 0 1 1 *",
	"Monthly": "0 0 1 * *",
	"Weekly": "0 0 * * 0",
	"Daily": "0 0 * * *",
	"Hourly": "0 * * * *",
}
LOGS_KEPT_DAYS = 30


class ScheduledJobType(Document):
	def autoname(self) -> None:
		self.name = ".".join(self.method.split(".")[-2:])

	def validate(self) -> None:
		if self.frequency != "All":
			self.create_log = 1
		if self.frequency != "Cron":
			return
		if not self.cron_format:
			frappe.throw(_("Cron format is required for job types with Cron frequency."))
		try:
			croniter(self.cron_format)
		except CroniterBadCronError:
			frappe.throw(_("{0} is not a valid Cron expression.").format(self.cron_format))

	def enqueue(self, force: bool = False) -> bool:
		"""Queue the event if it is due and does not wait already; answers whether it did."""
		if not (force or self.is_event_due()) or is_job_enqueued(self.rq_job_id):
			return False
		enqueue(
			"frappe.core.doctype.scheduled_job_type.scheduled_job_type.run_scheduled_job",
			queue="long" if "Long" in self.frequency else "default",
			job_type=self.method,
			job_id=self.rq_job_id,
		)
		return True

	@property
	def rq_job_id(self) -> str:
		return f"scheduled_job::{self.method}"

	def is_event_due(self, current_time: datetime | None = None) -> bool:
		return self.get_next_execution() <= (current_time or now_datetime())

	def get_next_execution(self) -> datetime:
		"""The first time after the last run, or after the event became known."""
		minutes = (cint(frappe.conf.scheduler_interval) or 240) // 60
		every = CRON.get((self.frequency or "").removesuffix(" Long"), f"*/{minutes} * * * *")
		return croniter(
			self.cron_format or every, get_datetime(self.last_execution or self.creation)
		).get_next(datetime)

	def execute(self) -> None:
		self.db_set("last_execution", now_datetime(), update_modified=False)
		frappe.db.commit()
		try:
			frappe.get_attr(self.method)()
			frappe.db.commit()
			self.log("Complete")
		except Exception:
			frappe.db.rollback()
			self.log("Failed", frappe.get_traceback())

	def log(self, status: str, details: str | None = None) -> None:
		if not (self.create_log or details):
			return
		frappe.get_doc(
			{
				"doctype": "Scheduled Job Log",
				"scheduled_job_type": self.name,
				"status": status,
				"details": details,
			}
		).insert(ignore_permissions=True)
		ScheduledJobLog.clear_old_logs(LOGS_KEPT_DAYS)
		frappe.db.commit()

	def on_trash(self) -> None:
		frappe.db.delete("Scheduled Job Log", {"scheduled_job_type": self.name})


def run_scheduled_job(job_type: str) -> None:
	frappe.get_doc("Scheduled Job Type", {"method": job_type}).execute()


def sync_jobs(hooks: dict | None = None) -> None:
	"""A record for every event of the hooks, none for others."""
	events = list(get_events(hooks or frappe.get_hooks("scheduler_events") or {}))
	for values in events:
		if not frappe.db.exists("Scheduled Job Type", values):
			frappe.delete_doc(
				"Scheduled Job Type",
				".".join(values["method"].split(".")[-2:]),
				force=True,
				ignore_missing=True,
			)
			frappe.get_doc({"doctype": "Scheduled Job Type", **values}).insert(ignore_permissions=True)
	methods = [values["method"] for values in events]
	for row in frappe.get_all("Scheduled Job Type", fields=["name", "method"], order_by="name asc"):
		if row.method not in methods:
			frappe.delete_doc("Scheduled Job Type", row.name, force=True)


def get_events(scheduler_events: dict) -> list[dict[str, str]]:
	events = []
	for name, methods in scheduler_events.items():
		if name == "cron":
			for cron, group in methods.items():
				events += [{"method": method, "frequency": "Cron", "cron_format": cron} for method in group]
		else:
			frequency = name.replace("_", " ").title()
			events += [{"method": method, "frequency": frequency} for method in methods]
	return events
