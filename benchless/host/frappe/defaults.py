"""Default values: of the site (`__default`), global keys (`__global`) and of users."""

from typing import Any

import frappe

SHARED = ("__default", "__global")


def set_global_default(key: str, value: Any) -> None:
	set_default(key, value, "__default")


def get_global_default(key: str) -> Any:
	value = get_defaults_for().get(key)
	return value[0] if isinstance(value, list) else value


def set_user_default(key: str, value: Any, user: str | None = None, parenttype: str | None = None) -> None:
	set_default(key, value, user or frappe.session.user, parenttype)


def get_user_default(key: str, user: str | None = None) -> Any:
	value = get_defaults(user).get(key)
	return value[0] if isinstance(value, list) else value


def get_defaults(user: str | None = None) -> frappe._dict:
	user = user or frappe.session.user
	defaults = get_defaults_for().copy()
	if user:
		defaults.update(get_defaults_for(user))
		defaults.update(user=user, owner=user)
	return defaults


def set_default(key: str, value: Any, parent: str, parenttype: str | None = "__default") -> None:
	"""Write a default; None removes it."""
	frappe.db.delete("DefaultValue", {"defkey": key, "parent": parent})
	if value is None:
		_clear_cache(parent)
	else:
		add_default(key, value, parent, parenttype)


def add_default(key: str, value: Any, parent: str, parenttype: str | None = None) -> None:
	frappe.get_doc(
		doctype="DefaultValue",
		parent=parent,
		parenttype=parenttype or "__default",
		parentfield="system_defaults",
		defkey=key,
		defvalue=value,
	).insert(ignore_permissions=True)
	_clear_cache(parent)


def clear_default(
	key: str | None = None,
	value: Any = None,
	parent: str | None = None,
	name: str | None = None,
	parenttype: str | None = None,
) -> None:
	filters = {"name": name, "defkey": key, "defvalue": value, "parent": parent, "parenttype": parenttype}
	filters = {field: wanted for field, wanted in filters.items() if wanted}
	if not filters:
		raise ValueError("clear_default needs a filter")
	frappe.db.delete("DefaultValue", filters)
	for owner in (parent,) if parent else SHARED:
		_clear_cache(owner)


def get_defaults_for(parent: str = "__default") -> frappe._dict:
	"""All defaults of one owner; a key that stands more than once has a list."""
	defaults = frappe.cache.hget("defaults", parent)
	if defaults is None:
		defaults = frappe._dict()
		table = frappe.qb.DocType("DefaultValue")
		rows = (
			frappe.qb.from_(table)
			.where(table.parent == parent)
			.select(table.defkey, table.defvalue)
			.orderby(table.creation)
			.run()
		)
		for key, value in rows:
			if key in defaults and value != defaults[key]:
				known = defaults[key] if isinstance(defaults[key], list) else [defaults[key]]
				defaults[key] = known if value in known else [*known, value]
			elif value is not None:
				defaults[key] = value
		frappe.cache.hset("defaults", parent, defaults)
	return defaults


def _clear_cache(parent: str) -> None:
	frappe.cache.hdel("defaults", parent)
	if hasattr(frappe.local, "request_cache"):
		frappe.local.request_cache.clear()
