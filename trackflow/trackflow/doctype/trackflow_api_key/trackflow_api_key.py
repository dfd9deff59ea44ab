"""A key for programs: acts as its user, within its scopes, from its addresses."""

from frappe.model.document import Document

from trackflow.validation import networks, stored_json


class TrackFlowAPIKey(Document):
	def validate(self) -> None:
		for row in self.scopes:
			row.permission_data = stored_json(row.permission_data, "Only")
		for row in self.ip_whitelist:
			(row.ip_address,) = networks([row.ip_address or ""], "Allowed Addresses")
