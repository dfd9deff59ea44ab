"""The base of recorded DocTypes, whose names are given by the code that writes them."""

import frappe
from frappe.model.document import Document


class NamedByCode(Document):
	"""A record whose DocType takes any name (autoname "prompt"): Frappe asks here only if none was given."""

	def autoname(self) -> None:
		self.name = frappe.generate_hash(length=16)
