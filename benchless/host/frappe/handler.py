"""Remote calls: /api/method/<dotted path> and the older ?cmd=. Only whitelisted functions, only by their methods."""

import mimetypes
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

import frappe
from frappe import _, is_whitelisted, ping
from frappe.utils import cint

# Calls by a bare name, without a dotted path.
SHORTHANDS = ("ping", "logout", "web_logout", "upload_file", "login")


def handle() -> Response | None:
	"""Run `cmd`; a Response is the answer as it is, anything else becomes `message`."""
	cmd = frappe.local.form_dict.cmd
	if cmd == "login":
		# the login manager has done it already
		return None
	data = execute_cmd(cmd)
	if isinstance(data, Response):
		return data
	if data is not None:
		frappe.response["message"] = data
	return None


def execute_cmd(cmd: str, from_async: bool = False) -> Any:
	overrides = (frappe.get_hooks("override_whitelisted_methods") or {}).get(cmd) or []
	if overrides:
		cmd = overrides[-1]
	try:
		method = get_attr(cmd)
	except Exception as error:
		frappe.throw(_("Failed to get method for command {0} with {1}").format(cmd, error))
	is_whitelisted(method)
	is_valid_http_method(method)
	return frappe.call(method, **frappe.form_dict)


def is_valid_http_method(method: Callable) -> None:
	if frappe.local.request.method not in frappe.allowed_http_methods_for_whitelisted_func[method]:
		throw_permission_error()


def throw_permission_error() -> None:
	frappe.throw(_("Not permitted"), frappe.PermissionError)


def get_attr(cmd: str) -> Callable:
	if "." in cmd:
		return frappe.get_attr(cmd)
	if cmd not in SHORTHANDS:
		raise KeyError(cmd)
	return globals()[cmd]


@frappe.whitelist(allow_guest=True)
def logout() -> None:
	frappe.local.login_manager.logout()
	frappe.db.commit()


@frappe.whitelist(allow_guest=True)
def web_logout() -> None:
	frappe.local.login_manager.logout()
	frappe.db.commit()
	frappe.respond_as_web_page(
		_("Logged Out"), _("You have been successfully logged out"), indicator_color="green"
	)


@frappe.whitelist(methods=["POST"])
def upload_file() -> Any:
	"""Keep an uploaded file, attached to a document if one is named."""
	form, upload = frappe.form_dict, frappe.request.files.get("file")
	if form.doctype and form.docname:
		frappe.has_permission(form.doctype, "write", form.docname, throw=True)
	filename = upload.filename if upload else form.file_name
	content = upload.stream.read() if upload else None
	if form.method:
		frappe.local.uploaded_file, frappe.local.uploaded_filename = content, filename
		method = frappe.get_attr(form.method)
		is_whitelisted(method)
		return method()
	return frappe.get_doc(
		{
			"doctype": "File",
			"attached_to_doctype": form.doctype,
			"attached_to_name": form.docname,
			"attached_to_field": form.fieldname,
			"folder": form.folder or "Home",
			"file_name": filename,
			"file_url": form.file_url,
			"file_type": (mimetypes.guess_extension(upload.mimetype) or "").strip(".").upper()
			if upload
			else None,
			"is_private": cint(form.is_private),
			"content": content,
		}
	).insert()
