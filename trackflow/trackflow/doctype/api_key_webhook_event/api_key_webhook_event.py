"""An event that is delivered to an address of the key's owner."""

from frappe.model.document import Document


class APIKeyWebhookEvent(Document):
	pass
