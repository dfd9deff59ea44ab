"""Turns frappe.response into an HTTP response: JSON, a download, a page, a redirect; and errors into JSON."""

import datetime
import decimal
import json
import mimetypes
import os
import sys
import uuid
from collections.abc import Iterable
from typing import Any

from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.local import LocalProxy
from werkzeug.utils import redirect as redirect_to
from werkzeug.wrappers import Response
from werkzeug.wsgi import wrap_file

import frappe
from frappe import _
from frappe.model.base_document import BaseDocument
from frappe.utils import cstr

# Kept from running in the browser with the site's own rights.
SCRIPTABLE = (".svg", ".html", ".htm", ".xml")


def build_response(response_type: str | None = None) -> Response:
	if "docs" in frappe.local.response and not frappe.local.response.docs:
		del frappe.local.response["docs"]
	makers = {
		"csv": as_csv,
		"txt": as_txt,
		"download": as_raw,
		"json": as_json,
		"page": as_page,
		"redirect": redirect,
		"binary": as_binary,
	}
	return makers[frappe.response.get("type") or response_type]()


def report_error(status_code: int) -> Response:
	"""The exception being handled, as JSON; its traceback only where the settings allow it."""
	allow_traceback = (
		(frappe.get_system_settings("allow_error_traceback") if frappe.db else False)
		and not frappe.local.flags.disable_traceback
		and (status_code != 404 or frappe.conf.logging)
	)
	traceback = frappe.get_traceback()
	if allow_traceback:
		frappe.errprint(traceback)
		frappe.response.exception = traceback.splitlines()[-1]
	frappe.response["exc_type"] = sys.exc_info()[0].__name__
	response = build_response("json")
	response.status_code = status_code
	return response


def as_json() -> Response:
	make_logs()
	response = Response(mimetype="application/json")
	if status := frappe.local.response.pop("http_status_code", None):
		response.status_code = status
	response.data = json.dumps(frappe.local.response, default=json_handler, separators=(",", ":"))
	return response


def make_logs() -> None:
	"""Messages of msgprint and throw, each a JSON text within a JSON list: that is what Frappe's clients read."""
	response = frappe.local.response
	allow_traceback = frappe.get_system_settings("allow_error_traceback") if frappe.db else False
	if frappe.local.error_log and allow_traceback:
		response["exc"] = json.dumps([cstr(entry["exc"]) for entry in frappe.local.error_log])
	if frappe.local.message_log:
		response["_server_messages"] = json.dumps([json.dumps(entry) for entry in frappe.local.message_log])
	if frappe.local.debug_log:
		response["_debug_messages"] = json.dumps(frappe.local.debug_log)
	if frappe.flags.error_message:
		response["_error_message"] = frappe.flags.error_message


def json_handler(value: Any) -> Any:
	if isinstance(value, datetime.date | datetime.datetime | datetime.time | datetime.timedelta | uuid.UUID):
		return str(value)
	if isinstance(value, decimal.Decimal):
		return float(value)
	if isinstance(value, LocalProxy):
		return str(value)
	if isinstance(value, BaseDocument):
		return value.as_dict(no_nulls=True)
	if isinstance(value, Iterable):
		return list(value)
	if isinstance(value, type | Exception) or callable(value):
		return repr(value)
	raise TypeError(f"Object of type {type(value)} with value of {value!r} is not JSON serializable")


def as_csv() -> Response:
	return attach(frappe.response["result"], "text/csv", f"{frappe.response['doctype']}.csv")


def as_txt() -> Response:
	return attach(frappe.response["result"], "text/plain", f"{frappe.response['doctype']}.txt")


def as_raw() -> Response:
	filename = frappe.response["filename"]
	mimetype = (
		frappe.response.get("content_type") or mimetypes.guess_type(filename)[0] or "application/unknown"
	)
	return attach(
		frappe.response["filecontent"],
		mimetype,
		filename,
		frappe.response.get("display_content_as", "attachment"),
	)


def as_binary() -> Response:
	return attach(frappe.response["filecontent"], "application/octet-stream", frappe.response["filename"])


def attach(content: str | bytes, mimetype: str, filename: str, disposition: str = "attachment") -> Response:
	response = Response(content, mimetype=mimetype)
	response.headers.add("Content-Disposition", disposition, filename=filename)
	return response


def as_page() -> Response:
	from frappe.website.serve import get_response

	return get_response(
		frappe.response["route"], http_status_code=frappe.response.get("http_status_code") or 200
	)


def redirect() -> Response:
	return redirect_to(frappe.response.location)


def download_private_file(path: str) -> Response:
	"""A file below /private/files, for those who may read the File document."""
	refused = Forbidden(_("You don't have permission to access this file"))
	if frappe.session.user == "Guest":
		raise refused
	for name in frappe.get_all("File", filters={"file_url": path}, pluck="name"):
		if frappe.has_permission("File", "read", name):
			return send_file(frappe.get_site_path("private", "files"), path.removeprefix("/private/files/"))
	raise refused


def send_file(folder: str, name: str) -> Response:
	"""One file of a folder, never one outside it."""
	folder = os.path.realpath(folder)
	path = os.path.realpath(os.path.join(folder, name))
	if not path.startswith(folder + os.sep) or not os.path.isfile(path):
		raise NotFound
	file = open(path, "rb")  # closed by the server when it is sent
	response = Response(wrap_file(frappe.local.request.environ, file), direct_passthrough=True)
	response.mimetype = mimetypes.guess_type(path)[0] or "application/octet-stream"
	response.content_length = os.path.getsize(path)
	if os.path.splitext(path)[1].lower() in SCRIPTABLE:
		response.headers.add("Content-Disposition", "attachment", filename=os.path.basename(path))
	return response


def handle_session_stopped() -> Response:
	from frappe.website.serve import get_response

	frappe.respond_as_web_page(
		_("Updating"),
		_("The system is being updated. Please refresh again after a few moments."),
		http_status_code=503,
		indicator_color="orange",
	)
	return get_response("message", http_status_code=503)
