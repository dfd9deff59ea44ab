"""A report of an app: whom it is for, and the module that makes it. Standard Script Reports alone."""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document


class Report(Document):
	def validate(self) -> None:
		if self.is_standard != "Yes" or self.report_type != "Script Report":
			frappe.throw(_("benchless runs standard Script Reports only"), NotImplementedError)

	def is_permitted(self) -> bool:
		"""Whether the user has one of the report's roles; a report without any is for everybody."""
		roles = {row.role for row in self.roles}
		return not roles or bool(roles & set(frappe.get_roles()))

	def execute_script_report(self, filters: dict[str, Any] | None) -> Any:
		scrubbed = frappe.scrub(self.name)
		module = frappe.scrub(self.module)
		path = f"{frappe.local.module_app[module]}.{module}.report.{scrubbed}.{scrubbed}.execute"
		return frappe.get_attr(path)(frappe._dict(filters or {}))
