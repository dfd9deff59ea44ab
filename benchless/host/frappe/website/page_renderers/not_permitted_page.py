"""The page of a PermissionError: what was missing, and the way to the login."""

from urllib.parse import quote_plus

from werkzeug.wrappers import Response

import frappe
from frappe import _
from frappe.utils import cstr
from frappe.website.page_renderers.template_page import TemplatePage


class NotPermittedPage(TemplatePage):
	def __init__(
		self, path: str | None = None, http_status_code: int | None = None, exception: Exception | str = ""
	):
		frappe.local.message = cstr(exception)
		super().__init__(path=path, http_status_code=http_status_code)
		self.http_status_code = 403

	def can_render(self) -> bool:
		return True

	def render(self) -> Response:
		frappe.local.message_title = _("Not Permitted")
		frappe.local.no_cache = 1
		frappe.local.response["context"] = {
			"indicator_color": "red",
			"primary_action": f"/login?redirect-to={quote_plus(frappe.request.path)}",
			"primary_label": _("Login"),
			"fullpage": True,
		}
		self.set_standard_path("message")
		return super().render()
