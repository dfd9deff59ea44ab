"""DocTypes themselves: saving one brings its table, its roles and its indexes up to date."""

import re
from typing import Any

import frappe
from frappe import _
from frappe.model import no_value_fields, table_fields
from frappe.model.document import Document

NAME_PATTERN = re.compile(r"^[^\W\d_][\w \-]*$")
RESERVED = ("name", "parent", "creation", "modified", "modified_by", "parentfield", "parenttype", "docstatus")


class DocType(Document):
	def validate(self) -> None:
		if not NAME_PATTERN.match(self.name or ""):
			frappe.throw(_("DocType's name should start with a letter"), frappe.NameError)
		for idx, df in enumerate(self.fields, 1):
			df.idx = idx
			if not df.fieldname and df.fieldtype not in ("Section Break", "Column Break", "Tab Break"):
				df.fieldname = frappe.scrub(df.label or "")
			elif not df.fieldname:
				df.fieldname = f"{frappe.scrub(df.fieldtype)}_{idx}"
		validate_fields(self)

	def on_update(self) -> None:
		from frappe.model.meta import Meta

		meta = Meta(self)
		frappe.db.updatedb(self.name, meta)
		self.make_roles()
		if not self.custom:
			self.run_module_method("on_doctype_update")
			if self.flags.in_insert:
				self.run_module_method("after_doctype_insert")
		frappe.clear_cache(doctype=self.name)

	def make_roles(self) -> None:
		"""Roles that the permissions name exist."""
		if frappe.flags.in_install_db:
			return
		for role in sorted({row.role for row in self.permissions if row.role}):
			if not frappe.db.exists("Role", role):
				frappe.get_doc(doctype="Role", role_name=role, desk_access=1).insert(ignore_permissions=True)

	def run_module_method(self, method: str) -> None:
		"""Call a function of the DocType's module, `on_doctype_update` above all."""
		from frappe.modules import load_doctype_module

		try:
			module = load_doctype_module(self.name, self.module)
		except ModuleNotFoundError:
			if frappe.local.module_app.get(frappe.scrub(self.module)) != "frappe":
				raise
			return
		if hasattr(module, method):
			getattr(module, method)()

	def on_trash(self) -> None:
		frappe.db.delete("Custom Field", {"dt": self.name})
		frappe.db.delete("Property Setter", {"doc_type": self.name})

	def after_delete(self) -> None:
		frappe.clear_cache(doctype=self.name)
		if self.custom and not self.issingle:
			frappe.db.drop_table(self.name)


def validate_fields(meta: Any) -> None:
	"""Refuse fields that cannot work."""
	seen: set[str] = set()
	for df in meta.fields:
		if df.fieldtype in no_value_fields and df.fieldtype not in table_fields:
			continue
		if df.fieldname in RESERVED:
			frappe.throw(_("Fieldname {0} is restricted").format(df.fieldname))
		if df.fieldname in seen:
			frappe.throw(_("Fieldname {0} appears multiple times").format(df.fieldname))
		seen.add(df.fieldname)
		if df.fieldtype in ("Link", *table_fields) and not df.options:
			frappe.throw(_("Options required for Link or Table type field {0}").format(df.label))


def validate_fields_for_doctype(doctype: str) -> None:
	validate_fields(frappe.get_meta(doctype, cached=False))
