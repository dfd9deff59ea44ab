"""Deleting documents: permission, links from other documents, events, child rows, passwords, attachments."""

from typing import Any

import frappe
from frappe import _
from frappe.model.dynamic_links import get_dynamic_link_map
from frappe.model.naming import revert_series_if_last
from frappe.utils.password import delete_all_passwords_for

REFERENCES = (("Comment", "reference_doctype", "reference_name"),)


def delete_doc(
	doctype: str | None = None,
	name: Any = None,
	force: bool | int = 0,
	ignore_doctypes: list[str] | None = None,
	for_reload: bool = False,
	ignore_permissions: bool = False,
	flags: dict | None = None,
	ignore_on_trash: bool = False,
	ignore_missing: bool = True,
	delete_permanently: bool = False,
) -> Any:
	"""Delete one document or several. Returns False if one does not exist (or raises, unless `ignore_missing`)."""
	for one in [name] if isinstance(name, str | int) else name or []:
		if not frappe.db.exists(doctype, one):
			if ignore_missing:
				return False
			raise frappe.DoesNotExistError
		delete_all_passwords_for(doctype, one)
		doc = frappe.get_doc(doctype, one, for_update=True)
		if not for_reload:
			_before_delete(doc, force, ignore_permissions, flags, ignore_on_trash)
		if doctype != "DocType":
			_update_naming_series(doc)
		delete_from_table(doctype, one, ignore_doctypes or [], doc)
		doc.run_method("after_delete")
		if not for_reload:
			delete_references(doctype, one)
		doc.clear_cache()
		if not for_reload and not delete_permanently:
			add_to_deleted_document(doc)
		if not for_reload:
			doc.notify_update()
	return None


def _before_delete(
	doc: Any, force: Any, ignore_permissions: bool, flags: dict | None, ignore_on_trash: bool
) -> None:
	if doc.doctype == "DocType" and not (doc.custom or force):
		frappe.throw(_("Standard DocType can not be deleted."))
	doc.flags.update(flags or {})
	if ignore_permissions:
		doc.flags.ignore_permissions = True
	check_permission_and_not_submitted(doc)
	if not ignore_on_trash:
		doc.run_method("on_trash")
		doc.flags.in_delete = True
		doc.run_method("on_change")
	if force or doc.doctype == "DocType":
		return
	try:
		check_if_doc_is_linked(doc)
		check_if_doc_is_dynamically_linked(doc)
	except frappe.LinkExistsError:
		if not (doc.meta.has_field("enabled") or doc.meta.has_field("disabled")):
			raise
		frappe.throw(
			_("You can disable this {0} instead of deleting it.").format(_(doc.doctype)),
			frappe.LinkExistsError,
		)


def check_permission_and_not_submitted(doc: Any) -> None:
	if not doc.has_permission("delete"):
		frappe.msgprint(
			_("User not allowed to delete {0}: {1}").format(doc.doctype, doc.name),
			raise_exception=frappe.PermissionError,
		)
	if doc.meta.is_submittable and doc.docstatus.is_submitted():
		frappe.msgprint(
			_("{0} {1}: Submitted Record cannot be deleted. You must cancel it first.").format(
				_(doc.doctype), doc.name
			),
			raise_exception=True,
		)


def _update_naming_series(doc: Any) -> None:
	autoname = doc.meta.autoname or ""
	if autoname.startswith("naming_series:") and doc.get("naming_series"):
		revert_series_if_last(doc.naming_series, doc.name, doc)
	elif "#" in autoname and not autoname.startswith("format:"):
		revert_series_if_last(autoname, doc.name, doc)


def delete_from_table(doctype: str, name: str, ignore_doctypes: list[str], doc: Any) -> None:
	if doctype != "DocType" and doctype == name:
		frappe.db.delete("Singles", {"doctype": name})
	else:
		frappe.db.delete(doctype, {"name": name})
	for child in {df.options for df in doc._get_table_fields()} - set(ignore_doctypes):
		frappe.db.delete(child, {"parenttype": doctype, "parent": name})


def delete_references(doctype: str, name: str) -> None:
	"""Comments and the like go with their document, attached files from the disk too."""
	if doctype != "File" and frappe.db.table_exists("File"):
		attached = {"attached_to_doctype": doctype, "attached_to_name": name}
		for file in frappe.get_all("File", filters=attached, pluck="name", order_by="name"):
			delete_doc("File", file, ignore_permissions=True, delete_permanently=True)
	for reference, doctype_field, name_field in REFERENCES:
		if frappe.db.table_exists(reference) and reference != doctype:
			frappe.db.delete(reference, {doctype_field: doctype, name_field: name})


