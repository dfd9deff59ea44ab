"""Fields that an app (or a user) adds to another app's DocType."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cstr, random_string

BREAKS = ("Section Break", "Column Break", "Tab Break")
RESTRICTED = (
	"name",
	"parent",
	"creation",
	"modified",
	"modified_by",
	"parentfield",
	"parenttype",
	"file_list",
	"flags",
	"docstatus",
)


class CustomField(Document):
	def autoname(self) -> None:
		self.set_fieldname()
		self.name = f"{self.dt}-{self.fieldname}"

	def before_insert(self) -> None:
		self.set_fieldname()

	def set_fieldname(self) -> None:
		if not self.fieldname:
			label = self.label
			if not label and self.fieldtype in BREAKS:
				label = f"{self.fieldtype}_{random_string(5)}"
			elif not label:
				frappe.throw(_("Label is mandatory"))
			letters = cstr(label).replace(" ", "_")
			self.fieldname = "custom_" + "".join(c for c in letters if c.isalnum() or c == "_")
		self.fieldname = self.fieldname.lower()
		if self.fieldname in RESTRICTED:
			self.fieldname += "1"

	def validate(self) -> None:
		if self.is_new() or self.insert_after == "append":
			names = [df.fieldname for df in frappe.get_meta(self.dt, cached=False).fields]
			if self.is_new() and self.fieldname in names:
				frappe.throw(
					_("A field with the name {0} already exists in {1}").format(
						frappe.bold(self.fieldname), self.dt
					)
				)
			if self.insert_after == "append":
				self.insert_after = names[-1]
			if self.insert_after in names:
				self.idx = names.index(self.insert_after) + 1
		if not self.fieldname:
			frappe.throw(_("Fieldname not set for Custom Field"))

	def on_update(self) -> None:
		if not frappe.flags.in_create_custom_fields:
			frappe.clear_cache(doctype=self.dt)
			frappe.db.updatedb(self.dt)

	def on_trash(self) -> None:
		if self.owner == "Administrator" and frappe.session.user != "Administrator":
			frappe.throw(
				_("Custom Field {0} is created by the Administrator and can only be deleted by them.").format(
					frappe.bold(self.label)
				)
			)
		frappe.db.delete("Property Setter", {"doc_type": self.dt, "field_name": self.fieldname})

	def after_delete(self) -> None:
		frappe.clear_cache(doctype=self.dt)


def create_custom_field(
	doctype: str, df: dict, ignore_validate: bool = False, is_system_generated: bool = True
) -> CustomField | None:
	"""Add a field unless one of that name was added before."""
	df = frappe._dict(df)
	if not df.fieldname and df.label:
		df.fieldname = frappe.scrub(df.label)
	if frappe.db.get_value("Custom Field", {"dt": doctype, "fieldname": df.fieldname}):
		return None
	field = frappe.get_doc(
		doctype="Custom Field",
		dt=doctype,
		permlevel=0,
		fieldtype="Data",
		hidden=0,
		is_system_generated=int(is_system_generated),
	)
	field.update(df)
	field.flags.ignore_validate = ignore_validate
	return field.insert()


def create_custom_fields(custom_fields: dict, ignore_validate: bool = False, update: bool = True) -> None:
	"""Add fields, or bring them up to date: {"DocType" or ("DocType", …): [field, …]}."""
	changed: dict[str, None] = {}
	frappe.flags.in_create_custom_fields = True
	try:
		for doctypes, fields in custom_fields.items():
			for doctype in (doctypes,) if isinstance(doctypes, str) else doctypes:
				changed[doctype] = None
				for df in [fields] if isinstance(fields, dict) else fields:
					_create_or_update(doctype, df, ignore_validate, update)
		for doctype in changed:
			frappe.clear_cache(doctype=doctype)
			frappe.db.updatedb(doctype)
	finally:
		frappe.flags.in_create_custom_fields = False


def _create_or_update(doctype: str, df: dict, ignore_validate: bool, update: bool) -> None:
	name = frappe.db.get_value("Custom Field", {"dt": doctype, "fieldname": df["fieldname"]})
	if not name:
		create_custom_field(doctype, {**df, "owner": "Administrator"}, ignore_validate=ignore_validate)
	elif update:
		field = frappe.get_doc("Custom Field", name)
		field.flags.ignore_validate = ignore_validate
		field.update(df)
		field.save()
