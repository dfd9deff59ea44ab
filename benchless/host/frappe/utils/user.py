"""The current user as an object, and small helpers about users."""

from typing import Any

import frappe


class UserPermissions:
	"""What `frappe.get_user()` returns."""

	def __init__(self, name: str = "") -> None:
		self.name = name or frappe.session.user
		self.roles: list[str] = []

	def get_roles(self) -> list[str]:
		self.roles = self.roles or frappe.get_roles(self.name)
		return self.roles

	def has_role(self, role: str) -> bool:
		return role in self.get_roles()

	def get_can_read(self) -> list[str]:
		names = frappe.get_all("DocType", {"istable": 0}, pluck="name", order_by="name asc")
		return [name for name in names if frappe.has_permission(name, "read", user=self.name)]


def get_user_fullname(user: str) -> str:
	return frappe.utils.get_fullname(user)


def is_website_user(username: str | None = None) -> bool:
	return frappe.db.get_value("User", username or frappe.session.user, "user_type") == "Website User"


def is_system_user(username: str | None = None) -> Any:
	return frappe.db.get_value(
		"User",
		{"email": username or frappe.session.user, "enabled": 1, "user_type": "System User"},
	)


def get_users_with_role(role: str) -> list[str]:
	"""Enabled users that have a role."""
	user, row = frappe.qb.DocType("User"), frappe.qb.DocType("Has Role")
	return (
		frappe.qb.from_(row)
		.join(user)
		.on(user.name == row.parent)
		.where((row.role == role) & (row.parenttype == "User") & (user.enabled == 1))
		.where(user.name != "Administrator")
		.select(user.name)
		.distinct()
		.run(pluck=True)
	)
