"""Questions about DocTypes that are answered often."""

import frappe


def is_virtual_doctype(doctype: str) -> bool:
	"""Virtual DocTypes are not part of this host."""
	return False


def is_single_doctype(doctype: str) -> bool:
	from frappe.model.base_document import DOCTYPES_FOR_DOCTYPE

	return doctype not in DOCTYPES_FOR_DOCTYPE and bool(frappe.db.get_value("DocType", doctype, "issingle"))
