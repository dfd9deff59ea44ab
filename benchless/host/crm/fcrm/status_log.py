"""The log that a lead and a deal keep of their own statuses."""

import frappe
from frappe.model.document import Document
from frappe.utils import now_datetime, time_diff_in_seconds


def add_status_change_log(doc: Document) -> None:
	"""Close the last entry with the new status and open one for it."""
	now, user = now_datetime(), frappe.session.user
	kind = get_type(doc.status)
	before = doc.get_doc_before_save()
	if before and before.status and not doc.status_change_log:
		open_entry(doc, before.status, get_type(before.status), now)
	if before and doc.status_change_log:
		last = doc.status_change_log[-1]
		last.update({"to": doc.status, "to_type": kind, "to_date": now, "log_owner": user})
		last.duration = time_diff_in_seconds(now, last.from_date)
	open_entry(doc, doc.status, kind, now)


def open_entry(doc: Document, status: str, kind: str, now: object) -> None:
	doc.append(
		"status_change_log",
		{"from": status, "from_type": kind, "from_date": now, "log_owner": frappe.session.user},
	)


def get_type(status: str | None) -> str:
	return (frappe.db.get_value("CRM Deal Status", status, "type") if status else None) or ""
