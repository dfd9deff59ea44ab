"""Email Group Member: an address on a list."""

from frappe.model.document import Document


class EmailGroupMember(Document):
	pass
