"""Email Group: a list of addresses."""

from frappe.model.document import Document


class EmailGroup(Document):
	pass
