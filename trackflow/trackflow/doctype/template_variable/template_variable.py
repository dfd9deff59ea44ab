"""A variable of a Link Template: its type, default and rules."""

from frappe.model.document import Document


class TemplateVariable(Document):
	pass
