"""Shelf Note of the test app."""

from frappe.model.document import Document


class ShelfNote(Document):
	pass
