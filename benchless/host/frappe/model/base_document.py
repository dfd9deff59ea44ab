"""Values of a document: reading, setting, child rows, and how they go into the database.

Checks of values are in `validation`, the life cycle in `document`.
"""

import datetime
import json
import weakref
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import frappe
from frappe import _, _dict
from frappe.model import child_table_fields, datetime_fields, default_fields, float_like_fields, table_fields
from frappe.model.docstatus import DocStatus
from frappe.model.validation import ValidationMixin
from frappe.utils import cint, compare, cstr, flt, is_a_property, now

DOCTYPE_TABLE_FIELDS = [
	_dict(fieldname="fields", fieldtype="Table", options="DocField"),
	_dict(fieldname="permissions", fieldtype="Table", options="DocPerm"),
	_dict(fieldname="actions", fieldtype="Table", options="DocType Action"),
	_dict(fieldname="links", fieldtype="Table", options="DocType Link"),
	_dict(fieldname="states", fieldtype="Table", options="DocType State"),
]
TABLE_DOCTYPES_FOR_DOCTYPE = {df.fieldname: df.options for df in DOCTYPE_TABLE_FIELDS}
DOCTYPES_FOR_DOCTYPE = {"DocType", *TABLE_DOCTYPES_FOR_DOCTYPE.values()}
MAX_RETRIES = 5


def get_controller(doctype: str) -> type:
	"""The class of a DocType's documents; `Document` for custom DocTypes."""
	if frappe.flags.in_migrate:
		return import_controller(doctype)
	known = frappe.controllers.setdefault(frappe.local.site, {})
	if doctype not in known:
		known[doctype] = import_controller(doctype)
	return known[doctype]


def import_controller(doctype: str) -> type:
	from frappe.model.document import Document
	from frappe.modules import load_doctype_module
	from frappe.modules.utils import get_module_app

	module_name = "Core"
	if doctype not in DOCTYPES_FOR_DOCTYPE:
		info = frappe.db.get_value("DocType", doctype, ["custom", "module"], as_dict=True)
		if info:
			if info.custom:
				return Document
			module_name = info.module
	overrides = frappe.get_hooks("override_doctype_class") or {}
	if overrides.get(doctype):
		path, _dot, classname = overrides[doctype][-1].rpartition(".")
		module = frappe.get_module(path)
	else:
		try:
			module = load_doctype_module(doctype, module_name)
		except ModuleNotFoundError:
			if get_module_app(module_name) != "frappe":
				raise
			# most DocTypes of this host have no behaviour of their own
			return Document
		classname = doctype.replace(" ", "").replace("-", "")
	controller = getattr(module, classname, None)
	if controller is None or not issubclass(controller, BaseDocument):
		raise ImportError(f"{doctype}: no class {classname} of documents in {module.__name__}")
	return controller


