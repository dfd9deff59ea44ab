"""Documents that apps bring as JSON files (DocTypes, above all) come into the database.

A DocType is read again when its file has changed (by hash), anything else when its `modified` is newer. Kinds of
documents that this host does not have (workspaces, number cards, …) are skipped.
"""

import hashlib
import json
import os
from typing import Any

import frappe
from frappe.modules.utils import get_module_path, scrub_dt_dn
from frappe.utils import get_datetime, now

KEPT_CHILDREN = ("DocPerm",)


def import_file(
	module: str,
	dt: str,
	dn: str,
	force: bool = False,
	pre_process: Any = None,
	reset_permissions: bool = False,
) -> bool | None:
	folder, name = scrub_dt_dn(dt, dn)
	path = os.path.join(get_module_path(module), folder, name, f"{name}.json")
	return import_file_by_path(path, force, pre_process=pre_process, reset_permissions=reset_permissions)


def calculate_hash(path: str) -> str:
	with open(path, "rb") as f:
		return hashlib.md5(f.read(), usedforsecurity=False).hexdigest()


def import_file_by_path(
	path: str,
	force: bool = False,
	data_import: bool = False,
	pre_process: Any = None,
	ignore_version: bool | None = None,
	reset_permissions: bool = False,
) -> bool:
	"""True if anything was read in."""
	docs = read_doc_from_file(path)
	digest, imported = calculate_hash(path), False
	for docdict in docs if isinstance(docs, list) else [docs]:
		doctype, name = docdict["doctype"], docdict["name"]
		is_doctype = doctype == "DocType"
		if not is_doctype and not frappe.db.exists("DocType", doctype):
			continue
		stored = frappe.db.get_value(doctype, name, "modified")
		if stored and not force:
			if is_doctype and frappe.db.get_value(doctype, name, "migration_hash") == digest:
				continue
			if not is_doctype and get_datetime(docdict.get("modified")) <= get_datetime(stored):
				continue
		import_doc(docdict, data_import, pre_process, reset_permissions=reset_permissions)
		values = {"modified": docdict.get("modified") or now()}
		if is_doctype:
			values["migration_hash"] = digest
		frappe.db.set_value(doctype, name, values, update_modified=False)
		imported = True
	return imported


def read_doc_from_file(path: str) -> Any:
	if not os.path.exists(path):
		raise OSError(f"{path} missing")
	with open(path, encoding="utf-8") as f:
		return json.load(f)


def import_doc(
	docdict: dict,
	data_import: bool = False,
	pre_process: Any = None,
	ignore_version: bool | None = None,
	reset_permissions: bool = False,
	path: str | None = None,
) -> Any:
	"""Insert a document in place of the one of the same name."""
	frappe.flags.in_import = True
	try:
		doc = frappe.get_doc({**docdict, "__islocal": 1})
		doc.run_method("before_import")
		if pre_process:
			pre_process(doc)
		if frappe.db.exists(doc.doctype, doc.name):
			_delete_old(doc, reset_permissions)
		doc.flags.ignore_links = True
		if not data_import:
			doc.flags.ignore_validate = True
			doc.flags.ignore_permissions = True
			doc.flags.ignore_mandatory = True
		return doc.insert()
	finally:
		frappe.flags.in_import = False


def _delete_old(doc: Any, reset_permissions: bool) -> None:
	kept = []
	for df in doc._get_table_fields():
		if df.options in KEPT_CHILDREN and not reset_permissions:
			doc.set(df.fieldname, [])
			kept.append(df.options)
	frappe.delete_doc(doc.doctype, doc.name, force=True, ignore_doctypes=kept, for_reload=True)
