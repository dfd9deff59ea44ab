"""The app (UI-1), at /trackflow and at every address below, which it reads by itself. Guests log in first and come back to where
they wanted to go; who has no business here gets Frappe's page that says so."""

from urllib.parse import quote

import frappe
from frappe import _

from trackflow.app_page.boot import boot
from trackflow.app_page.manifest import COMMANDS, find_assets
from trackflow.inert import json_text
from trackflow.permissions import has_app_permission

no_cache = 1


def get_context(context: frappe._dict) -> frappe._dict:
	if frappe.session.user == "Guest":
		wanted = frappe.request.full_path.rstrip("?")
		frappe.local.flags.redirect_location = f"/login?redirect-to={quote(wanted)}"
		# Not for good, as Frappe has it by default: browsers would never ask again.
		raise frappe.Redirect(302)
	if not has_app_permission():
		frappe.throw(_("You do not have permission to use TrackFlow."), frappe.PermissionError)
	context.assets = find_assets()
	context.commands = COMMANDS
	context.boot = json_text(boot())
	context.language = frappe.utils.escape_html(frappe.local.lang or "en")
	return context
