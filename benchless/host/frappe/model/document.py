"""The life of a document: load, insert, save, submit, cancel, delete, with hooks of its class and of other apps.

The order of events is Frappe v15's; `frappe.flags` and `doc.flags` switch off what they switch off there.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from werkzeug.exceptions import NotFound

import frappe
from frappe import _
from frappe.model import optional_fields
from frappe.model.base_document import BaseDocument, get_controller
from frappe.model.helpers import HelpersMixin
from frappe.model.lifecycle import ChecksMixin
from frappe.model.naming import set_new_name, validate_name
from frappe.utils import get_datetime, get_timedelta, getdate, now


def get_doc(*args: Any, **kwargs: Any) -> "Document":
	"""See `frappe.get_doc`."""
	if args:
		first = args[0]
		if isinstance(first, BaseDocument):
			return first
		if isinstance(first, str):
			return get_controller(first)(*args, **kwargs)
		if not isinstance(first, dict):
			raise ValueError("First non keyword argument must be a string or dict")
		kwargs = first
	if "doctype" not in kwargs:
		raise ValueError('"doctype" is a required key')
	return get_controller(kwargs["doctype"])(*args, **({} if args else kwargs))


class Document(HelpersMixin, ChecksMixin, BaseDocument):
	"""All controllers inherit from this."""

	def __init__(self, *args: Any, **kwargs: Any) -> None:
		self.doctype = None
		self.name = None
		self.flags = frappe._dict()
		if args and isinstance(args[0], str):
			self.doctype = args[0]
			self.name = self.doctype if len(args) == 1 else args[1]
			self.flags.for_update = kwargs.get("for_update")
			self.load_from_db()
			return
		values = args[0] if args and isinstance(args[0], dict) else kwargs
		if not values:
			raise ValueError("Illegal arguments")
		super().__init__(values)
		self.init_child_tables()
		self.init_valid_columns()

	# loading

	def load_from_db(self) -> "Document":
		"""Read the document and its children."""
		self.flags.ignore_children = True
		is_meta = getattr(self, "_metaclass", False)
		if not is_meta and self.meta.issingle:
			self._load_single()
		else:
			self._load_row()
		self.flags.pop("ignore_children", None)
		for df in self._get_table_fields():
			children = frappe.db.get_values(
				df.options,
				{"parent": self.name, "parenttype": self.doctype, "parentfield": df.fieldname},
				"*",
				as_dict=True,
				order_by="idx asc",
				for_update=self.flags.for_update,
			)
			self.set(df.fieldname, children or [])
		if hasattr(self, "__setup__"):
			self.__setup__()
		return self

	def _load_single(self) -> None:
		values = frappe.db.get_singles_dict(self.doctype, for_update=self.flags.for_update)
		if not values:
			values = frappe.new_doc(self.doctype, as_dict=True)
			values.pop("__islocal", None)
		values["name"] = self.doctype
		BaseDocument.__init__(self, values)
		self.init_valid_columns()
		self._fix_numeric_types()

	def _load_row(self) -> None:
		order = {} if isinstance(self.name, dict | list) else {"order_by": None}
		row = frappe.db.get_value(
			self.doctype, self.name, "*", as_dict=True, for_update=self.flags.for_update, **order
		)
		if not row:
			frappe.throw(_("{0} {1} not found").format(_(self.doctype), self.name), frappe.DoesNotExistError)
		BaseDocument.__init__(self, row)

	def reload(self) -> "Document":
		return self.load_from_db()

	def get_latest(self) -> "Document":
		if not getattr(self, "_doc_before_save", None):
			self.load_doc_before_save()
		return self._doc_before_save

	def load_doc_before_save(self, *, raise_exception: bool = False) -> None:
		"""Read what is stored, and lock it."""
		self._doc_before_save = None
		if self.is_new():
			return
		try:
			self._doc_before_save = frappe.get_doc(self.doctype, self.name, for_update=True)
		except frappe.DoesNotExistError:
			if raise_exception:
				raise
			frappe.clear_last_message()

	def get_doc_before_save(self) -> "Document | None":
		return getattr(self, "_doc_before_save", None)

	def has_value_changed(self, fieldname: str) -> bool:
		"""Whether a value differs from what was stored before this save; True for a new document."""
		previous = self.get_doc_before_save()
		if not previous:
			return True
		before, after = previous.get(fieldname), self.get(fieldname)
		if isinstance(before, datetime):
			after = get_datetime(after)
		elif isinstance(before, date):
			after = getdate(after)
		elif isinstance(before, timedelta):
			after = get_timedelta(after)
		return before != after

	# permissions

	def has_permission(self, permtype: str = "read", *, debug: bool = False, user: str | None = None) -> bool:
		import frappe.permissions

		if self.flags.ignore_permissions:
			return True
		return frappe.permissions.has_permission(self.doctype, permtype, self, debug=debug, user=user)

	def check_permission(self, permtype: str = "read", permlevel: int | None = None) -> None:
		"""Raise PermissionError unless permitted."""
		if not self.has_permission(permtype):
			self.raise_no_permission_to(permtype)

	def raise_no_permission_to(self, perm_type: str) -> None:
		frappe.flags.error_message = _(
			"You need the '{0}' permission on {1} {2} to perform this action."
		).format(_(perm_type), frappe.bold(_(self.doctype)), self.name or "")
		raise frappe.PermissionError

	# insert and save

	def insert(
		self,
		ignore_permissions: bool | None = None,
		ignore_links: bool | None = None,
		ignore_if_duplicate: bool = False,
		ignore_mandatory: bool | None = None,
		set_name: str | None = None,
		set_child_names: bool = True,
	) -> "Document":
		"""Store a new document."""
		given = {
			"ignore_permissions": ignore_permissions,
			"ignore_links": ignore_links,
			"ignore_mandatory": ignore_mandatory,
		}
		self.flags.update({flag: value for flag, value in given.items() if value is not None})
		self.set("__islocal", True)

		self._set_defaults()
		self.set_user_and_timestamp()
		self.set_docstatus()
		self.check_if_latest()
		self._validate_links()
		self.check_permission("create")
		self.run_method("before_insert")
		self.set_new_name(set_name=set_name, set_child_names=set_child_names)
		self.set_parent_in_children()
		self.validate_higher_perm_levels()

		self.flags.in_insert = True
		self.run_before_save_methods()
		self._validate()
		self.set_docstatus()
		self.flags.in_insert = False

		if self.meta.issingle:
			self.update_single(self.get_valid_dict())
		else:
			self.db_insert(ignore_if_duplicate=ignore_if_duplicate)
		for child in self.get_all_children():
			child.db_insert()

		self.run_method("after_insert")
		self.flags.in_insert = True
		self.run_post_save_methods()
		self.flags.in_insert = False
		for mark in ("__islocal", "__unsaved"):
			self.delete_key(mark)
		return self

	def save(self, *args: Any, **kwargs: Any) -> "Document":
		return self._save(*args, **kwargs)

	def _save(self, ignore_permissions: bool | None = None, ignore_version: bool | None = None) -> "Document":
		if ignore_permissions is not None:
			self.flags.ignore_permissions = ignore_permissions
		self.flags.ignore_version = frappe.flags.in_test if ignore_version is None else ignore_version
		if self.get("__islocal") or not self.get("name"):
			return self.insert()

		self._set_defaults()
		self.check_permission("write", "save")
		self.set_user_and_timestamp()
		self.set_docstatus()
		self.check_if_latest()
		self.set_parent_in_children()
		self.set_name_in_children()
		self.validate_higher_perm_levels()
		self._validate_links()
		self.run_before_save_methods()
		if self._action != "cancel":
			self._validate()
		if self._action == "update_after_submit":
			self.validate_update_after_submit()
		self.set_docstatus()

		if self.meta.issingle:
			self.update_single(self.get_valid_dict())
		else:
			self.db_update()
		self.update_children()
		self.run_post_save_methods()
		self.delete_key("__unsaved")
		return self

	@frappe.whitelist()
	def submit(self) -> "Document":
		self.docstatus = 1
		return self.save()

	@frappe.whitelist()
	def cancel(self) -> "Document":
		self.docstatus = 2
		return self.save()

	def delete(
		self, ignore_permissions: bool = False, force: bool = False, *, delete_permanently: bool = False
	) -> Any:
		return frappe.delete_doc(
			self.doctype,
			self.name,
			ignore_permissions=ignore_permissions,
			flags=self.flags,
			force=force,
			delete_permanently=delete_permanently,
		)

	@frappe.whitelist()
	def rename(
		self, name: str, merge: bool = False, force: bool = False, validate_rename: bool = True
	) -> None:
		from frappe.model.rename_doc import rename_doc

		self.name = rename_doc(doc=self, new=name, merge=merge, force=force, validate=validate_rename)
		self.reload()

	def update_single(self, d: dict) -> None:
		"""Write all values of a single."""
		from frappe.database.values import single_text

		frappe.db.delete("Singles", {"doctype": self.doctype})
		rows = [(self.doctype, key, single_text(value)) for key, value in d.items() if key != "doctype"]
		frappe.qb.into("Singles").columns("doctype", "field", "value").insert(*rows).run()
		frappe.db.value_cache.pop(self.doctype, None)

	def update_children(self) -> None:
		for df in self.meta.get_table_fields():
			self.update_child_table(df.fieldname, df)

	def update_child_table(self, fieldname: str, df: Any = None) -> None:
		"""Delete rows that are gone, write the others."""
		df = df or self.meta.get_field(fieldname)
		rows = self.get(fieldname) or []
		if df.options not in (self.flags.ignore_children_type or ()):
			table = frappe.qb.DocType(df.options)
			query = (
				frappe.qb.from_(table)
				.delete()
				.where(table.parent == self.name)
				.where(table.parenttype == self.doctype)
				.where(table.parentfield == fieldname)
			)
			if kept := [row.name for row in rows if row.name and not row.is_new()]:
				query = query.where(table.name.notin(kept))
			query.run()
		for row in rows:
			row.db_update()

	def set_new_name(
		self, force: bool = False, set_name: str | None = None, set_child_names: bool = True
	) -> None:
		if self.flags.name_set and not force:
			return
		if self.get("__newname") and (self.meta.autoname or "").lower() == "prompt":
			self.name = validate_name(self.doctype, self.get("__newname"))
			self.flags.name_set = True
			return
		if set_name:
			self.name = validate_name(self.doctype, set_name)
		else:
			set_new_name(self)
		if set_child_names:
			for child in self.get_all_children():
				set_new_name(child)
		self.flags.name_set = True

	def run_before_save_methods(self) -> None:
		if self._action in ("save", "submit"):
			self.run_method("before_validate")
		if self.flags.ignore_validate:
			return
		events = {
			"save": ("validate", "before_save"),
			"submit": ("validate", "before_submit"),
			"cancel": ("before_cancel",),
			"update_after_submit": ("before_update_after_submit",),
		}
		for event in events[self._action]:
			self.run_method(event)
		self.set_title_field()

	def run_post_save_methods(self) -> None:
		events = {
			"save": ("on_update",),
			"submit": ("on_update", "on_submit"),
			"cancel": ("on_cancel",),
			"update_after_submit": ("on_update_after_submit",),
		}
		for event in events[self._action]:
			self.run_method(event)
		if self._action == "cancel":
			self.check_no_back_links_exist()
		self.clear_cache()
		if self.flags.get("notify_update", True):
			self.notify_update()
		self.run_method("on_change")
		saving = frappe.flags.currently_saving
		if (self.doctype, self.name) in saving:
			saving.remove((self.doctype, self.name))

	def _validate(self) -> None:
		self._validate_mandatory()
		for doc in (self, *self.get_all_children()):
			doc._validate_data_fields()
			doc._validate_selects()
			doc._validate_non_negative()
			doc._validate_length()
			doc._fix_rating_value()
			doc._validate_code_fields()
			doc._sync_autoname_field()
			doc._sanitize_content()
			doc._save_passwords()
		if self.is_new():
			for fieldname in optional_fields:
				self.set(fieldname, None)
		else:
			self.validate_set_only_once()

	# events

	def run_method(self, method: str, *args: Any, **kwargs: Any) -> Any:
		"""Run the class's own method and then the handlers of `doc_events`; dicts that they return are merged."""
		own = getattr(self, method, None)
		result = own(*args, **kwargs) if callable(own) else None
		events = frappe.get_doc_hooks()
		for doctype in (self.doctype, "*"):
			for handler in events.get(doctype, {}).get(method, ()):
				returned = frappe.get_attr(handler)(self, method, *args, **kwargs)
				if isinstance(returned, dict) and isinstance(result, dict):
					result = {**result, **returned}
				elif returned is not None:
					result = returned
		return result

	run_trigger = run_method

	@staticmethod
	def hook(f: Callable) -> Callable:
		"""Decorator: let `doc_events` extend a method of this name."""

		def composer(self: "Document", *args: Any, **kwargs: Any) -> Any:
			result = f(self, *args, **kwargs)
			for doctype in (self.doctype, "*"):
				for handler in frappe.get_doc_hooks().get(doctype, {}).get(f.__name__, ()):
					frappe.get_attr(handler)(self, f.__name__, *args, **kwargs)
			return result

		return composer

	def clear_cache(self) -> None:
		frappe.clear_document_cache(self.doctype, self.name)

	def is_whitelisted(self, method_name: str) -> None:
		method = getattr(self, method_name, None)
		if not method:
			raise NotFound(f"Method {method_name} not found")
		frappe.is_whitelisted(getattr(method, "__func__", method))

	# values

	def db_set(
		self,
		fieldname: str | dict,
		value: Any = None,
		update_modified: bool = True,
		notify: bool = False,
		commit: bool = False,
	) -> None:
		"""Write values past the checks, with `before_change` and `on_change`."""
		if isinstance(fieldname, dict):
			self.update(fieldname)
		else:
			self.set(fieldname, value)
		if update_modified and (self.doctype, self.name) not in frappe.flags.currently_saving:
			self.set("modified", now())
			self.set("modified_by", frappe.session.user)
		if not self.get_doc_before_save():
			self.load_doc_before_save()
		self.run_method("before_change")
		if self.name is None:
			return
		stamp = {
			"modified": self.modified,
			"modified_by": self.modified_by,
			"update_modified": update_modified,
		}
		if self.meta.issingle:
			frappe.db.set_single_value(self.doctype, fieldname, value, **stamp)
		else:
			frappe.db.set_value(self.doctype, self.name, fieldname, value, **stamp)
		self.run_method("on_change")
		if notify:
			self.notify_update()
		if commit:
			frappe.db.commit()

	def db_get(self, fieldname: str) -> Any:
		return frappe.db.get_value(self.doctype, self.name, fieldname)

	def get_all_children(self, parenttype: str | None = None) -> list:
		return [
			row
			for df in self.meta.get_table_fields()
			if not parenttype or df.options == parenttype
			for row in self.get(df.fieldname) or ()
		]

	def __repr__(self) -> str:
		docstatus = f" docstatus={self.docstatus}" if self.docstatus else ""
		parent = f" parent={self.parent}" if self.get("parent") else ""
		return f"<{self.__class__.__name__}: {self.get('name') or 'unsaved'}{docstatus}{parent}>"

	def __str__(self) -> str:
		return f"{self.__class__.__name__}({self.get('name') or 'unsaved'})"
