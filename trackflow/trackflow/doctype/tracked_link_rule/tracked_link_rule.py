"""A condition of a Tracked Link that sends those who fit elsewhere."""

from frappe.model.document import Document


class TrackedLinkRule(Document):
	pass
