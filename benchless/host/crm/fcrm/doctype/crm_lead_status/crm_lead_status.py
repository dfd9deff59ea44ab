"""CRM Lead Status."""

from frappe.model.document import Document


class CRMLeadStatus(Document):
	pass
