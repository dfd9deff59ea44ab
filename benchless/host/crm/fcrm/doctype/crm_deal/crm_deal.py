"""CRM Deal: primary contact, status log, closing date, and what a lost deal must say."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import nowdate

from crm.fcrm.status_log import add_status_change_log, get_type


class CRMDeal(Document):
	def validate(self) -> None:
		self.set_primary_contact()
		if self.has_value_changed("status"):
			add_status_change_log(self)
			if get_type(self.status) == "Won":
				self.closed_date = nowdate()
		self.probability = (
			self.probability or frappe.db.get_value("CRM Deal Status", self.status, "probability") or 0
		)
		self.validate_forecast()
		self.validate_lost_reason()
		# CRM asks a service for the rate; this one asks nobody and keeps what was given
		self.exchange_rate = self.exchange_rate or 1

	def set_primary_contact(self) -> None:
		"""The primary contact's addresses are the deal's; a single contact is the primary one."""
		contacts = self.contacts or []
		if len(contacts) == 1:
			contacts[0].is_primary = 1
		primary = [row for row in contacts if row.is_primary]
		if len(primary) > 1:
			frappe.throw(_("A deal has one primary contact"))
		for field in ("email", "mobile_no", "phone"):
			self.set(field, (primary[0].get(field) or "").strip() if primary else "")

	def validate_forecast(self) -> None:
		if not frappe.db.get_single_value("FCRM Settings", "enable_forecasting"):
			return
		if not self.expected_deal_value:
			frappe.throw(_("Say which value is expected"), frappe.MandatoryError)
		if not self.expected_closure_date:
			frappe.throw(_("Say when the deal is expected to close"), frappe.MandatoryError)

	def validate_lost_reason(self) -> None:
		if get_type(self.status) != "Lost":
			return
		if not self.lost_reason:
			frappe.throw(_("Say why the deal was lost"), frappe.ValidationError)
		if self.lost_reason == "Other" and not self.lost_notes:
			frappe.throw(_("Say in the notes why the deal was lost"), frappe.ValidationError)
