"""Small parts of page rendering: the home page, what may be cached, responses."""

import mimetypes
from functools import lru_cache
from typing import Any

from werkzeug.wrappers import Response

import frappe
from frappe.utils import cstr

# bell, backspace, tab, line feed, form feed, carriage return, escape
TEXT_CONTROLS = b"\a\b\t\n\f\r\x1b"


def can_cache(no_cache: bool = False) -> bool:
	if frappe.flags.force_website_cache:
		return True
	if (
		frappe.conf.disable_website_cache
		or frappe.conf.developer_mode
		or getattr(frappe.local, "no_cache", False)
	):
		return False
	return not no_cache


def get_home_page() -> str:
	"""By hooks: for the user, for a role, for everybody; else the host's own start page."""
	page = None
	if methods := frappe.get_hooks("get_website_user_home_page"):
		page = frappe.get_attr(methods[-1])(frappe.session.user)
	elif pages := frappe.get_hooks("website_user_home_page"):
		page = pages[-1]
	if not page and (by_role := frappe.get_hooks("role_home_page")):
		page = next((by_role[role][-1] for role in frappe.get_roles() if role in by_role), None)
	if not page and (pages := frappe.get_hooks("home_page")):
		page = pages[-1]
	return (page or "index").strip("/")


def build_response(path: str, data: Any, http_status_code: int, headers: dict | None = None) -> Response:
	response = Response(status=http_status_code)
	response.mimetype = "text/html"
	if isinstance(data, dict):
		data, response.mimetype = frappe.as_json(data), "application/json"
	elif "." in path and not path.endswith(".com"):
		response.mimetype = mimetypes.guess_type(path)[0] or response.mimetype
	response.data = data
	response.headers["X-Page-Name"] = to_header(path)
	response.headers["X-From-Cache"] = str(frappe.local.response.from_cache or False)
	for key, value in (headers or {}).items():
		response.headers[key] = to_header(value)
	return response


def to_header(value: Any) -> str:
	return cstr(value).encode("ascii", errors="xmlcharrefreplace").decode()


@lru_cache(maxsize=1024)
def is_binary_file(path: str) -> bool:
	"""Whether its first kilobyte has control characters that no text has."""
	with open(path, "rb") as file:
		return any((byte < 32 and byte not in TEXT_CONTROLS) or byte == 127 for byte in file.read(1024))
