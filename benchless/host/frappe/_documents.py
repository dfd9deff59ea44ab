"""Documents and lists as `frappe.get_doc`, `frappe.get_all` and their like: thin fronts of `frappe.model`.

Cached documents live under `document_cache::<doctype>::<name>`; whoever writes past the ORM clears them.
"""

import copy
from typing import TYPE_CHECKING, Any

import frappe
from frappe.types.frappedict import _dict

if TYPE_CHECKING:
	from frappe.model.document import Document
	from frappe.model.meta import Meta


def get_doc(*args: Any, **kwargs: Any) -> "Document":
	"""A document: by doctype and name, single by doctype, new by dict or keywords, or the document itself."""
	import frappe.model.document

	doc = frappe.model.document.get_doc(*args, **kwargs)
	# a stale copy in the cache is replaced by what was read just now
	if not kwargs.get("for_update") and (key := can_cache_doc(args)) and frappe.cache.exists(key):
		frappe.cache.set_value(key, doc)
	return doc


def new_doc(
	doctype: str,
	*,
	parent_doc: "Document | None" = None,
	parentfield: str | None = None,
	as_dict: bool = False,
	**kwargs: Any,
) -> "Document":
	"""A new document with defaults, then with `kwargs`."""
	from frappe.model.create_new import get_new_doc

	return get_new_doc(doctype, parent_doc, parentfield, as_dict=as_dict).update(kwargs)


def can_cache_doc(args: tuple) -> str | None:
	"""Cache key of `get_doc(*args)` where it names one stored document."""
	if not args:
		return None
	doctype, name = args[0], args[0] if len(args) == 1 or args[1] is None else args[1]
	if isinstance(doctype, str) and isinstance(name, str):
		return get_document_cache_key(doctype, name)
	return None


def get_document_cache_key(doctype: str, name: str) -> str:
	return f"document_cache::{doctype}::{name}"


def get_cached_doc(*args: Any, **kwargs: Any) -> "Document":
	"""Like get_doc, from the cache where it is there."""
	key = can_cache_doc(args)
	if key and (doc := frappe.cache.get_value(key)):
		return doc
	doc = frappe.get_doc(*args, **kwargs)
	frappe.cache.set_value(key or get_document_cache_key(doc.doctype, doc.name), doc)
	return doc


def get_cached_value(
	doctype: str, name: str, fieldname: str | list | tuple = "name", as_dict: bool = False
) -> Any:
	"""One or more values of a cached document, None if it does not exist."""
	try:
		doc = frappe.get_cached_doc(doctype, name)
	except frappe.DoesNotExistError:
		frappe.clear_last_message()
		return None
	if isinstance(fieldname, str):
		if as_dict:
			frappe.throw("Cannot make dict for single fieldname")
		return doc.get(fieldname)
	values = [doc.get(field) for field in fieldname]
	return _dict(zip(fieldname, values, strict=True)) if as_dict else values


def clear_document_cache(doctype: str, name: str | None = None) -> None:
	"""Forget a cached document (or all of a DocType), now and again when the transaction ends."""

	def clear() -> None:
		if name is None:
			frappe.cache.delete_keys(get_document_cache_key(doctype, ""))
		else:
			frappe.cache.delete_value(get_document_cache_key(doctype, name))

	clear()
	if frappe.db:
		frappe.db.after_commit.add(clear)
		frappe.db.after_rollback.add(clear)
	for single, attribute in (
		("System Settings", "system_settings"),
		("Website Settings", "website_settings"),
	):
		if doctype == single and hasattr(frappe.local, attribute):
			delattr(frappe.local, attribute)


def clear_cache(user: str | None = None, doctype: str | None = None) -> None:
	"""Clear what is cached for a user, a DocType, or everything (but `persistent_cache_keys`)."""
	import frappe.cache_manager
	import frappe.utils.caching

	if doctype:
		frappe.cache_manager.clear_doctype_cache(doctype)
		reset_metadata_version()
	elif user:
		frappe.cache_manager.clear_user_cache(user)
	else:
		doomed = set(frappe.cache.get_keys(""))
		for key in frappe.get_hooks("persistent_cache_keys"):
			doomed.difference_update(frappe.cache.get_keys(key))
		frappe.cache.delete_value(list(doomed), make_keys=False)
		reset_metadata_version()
		frappe.local.cache = {}
		frappe.local.new_doc_templates = {}
		if hasattr(frappe.local, "doc_events_hooks"):
			del frappe.local.doc_events_hooks
		if hasattr(frappe.local, "request_cache"):
			frappe.local.request_cache.clear()
		for method in frappe.get_hooks("clear_cache"):
			frappe.get_attr(method)()

	frappe.utils.caching._SITE_CACHE.clear()
	frappe.local.role_permissions = {}
	for name in ("system_settings", "website_settings"):
		if hasattr(frappe.local, name):
			delattr(frappe.local, name)
	if hasattr(frappe.local, "request_cache"):
		frappe.local.request_cache.clear()


