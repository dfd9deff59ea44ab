"""The weekly summary (RPT-4), for whoever may read the settings that say who gets it."""

from typing import Any

import frappe

from trackflow.weekly_summary import layout, recipients, send


@frappe.whitelist(methods=["GET"])
def preview_weekly_summary() -> dict[str, Any]:
	"""The summary of the last full week as it would be sent now, and to whom. Sends nothing."""
	frappe.has_permission("TrackFlow Settings", "read", throw=True)
	made = send.build()
	named = frappe.db.get_single_value("TrackFlow Settings", "weekly_summary_recipients")
	return {
		"subject": made.subject,
		"html": layout.html(made),
		"text": layout.text(made),
		"recipients": recipients.addresses(named),
	}
