"""CRM Fields Layout."""

from frappe.model.document import Document


class CRMFieldsLayout(Document):
	pass
