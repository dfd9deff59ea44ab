"""Email Account: an address with the servers that it sends and receives by. Mail leaves by the configuration's server all the same."""

from frappe.model.document import Document


class EmailAccount(Document):
	pass
