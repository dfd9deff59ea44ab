"""What documents offer beside their life cycle: checks for controllers, comments, notices, values for the form."""

from typing import Any

import frappe
from frappe import _
from frappe.utils import compare, flt


class HelpersMixin:
	"""Part of `Document`."""

	def set_onload(self, key: str, value: Any) -> None:
		"""A value that travels with the document to the form."""
		if not self.get("__onload"):
			self.set("__onload", frappe._dict())
		self.get("__onload")[key] = value

	def get_onload(self, key: str | None = None) -> Any:
		onload = self.get("__onload") or frappe._dict()
		return onload.get(key) if key else onload

	def run_onload(self) -> None:
		self.set("__onload", frappe._dict())
		self.run_method("onload")

	def notify_update(self) -> None:
		if frappe.flags.in_patch or frappe.flags.in_install:
			return
		frappe.publish_realtime(
			"doc_update",
			{"modified": self.modified, "doctype": self.doctype, "name": self.name},
			doctype=self.doctype,
			docname=self.name,
			after_commit=True,
		)

	def get_title(self) -> str:
		return self.get(self.meta.get_title_field()) or ""

	def validate_value(
		self, fieldname: str, condition: str, val2: Any, doc: Any = None, raise_exception: Any = None
	) -> None:
		"""Raise unless a value compares as it should."""
		doc = doc or self
		df = doc.meta.get_field(fieldname)
		if compare(doc.get_value(fieldname), condition, doc.cast(val2, df)):
			return
		message = _("Incorrect value:") + f" {df.label} {_('must be')} {condition} {val2}"
		frappe.msgprint(message, raise_exception=raise_exception or True)

	def validate_table_has_rows(self, parentfield: str, raise_exception: Any = None) -> None:
		if not self.get(parentfield):
			frappe.throw(
				_("Table {0} cannot be empty").format(self.meta.get_label(parentfield)),
				raise_exception or frappe.EmptyTableError,
			)

	def round_floats_in(self, doc: Any, fieldnames: list[str] | None = None) -> None:
		numbers = ("Currency", "Float", "Percent")
		names = fieldnames or [df.fieldname for df in doc.meta.fields if df.fieldtype in numbers]
		for name in names:
			doc.set(name, flt(doc.get(name), self.precision(name, doc.get("parentfield"))))

	def get_url(self) -> str:
		return frappe.utils.get_absolute_url(self.doctype, self.name)

	@frappe.whitelist()
	def add_comment(
		self,
		comment_type: str = "Comment",
		text: str | None = None,
		comment_email: str | None = None,
		comment_by: str | None = None,
	) -> Any:
		return frappe.get_doc(
			doctype="Comment",
			comment_type=comment_type,
			comment_email=comment_email or frappe.session.user,
			comment_by=comment_by,
			reference_doctype=self.doctype,
			reference_name=self.name,
			content=text or comment_type,
		).insert(ignore_permissions=True)

	def log_error(self, title: str | None = None, message: str | None = None) -> Any:
		return frappe.log_error(
			message=message, title=title, reference_doctype=self.doctype, reference_name=self.name
		)

	def queue_action(self, action: str, **kwargs: Any) -> Any:
		return frappe.enqueue_doc(self.doctype, self.name, action, **kwargs)
