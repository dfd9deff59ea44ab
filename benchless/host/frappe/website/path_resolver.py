"""From a path to the page that answers it: known 404s, redirects, dynamic routes, then the renderers in their order.

Renderers that apps name in the hook `page_renderer` come first; the first whose `can_render()` is true answers.
"""

import re
from typing import Any

from werkzeug.routing import Rule
from werkzeug.routing.exceptions import RequestRedirect

import frappe
from frappe.website.page_renderers.not_found_page import NotFoundPage
from frappe.website.page_renderers.redirect_page import RedirectPage
from frappe.website.page_renderers.static_page import StaticPage
from frappe.website.page_renderers.template_page import TemplatePage
from frappe.website.router import evaluate_dynamic_routes
from frappe.website.utils import can_cache, get_home_page


class PathResolver:
	def __init__(self, path: str, http_status_code: int | None = None):
		self.path = path.strip("/ ")
		self.http_status_code = http_status_code

	def resolve(self) -> tuple[str, Any]:
		"""The endpoint, and the renderer that will render it."""
		request = getattr(frappe.local, "request", None)
		if request and can_cache() and frappe.cache.hget("website_404", request.url):
			return self.path, NotFoundPage(self.path)
		try:
			resolve_redirect(self.path, request.query_string if request else b"")
		except frappe.Redirect as error:
			return frappe.flags.redirect_location, RedirectPage(self.path, error.http_status_code)
		try:
			endpoint = resolve_path(self.path)
		except RequestRedirect as error:
			frappe.flags.redirect_location = error.new_url
			return error.new_url, RedirectPage(error.new_url, error.code)

		for renderer in (*self.get_custom_page_renderers(), StaticPage, TemplatePage):
			page = renderer(endpoint, self.http_status_code)
			if page.can_render():
				return endpoint, page
		return endpoint, NotFoundPage(endpoint)

	def is_valid_path(self) -> bool:
		return not isinstance(self.resolve()[1], NotFoundPage)

	@staticmethod
	def get_custom_page_renderers() -> list[type]:
		found = []
		for dotted_path in frappe.get_hooks("page_renderer"):
			try:
				renderer = frappe.get_attr(dotted_path)
			except Exception:
				frappe.logger().exception("Failed to load page renderer %s", dotted_path)
				continue
			if hasattr(renderer, "can_render") and hasattr(renderer, "render"):
				found.append(renderer)
		return found


def resolve_redirect(path: str, query_string: bytes | str | None = None) -> None:
	"""Raise Redirect where a rule of the hook `website_redirects` matches the path."""
	for rule in frappe.get_hooks("website_redirects"):
		pattern = rule["source"].strip("/ ") + "$"
		candidate = path
		if query_string and rule.get("match_with_query_string"):
			candidate = f"{path}?{frappe.safe_decode(query_string)}"
		if re.match(pattern, candidate):
			frappe.flags.redirect_location = re.sub(pattern, rule["target"], candidate)
			raise frappe.Redirect(rule.get("redirect_http_status") or 301)


def resolve_path(path: str) -> str:
	path = (path or "index").removesuffix(".html")
	if path == "index":
		path = get_home_page()
	frappe.local.path = path
	return path if path == "index" else resolve_from_map(path)


def resolve_from_map(path: str) -> str:
	rules = [
		Rule(rule["from_route"], endpoint=rule["to_route"], defaults=rule.get("defaults"))
		for rule in frappe.get_hooks("website_route_rules")
	]
	return evaluate_dynamic_routes(rules, path) or path
