"""Says in words which arguments a call of a method of ours lacks. Frappe would answer 500, with what Python says of it.

Looks at nothing but the method's own signature; who may not call a method is refused by Frappe, and told nothing here.
"""

import inspect
from collections.abc import Callable
from functools import cache

import frappe
from frappe import _

_OURS = "trackflow."


def check() -> None:
	"""auth_hook, after the ones that say who asks."""
	method = _called(frappe.request.path)
	if method is None or (frappe.session.user == "Guest" and method not in frappe.guest_methods):
		return
	if frappe.request.method not in frappe.allowed_http_methods_for_whitelisted_func[method]:
		return
	for name in _required(method):
		if name not in frappe.local.form_dict:
			frappe.throw(_("The argument {0} is missing.").format(name), title=_("Missing Argument"))


@cache
def _required(method: Callable) -> tuple[str, ...]:
	arguments = inspect.signature(method).parameters
	return tuple(name for name, one in arguments.items() if one.default is inspect.Parameter.empty)


def _called(path: str) -> Callable | None:
	"""The whitelisted method of ours that the address names, if it does."""
	_prefix, _method, name = path.partition("/method/")
	if not path.startswith("/api/") or not name.startswith(_OURS) or ".tests." in name:
		return None
	try:
		method = frappe.get_attr(name.strip("/"))
	except (ImportError, AttributeError, ValueError, frappe.ValidationError):
		return None
	return method if method in frappe.whitelisted else None
