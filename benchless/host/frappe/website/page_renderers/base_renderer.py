"""What every renderer has: a path, a status, and a way to make a response."""

from typing import Any

from werkzeug.wrappers import Response

import frappe
from frappe.website.utils import build_response


class BaseRenderer:
	def __init__(self, path: str | None = None, http_status_code: int | None = None):
		self.headers: dict[str, str] | None = None
		self.http_status_code = http_status_code or 200
		self.path = (path or frappe.local.request.path).strip("/ ")
		self.basepath = self.basename = self.name = self.route = ""
		self.file_dir: str | None = None

	def can_render(self) -> bool:
		raise NotImplementedError

	def render(self) -> Response:
		raise NotImplementedError

	def build_response(
		self, data: Any, http_status_code: int | None = None, headers: dict | None = None
	) -> Response:
		return build_response(
			self.path, data, http_status_code or self.http_status_code, headers or self.headers
		)
