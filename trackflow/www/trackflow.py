"""The address that the app switcher knows. It leads where the first entry of TrackFlow leads; guests log in first."""

from typing import NoReturn

import frappe
from frappe import _

from trackflow.integrations.crm_ui.entries import entries

no_cache = 1


def get_context(context: frappe._dict) -> NoReturn:
	if frappe.session.user == "Guest":
		_lead_to("/login?redirect-to=/trackflow")
	if not (found := entries()):
		frappe.throw(_("You do not have permission to use TrackFlow."), frappe.PermissionError)
	_lead_to(found[0].href)


def _lead_to(address: str) -> NoReturn:
	frappe.local.flags.redirect_location = address
	# Not for good, as Frappe has it by default: browsers would never ask again.
	raise frappe.Redirect(302)
