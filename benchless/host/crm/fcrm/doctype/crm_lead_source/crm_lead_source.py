"""CRM Lead Source."""

from frappe.model.document import Document


class CRMLeadSource(Document):
	pass
