"""Email Unsubscribe: who gets no more mail, of one document or at all."""

from frappe.model.document import Document


class EmailUnsubscribe(Document):
	pass
