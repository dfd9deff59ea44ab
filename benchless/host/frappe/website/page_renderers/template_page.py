"""Pages of the apps' www folders: an HTML (or other text) template, with `get_context` of the module beside it."""

import inspect
import os
import re

from werkzeug.wrappers import Response

import frappe
from frappe.website.page_renderers.base_renderer import BaseRenderer
from frappe.website.utils import can_cache, is_binary_file

START_FOLDERS = ("www", "templates/pages")
ENDINGS = ("", ".html", ".md", "/index.html", "/index.md")
MODULE_PROPERTIES = ("base_template_path", "template", "no_cache", "sitemap", "condition_field")


class TemplatePage(BaseRenderer):
	def __init__(self, path: str | None = None, http_status_code: int | None = None):
		super().__init__(path=path, http_status_code=http_status_code)
		self.template_path = self.source = ""
		self.set_template_path()

	def set_template_path(self) -> None:
		"""The last installed app that has the page wins."""
		for app in reversed(frappe.get_installed_apps()):
			app_path = os.path.realpath(frappe.get_app_path(app))
			for folder in START_FOLDERS:
				for ending in ENDINGS:
					file_path = os.path.realpath(os.path.join(app_path, folder, self.path) + ending)
					if is_inside(file_path, os.path.join(app_path, folder)) and not is_binary_file(file_path):
						self.use(app, app_path, folder, file_path)
						return

	def use(self, app: str, app_path: str, folder: str, file_path: str) -> None:
		self.app, self.app_path, self.file_dir = app, app_path, folder
		self.basename = os.path.splitext(file_path)[0]
		self.basepath, self.filename = os.path.split(file_path)
		self.name = os.path.splitext(self.filename)[0]
		self.template_path = os.path.relpath(file_path, app_path)

	def can_render(self) -> bool:
		return bool(self.template_path) and not self.template_path.endswith((".py", ".pyc", ".so"))

	def render(self) -> Response:
		return self.build_response(self.add_csrf_token(self.get_html()))

	def add_csrf_token(self, html: str) -> str:
		if not frappe.local.session or "<!-- csrf_token -->" not in html:
			return html
		token = frappe.local.session.data.csrf_token
		return html.replace("<!-- csrf_token -->", f'<script>frappe.csrf_token = "{token}";</script>')

	def get_html(self) -> str:
		"""Rendered anew, or from the cache where the page does not forbid it."""
		if can_cache():
			cached = (frappe.cache.hget("website_page", self.path) or {}).get(frappe.local.lang)
			if cached:
				frappe.local.response.from_cache = True
				return cached
		html = self.make_html()
		if can_cache(self.context.no_cache):
			pages = frappe.cache.hget("website_page", self.path) or {}
			frappe.cache.hset("website_page", self.path, {**pages, frappe.local.lang: html})
		return html

	def make_html(self) -> str:
		self.init_context()
		self.update_context()
		self.source = frappe.get_jloader().get_source(frappe.get_jenv(), self.context.template)[0]
		self.set_properties_from_source()
		self.post_process_context()
		if self.template_path.endswith("min.js"):
			return self.source
		safe_render = True if self.context.safe_render is None else self.context.safe_render
		return frappe.render_template(self.source, self.context, safe_render=safe_render)

	def init_context(self) -> None:
		self.context = frappe._dict(frappe.local.conf.get("website_context") or {})

	def update_context(self) -> None:
		self.context.update(
			basepath=self.basepath,
			basename=self.basename,
			name=self.name,
			path=self.path,
			route=self.path,
			template=f"{self.app}/{self.template_path}",
		)
		if module := self.get_module():
			for name in MODULE_PROPERTIES:
				if hasattr(module, name):
					self.context[name] = getattr(module, name)
			if hasattr(module, "get_context"):
				takes_context = inspect.signature(module.get_context).parameters
				self.context.update(
					(module.get_context(self.context) if takes_context else module.get_context()) or {}
				)
		self.context.developer_mode = frappe.conf.developer_mode
		if self.context.http_status_code:
			self.http_status_code = self.context.http_status_code

	def get_module(self) -> object | None:
		"""The Python module beside the template; hyphens of the page are underscores there."""
		folder, name = os.path.split(os.path.splitext(self.template_path)[0])
		path = os.path.join(folder, name.replace("-", "_"))
		if not os.path.exists(os.path.join(self.app_path, f"{path}.py")):
			return None
		return frappe.get_module(f"{self.app}.{path.replace(os.path.sep, '.')}")

	def set_properties_from_source(self) -> None:
		if not self.context.title and (
			found := re.search(r"<title>([^<{]*)</title>|<h1>([^<{]*)</h1>", self.source)
		):
			self.context.title = (found[1] or found[2] or "").strip()
		is_whole = re.search(r"{%-? extends", self.source) or "</body>" in self.source
		if self.context.base_template and not is_whole:
			self.source = (
				f'{{% extends "{self.context.base_template}" %}}'
				f"{{% block page_content %}}{self.source}{{% endblock %}}"
			)

	def post_process_context(self) -> None:
		context = self.context
		context.user = frappe.session.user
		context.fullname = frappe.utils.get_fullname(frappe.session.user)
		context.base_template_path = context.base_template_path or "templates/base.html"
		for method in frappe.get_hooks("update_website_context"):
			context.update(frappe.get_attr(method)(context) or {})
		# put there by frappe.respond_as_web_page
		context.update((frappe.local.response or {}).get("context") or {})
		context.pathname = getattr(frappe.local, "path", None)
		context.canonical = frappe.utils.get_url(frappe.utils.escape_html(self.path))

	def set_standard_path(self, path: str) -> None:
		"""A page of the framework itself."""
		app_path = os.path.realpath(frappe.get_app_path("frappe"))
		self.path = path
		self.use("frappe", app_path, "www", os.path.join(app_path, "www", f"{path}.html"))


def is_inside(file_path: str, folder: str) -> bool:
	return file_path.startswith(folder + os.sep) and os.path.isfile(file_path)
