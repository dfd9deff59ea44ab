"""Version 2 of the REST addresses: /method/<name>, /document/<doctype>, /document/<doctype>/<name>, and a document's methods."""

from typing import Any

from werkzeug.routing import Rule

import frappe
import frappe.client
import frappe.handler
from frappe.api.v1 import document_list as list_of_v1
from frappe.model.document import Document
from frappe.modules.utils import load_doctype_module

PERMISSIONS = {"GET": "read", "POST": "write"}


def handle_rpc_call(method: str, doctype: str | None = None) -> Any:
	"""What the method answers stands under `data`; of a DocType's own methods the last name is enough."""
	if doctype:
		method = f"{load_doctype_module(doctype).__name__}.{method}"
	return frappe.handler.execute_cmd(method)


def document_list(doctype: str) -> list:
	frappe.form_dict.limit_page_length = frappe.form_dict.limit or 20
	return list_of_v1(doctype)


def create_doc(doctype: str) -> Document:
	data = frappe.form_dict
	data.pop("doctype", None)
	return frappe.new_doc(doctype, **data).insert()


def read_doc(doctype: str, name: str) -> Document:
	doc = frappe.get_doc(doctype, name)
	doc.check_permission("read")
	doc.apply_fieldlevel_read_permissions()
	return doc


def update_doc(doctype: str, name: str) -> Document:
	data = frappe.form_dict
	data.pop("flags", None)
	doc = frappe.get_doc(doctype, name, for_update=True)
	doc.update(data)
	doc.save()
	if doc.get("parenttype"):
		frappe.get_doc(doc.parenttype, doc.parent).save()
	return doc


def delete_doc(doctype: str, name: str) -> str:
	frappe.client.delete(doctype, name)
	frappe.response.http_status_code = 202
	return "ok"


def execute_doc_method(doctype: str, name: str, method: str) -> Any:
	doc = frappe.get_doc(doctype, name)
	doc.is_whitelisted(method)
	doc.check_permission(PERMISSIONS[frappe.request.method])
	return doc.run_method(method, **frappe.form_dict)


_ONE = "/document/<doctype>/<path:name>/"

url_rules = [
	Rule("/method/<method>", endpoint=handle_rpc_call),
	Rule("/method/<doctype>/<method>", endpoint=handle_rpc_call),
	Rule("/document/<doctype>", methods=["GET"], endpoint=document_list),
	Rule("/document/<doctype>", methods=["POST"], endpoint=create_doc),
	Rule(_ONE, methods=["GET"], endpoint=read_doc),
	Rule(_ONE, methods=["PATCH", "PUT"], endpoint=update_doc),
	Rule(_ONE, methods=["DELETE"], endpoint=delete_doc),
	Rule(f"{_ONE}method/<method>/", methods=["GET", "POST"], endpoint=execute_doc_method),
]
