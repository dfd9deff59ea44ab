"""Email Queue: a mail on its way, a row for each recipient. A mail that fails is tried again, three times."""

import frappe
from frappe.email.smtp import session
from frappe.model.document import Document
from frappe.utils import cint

# Stands in the stored message for who gets it.
RECIPIENT = "<!--recipient-->"
RETRIES = 3


class EmailQueue(Document):
	@property
	def to(self) -> list[str]:
		return [row.recipient for row in self.recipients]

	def can_send_now(self) -> bool:
		return not frappe.are_emails_muted() and self.status in ("Not Sent", "Partially Sent")

	def send(self) -> None:
		"""Send it now, by the server of `mail_server`, one message for each recipient who has not got it. In tests it only goes
		out where `frappe.flags.testing_email` is set."""
		if not self.can_send_now():
			return
		self._update("Sending")
		try:
			self._deliver()
		except Exception:
			frappe.db.rollback()
			some = any(row.is_mail_sent() for row in self.recipients)
			again = "Partially Sent" if some else "Not Sent"
			is_last = self.retry >= RETRIES
			self._update(
				"Error" if is_last else again, retry=self.retry + (not is_last), error=frappe.get_traceback()
			)
			raise
		self._update("Sent")

	def _deliver(self) -> None:
		if frappe.flags.in_test and not frappe.flags.testing_email:
			frappe.flags.sent_mail = self.message.encode()
			return
		with session() as server:
			for row in self.recipients:
				if row.is_mail_sent():
					continue
				# As text: then smtplib sees to the ends of its lines.
				server.sendmail(self.sender, [row.recipient], self.message.replace(RECIPIENT, row.recipient))
				row.db_set("status", "Sent", update_modified=False)
				frappe.db.commit()

	def _update(self, status: str, **values: object) -> None:
		self.db_set({"status": status, **values})
		frappe.db.commit()

	def validate(self) -> None:
		self.retry = cint(self.retry)
