"""Dynamic routes: website_route_rules of the apps, matched as Werkzeug matches."""

from collections.abc import Sequence

from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule

import frappe


def evaluate_dynamic_routes(rules: Sequence[Rule], path: str) -> str | None:
	"""The endpoint of the rule that matches; its variables become part of form_dict."""
	if not rules:
		return None
	host = frappe.local.request.host if getattr(frappe.local, "request", None) else "localhost"
	try:
		endpoint, arguments = Map(rules).bind(host).match(f"/{path.strip('/')}")
	except NotFound:
		return None
	if arguments:
		frappe.local.no_cache = 1
		frappe.local.form_dict.update(arguments)
	return endpoint
