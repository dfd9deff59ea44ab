"""Binary files that lie in the apps' www folders."""

import mimetypes
import os

from werkzeug.wrappers import Response

import frappe
from frappe.utils.response import send_file
from frappe.website.page_renderers.base_renderer import BaseRenderer
from frappe.website.utils import is_binary_file

TEXT = ("css", "html", "js", "json", "md", "py", "pyc", "pyo", "txt", "xml")


class StaticPage(BaseRenderer):
	def __init__(self, path: str | None = None, http_status_code: int | None = None):
		super().__init__(path=path, http_status_code=http_status_code)
		self.file_path = ""
		if "." not in self.path or self.path.rsplit(".", 1)[-1] in TEXT:
			return
		for app in frappe.get_installed_apps():
			folder = os.path.realpath(frappe.get_app_path(app, "www"))
			path = os.path.realpath(os.path.join(folder, self.path))
			if path.startswith(folder + os.sep) and os.path.isfile(path) and is_binary_file(path):
				self.file_path = path

	def can_render(self) -> bool:
		return bool(self.file_path)

	def render(self) -> Response:
		response = send_file(*os.path.split(self.file_path))
		response.mimetype = mimetypes.guess_type(self.file_path)[0] or "application/octet-stream"
		return response
