"""Properties of DocTypes and fields, overridden for the site."""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document


class PropertySetter(Document):
	def autoname(self) -> None:
		about = self.field_name or self.row_name or "main"
		self.name = f"{self.doc_type}-{about}-{self.property}"

	def validate(self) -> None:
		self.validate_fieldtype_change()
		if self.is_new():
			delete_property_setter(self.doc_type, self.property, self.field_name, self.row_name)
		frappe.clear_cache(doctype=self.doc_type)

	def on_update(self) -> None:
		frappe.clear_cache(doctype=self.doc_type)

	def on_trash(self) -> None:
		frappe.clear_cache(doctype=self.doc_type)

	def after_delete(self) -> None:
		frappe.clear_cache(doctype=self.doc_type)

	def validate_fieldtype_change(self) -> None:
		if self.property == "fieldtype" and self.field_name == "naming_series":
			frappe.throw(_("Field type cannot be changed for {0}").format(self.field_name))


def make_property_setter(
	doctype: str,
	fieldname: str | None,
	property: str,
	value: Any,
	property_type: str,
	for_doctype: bool = False,
	validate_fields_for_doctype: bool = True,
) -> PropertySetter:
	"""Override a property, whoever is logged in."""
	setter = frappe.get_doc(
		doctype="Property Setter",
		doctype_or_field="DocType" if for_doctype else "DocField",
		doc_type=doctype,
		field_name=fieldname,
		property=property,
		value=value,
		property_type=property_type,
	)
	setter.flags.ignore_permissions = True
	setter.flags.validate_fields_for_doctype = validate_fields_for_doctype
	return setter.insert()


def delete_property_setter(
	doc_type: str, property: str, field_name: str | None = None, row_name: str | None = None
) -> None:
	filters = {"doc_type": doc_type, "property": property, "field_name": field_name, "row_name": row_name}
	frappe.db.delete("Property Setter", {key: value for key, value in filters.items() if value})
