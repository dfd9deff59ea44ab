"""The scheduler's job for mail: sends what waits in the Email Queue, where a server is named."""

import frappe
from frappe.utils import cint, now_datetime

AT_ONCE = 500


def flush() -> None:
	"""Send what is due; a mail that fails is logged, and does not hold up the others."""
	if frappe.are_emails_muted() or not frappe.conf.mail_server:
		return
	for name in get_queue():
		try:
			frappe.get_doc("Email Queue", name).send()
		except Exception:
			frappe.log_error(title=f"Email Queue {name}")
			frappe.db.commit()


def get_queue() -> list[str]:
	return frappe.get_all(
		"Email Queue",
		filters={"status": ("in", ("Not Sent", "Partially Sent"))},
		or_filters=[["send_after", "is", "not set"], ["send_after", "<=", now_datetime()]],
		pluck="name",
		order_by="priority desc, retry, creation",
		limit=cint(frappe.conf.email_queue_batch_size) or AT_ONCE,
	)
