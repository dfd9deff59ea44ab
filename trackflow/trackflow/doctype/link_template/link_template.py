"""A pattern for target URLs: `{variable}` in it is filled in from typed variables."""

import re

import frappe
from frappe import _
from frappe.model.document import Document

from trackflow.validation import stored_json

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class LinkTemplate(Document):
	def validate(self) -> None:
		self.url_template = (self.url_template or "").strip()
		names = [row.variable_name for row in self.variables]
		for row in self.variables:
			if not _NAME.fullmatch(row.variable_name or ""):
				frappe.throw(_("{0} is not a name: letters, digits and _ only.").format(row.variable_name))
			if names.count(row.variable_name) > 1:
				frappe.throw(_("Two variables are called {0}.").format(row.variable_name))
			row.validation_rules = stored_json(row.validation_rules, "Validation Rules")
		used = set(PLACEHOLDER.findall(self.url_template))
		if missing := used - set(names):
			frappe.throw(
				_("The URL names variables that are not listed: {0}.").format(", ".join(sorted(missing)))
			)
		if idle := set(names) - used:
			frappe.throw(_("Variables that the URL does not name: {0}.").format(", ".join(sorted(idle))))
