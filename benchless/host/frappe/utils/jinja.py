"""Jinja as Frappe sets it up: sandboxed, without autoescape (templates escape with |e), undefined names shown as they are.

Templates are found as `<app>/path` or `path` of any installed app; the last installed app wins.
"""

import json
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, DebugUndefined, FileSystemLoader, PrefixLoader, Template
from jinja2.sandbox import SandboxedEnvironment

import frappe
from frappe import _

PATH_ENDINGS = (".html", ".css", ".scss", ".py", ".md", ".json", ".js", ".xml", ".txt")


def get_jenv() -> SandboxedEnvironment:
	"""The environment of this request."""
	if not getattr(frappe.local, "jenv", None):
		environment = SandboxedEnvironment(loader=get_jloader(), undefined=DebugUndefined)
		environment.globals.update(get_globals())
		environment.filters.update(
			json=frappe.as_json, len=len, int=frappe.utils.cint, str=frappe.utils.cstr, flt=frappe.utils.flt
		)
		add_hooks(environment)
		frappe.local.jenv = environment
	return frappe.local.jenv


def get_globals() -> dict[str, Any]:
	"""What templates may use: a small part of frappe, read-only."""
	session = frappe._dict(
		user=frappe.session.user if frappe.session else "Guest",
		csrf_token=frappe.session.data.csrf_token if frappe.session and frappe.session.data else "",
	)
	api = frappe._dict(
		_=_,
		as_json=frappe.as_json,
		boot=frappe._dict(),
		conf=frappe._dict(developer_mode=frappe.local.conf.developer_mode),
		date_format="yyyy-mm-dd",
		flags=frappe._dict(),
		form_dict=frappe.local.form_dict,
		format=frappe.format,
		format_value=frappe.format,
		get_hooks=frappe.get_hooks,
		get_url=frappe.utils.get_url,
		lang=frappe.local.lang or "en",
		local=frappe._dict(lang=frappe.local.lang or "en"),
		request=getattr(frappe.local, "request", None) or frappe._dict(),
		session=session,
		user=session.user,
		utils=frappe.utils,
	)
	return {
		"_": _,
		"frappe": api,
		"json": frappe._dict(loads=json.loads, dumps=json.dumps),
		"dict": dict,
		"user": session.user,
		"lang": api.lang,
		"form_dict": api.form_dict,
		"message": getattr(frappe.local, "message", None),
		"message_title": getattr(frappe.local, "message_title", None),
		"include_script": include_script,
		"include_style": include_style,
	}


def add_hooks(environment: SandboxedEnvironment) -> None:
	"""The hook `jinja`: methods and filters, each a function or a module of functions."""
	for kind, target in (("methods", environment.globals), ("filters", environment.filters)):
		for path in (frappe.get_hooks("jinja") or {}).get(kind, []):
			try:
				module = frappe.get_module(path)
			except ImportError:
				target[path.rsplit(".", 1)[-1]] = frappe.get_attr(path)
			else:
				target.update(
					{
						name: item
						for name, item in vars(module).items()
						if callable(item) and item.__module__ == path
					}
				)


def get_jloader() -> BaseLoader:
	if not getattr(frappe.local, "jloader", None):
		apps = [*dict.fromkeys((*reversed(frappe.get_installed_apps()), "frappe"))]
		loaders = {app: FileSystemLoader(frappe.get_app_path(app)) for app in apps}
		frappe.local.jloader = ChoiceLoader([PrefixLoader(loaders), *loaders.values()])
	return frappe.local.jloader


def get_template(path: str) -> Template:
	return get_jenv().get_template(path)


def render_template(
	template: str, context: dict | None = None, is_path: bool | None = None, safe_render: bool = True
) -> str:
	"""Render a template given as text, or as the path of one."""
	if not template:
		return ""
	if is_path or ("\n" not in template and template.endswith(PATH_ENDINGS)):
		return get_jenv().get_template(template).render(context or {})
	if safe_render and ".__" in template:
		frappe.throw(_("Illegal template"))
	return get_jenv().from_string(template).render(context or {})


def include_script(path: str, preload: bool = True) -> str:
	return f'<script type="text/javascript" src="{bundled_asset(path)}"></script>'


def include_style(path: str, rtl: bool | None = None, preload: bool = True) -> str:
	return f'<link type="text/css" rel="stylesheet" href="{bundled_asset(path)}">'


def bundled_asset(path: str) -> str:
	"""No bundles here: the file itself."""
	return path if path.startswith(("/assets", "http")) else f"/assets/{path}"
