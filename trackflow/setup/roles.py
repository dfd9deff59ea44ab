"""Makes the roles that TrackFlow's permissions name."""

import frappe

from trackflow.constants.roles import ROLES


def ensure_roles() -> None:
	"""Create what is missing. Syncing a DocType makes the roles it names too, so usually nothing is."""
	for role in ROLES:
		if not frappe.db.exists("Role", role):
			frappe.get_doc({"doctype": "Role", "role_name": role, "desk_access": 1}).insert(
				ignore_permissions=True
			)
