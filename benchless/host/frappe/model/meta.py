"""Metadata of DocTypes: fields (custom ones included), properties (setters applied) and permissions.

Kept in the cache by DocType; `frappe.clear_cache(doctype=…)` makes it anew.
"""

import json
from functools import lru_cache
from typing import Any

import frappe
from frappe.model import (
	child_table_fields,
	data_fieldtypes,
	default_fields,
	no_value_fields,
	table_fields,
)
from frappe.model.base_document import DOCTYPE_TABLE_FIELDS, DOCTYPES_FOR_DOCTYPE, BaseDocument
from frappe.model.document import Document
from frappe.utils import cast, cint, cstr

STANDARD_LABELS = {
	"name": "ID",
	"creation": "Created On",
	"docstatus": "Document Status",
	"idx": "Index",
	"modified": "Last Updated On",
	"modified_by": "Last Updated By",
	"owner": "Created By",
	"parent": "Parent",
	"parentfield": "Parent Field",
	"parenttype": "Parent Type",
}
STANDARD_FIELDS = {
	"name": "Data",
	"owner": "Link",
	"modified_by": "Link",
	"creation": "Datetime",
	"modified": "Datetime",
	"docstatus": "Int",
	"idx": "Int",
}


def get_meta(doctype: str, cached: bool = True) -> "Meta":
	if cached and (meta := frappe.cache.hget("doctype_meta", doctype)):
		return meta
	meta = Meta(doctype)
	frappe.cache.hset("doctype_meta", meta.name, meta)
	return meta


def get_table_columns(doctype: str) -> list[str]:
	return frappe.db.get_table_columns(doctype)


def is_single(doctype: str) -> bool:
	return bool(frappe.get_meta(doctype).issingle)


def get_default_df(fieldname: str) -> Any:
	"""A field for a standard column."""
	if fieldname in STANDARD_FIELDS:
		return frappe._dict(
			fieldname=fieldname, fieldtype=STANDARD_FIELDS[fieldname], label=STANDARD_LABELS[fieldname]
		)
	return None


def _core_json(doctype: str) -> dict:
	name = frappe.scrub(doctype)
	return frappe.get_file_json(frappe.get_app_path("frappe", "core", "doctype", name, f"{name}.json"))


@lru_cache(maxsize=8)
def _columns_of(doctype: str) -> tuple[str, ...]:
	fields = [df["fieldname"] for df in _core_json(doctype)["fields"] if df["fieldtype"] in data_fieldtypes]
	return (*fields, *child_table_fields)


def load_doctype_from_file(doctype: str) -> dict:
	"""A core DocType as its JSON says, for use before its tables exist."""
	found = dict.fromkeys(_columns_of("DocType")) | _core_json(doctype)

	def rows(kind: str, values: list[dict]) -> list[BaseDocument]:
		empty = dict.fromkeys(_columns_of(kind))
		common = {"doctype": kind, "parent": doctype, "permlevel": 0}
		return [BaseDocument({**empty, **common, **value}) for value in values]

	found["fields"] = rows("DocField", found["fields"])
	found["permissions"] = rows("DocPerm", found.get("permissions", []))
	found.update(actions=[], links=[], states=[], field_order=None)
	return found


