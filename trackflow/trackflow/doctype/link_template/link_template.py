"""A pattern for links: `{variable}` in its address and texts is filled in from typed variables (LNK-5)."""

import frappe
from frappe import _
from frappe.model.document import Document

from trackflow.links import templates, templating
from trackflow.validation import stored_json


class LinkTemplate(Document):
	def validate(self) -> None:
		self.url_template = (self.url_template or "").strip()
		for row in self.variables:
			row.variable_name = (row.variable_name or "").strip()
			row.validation_rules = stored_json(row.validation_rules, "Validation Rules")
		texts = {field: self.get(field) for field in templates.TEXTS if self.get(field)}
		try:
			templating.check(texts, self.url_template, templates.variables_of(self))
		except templating.TemplateError as error:
			frappe.throw(_(str(error)))
