"""Users of tests, with all that a host makes for a user, gone again without a trace."""

from typing import Any

import frappe
from frappe.model.document import Document


def make_user(email: str, *roles: str, **values: Any) -> Document:
	"""A System User with these roles, anew even where an interrupted test left one."""
	remove_user(email)
	row = {"doctype": "User", "email": email, "first_name": "Contract", "user_type": "System User"}
	user = frappe.get_doc({**row, "send_welcome_email": 0, **values}).insert(ignore_permissions=True)
	user.add_roles(*roles)
	frappe.db.commit()
	return user


def remove_user(email: str) -> None:
	"""The user, and the contact that Frappe makes for every user."""
	frappe.set_user("Administrator")
	frappe.delete_doc("User", email, force=True, ignore_permissions=True)
	if frappe.db.exists("DocType", "Contact"):
		for name in frappe.get_all("Contact", {"email_id": email}, pluck="name"):
			frappe.delete_doc("Contact", name, force=True, ignore_permissions=True, delete_permanently=True)
	frappe.db.commit()