class Meta(Document):
	_metaclass = True
	special_doctypes = DOCTYPES_FOR_DOCTYPE | {"Module Def"}

	def __init__(self, doctype: Any) -> None:
		if isinstance(doctype, Document):
			super().__init__(doctype.as_dict())
		else:
			super().__init__("DocType", doctype)
		self.process()

	def load_from_db(self) -> Document:
		if self.name in DOCTYPES_FOR_DOCTYPE:
			self.__dict__.update(load_doctype_from_file(self.name))
			self._table_fieldnames = {df.fieldname for df in DOCTYPE_TABLE_FIELDS}
			return self
		return super().load_from_db()

	def process(self) -> None:
		if self.name not in self.special_doctypes:
			self.add_custom_fields()
			self.apply_property_setters()
		self._fields = {df.fieldname: df for df in self.fields}
		if self.name not in self.special_doctypes:
			self.sort_fields()
			self.set_custom_permissions()
		self._table_fields = (
			list(DOCTYPE_TABLE_FIELDS)
			if self.name == "DocType"
			else [df for df in self.fields if df.fieldtype in table_fields]
		)

	# what was customised

	def add_custom_fields(self) -> None:
		if not frappe.db.table_exists("Custom Field"):
			return
		for row in frappe.db.get_values(
			"Custom Field",
			{"dt": self.name},
			"*",
			as_dict=True,
			order_by="idx asc",
			update={"is_custom_field": 1},
		):
			self.append("fields", row)

	def apply_property_setters(self) -> None:
		if not frappe.db.table_exists("Property Setter"):
			return
		for setter in frappe.db.get_values("Property Setter", {"doc_type": self.name}, "*", as_dict=True):
			value = cast(setter.property_type, setter.value)
			if setter.doctype_or_field == "DocType":
				self.set(setter.property, value)
			else:
				for df in self.fields:
					if df.fieldname == setter.field_name:
						df.set(setter.property, value)

	def sort_fields(self) -> None:
		"""Custom fields stand after the field that they name, or as `field_order` says."""
		order = [df.fieldname for df in self.fields if not df.get("is_custom_field")]
		waiting = [df for df in self.fields if df.get("is_custom_field")]
		while waiting:
			placed = [df for df in waiting if not df.insert_after or df.insert_after in order]
			# what stands after an unknown field comes last
			for df in placed or waiting:
				at = order.index(df.insert_after) + 1 if df.insert_after in order else None
				while at is not None and at < len(order) and self._follows(order[at], df.insert_after):
					at += 1
				if df.insert_after:
					order.insert(len(order) if at is None else at, df.fieldname)
				else:
					order.insert(0, df.fieldname)
			waiting = [df for df in waiting if df.fieldname not in order]
		if wanted := [name for name in json.loads(self.get("field_order") or "[]") if name in self._fields]:
			order = wanted + [name for name in order if name not in wanted]
		self.fields = [self._fields[name] for name in order]
		for idx, df in enumerate(self.fields, 1):
			df.idx = idx

	def _follows(self, fieldname: str, after: str) -> bool:
		df = self._fields[fieldname]
		return bool(df.get("is_custom_field")) and df.get("insert_after") == after

	def set_custom_permissions(self) -> None:
		if frappe.flags.in_install_db or self.istable or not frappe.db.table_exists("Custom DocPerm"):
			return
		rows = frappe.db.get_values("Custom DocPerm", {"parent": self.name}, "*", as_dict=True)
		if rows:
			self.permissions = [BaseDocument({**row, "doctype": "Custom DocPerm"}) for row in rows]

	# fields

	def as_dict(self, no_nulls: bool = False, **kwargs: Any) -> dict:
		def serialise(doc: BaseDocument) -> dict:
			out = {}
			for key, value in doc.__dict__.items():
				if key.startswith("_") and key != "__islocal":
					continue
				if isinstance(value, list):
					value = [serialise(row) for row in value if isinstance(row, BaseDocument)]
				if value is None and no_nulls:
					continue
				if not isinstance(value, dict | set):
					out[key] = value
			return out

		return frappe._dict(serialise(self))

	def get_field(self, fieldname: str) -> Any:
		return self._fields.get(fieldname)

	def has_field(self, fieldname: str) -> bool:
		return fieldname in self._fields

	def get_label(self, fieldname: str) -> str:
		if df := self.get_field(fieldname):
			return df.get("label")
		return STANDARD_LABELS.get(fieldname, "No Label")

	def get_options(self, fieldname: str) -> str:
		return self.get_field(fieldname).options

	def get_link_doctype(self, fieldname: str) -> str | None:
		df = self.get_field(fieldname)
		if df.fieldtype == "Link":
			return df.options
		return self.get_options(df.options) if df.fieldtype == "Dynamic Link" else None

	def _of(self, *fieldtypes: str) -> list:
		return [df for df in self.fields if df.fieldtype in fieldtypes]

	def get_table_fields(self) -> list:
		return self._table_fields

	def get_link_fields(self) -> list:
		return [df for df in self._of("Link") if df.options != "[Select]"]

	def get_dynamic_link_fields(self) -> list:
		return self._of("Dynamic Link")

	def get_data_fields(self) -> list:
		return self._of("Data")

	def get_phone_fields(self) -> list:
		return self._of("Phone")

	def get_select_fields(self) -> list:
		return [df for df in self._of("Select") if df.options not in ("[Select]", "Loading...")]

	def get_image_fields(self) -> list:
		return self._of("Attach Image")

	def get_code_fields(self) -> list:
		return self._of("Code")

	def get_custom_fields(self) -> list:
		return [df for df in self.fields if df.get("is_custom_field")]

	def get_set_only_once_fields(self) -> list:
		named = [df for df in self.fields if df.get("set_only_once")]
		names = {df.fieldname for df in named}
		return named + [get_default_df(name) for name in ("creation", "owner") if name not in names]

	def get_high_permlevel_fields(self) -> list:
		return [df for df in self.fields if cint(df.permlevel) > 0]

	def get_valid_columns(self) -> list[str]:
		"""Columns of the table as the fields say."""
		if not hasattr(self, "_valid_columns"):
			columns = [df.fieldname for df in self.fields if df.fieldtype in data_fieldtypes]
			children = list(child_table_fields) if self.istable else []
			self._valid_columns = [*default_fields[1:], *columns, *children]
		return self._valid_columns

	def get_table_field_doctype(self, fieldname: str) -> str | None:
		return next((df.options for df in DOCTYPE_TABLE_FIELDS if df.fieldname == fieldname), None)

	def get_fieldnames_with_value(
		self, with_field_meta: bool = False, with_virtual_fields: bool = False
	) -> list:
		found = [df for df in self.fields if df.fieldtype not in no_value_fields]
		found = [df for df in found if with_virtual_fields or not df.get("is_virtual")]
		return found if with_field_meta else [df.fieldname for df in found]

	def get_fields_to_fetch(self, link_fieldname: str | None = None) -> list:
		"""Fields that take their value from a linked document."""
		links = {link_fieldname} if link_fieldname else {df.fieldname for df in self.get_link_fields()}
		return [
			df
			for df in self.fields
			if df.fieldtype not in no_value_fields
			and df.get("fetch_from")
			and "." in df.fetch_from
			and df.fetch_from.split(".", 1)[0] in links
		]

	def get_search_fields(self) -> list[str]:
		names = [name.strip() for name in (self.search_fields or "name").split(",")]
		return names if "name" in names else [*names, "name"]

	def get_list_fields(self) -> list[str]:
		names = [df.fieldname for df in self.fields if df.in_list_view and df.fieldtype in data_fieldtypes]
		names = ["name", *names]
		return names if not self.title_field or self.title_field in names else [*names, self.title_field]

	def get_title_field(self) -> str:
		return self.title_field or ("title" if self.has_field("title") else "name")

	def get_translatable_fields(self) -> list[str]:
		return [df.fieldname for df in self.fields if df.get("translatable")]

	def get_workflow(self) -> None:
		return None

	def get_naming_series_options(self) -> list[str]:
		df = self.get_field("naming_series")
		return (df.options or "").split("\n") if df else []

	# permissions

	def get_permissions(self, parenttype: str | None = None) -> list:
		meta = frappe.get_meta(parenttype) if self.istable and parenttype else self
		return meta.get("permissions", [])

	def get_permlevel_access(
		self, permission_type: str = "read", parenttype: str | None = None, *, user: str | None = None
	) -> list[int]:
		roles = frappe.get_roles(user)
		rows = self.get_permissions(parenttype)
		return list({cint(row.permlevel) for row in rows if row.role in roles and row.get(permission_type)})

	def get_permitted_fieldnames(
		self,
		parenttype: str | None = None,
		*,
		user: str | None = None,
		permission_type: str = "read",
		with_virtual_fields: bool = True,
	) -> list[str]:
		if self.istable and not parenttype:
			return []
		if permission_type == "select":
			return self.get_search_fields()
		if (user or frappe.session.user) == "Administrator" or not self.get_permissions(parenttype):
			return self.get_fieldnames_with_value()
		levels = set(self.get_permlevel_access(permission_type, parenttype, user=user))
		fields = self.get_fieldnames_with_value(with_field_meta=True)
		return [df.fieldname for df in fields if cint(df.permlevel) in levels]


def get_field_precision(df: Any, doc: Any = None, currency: str | None = None) -> int:
	"""Decimals of a number field: its own, else those of System Settings."""
	if df.precision:
		return cint(df.precision)
	if df.fieldtype == "Currency":
		return get_currency_precision()
	return cint(frappe.db.get_default("float_precision")) or 3


def get_currency_precision() -> int:
	from frappe.utils import get_number_format_info

	configured = frappe.db.get_default("currency_precision")
	if cstr(configured):
		return cint(configured)
	return get_number_format_info(frappe.db.get_default("number_format") or "#,###.##")[2]
