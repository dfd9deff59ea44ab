"""Where the Python and JSON files of DocTypes and other standard documents lie."""

import importlib
from types import ModuleType
from typing import Any

import frappe
from frappe import _, get_module_path, scrub


def get_module_app(module: str) -> str:
	"""The app that a module belongs to."""
	app = (frappe.local.module_app or {}).get(scrub(module))
	if not app and frappe.db and not frappe.flags.in_install_db:
		app = frappe.db.get_value("Module Def", module, "app_name")
	if not app:
		frappe.throw(_("Module {0} not found").format(module), frappe.DoesNotExistError)
	return app


def get_doctype_module(doctype: str) -> str:
	"""The module of a DocType."""
	return frappe.db.get_value("DocType", doctype, "module", cache=True) or "Core"


def get_module_name(
	doctype: str, module: str, prefix: str = "", suffix: str = "", app: str | None = None
) -> str:
	name = scrub(doctype)
	return f"{app or get_module_app(module)}.{scrub(module)}.doctype.{name}.{prefix}{name}{suffix}"


def load_doctype_module(
	doctype: str, module: str | None = None, prefix: str = "", suffix: str = ""
) -> ModuleType:
	"""Import the controller's module of a DocType."""
	return importlib.import_module(
		get_module_name(doctype, module or get_doctype_module(doctype), prefix, suffix)
	)


def scrub_dt_dn(dt: str, dn: str) -> tuple[str, str]:
	return scrub(dt), scrub(dn)


def reload_doc(
	module: str,
	dt: str | None = None,
	dn: str | None = None,
	force: bool = False,
	reset_permissions: bool = False,
) -> Any:
	from frappe.modules.import_file import import_file

	return import_file(module, dt, dn, force=force, reset_permissions=reset_permissions)


__all__ = ["get_module_path", "scrub"]
