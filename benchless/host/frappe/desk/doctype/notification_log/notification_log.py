"""Notification Log: what the desk shows under the bell. Here it is stored and read, and nobody is told by mail or socket."""

import frappe
from frappe.model.document import Document


class NotificationLog(Document):
	pass


def get_permission_query_conditions(for_user: str | None = None) -> str:
	"""Everybody sees their own."""
	user = for_user or frappe.session.user
	return "" if user == "Administrator" else f"`tabNotification Log`.for_user = {frappe.db.escape(user)}"
