"""Modules of apps: where a DocType's files lie, and reading them in."""

from frappe.modules.utils import (
	get_doctype_module,
	get_module_app,
	get_module_name,
	get_module_path,
	load_doctype_module,
	reload_doc,
	scrub,
	scrub_dt_dn,
)
