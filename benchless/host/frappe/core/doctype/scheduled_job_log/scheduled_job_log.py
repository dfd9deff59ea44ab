"""Scheduled Job Log: when a scheduled job ran, and what went wrong."""

import frappe
from frappe.model.document import Document
from frappe.utils import add_days, now_datetime


class ScheduledJobLog(Document):
	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		frappe.db.delete("Scheduled Job Log", {"creation": ("<", add_days(now_datetime(), -days))})
