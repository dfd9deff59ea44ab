"""Contact Phone."""

from frappe.model.document import Document


class ContactPhone(Document):
	pass
