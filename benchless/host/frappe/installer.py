"""Sites and apps: making a site, installing and removing apps, with the hooks and their order of Frappe v15."""

import json
import os
from typing import Any
from urllib.parse import unquote, urlsplit

import frappe
from frappe._apps import add_to_module_map
from frappe.modules.patch_handler import get_patches_from_app

SITE_FOLDERS = ("private/files", "public/files", "logs")
BOOT_DOCTYPES = ("DocType", "DocField", "DocPerm", "DocType Action", "DocType Link", "DocType State")
PREFIX = "benchless_"


# sites


def _new_site(
	db_name: str | None,
	site: str,
	admin_password: str | None = None,
	force: bool = False,
	install_apps: list[str] | None = None,
	db_url: str | None = None,
	**kwargs: Any,
) -> None:
	"""Make a site: folder, configuration, database, the host's own DocTypes, Administrator and Guest.

	The database is SQLite, or the one that `db_url` (else BENCHLESS_DB_URL) names. Leaves no connection open.
	"""
	sites_path = frappe.local.sites_path
	folder = os.path.join(sites_path, site)
	if os.path.exists(os.path.join(folder, "site_config.json")) and not force:
		raise FileExistsError(f"Site {site} already exists")
	for name in SITE_FOLDERS:
		os.makedirs(os.path.join(folder, name), exist_ok=True)
	config = database_config(site, db_name, db_url or os.environ.get("BENCHLESS_DB_URL"))
	with open(os.path.join(folder, "site_config.json"), "w", encoding="utf-8") as f:
		json.dump({**config, "admin_password": admin_password}, f, indent=1, sort_keys=True)
	frappe.init(site, sites_path=sites_path, force=True)
	_create_database(force)
	frappe.cache.delete_keys("")
	frappe.connect()
	try:
		install_db(admin_password)
		for app in install_apps or ():
			install_app(app)
	finally:
		frappe.db.close()


def database_config(site: str, db_name: str | None, url: str | None) -> dict[str, Any]:
	"""Database part of a site's configuration.

	On a server the name is the given one, else the one of the URL (a prefix, if it ends with _), else benchless_…
	"""
	own_name = db_name or PREFIX + frappe.scrub(site).replace(".", "_")
	if not url:
		return {"db_type": "sqlite", "db_name": own_name, "db_file": "site.db"}
	parts = urlsplit(url)
	path = parts.path.strip("/")
	if path.endswith("_"):
		path += own_name.removeprefix(PREFIX)
	return {
		"db_type": "mariadb",
		"db_name": db_name or path or own_name,
		"db_host": parts.hostname or "127.0.0.1",
		"db_port": parts.port or 3306,
		"db_user": unquote(parts.username or "root"),
		"db_password": unquote(parts.password or ""),
	}


def _create_database(force: bool) -> None:
	if frappe.conf.db_type == "mariadb":
		from frappe.database.mariadb import create_database

		create_database(frappe.conf, force)
		return
	for suffix in ("", "-wal", "-shm"):
		path = frappe.get_site_path(frappe.conf.db_file + suffix)
		if os.path.exists(path):
			os.remove(path)


def install_db(admin_password: str | None) -> None:
	"""The host's own tables and records."""
	from frappe.database.schema import DBTable
	from frappe.model.sync import sync_for

	flags = frappe.local.flags
	flags.in_install = "frappe"
	flags.in_install_db = True
	frappe.db.create_auth_table()
	frappe.db.create_singles_table()
	frappe.db.create_series_table()
	for doctype in BOOT_DOCTYPES:
		DBTable(doctype, frappe.get_meta(doctype, cached=False)).sync()
	sync_for("frappe", force=True, reset_permissions=True)
	add_module_defs("frappe")
	from frappe.utils.install import make_records

	make_records(admin_password)
	frappe.db.set_global("installed_apps", json.dumps(["frappe"]))
	frappe.db.commit()
	flags.in_install = flags.in_install_db = False
	frappe.clear_cache()
	init_singles()
	frappe.db.commit()


def update_site_config(
	key: str, value: Any, validate: bool = True, site_config_path: str | None = None
) -> None:
	"""Change one key of site_config.json; the text "None" removes it."""
	path = site_config_path or frappe.get_site_path("site_config.json")
	config = frappe.get_file_json(path)
	if value == "None":
		config.pop(key, None)
	else:
		config[key] = int(value) if value in ("0", "1") else value
	with open(path, "w", encoding="utf-8") as f:
		json.dump(config, f, indent=1, sort_keys=True)
	if hasattr(frappe.local, "conf"):
		frappe.local.conf[key] = value


# apps


