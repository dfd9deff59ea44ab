"""One form submission on its way to an outside CRM."""

import frappe
from frappe.utils import now_datetime

from trackflow.privacy.reads import ReadLogged
from trackflow.setup.indexes import add_indexes
from trackflow.sync import claims, options, run
from trackflow.validation import listed_names

INDEXES = {
	"idx_crm_sync_log_status": ("status", "due_at"),
	"idx_crm_sync_log_visitor": ("visitor",),
	"idx_crm_sync_log_event": ("visitor_event",),
	"idx_crm_sync_log_email": ("email",),
}


class CRMSyncLog(ReadLogged):
	pass


@frappe.whitelist(methods=["POST"])
def retry(names: str | list[str]) -> int:
	"""Begin with forms anew, as whoever may delete them may; answers how many. What a worker is at is left to it."""
	frappe.has_permission("CRM Sync Log", "delete", throw=True)
	number = claims.try_again(listed_names(names, "names"), now_datetime())
	if number and options.read().is_on:
		run.queue_job()
	return number


def on_doctype_update() -> None:
	add_indexes("CRM Sync Log", INDEXES)
