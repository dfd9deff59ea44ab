"""CRM Status Change Log."""

from frappe.model.document import Document


class CRMStatusChangeLog(Document):
	pass
