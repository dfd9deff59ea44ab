"""What of CRM is there, as plain lists: leads, deals, organizations."""

import frappe
from frappe import _

from crm.api import check_app_permission

no_cache = 1

LISTS = {
	"leads": ("CRM Lead", ["name", "lead_name", "email", "organization", "status", "modified"]),
	"deals": ("CRM Deal", ["name", "organization", "status", "deal_value", "currency", "modified"]),
	"organizations": ("CRM Organization", ["name", "website", "industry", "modified"]),
	"contacts": ("Contact", ["name", "email_id", "mobile_no", "modified"]),
}


def get_context(context: frappe._dict) -> frappe._dict:
	if not check_app_permission():
		frappe.throw(_("CRM is for sales users and managers"), frappe.PermissionError)
	view, _separator, name = (frappe.form_dict.app_path or "leads").partition("/")
	doctype, fields = LISTS.get(view, LISTS["leads"])
	context.lists = list(LISTS)
	context.view = view if view in LISTS else "leads"
	context.doctype, context.title = doctype, doctype
	context.document = frappe.get_doc(doctype, name).as_dict(no_nulls=True) if name else None
	if context.document:
		frappe.has_permission(doctype, "read", name, throw=True)
	context.fields = fields
	context.rows = frappe.get_list(doctype, fields=fields, order_by="modified desc", limit_page_length=50)
	return context
