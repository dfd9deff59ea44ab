"""A header that a domain sends along with its redirects."""

from frappe.model.document import Document


class DomainHeaderConfiguration(Document):
	pass
