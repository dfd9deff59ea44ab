"""CRM Dropdown Item."""

from frappe.model.document import Document


class CRMDropdownItem(Document):
	pass