def reset_metadata_version() -> str:
	"""A new build id for clients that keep metadata."""
	version = frappe.generate_hash()
	frappe.cache.set_value("metadata_version", version)
	return version


def get_last_doc(
	doctype: str, filters: Any = None, order_by: str = "creation desc", *, for_update: bool = False
) -> "Document":
	"""The document created last."""
	names = frappe.get_all(doctype, filters=filters, limit_page_length=1, order_by=order_by, pluck="name")
	if not names:
		raise frappe.DoesNotExistError
	return frappe.get_doc(doctype, names[0], for_update=for_update)


def get_single(doctype: str) -> "Document":
	return frappe.get_doc(doctype, doctype)


def get_meta(doctype: str, cached: bool = True) -> "Meta":
	"""Fields, permissions and properties of a DocType, with custom fields and property setters applied."""
	import frappe.model.meta

	return frappe.model.meta.get_meta(doctype, cached=cached)


def get_meta_module(doctype: str) -> Any:
	from frappe.modules import load_doctype_module

	return load_doctype_module(doctype)


def get_doctype_app(doctype: str) -> str:
	from frappe.modules.utils import get_module_app

	return get_module_app(frappe.db.get_value("DocType", doctype, "module"))


def get_precision(doctype: str, fieldname: str, currency: str | None = None, doc: Any = None) -> int:
	from frappe.model.meta import get_field_precision

	return get_field_precision(frappe.get_meta(doctype).get_field(fieldname), doc, currency)


def is_table(doctype: str) -> bool:
	"""True for child tables."""

	def tables() -> list[str]:
		return frappe.db.get_values("DocType", filters={"istable": 1}, order_by=None, pluck=True)

	return doctype in (frappe.cache.get_value("is_table", tables) or ())


def get_list(doctype: str, *args: Any, **kwargs: Any) -> list:
	"""Rows that the user may read. See `frappe.model.db_query.DatabaseQuery.execute`."""
	from frappe.model.db_query import DatabaseQuery

	return DatabaseQuery(doctype).execute(*args, **kwargs)


def get_all(doctype: str, *args: Any, **kwargs: Any) -> list:
	"""Rows without permission checks and, unless asked, without a limit."""
	kwargs["ignore_permissions"] = True
	kwargs.setdefault("limit_page_length", 0)
	return frappe.get_list(doctype, *args, **kwargs)


def get_value(*args: Any, **kwargs: Any) -> Any:
	return frappe.db.get_value(*args, **kwargs)


def set_value(doctype: str, docname: str, fieldname: str | dict, value: Any = None) -> Any:
	import frappe.client

	return frappe.client.set_value(doctype, docname, fieldname, value)


def delete_doc(
	doctype: str | None = None,
	name: str | list | None = None,
	force: bool = False,
	ignore_doctypes: list[str] | None = None,
	for_reload: bool = False,
	ignore_permissions: bool = False,
	flags: dict | None = None,
	ignore_on_trash: bool = False,
	ignore_missing: bool = True,
	delete_permanently: bool = False,
) -> Any:
	"""Delete a document. See `frappe.model.delete_doc.delete_doc`."""
	import frappe.model.delete_doc

	return frappe.model.delete_doc.delete_doc(
		doctype,
		name,
		force,
		ignore_doctypes,
		for_reload,
		ignore_permissions,
		flags,
		ignore_on_trash,
		ignore_missing,
		delete_permanently,
	)


def delete_doc_if_exists(doctype: str, name: str, force: int = 0) -> None:
	delete_doc(doctype, name, force=bool(force), ignore_missing=True)


def rename_doc(
	doctype: str,
	old: str,
	new: str,
	force: bool = False,
	merge: bool = False,
	*,
	ignore_if_exists: bool = False,
	show_alert: bool = True,
	rebuild_search: bool = True,
) -> str:
	"""Rename a document and every link to it."""
	from frappe.model.rename_doc import rename_doc as rename

	return rename(
		doctype=doctype,
		old=old,
		new=new,
		force=force,
		merge=merge,
		ignore_if_exists=ignore_if_exists,
		show_alert=show_alert,
	)


def reload_doc(
	module: str,
	dt: str | None = None,
	dn: str | None = None,
	force: bool = False,
	reset_permissions: bool = False,
) -> Any:
	"""Read a document of an app's files into the database again."""
	import frappe.modules

	return frappe.modules.reload_doc(module, dt, dn, force=force, reset_permissions=reset_permissions)


