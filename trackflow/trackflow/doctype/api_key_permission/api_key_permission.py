"""One scope of an API key."""

from frappe.model.document import Document


class APIKeyPermission(Document):
	pass