def add_to_deleted_document(doc: Any) -> None:
	"""Keep a copy that can be looked at."""
	if doc.doctype == "Deleted Document" or frappe.flags.in_uninstall:
		return
	frappe.get_doc(
		doctype="Deleted Document",
		deleted_doctype=doc.doctype,
		deleted_name=doc.name,
		data=doc.as_json(),
		owner=frappe.session.user,
	).db_insert()


# links


def get_link_fields(doctype: str) -> list[frappe._dict]:
	"""Fields of all DocTypes, custom ones included, that link to a DocType."""
	found = []
	for source, parent in (("DocField", "parent"), ("Custom Field", "dt")):
		filters = {"fieldtype": "Link", "options": doctype}
		found += frappe.get_all(
			source, filters=filters, fields=[f"{parent} as parent", "fieldname"], order_by="name asc"
		)
	singles = set(frappe.get_all("DocType", filters={"issingle": 1}, pluck="name"))
	for field in found:
		field.issingle = field.parent in singles
	return found


def check_if_doc_is_linked(doc: Any, method: str = "Delete") -> None:
	"""Raise LinkExistsError if another document links here."""
	ignored = set(frappe.get_hooks("ignore_links_on_delete")) if method == "Delete" else set()
	if method == "Cancel":
		ignored.update(doc.get("ignore_linked_doctypes") or ())
	for field in get_link_fields(doc.doctype):
		if field.parent in ignored or (field.fieldname == "amended_from" and method == "Cancel"):
			continue
		if field.issingle:
			if frappe.db.get_single_value(field.parent, field.fieldname, cache=False) == doc.name:
				raise_link_exists_exception(doc, field.parent, field.parent)
			continue
		if not frappe.db.table_exists(field.parent):
			continue
		for row in _linking_rows(field.parent, {field.fieldname: doc.name}):
			if row.doctype in ignored or (method == "Cancel" and row.docstatus != 1):
				continue
			if field.parent == doc.doctype and row.name == doc.name:
				continue
			raise_link_exists_exception(doc, row.doctype, row.name)


def check_if_doc_is_dynamically_linked(doc: Any, method: str = "Delete") -> None:
	ignored = set(frappe.get_hooks("ignore_links_on_delete"))
	for field in get_dynamic_link_map().get(doc.doctype, []):
		if field.parent in ignored:
			continue
		if frappe.get_meta(field.parent).issingle:
			values = frappe.db.get_singles_dict(field.parent)
			if values.get(field.options) == doc.doctype and values.get(field.fieldname) == doc.name:
				raise_link_exists_exception(doc, field.parent, field.parent)
			continue
		for row in _linking_rows(field.parent, {field.options: doc.doctype, field.fieldname: doc.name}):
			active = row.docstatus != 2 if method == "Delete" else row.docstatus == 1
			if active and row.doctype not in ignored:
				raise_link_exists_exception(doc, row.doctype, row.name)


def _linking_rows(doctype: str, filters: dict) -> list[frappe._dict]:
	"""Documents (parents, for child tables) with these values."""
	is_child = frappe.get_meta(doctype).istable
	fields = ["name", "docstatus", *(["parent", "parenttype"] if is_child else [])]
	rows = frappe.db.get_values(doctype, filters, fields, as_dict=True, order_by=None)
	return [
		frappe._dict(
			doctype=row.parenttype if is_child else doctype,
			name=row.parent if is_child else row.name,
			docstatus=row.docstatus,
		)
		for row in rows
	]


def raise_link_exists_exception(doc: Any, reference_doctype: str, reference_docname: str) -> None:
	link = f'<a href="/app/Form/{doc.doctype}/{doc.name}">{doc.name}</a>'
	other = f'<a href="/app/Form/{reference_doctype}/{reference_docname}">{reference_docname}</a>'
	shown = "" if reference_doctype == reference_docname else _(reference_doctype)
	frappe.throw(
		_("Cannot delete or cancel because {0} {1} is linked with {2} {3} {4}").format(
			_(doc.doctype), link, shown, other, ""
		),
		frappe.LinkExistsError,
	)