class BaseDocument(ValidationMixin):
	_reserved_keywords = frozenset(
		{
			"doctype",
			"meta",
			"flags",
			"parent_doc",
			"_table_fields",
			"_valid_columns",
			"_doc_before_save",
			"_table_fieldnames",
			"_reserved_keywords",
			"permitted_fieldnames",
			"dont_update_if_missing",
		}
	)

	def __init__(self, d: dict) -> None:
		if d.get("doctype"):
			self.doctype = d["doctype"]
		self._table_fieldnames = {df.fieldname for df in self._get_table_fields()}
		self.update(d)
		self.dont_update_if_missing: list[str] = []
		if hasattr(self, "__setup__"):
			self.__setup__()

	@cached_property
	def meta(self) -> Any:
		return frappe.get_meta(self.doctype)

	def __getstate__(self) -> dict:
		state = self.__dict__.copy()
		for name in ("meta", "_parent_doc"):
			state.pop(name, None)
		return state

	def _get_table_fields(self) -> Iterable:
		if self.doctype == "DocType":
			return DOCTYPE_TABLE_FIELDS
		return () if self.doctype in DOCTYPES_FOR_DOCTYPE else self.meta.get_table_fields()

	# values

	def get(self, key: Any, filters: Any = None, limit: int | None = None, default: Any = None) -> Any:
		"""A value, or the child rows that match (`get("items", {"item": "x"})`)."""
		if isinstance(key, dict):
			return _filter(self.get_all_children(), key, limit)
		if filters:
			if isinstance(filters, dict):
				return _filter(self.__dict__.get(key, []), filters, limit)
			default = filters
		value = self.__dict__.get(key, default)
		return value[:limit] if limit and isinstance(value, list | tuple) else value

	def getone(self, key: Any, filters: Any = None) -> Any:
		return self.get(key, filters=filters, limit=1)[0]

	def set(self, key: str, value: Any, as_value: bool = False) -> None:
		if key in self._reserved_keywords:
			return
		if not as_value and key in self._table_fieldnames:
			self.__dict__[key] = []
			if value:
				self.extend(key, value)
			return
		self.__dict__[key] = value

	def update(self, d: dict) -> "BaseDocument":
		if "name" in d:
			self.name = d["name"]
		as_value = bool(hasattr(self, "flags") and self.flags.ignore_children)
		for key, value in d.items():
			self.set(key, value, as_value=as_value)
		return self

	def update_if_missing(self, d: Any) -> None:
		values = d.get_valid_dict() if isinstance(d, BaseDocument) else d
		for key, value in values.items():
			if value is not None and self.get(key) is None and key not in self.dont_update_if_missing:
				self.set(key, value)

	def delete_key(self, key: str) -> None:
		self.__dict__.pop(key, None)

	def get_db_value(self, key: str) -> Any:
		return frappe.db.get_value(self.doctype, self.name, key)

	def get_value(self, fieldname: str) -> Any:
		return self.cast(self.get(fieldname), self.meta.get_field(fieldname))

	@property
	def docstatus(self) -> DocStatus:
		return DocStatus(cint(self.get("docstatus")))

	@docstatus.setter
	def docstatus(self, value: Any) -> None:
		self.__dict__["docstatus"] = DocStatus(cint(value))

	def is_new(self) -> bool:
		return self.get("__islocal")

	# child rows

	def append(self, key: str, value: Any = None, position: int = -1) -> Any:
		"""Add a row to a child table."""
		table = self.__dict__.setdefault(key, [])
		if table is None:
			table = self.__dict__[key] = []
		row = self._init_child({} if value is None else value, key)
		if position == -1:
			table.append(row)
		else:
			table.insert(position, row)
			self._renumber(table)
		row.parent_doc = weakref.ref(self)
		return row

	def extend(self, key: str, value: Iterable) -> None:
		if not isinstance(value, Iterable):
			raise ValueError(f"{key} takes rows")
		for row in value:
			self.append(key, row)

	def remove(self, doc: Any) -> None:
		if doc.get("parentfield"):
			table = self.get(doc.parentfield)
			table.remove(doc)
			self._renumber(table)

	@staticmethod
	def _renumber(table: list) -> None:
		for idx, row in enumerate(table, 1):
			row.idx = idx

	def _init_child(self, value: Any, key: str) -> "BaseDocument":
		if not isinstance(value, BaseDocument):
			doctype = self.get_table_field_doctype(key)
			if not doctype:
				raise AttributeError(key)
			value["doctype"] = doctype
			value = get_controller(doctype)(value)
		value.parent = self.name
		value.parenttype = self.doctype
		value.parentfield = key
		if value.get("docstatus") is None:
			value.docstatus = 0
		if not getattr(value, "idx", None):
			value.idx = len(self.__dict__.get(key) or ()) + 1
		if not getattr(value, "name", None):
			value.__dict__["__islocal"] = 1
		return value

	@property
	def parent_doc(self) -> Any:
		reference = getattr(self, "_parent_doc", None)
		return reference() if isinstance(reference, weakref.ReferenceType) else reference

	@parent_doc.setter
	def parent_doc(self, value: Any) -> None:
		self._parent_doc = value

	def get_table_field_doctype(self, fieldname: str) -> str | None:
		if self.doctype == "DocType":
			return TABLE_DOCTYPES_FOR_DOCTYPE.get(fieldname)
		return self.meta.get_field(fieldname).options

	def get_parentfield_of_doctype(self, doctype: str) -> str | None:
		return next((df.fieldname for df in self.meta.get_table_fields() if df.options == doctype), None)

	def init_child_tables(self) -> None:
		for fieldname in self._table_fieldnames:
			if self.__dict__.get(fieldname) is None:
				self.__dict__[fieldname] = []

	def init_valid_columns(self) -> None:
		"""Every column reads as None, docstatus and idx as 0."""
		for key in (*default_fields, *self.get_valid_columns()):
			self.__dict__.setdefault(key, None)
		if self.__dict__["docstatus"] is None:
			self.docstatus = 0
		if self.__dict__["idx"] is None:
			self.__dict__["idx"] = 0

	def get_valid_columns(self) -> list[str]:
		known = frappe.local.valid_columns
		if self.doctype not in known:
			known[self.doctype] = self.meta.get_valid_columns()
		return known[self.doctype]

	# for the database and the web

	def get_valid_dict(
		self,
		sanitize: bool = True,
		convert_dates_to_str: bool = False,
		ignore_nulls: bool = False,
		ignore_virtual: bool = False,
	) -> _dict:
		"""Values of all columns as the types of their fields."""
		out = _dict()
		for fieldname in self.get_valid_columns():
			value = self.__dict__.get(fieldname)
			if not sanitize and value is None:
				out[fieldname] = None
				continue
			df = self.meta.get_field(fieldname)
			if df:
				if df.get("is_virtual"):
					if ignore_virtual:
						continue
					if is_a_property(getattr(type(self), fieldname, None)):
						value = getattr(self, fieldname)
				value = self._as_column(df, value)
			if convert_dates_to_str and isinstance(value, _DATES):
				value = str(value)
			if ignore_nulls and value is None:
				continue
			out[fieldname] = value
		return out

	@staticmethod
	def _as_column(df: Any, value: Any) -> Any:
		kind = df.fieldtype
		if isinstance(value, list) and kind not in table_fields:
			frappe.throw(_("Value for {0} cannot be a list").format(_(df.label)))
		if kind == "Check":
			return 1 if cint(value) else 0
		if kind == "Int" and not isinstance(value, int):
			return cint(value)
		if kind == "JSON" and isinstance(value, dict):
			return json.dumps(value, separators=(",", ":"))
		if kind in float_like_fields and not isinstance(value, float):
			return flt(value)
		empty_unique = df.get("unique") and not cstr(value).strip()
		if (kind in datetime_fields and value == "") or empty_unique:
			return None
		return value

	def as_dict(
		self,
		no_nulls: bool = False,
		no_default_fields: bool = False,
		convert_dates_to_str: bool = False,
		no_child_table_fields: bool = False,
	) -> _dict:
		options = {
			"no_nulls": no_nulls,
			"no_default_fields": no_default_fields,
			"convert_dates_to_str": convert_dates_to_str,
			"no_child_table_fields": no_child_table_fields,
		}
		out = self.get_valid_dict(convert_dates_to_str=convert_dates_to_str, ignore_nulls=no_nulls)
		out["doctype"] = self.doctype
		for fieldname in self._table_fieldnames:
			out[fieldname] = [row.as_dict(**options) for row in self.get(fieldname) or ()]
		dropped = (default_fields if no_default_fields else ()) + (
			child_table_fields if no_child_table_fields else ()
		)
		for key in dropped:
			out.pop(key, None)
		for key in ("_user_tags", "__islocal", "__onload", "_liked_by", "__run_link_triggers", "__unsaved"):
			if value := getattr(self, key, None):
				out[key] = value
		return out

	def as_json(self) -> str:
		return frappe.as_json(self.as_dict())

	def db_insert(self, ignore_if_duplicate: bool = False) -> None:
		"""INSERT this one row."""
		from frappe.model.naming import set_new_name

		if not self.name:
			set_new_name(self)
		if not self.creation:
			self.creation = self.modified = now()
			self.owner = self.modified_by = frappe.session.user
		values = self._column_values()
		query = frappe.qb.into(self.doctype).columns(*values).insert(*values.values())
		try:
			query.run()
		except Exception as error:
			self._insert_failed(error, ignore_if_duplicate)
		self.set("__islocal", False)

	def _insert_failed(self, error: Exception, ignore_if_duplicate: bool) -> None:
		if frappe.db.is_primary_key_violation(error):
			if self.meta.autoname == "hash":
				# another row has drawn the same name: draw again
				self.flags.retry_count = (self.flags.retry_count or 0) + 1
				if self.flags.retry_count > MAX_RETRIES:
					raise error
				self.name = None
				self.db_insert()
			elif not ignore_if_duplicate:
				frappe.msgprint(
					_("{0} {1} already exists").format(_(self.doctype), frappe.bold(self.name)),
					title=_("Duplicate Name"),
					indicator="red",
				)
				raise frappe.DuplicateEntryError(self.doctype, self.name, error)
		elif frappe.db.is_unique_key_violation(error):
			self.show_unique_validation_message(error)
		else:
			raise error

	def _column_values(self) -> dict[str, Any]:
		values = self.get_valid_dict(
			convert_dates_to_str=True,
			ignore_nulls=self.doctype in DOCTYPES_FOR_DOCTYPE,
			ignore_virtual=True,
		)
		values.pop("doctype", None)
		return values

	def db_update(self) -> None:
		"""UPDATE this one row, or INSERT it if it is new."""
		if self.get("__islocal") or not self.name:
			self.db_insert()
			return
		values = self._column_values()
		# the name stays as it is stored: its case may differ
		name = cstr(values.pop("name"))
		table = frappe.qb.DocType(self.doctype)
		query = frappe.qb.update(table).where(table.name == name)
		for column, value in values.items():
			query = query.set(column, value)
		try:
			query.run()
		except Exception as error:
			if not frappe.db.is_unique_key_violation(error):
				raise
			self.show_unique_validation_message(error)

	def db_update_all(self) -> None:
		self.db_update()
		for fieldname in self._table_fieldnames:
			for row in self.get(fieldname):
				row.db_update()

	def show_unique_validation_message(self, error: Exception) -> None:
		key = str(error).split("'")[-2]
		index = frappe.db.indexes_of(f"tab{self.doctype}").get(key)
		fieldname = index.fields[0] if index else key
		df = self.meta.get_field(fieldname)
		frappe.msgprint(_("{0} must be unique").format(df.label if df else fieldname))
		raise frappe.UniqueValidationError(self.doctype, self.name, error)

	def update_modified(self) -> None:
		self.set("modified", now())
		if self.meta.issingle:
			frappe.db.set_single_value(self.doctype, "modified", self.modified, update_modified=False)
		else:
			frappe.db.set_value(self.doctype, self.name, "modified", self.modified, update_modified=False)


_DATES = datetime.datetime | datetime.date | datetime.time | datetime.timedelta


def _filter(rows: list | None, filters: dict, limit: int | None = None) -> list:
	"""Rows that match all filters: values, [operator, value], True (is there), False, "^start"."""
	found = []
	for row in rows or ():
		for key, wanted in filters.items():
			if wanted is True:
				wanted = ("not None", None)
			elif wanted is False:
				wanted = ("None", None)
			elif isinstance(wanted, str) and wanted.startswith("^"):
				wanted = ("^", wanted[1:])
			elif not isinstance(wanted, tuple | list):
				wanted = ("=", wanted)
			if not compare(getattr(row, key, None), wanted[0], wanted[1]):
				break
		else:
			found.append(row)
			if limit and len(found) >= limit:
				break
	return found
