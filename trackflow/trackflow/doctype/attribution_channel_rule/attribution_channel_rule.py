"""A rule of an Attribution Model that renames and weighs the channel of the touches that fit."""

from frappe.model.document import Document


class AttributionChannelRule(Document):
	pass
