"""Version 1 of the REST addresses: /method/<name>, /resource/<doctype>, /resource/<doctype>/<name>."""

import json
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

import frappe
import frappe.client
import frappe.handler
from frappe import _
from frappe.model.document import Document


def document_list(doctype: str) -> list:
	form = frappe.form_dict
	if form.get("fields"):
		form["fields"] = json.loads(form["fields"])
	form.setdefault("limit_page_length", form.limit or 20)
	if form.get("as_dict") is not None:
		form["as_dict"] = form["as_dict"] not in ("0", "false", "False")
	return frappe.call(frappe.client.get_list, doctype, **form)


def handle_rpc_call(method: str) -> Response | None:
	frappe.form_dict.cmd = method.split("/")[0]
	return frappe.handler.handle()


def create_doc(doctype: str) -> Document:
	data = get_request_form_data()
	data.pop("doctype", None)
	return frappe.get_doc({"doctype": doctype, **data}).insert()


def read_doc(doctype: str, name: str) -> Any:
	if "run_method" in frappe.form_dict:
		return execute_doc_method(doctype, name)
	doc = frappe.get_doc(doctype, name)
	if not doc.has_permission("read"):
		raise frappe.PermissionError
	doc.apply_fieldlevel_read_permissions()
	return doc


def update_doc(doctype: str, name: str) -> Document:
	data = get_request_form_data()
	data.pop("flags", None)
	doc = frappe.get_doc(doctype, name, for_update=True)
	doc.update(data)
	doc.save()
	if doc.get("parenttype"):
		frappe.get_doc(doc.parenttype, doc.parent).save()
	return doc


def delete_doc(doctype: str, name: str) -> str:
	frappe.delete_doc(doctype, name, ignore_missing=False)
	frappe.response.http_status_code = 202
	return "ok"


def execute_doc_method(doctype: str, name: str, method: str | None = None) -> Any:
	method = method or frappe.form_dict.pop("run_method")
	doc = frappe.get_doc(doctype, name)
	doc.is_whitelisted(method)
	if not doc.has_permission("read" if frappe.request.method == "GET" else "write"):
		frappe.throw(_("Not permitted"), frappe.PermissionError)
	return doc.run_method(method, **frappe.form_dict)


def get_request_form_data() -> dict:
	data = frappe.form_dict.data
	if data is None:
		data = frappe.request.get_data(as_text=True)
	try:
		return frappe.parse_json(data) or frappe.form_dict
	except ValueError:
		return frappe.form_dict


url_rules = [
	Rule("/method/<path:method>", endpoint=handle_rpc_call),
	Rule("/resource/<doctype>", methods=["GET"], endpoint=document_list),
	Rule("/resource/<doctype>", methods=["POST"], endpoint=create_doc),
	Rule("/resource/<doctype>/<path:name>/", methods=["GET"], endpoint=read_doc),
	Rule("/resource/<doctype>/<path:name>/", methods=["PUT"], endpoint=update_doc),
	Rule("/resource/<doctype>/<path:name>/", methods=["DELETE"], endpoint=delete_doc),
	Rule("/resource/<doctype>/<path:name>/", methods=["POST"], endpoint=execute_doc_method),
]
