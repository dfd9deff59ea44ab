"""Which functions the web may call, by which HTTP methods, and how their arguments are checked.

Arguments are validated against the annotations while a request is answered, and in tests, as in Frappe v15.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import frappe

whitelisted: list[Callable] = []
guest_methods: list[Callable] = []
xss_safe_methods: list[Callable] = []
allowed_http_methods_for_whitelisted_func: dict[Callable, list[str]] = {}


def _in_request_or_test() -> bool:
	return bool(getattr(frappe.local, "request", None) or frappe.local.flags.in_test)


def whitelist(
	allow_guest: bool = False, xss_safe: bool = False, methods: list[str] | None = None
) -> Callable[[Callable], Callable]:
	"""Decorator: let the web call a function (or a method of a document)."""
	methods = methods or ["GET", "POST", "PUT", "DELETE"]

	def register(fn: Callable) -> Callable:
		from frappe.utils.typing_validations import validate_argument_types

		fn = validate_argument_types(fn, apply_condition=_in_request_or_test)
		whitelisted.append(fn)
		allowed_http_methods_for_whitelisted_func[fn] = methods
		if allow_guest:
			guest_methods.append(fn)
			if xss_safe:
				xss_safe_methods.append(fn)
		return fn

	return register


def is_whitelisted(method: Callable) -> None:
	"""Raise PermissionError unless the session may call `method`; sanitise what guests sent."""
	from frappe.utils import sanitize_html

	is_guest = frappe.session["user"] == "Guest"
	if method not in whitelisted or (is_guest and method not in guest_methods):
		summary = frappe._("You are not permitted to access this resource.")
		detail = frappe._("Function {0} is not whitelisted.").format(
			frappe.bold(f"{method.__module__}.{method.__name__}")
		)
		message = f"<details><summary>{summary}</summary>{detail}</details>"
		frappe.throw(message, frappe.PermissionError, title=frappe._("Method Not Allowed"))
	if is_guest and method not in xss_safe_methods:
		for key, value in frappe.form_dict.items():
			if isinstance(value, str):
				frappe.form_dict[key] = sanitize_html(value)


def only_for(roles: list[str] | tuple[str, ...] | str, message: bool = False) -> None:
	"""Raise PermissionError unless the user has one of the roles. Tests and the Administrator pass."""
	if frappe.local.flags.in_test or frappe.local.session.user == "Administrator":
		return
	roles = (roles,) if isinstance(roles, str) else roles
	if not set(roles).isdisjoint(frappe.get_roles()):
		return
	if not message:
		raise frappe.PermissionError
	frappe.throw(
		frappe._("This action is only allowed for {}").format(
			", ".join(frappe.bold(frappe._(role)) for role in roles)
		),
		frappe.PermissionError,
		frappe._("Not Permitted"),
	)


def get_newargs(fn: Callable, kwargs: dict[str, Any]) -> dict[str, Any]:
	"""The arguments that `fn` takes; `ignore_permissions` and `flags` never come from outside."""
	parameters = inspect.signature(fn).parameters.values()
	names = {p.name for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD}
	takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
	return {
		key: value
		for key, value in kwargs.items()
		if (takes_any or key in names) and key not in ("ignore_permissions", "flags")
	}


def call(fn: str | Callable, *args: Any, **kwargs: Any) -> Any:
	"""Call a function with those keyword arguments that it takes."""
	if isinstance(fn, str):
		fn = frappe.get_attr(fn)
	return fn(*args, **get_newargs(fn, kwargs))


def read_only() -> Callable[[Callable], Callable]:
	"""Decorator of functions that only read. There is no replica here: it drops unknown arguments, no more."""

	def decorate(fn: Callable) -> Callable:
		@functools.wraps(fn)
		def wrapper(*args: Any, **kwargs: Any) -> Any:
			return fn(*args, **get_newargs(fn, kwargs))

		return wrapper

	return decorate


@whitelist(allow_guest=True)
def ping() -> str:
	return "pong"
