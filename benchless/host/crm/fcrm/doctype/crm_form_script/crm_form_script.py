"""CRM Form Script."""

from frappe.model.document import Document


class CRMFormScript(Document):
	pass
