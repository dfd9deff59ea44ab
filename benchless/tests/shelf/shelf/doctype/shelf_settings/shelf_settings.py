"""Shelf Settings of the test app."""

from frappe.model.document import Document


class ShelfSettings(Document):
	pass
