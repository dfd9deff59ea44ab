"""Shelf Author of the test app."""

from frappe.model.document import Document


class ShelfAuthor(Document):
	pass
