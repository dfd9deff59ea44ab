"""Addresses of the own people, whose visits are not marketing's. Checked by the settings that hold it."""

from frappe.model.document import Document


class InternalIPRange(Document):
	pass