def install_app(name: str, verbose: bool = False, set_as_patched: bool = True, force: bool = False) -> None:
	"""Install an app and those that it requires."""
	from frappe.core.doctype.scheduled_job_type.scheduled_job_type import sync_jobs
	from frappe.model.sync import sync_for

	frappe.flags.in_install = name
	frappe.clear_cache()
	app_hooks = frappe.get_hooks(app_name=name)
	for required in app_hooks.required_apps or ():
		install_app(required.rsplit("/", 1)[-1], verbose=verbose)
	frappe.flags.in_install = name
	frappe.clear_cache()
	if name in frappe.get_installed_apps() and not force:
		print(f"App {name} already installed")
		frappe.flags.in_install = False
		return
	frappe.only_for("System Manager")
	add_to_module_map(name)
	for method in app_hooks.before_install or ():
		if frappe.get_attr(method)() is False:
			frappe.flags.in_install = False
			return
	_run_hooks("before_app_install", name)
	add_module_defs(name, ignore_if_duplicate=force)
	sync_for(name, force=force, reset_permissions=True)
	add_to_installed_apps(name)
	if set_as_patched:
		set_all_patches_as_completed(name)
	for method in app_hooks.after_install or ():
		frappe.get_attr(method)()
	_run_hooks("after_app_install", name)
	sync_jobs()
	for method in app_hooks.after_sync or ():
		frappe.get_attr(method)()
	update_installed_applications()
	frappe.flags.in_install = False
	frappe.db.commit()


def remove_app(
	app_name: str, dry_run: bool = False, yes: bool = False, no_backup: bool = False, force: bool = False
) -> None:
	"""Remove an app, its DocTypes and their tables."""
	app_hooks = frappe.get_hooks(app_name=app_name)
	installed = frappe.get_installed_apps()
	if app_name not in installed and not force:
		print(f"App {app_name} not installed on Site {frappe.local.site}")
		return
	for app in installed:
		required = frappe.get_hooks(app_name=app).required_apps or ()
		if app != app_name and any(app_name in other for other in required):
			print(f"App {app_name} is a dependency of {app}. Uninstall {app} first.")
			return
	frappe.flags.in_uninstall = True
	for method in app_hooks.before_uninstall or ():
		frappe.get_attr(method)()
	_run_hooks("before_app_uninstall", app_name)
	if not dry_run:
		_delete_modules(frappe.get_all("Module Def", {"app_name": app_name}, pluck="name"))
		remove_from_installed_apps(app_name)
		update_installed_applications()
		frappe.db.commit()
	for method in app_hooks.after_uninstall or ():
		frappe.get_attr(method)()
	_run_hooks("after_app_uninstall", app_name)
	frappe.flags.in_uninstall = False
	frappe.clear_cache()
	frappe.controllers.pop(frappe.local.site, None)


def _run_hooks(hook: str, app: str) -> None:
	"""Hooks of the installed apps that are told which app comes or goes."""
	for method in frappe.get_hooks(hook):
		frappe.get_attr(method)(app)


def _delete_modules(modules: list[str]) -> None:
	"""DocTypes, their tables, and records that name the modules, reports among them."""
	tables = []
	for module in modules:
		for doctype in frappe.get_all(
			"DocType", {"module": module}, ["name", "issingle"], order_by="name asc"
		):
			frappe.delete_doc("DocType", doctype.name, ignore_on_trash=True, force=True)
			if doctype.issingle:
				frappe.db.delete("Singles", {"doctype": doctype.name})
			else:
				tables.append(doctype.name)
		for linked in ("Custom Field", "Property Setter", "Report"):
			for name in frappe.get_all(linked, {"module": module}, pluck="name"):
				frappe.delete_doc(linked, name, ignore_on_trash=True, force=True)
		frappe.delete_doc("Module Def", module, ignore_on_trash=True, force=True)
	for doctype in tables:
		frappe.db.drop_table(doctype)
		frappe.clear_cache(doctype=doctype)


def add_module_defs(app: str, ignore_if_duplicate: bool = False) -> None:
	for module in frappe.get_module_list(app):
		if not frappe.db.exists("Module Def", module):
			doc = frappe.get_doc(doctype="Module Def", module_name=module, app_name=app)
			doc.insert(ignore_permissions=True, ignore_if_duplicate=ignore_if_duplicate)


def add_to_installed_apps(app_name: str, rebuild_website: bool = True) -> None:
	installed = frappe.get_installed_apps()
	if app_name not in installed:
		frappe.db.set_global("installed_apps", json.dumps([*installed, app_name]))
		frappe.db.commit()
		frappe.clear_cache()
		init_singles()
		frappe.db.commit()
		frappe.clear_cache()


def remove_from_installed_apps(app_name: str) -> None:
	installed = [app for app in frappe.get_installed_apps() if app != app_name]
	frappe.db.set_global("installed_apps", json.dumps(installed))
	frappe.db.commit()
	frappe.clear_cache()


def update_installed_applications() -> None:
	"""The single that lists apps and their versions."""
	rows = [
		{"app_name": app, "app_version": getattr(frappe.get_module(app), "__version__", "0.0.1")}
		for app in frappe.get_installed_apps()
	]
	doc = frappe.get_single("Installed Applications")
	doc.set("installed_applications", rows)
	doc.flags.ignore_permissions = True
	doc.save()


def set_all_patches_as_completed(app: str) -> None:
	"""A new installation needs none of the old patches."""
	for patch in get_patches_from_app(app):
		if not frappe.db.exists("Patch Log", {"patch": patch}):
			frappe.get_doc(doctype="Patch Log", patch=patch).insert(ignore_permissions=True)
	frappe.db.commit()


def init_singles() -> None:
	"""Singles that have never been saved get their defaults."""
	for single in frappe.get_all("DocType", {"issingle": 1}, pluck="name", order_by="name asc"):
		if frappe.db.get_singles_dict(single):
			continue
		doc = frappe.new_doc(single)
		doc.flags.ignore_mandatory = True
		doc.flags.ignore_validate = True
		doc.save()
