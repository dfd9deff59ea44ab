"""CRM Territory."""

from frappe.model.document import Document


class CRMTerritory(Document):
	pass
