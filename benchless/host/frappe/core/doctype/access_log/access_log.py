"""Who read or took out which data."""

from typing import Any

import frappe
from frappe.model.document import Document
from frappe.utils import cstr


class AccessLog(Document):
	pass


@frappe.whitelist()
def make_access_log(
	doctype: str | None = None,
	document: str | None = None,
	method: str | None = None,
	file_type: str | None = None,
	report_name: str | None = None,
	filters: Any = None,
	page: str | None = None,
	columns: str | None = None,
) -> None:
	"""A row about the request's user, kept even where the request only reads."""
	if frappe.flags.read_only:
		return
	frappe.get_doc(
		{
			"doctype": "Access Log",
			"user": frappe.session.user,
			"export_from": doctype,
			"reference_document": document,
			"method": method,
			"file_type": file_type,
			"report_name": report_name,
			"filters": cstr(filters) or None,
			"page": page,
			"columns": columns,
		}
	).db_insert()
	if frappe.request and frappe.request.method == "GET":
		frappe.db.commit()
