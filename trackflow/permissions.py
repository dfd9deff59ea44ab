"""Who finds TrackFlow on the site: on the app switcher, and in other apps' screens. What they may do there is their roles'."""

import frappe


def has_app_permission() -> bool:
	"""Whether the user works with links; asked by Frappe for its app switcher."""
	return bool(frappe.has_permission("Tracked Link", "read"))
