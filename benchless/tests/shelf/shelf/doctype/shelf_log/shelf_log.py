"""Shelf Log of the test app."""

from frappe.model.document import Document


class ShelfLog(Document):
	pass
