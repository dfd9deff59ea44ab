"""Where Frappe has its desk: plain lists at the desk's addresses, so that what links there leads to something."""

from urllib.parse import quote

import frappe
from frappe.utils import slug

no_cache = 1
MOST_ROWS = 50


def get_context(context: frappe._dict) -> None:
	if frappe.session.user == "Guest":
		lead_to(f"/login?redirect-to={quote(frappe.request.path)}")
	wanted, _separator, _rest = (frappe.form_dict.app_path or "").partition("/")
	if not wanted:
		lead_to("/index")
	names = frappe.get_all("DocType", {"istable": 0, "issingle": 0}, pluck="name", order_by="name")
	doctype = next((name for name in names if slug(name) == wanted), None)
	if not doctype:
		raise frappe.PageDoesNotExistError
	frappe.has_permission(doctype, "read", throw=True)
	shown = [field for field in frappe.get_meta(doctype).fields if field.in_list_view]
	context.doctype = context.title = doctype
	context.labels = [field.label for field in shown]
	context.fields = [field.fieldname for field in shown]
	context.rows = frappe.get_list(
		doctype, fields=["name", *context.fields], order_by="modified desc", limit_page_length=MOST_ROWS
	)


def lead_to(address: str) -> None:
	frappe.local.flags.redirect_location = address
	raise frappe.Redirect(302)
