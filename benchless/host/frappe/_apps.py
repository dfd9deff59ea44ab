"""Apps of the site: which are installed, where they lie, and what their hooks say.

Hooks are merged over the installed apps in order of installation, exactly as Frappe does: lists are joined,
dicts become lists of values by key.
"""

import importlib
import inspect
import json
import os
import types
from typing import Any

import frappe
from frappe.types.frappedict import _dict
from frappe.utils.caching import request_cache

_KEEP_LIST = "_KEEP_DEFAULT_LIST"


def scrub(txt: str) -> str:
	"""`Sales Order` becomes `sales_order`."""
	return ("" if txt is None else str(txt)).replace(" ", "_").replace("-", "_").lower()


def unscrub(txt: str) -> str:
	"""`sales_order` becomes `Sales Order`."""
	return txt.replace("_", " ").replace("-", " ").title()


def get_module(modulename: str) -> types.ModuleType:
	"""Import a module by its dotted name."""
	return importlib.import_module(modulename)


def get_pymodule_path(modulename: str, *joins: str) -> str:
	"""Folder of a Python module; parts of the path are scrubbed unless they lie in `public`."""
	if "public" not in joins:
		joins = tuple(scrub(part) for part in joins)
	folder = os.path.dirname(get_module(scrub(modulename)).__file__ or "")
	return os.path.abspath(os.path.join(folder, *joins))


def get_app_path(app_name: str, *joins: str) -> str:
	"""Folder of an app's package."""
	return get_pymodule_path(app_name, *joins)


def get_app_source_path(app_name: str, *joins: str) -> str:
	"""Folder of an app's repository."""
	return get_app_path(app_name, "..", *joins)


def get_module_path(module: str, *joins: str) -> str:
	"""Folder of a module (as in modules.txt) inside its app."""
	from frappe.modules.utils import get_module_app

	return get_pymodule_path(f"{get_module_app(module)}.{scrub(module)}", *joins)


def get_site_path(*joins: str) -> str:
	"""Folder of the current site."""
	return os.path.join(frappe.local.site_path, *joins)


def read_file(path: str, raise_not_found: bool = False) -> str | None:
	"""Text of a file; None, or OSError if asked, where there is none."""
	if os.path.exists(path):
		with open(path, encoding="utf-8") as f:
			return f.read()
	if raise_not_found:
		raise OSError(f"{path} Not Found")
	return None


def get_file_items(path: str, raise_not_found: bool = False, ignore_empty_lines: bool = True) -> list[str]:
	"""Lines of a text file without comments."""
	content = (read_file(path, raise_not_found) or "").strip()
	if not content:
		return []
	lines = [line.strip() for line in content.splitlines()]
	return [line for line in lines if not ignore_empty_lines or (line and not line.startswith("#"))]


def get_file_json(path: str) -> Any:
	"""Content of a JSON file."""
	with open(path, encoding="utf-8") as f:
		return json.load(f)


def get_module_list(app_name: str) -> list[str]:
	"""Modules of an app, from its modules.txt."""
	return get_file_items(get_app_path(app_name, "modules.txt"))


def get_all_apps(with_internal_apps: bool = True, sites_path: str | None = None) -> list[str]:
	"""Apps known to the sites folder (apps.txt) and to the site's configuration; `frappe` always comes first."""
	sites_path = sites_path or frappe.local.sites_path
	apps = get_file_items(os.path.join(sites_path, "apps.txt"))
	if with_internal_apps:
		apps += get_file_items(os.path.join(frappe.local.site_path, "apps.txt"))
	return ["frappe", *dict.fromkeys(app for app in apps if app != "frappe")]


@request_cache
def get_installed_apps(*, _ensure_on_bench: bool = False) -> list[str]:
	"""Apps installed on the current site, in order of installation."""
	if frappe.flags.in_install_db:
		return ["frappe"]
	if not frappe.db:
		frappe.connect()
	installed = json.loads(frappe.db.get_global("installed_apps") or '["frappe"]')
	if _ensure_on_bench:
		installed = [app for app in installed if importlib.util.find_spec(app)]
	return installed


def setup_module_map(include_all_apps: bool = True) -> None:
	"""Fill `frappe.local.app_modules` and its reverse from modules.txt of the apps in apps.txt."""
	apps = get_all_apps() if include_all_apps else get_installed_apps()
	frappe.local.app_modules = {}
	frappe.local.module_app = {}
	for app in apps:
		add_to_module_map(app)


def add_to_module_map(app: str) -> None:
	"""Make an app's modules known in this request: needed while it is being installed."""
	modules = [scrub(module) for module in get_module_list(app)]
	frappe.local.app_modules[app] = modules
	for module in modules:
		frappe.local.module_app.setdefault(module, app)


def append_hook(target: dict, key: Any, value: Any) -> None:
	"""Add one hook value to the merged hooks."""
	if isinstance(value, dict):
		inner = target.setdefault(key, {})
		for inner_key, inner_value in value.items():
			append_hook(inner, inner_key, inner_value)
	else:
		target.setdefault(key, []).extend(value if isinstance(value, list) else [value])


def _is_hook_value(obj: Any) -> bool:
	return not isinstance(obj, types.ModuleType | types.FunctionType | type)


@request_cache
def _load_app_hooks(app_name: str | None = None) -> dict:
	hooks: dict = {}
	for app in [app_name] if app_name else get_installed_apps(_ensure_on_bench=True):
		module = get_module(f"{app}.hooks")
		for key, value in inspect.getmembers(module, predicate=_is_hook_value):
			if not key.startswith("_"):
				append_hook(hooks, key, value)
	return hooks


def get_hooks(hook: str | None = None, default: Any = _KEEP_LIST, app_name: str | None = None) -> Any:
	"""All hooks, or those of one name, of all installed apps or of one."""
	if app_name:
		hooks = _dict(_load_app_hooks(app_name))
	elif frappe.conf.developer_mode:
		hooks = _dict(_load_app_hooks())
	else:
		hooks = _dict(frappe.cache.get_value("app_hooks", _load_app_hooks))
	if hook:
		return hooks.get(hook, [] if default == _KEEP_LIST else default)
	return hooks


def get_doc_hooks() -> dict:
	"""`doc_events` by DocType, with tuples of DocTypes taken apart."""
	if not hasattr(frappe.local, "doc_events_hooks"):
		out: dict = {}
		for key, value in frappe.get_hooks("doc_events", {}).items():
			for doctype in key if isinstance(key, tuple) else (key,):
				append_hook(out, doctype, value)
		frappe.local.doc_events_hooks = out
	return frappe.local.doc_events_hooks


def get_attr(method_string: str) -> Any:
	"""The object a dotted path names; its app must be installed."""
	app_name = method_string.split(".", 1)[0]
	flags = frappe.local.flags
	if not flags.in_uninstall and not flags.in_install and app_name not in get_installed_apps():
		frappe.throw(frappe._("App {0} is not installed").format(app_name), frappe.AppNotInstalledError)
	module, _dot, name = method_string.rpartition(".")
	return getattr(get_module(module), name)
