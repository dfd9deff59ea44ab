"""CRM Deal Status."""

from frappe.model.document import Document


class CRMDealStatus(Document):
	pass
