"""Shelf Loan of the test app."""

from frappe.model.document import Document


class ShelfLoan(Document):
	pass
