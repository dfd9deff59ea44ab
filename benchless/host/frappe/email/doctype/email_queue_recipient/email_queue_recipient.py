"""Email Queue Recipient: somebody whom a mail goes to."""

from frappe.model.document import Document


class EmailQueueRecipient(Document):
	def is_mail_sent(self) -> bool:
		return self.status == "Sent"
