"""Offers functions of a test module over HTTP while its tests run, and at no other time: no site may offer them."""

import sys
import unittest
from collections.abc import Callable, Mapping
from typing import Any

import frappe


def offer(case: type[unittest.TestCase], functions: Mapping[Callable, Mapping[str, Any]]) -> None:
	"""Whitelist these functions with these options of `frappe.whitelist` until the class's tests are done."""
	for function, options in functions.items():
		module = sys.modules[function.__module__]
		whitelisted = frappe.whitelist(**options)(function)
		setattr(module, function.__name__, whitelisted)
		case.addClassCleanup(_withdraw, module, function, whitelisted)


def _withdraw(module: Any, function: Callable, whitelisted: Callable) -> None:
	setattr(module, function.__name__, function)
	for known in (frappe.whitelisted, frappe.guest_methods, frappe.xss_safe_methods):
		if whitelisted in known:
			known.remove(whitelisted)
	frappe.allowed_http_methods_for_whitelisted_func.pop(whitelisted, None)
