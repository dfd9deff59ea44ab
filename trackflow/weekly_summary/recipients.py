"""Who gets the summary: users by their address, and whoever has a role."""

import frappe
from frappe import _
from frappe.utils.user import get_users_with_role

from trackflow.validation import lines

# Roles that everybody has.
EVERYBODY = ("All", "Guest", "Desk User")


def checked(text: str | None) -> list[str]:
	"""The lines of a setting, each an enabled user's address or a role. Throws for one that is neither."""
	named = lines(text)
	known = set(_users(named)) | set(_roles(named))
	for one in named:
		if one not in known:
			frappe.throw(_("{0} is neither the address of an enabled user nor a role.").format(one))
	return named


def addresses(text: str | None) -> list[str]:
	"""The mail addresses of whom the setting names, of enabled users alone, each once."""
	named = lines(text)
	users = set(_users(named).values())
	for role in _roles(named):
		users.update(get_users_with_role(role))
	found = frappe.get_all("User", filters={"name": ("in", sorted(users)), "enabled": 1}, pluck="email")
	return sorted({address for address in found if address})


def _users(named: list[str]) -> dict[str, str]:
	"""Enabled users by the address that was written."""
	if not named:
		return {}
	rows = frappe.get_all("User", filters={"email": ("in", named), "enabled": 1}, fields=["name", "email"])
	by_address = {row.email.casefold(): row.name for row in rows}
	return {one: by_address[one.casefold()] for one in named if one.casefold() in by_address}


def _roles(named: list[str]) -> list[str]:
	if not named:
		return []
	found = frappe.get_all("Role", filters={"name": ("in", named), "disabled": 0}, pluck="name")
	return [role for role in found if role not in EVERYBODY]
