"""CRM Organization."""

from frappe.model.document import Document


class CRMOrganization(Document):
	def validate(self) -> None:
		self.exchange_rate = self.exchange_rate or 1
