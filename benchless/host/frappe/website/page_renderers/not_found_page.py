"""The 404 page, which also remembers the address: until the cache is cleared it stays unknown."""

from werkzeug.wrappers import Response

import frappe
from frappe.website.page_renderers.template_page import TemplatePage
from frappe.website.utils import can_cache


class NotFoundPage(TemplatePage):
	def __init__(self, path: str | None = None, http_status_code: int | None = None):
		self.request_path = path
		request = getattr(frappe.local, "request", None)
		self.request_url = request.url if request else ""
		super().__init__(
			path="404", http_status_code=404 if http_status_code in (None, 200) else http_status_code
		)

	def can_render(self) -> bool:
		return True

	def render(self) -> Response:
		if can_cache() and self.request_url:
			frappe.cache.hset("website_404", self.request_url, True)
		return super().render()
