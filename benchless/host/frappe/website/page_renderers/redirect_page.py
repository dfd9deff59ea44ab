"""A redirect to frappe.flags.redirect_location."""

from werkzeug.wrappers import Response

import frappe
from frappe.website.utils import build_response


class RedirectPage:
	def __init__(self, path: str, http_status_code: int = 301):
		self.path, self.http_status_code = path, http_status_code

	def can_render(self) -> bool:
		return True

	def render(self) -> Response:
		location = frappe.flags.redirect_location or (frappe.local.response or {}).get("location")
		headers = {"Location": location, "Cache-Control": "no-store, no-cache, must-revalidate"}
		return build_response(self.path, "", self.http_status_code, headers)
