"""Contact, which Frappe itself has in its module Contacts: a person with addresses and numbers."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.model.naming import append_number_if_name_exists


class Contact(Document):
	def autoname(self) -> None:
		self.name = self.make_full_name()
		if frappe.db.exists("Contact", self.name):
			self.name = append_number_if_name_exists("Contact", self.name)

	def validate(self) -> None:
		self.full_name = self.make_full_name()
		self.email_id = self.get_primary("email_ids", "is_primary", "email_id")
		self.phone = self.get_primary("phone_nos", "is_primary_phone", "phone")
		self.mobile_no = self.get_primary("phone_nos", "is_primary_mobile_no", "phone")
		if self.email_id and not self.user:
			self.user = frappe.db.get_value("User", {"email": self.email_id})

	def make_full_name(self) -> str:
		names = " ".join(filter(None, (self.first_name, self.middle_name, self.last_name)))
		return (
			names
			or (self.email_ids[0].email_id if self.email_ids else "")
			or self.company_name
			or _("Unknown")
		)

	def get_primary(self, table: str, mark: str, field: str) -> str:
		"""The value of the row marked as primary; a single address needs no mark."""
		rows = self.get(table) or []
		if table == "email_ids" and len(rows) == 1:
			rows[0].set(mark, 1)
		marked = [row for row in rows if row.get(mark)]
		if len(marked) > 1:
			frappe.throw(_("{0}: one row at most is the primary one").format(self.meta.get_label(table)))
		return marked[0].get(field).strip() if marked else ""