def reload_doctype(doctype: str, force: bool = False, reset_permissions: bool = False) -> None:
	module = frappe.scrub(frappe.db.get_value("DocType", doctype, "module"))
	reload_doc(module, "doctype", frappe.scrub(doctype), force=force, reset_permissions=reset_permissions)


def copy_doc(doc: "Document", ignore_no_copy: bool = True) -> "Document":
	"""A new, unsaved document with the same values."""
	clear = ["name", "owner", "creation", "modified", "modified_by"]
	if not frappe.local.flags.in_test:
		clear.append("docstatus")

	def forget(row: "Document", fields: list[str]) -> None:
		for fieldname in fields:
			row.set(fieldname, None)
		if not ignore_no_copy:
			for df in row.meta.get("fields", {"no_copy": 1}):
				row.set(df.fieldname, None)

	new = frappe.get_doc(copy.deepcopy(doc if isinstance(doc, dict) else doc.as_dict()))
	new.set("__islocal", 1)
	forget(new, [*clear, "amended_from", "amendment_date"])
	for child in new.get_all_children():
		child.set("__islocal", 1)
		forget(child, clear)
	return new


def has_permission(
	doctype: str | None = None,
	ptype: str = "read",
	doc: Any = None,
	user: str | None = None,
	throw: bool = False,
	*,
	parent_doctype: str | None = None,
	debug: bool = False,
) -> bool:
	"""True if the user has the permission on the DocType or document; raises PermissionError instead if `throw`."""
	import frappe.permissions

	doctype = doctype or doc.doctype
	allowed = frappe.permissions.has_permission(
		doctype, ptype, doc=doc, user=user, raise_exception=throw, parent_doctype=parent_doctype, debug=debug
	)
	if throw and not allowed:
		label = frappe._(doctype)
		if doc:
			label += f" {doc if isinstance(doc, str) else doc.name}"
		frappe.flags.error_message = frappe._("No permission for {0}").format(label)
		raise frappe.PermissionError
	return allowed


def only_has_select_perm(doctype: str, user: str | None = None, ignore_permissions: bool = False) -> bool:
	if ignore_permissions:
		return False
	from frappe.permissions import get_role_permissions

	permissions = get_role_permissions(doctype, user=user or frappe.session.user)
	return bool(permissions.get("select") and not permissions.get("read"))


def has_website_permission(
	doc: Any = None,
	ptype: str = "read",
	user: str | None = None,
	verbose: bool = False,
	doctype: str | None = None,
) -> bool:
	"""True if the hooks `has_website_permission` all allow it; False where there are none."""
	user = user or frappe.session.user
	if doc:
		doc = frappe.get_doc(doctype, doc) if isinstance(doc, str) else doc
		doctype = doc.doctype
		if doc.flags.ignore_permissions:
			return True
		if hasattr(doc, "has_website_permission"):
			return doc.has_website_permission(ptype, user, verbose=verbose)
	methods = (frappe.get_hooks("has_website_permission") or {}).get(doctype, [])
	return bool(methods) and all(
		frappe.call(method, doc=doc, ptype=ptype, user=user, verbose=verbose) for method in methods
	)


def get_system_settings(key: str) -> Any:
	"""A value of System Settings, None while it does not exist yet."""
	return _setting("System Settings", "system_settings", key)


def get_website_settings(key: str) -> Any:
	"""A value of Website Settings, None while it does not exist yet."""
	return _setting("Website Settings", "website_settings", key)


def _setting(doctype: str, attribute: str, key: str) -> Any:
	if not hasattr(frappe.local, attribute):
		try:
			setattr(frappe.local, attribute, frappe.get_cached_doc(doctype))
		except frappe.DoesNotExistError:
			frappe.clear_last_message()
			return None
	return getattr(frappe.local, attribute).get(key)


def make_property_setter(
	args: dict,
	ignore_validate: bool = False,
	validate_fields_for_doctype: bool = True,
	is_system_generated: bool = True,
) -> None:
	"""Override a property of a DocType or field, for one DocType."""
	args = _dict(args)
	property_type = args.property_type or (
		frappe.db.get_value("DocField", {"parent": args.doctype, "fieldname": args.fieldname}, "fieldtype")
		or "Data"
	)
	setter = frappe.get_doc(
		doctype="Property Setter",
		doctype_or_field=args.doctype_or_field or "DocField",
		doc_type=args.doctype,
		field_name=args.fieldname,
		row_name=args.row_name,
		property=args.property,
		value=args.value,
		property_type=property_type,
		is_system_generated=is_system_generated,
	)
	setter.flags.ignore_validate = ignore_validate
	setter.flags.validate_fields_for_doctype = validate_fields_for_doctype
	setter.insert()
