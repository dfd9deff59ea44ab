"""An address or range from which an API key may be used."""

from frappe.model.document import Document


class APIKeyIPWhitelist(Document):
	pass
