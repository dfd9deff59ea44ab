"""Which column of a file says what, kept for the next file of its kind."""

import frappe
from frappe import _
from frappe.model.document import Document

from trackflow.costs import files


class CostImportMapping(Document):
	def validate(self) -> None:
		fields = [row.field for row in self.columns]
		if twice := next((field for field in fields if fields.count(field) > 1), None):
			frappe.throw(_("The field {0} is mapped twice.").format(twice))
		files.checked_columns(self.headers())

	def headers(self) -> dict[str, str]:
		"""Headers by field."""
		return {row.field: row.header for row in self.columns}
