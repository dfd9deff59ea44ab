"""Errors that were logged; old ones are cleared by `clear_old_logs`."""

import frappe
from frappe.model.document import Document
from frappe.query_builder import DocType
from frappe.utils import add_days, now_datetime


class ErrorLog(Document):
	@staticmethod
	def clear_old_logs(days: int = 30) -> None:
		table = DocType("Error Log")
		frappe.db.delete(table, filters=(table.modified < add_days(now_datetime(), -days)))
