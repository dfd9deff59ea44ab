"""Shelf Chapter of the test app."""

from frappe.model.document import Document


class ShelfChapter(Document):
	pass
