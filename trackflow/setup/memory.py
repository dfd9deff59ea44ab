"""Remembers on the site what was set up once, so that what people removed since does not come back."""

import json
from collections.abc import Iterable

import frappe

_PARENT = "__global"


def recall(key: str) -> set[str]:
	"""What was remembered under `key`. Read from the table: Frappe's cache of it is stale while apps are installed."""
	stored = frappe.db.get_value("DefaultValue", {"parent": _PARENT, "defkey": key}, "defvalue")
	return set(json.loads(stored or "[]"))


def remember(key: str, values: Iterable[str]) -> None:
	"""Remember these values, and no others, under `key`."""
	values = set(values)
	if values != recall(key):
		frappe.db.set_global(key, json.dumps(sorted(values)))


def forget(key: str) -> None:
	"""Forget what was remembered under `key`."""
	frappe.db.set_global(key, None)
