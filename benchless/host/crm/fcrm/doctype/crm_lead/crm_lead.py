"""CRM Lead: its name, its status log, and what becomes of it when it is converted."""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import validate_email_address

from crm.fcrm.status_log import add_status_change_log

# Not carried over to the deal: what identifies the lead, and what the deal has of its own.
NOT_CARRIED_OVER = frozenset(
	("name", "naming_series", "status", "status_change_log", "email", "mobile_no", "phone", "converted")
)
LAYOUT_FIELDTYPES = frozenset(("Tab Break", "Section Break", "Column Break", "HTML", "Button", "Attach"))
RENAMED = {"lead_owner": "deal_owner"}


class CRMLead(Document):
	def validate(self) -> None:
		self.set_lead_name()
		self.validate_email()
		if self.has_value_changed("status"):
			add_status_change_log(self)

	def set_lead_name(self) -> None:
		if self.first_name:
			self.lead_name = " ".join(filter(None, (self.first_name, self.middle_name, self.last_name)))
		if self.lead_name:
			return
		if not self.organization and not self.email and not self.flags.ignore_mandatory:
			frappe.throw(_("Give the lead a name, an organization or an e-mail address"))
		self.lead_name = self.organization or (self.email or "").split("@")[0] or "Lead without a name"

	def validate_email(self) -> None:
		if not self.email:
			return
		if not self.flags.ignore_email_validation:
			validate_email_address(self.email, throw=True)
		if self.email == self.lead_owner:
			frappe.throw(_("A lead cannot own itself: owner and e-mail address are the same"))

	def convert_to_deal(self, deal: dict | None = None) -> str:
		return convert_to_deal(lead=self.name, doc=self, deal=deal)

	def create_contact(self, existing_contact: str | None = None, throw: bool = True) -> str:
		contact = existing_contact or self.contact_exists(throw)
		if contact:
			known = frappe.get_doc("Contact", contact)
			self.db_set(
				{
					"first_name": known.first_name,
					"last_name": known.last_name,
					"email": known.email_id,
					"mobile_no": known.mobile_no,
				}
			)
			return contact
		new = frappe.new_doc("Contact")
		new.update(
			{
				"first_name": self.first_name or self.lead_name,
				"last_name": self.last_name,
				"designation": self.job_title,
				"company_name": self.organization,
			}
		)
		if self.email:
			new.append("email_ids", {"email_id": self.email, "is_primary": 1})
		if self.phone:
			new.append("phone_nos", {"phone": self.phone, "is_primary_phone": 1})
		if self.mobile_no:
			new.append("phone_nos", {"phone": self.mobile_no, "is_primary_mobile_no": 1})
		return new.insert(ignore_permissions=True).name

	def contact_exists(self, throw: bool = True) -> str | None:
		"""The contact that has the lead's e-mail address, else its phone, else its mobile number."""
		for doctype, field, value in (
			("Contact Email", "email_id", self.email),
			("Contact Phone", "phone", self.phone),
			("Contact Phone", "phone", self.mobile_no),
		):
			contact = frappe.db.get_value(doctype, {field: value}, "parent") if value else None
			if contact and throw:
				frappe.throw(_("There is a contact with {0}").format(value), title=_("Known contact"))
			if contact:
				return contact
		return None

	def create_organization(self, existing_organization: str | None = None) -> str | None:
		if not self.organization and not existing_organization:
			return None
		known = existing_organization or frappe.db.exists(
			"CRM Organization", {"organization_name": self.organization}
		)
		if known:
			self.db_set("organization", known)
			return known
		new = frappe.new_doc("CRM Organization")
		new.organization_name = self.organization
		for field in ("website", "territory", "industry", "annual_revenue"):
			new.set(field, self.get(field))
		return new.insert(ignore_permissions=True).name

	def create_deal(self, contact: str, organization: str | None, deal: dict[str, Any] | None = None) -> str:
		"""A deal with every field that both have under one name, custom fields included."""
		new = frappe.new_doc("CRM Deal")
		for field in self.meta.fields:
			if field.fieldtype in LAYOUT_FIELDTYPES or field.fieldname in NOT_CARRIED_OVER:
				continue
			target = RENAMED.get(field.fieldname, field.fieldname)
			if new.meta.has_field(target):
				new.set(target, self.get(field.fieldname))
		new.update({"organization": organization, "lead": self.name, "contacts": [{"contact": contact}]})
		new.update(deal or {})
		return new.insert(ignore_permissions=True).name


@frappe.whitelist()
def convert_to_deal(
	lead: str,
	doc: Document | None = None,
	deal: dict | None = None,
	existing_contact: str | None = None,
	existing_organization: str | None = None,
) -> str:
	"""Make contact, organization and deal of a lead; answers the deal's name."""
	trusted = isinstance(doc, Document) and doc.flags.get("ignore_permissions")
	if not trusted and not frappe.has_permission("CRM Lead", "write", lead):
		frappe.throw(_("Converting this lead needs the right to change it"), frappe.PermissionError)

	document = frappe.get_doc("CRM Lead", lead)
	if frappe.db.exists("CRM Lead Status", "Qualified"):
		document.db_set("status", "Qualified")
	document.db_set("converted", 1)
	contact = document.create_contact(existing_contact, throw=False)
	organization = document.create_organization(existing_organization)
	return document.create_deal(contact, organization, deal)
