"""The entries that stand below "Call Logs" in CRM's sidebar: the one table of where they lead, which is into the app."""

from dataclasses import dataclass

import frappe
from frappe import _

from trackflow.permissions import has_app_permission


@dataclass(frozen=True, slots=True)
class Entry:
	"""A label in the user's language, a path on this site, and the path of a picture of 16 by 16."""

	label: str
	href: str
	icon: str


def entries() -> list[Entry]:
	"""What the user gets to see: nothing unless links are theirs to read, then what leads to something they may read."""
	if not has_app_permission():
		return []
	table = (
		(_("Campaigns"), "Link Campaign", "/trackflow/campaigns", "M3.5 14V2.5h9l-2 3 2 3h-9"),
		(
			_("Tracked Links"),
			"Tracked Link",
			"/trackflow/links",
			"M6.5 9.5l3-3M7.5 4.5l1.1-1.1a2.8 2.8 0 0 1 4 4L11.5 8.5M8.5 11.5l-1.1 1.1a2.8 2.8 0 0 1-4-4L4.5 7.5",
		),
		(_("Click Analytics"), "Click Event", "/trackflow", "M2.5 13.5h11M4.5 11V8.5M8 11V3.5M11.5 11V6"),
	)
	return [
		Entry(label, href, icon)
		for label, doctype, href, icon in table
		if frappe.has_permission(doctype, "read")
	]
