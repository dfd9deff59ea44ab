"""Where sites live, and how one comes into being. `ensure_site` may be called as often as one likes.

Sites lie in `<project>/.benchless/sites` unless BENCHLESS_SITES names another folder; a request, a command or a test
that names no site gets the default one.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchless import PROJECT, activate

DEFAULT_SITE = "trackflow.localhost"
DEFAULT_APPS = ("crm", "trackflow")
ADMIN_PASSWORD = "admin"


def use_sites_path(path: str | Path | None = None) -> str:
	"""Choose the sites folder of this process, and make it."""
	chosen = Path(path or os.environ.get("BENCHLESS_SITES") or PROJECT / ".benchless" / "sites").resolve()
	chosen.mkdir(parents=True, exist_ok=True)
	os.environ["SITES_PATH"] = str(chosen)
	return str(chosen)


def get_sites_path() -> str:
	return os.environ.get("SITES_PATH") or use_sites_path()


def get_sites() -> list[str]:
	"""Every site of the folder, in alphabetical order."""
	return sorted(path.parent.name for path in Path(get_sites_path()).glob("*/site_config.json"))


def get_default_site() -> str:
	return (
		os.environ.get("FRAPPE_SITE")
		or read_json("common_site_config.json").get("default_site")
		or DEFAULT_SITE
	)


def read_json(name: str) -> dict:
	path = Path(get_sites_path(), name)
	return json.loads(path.read_text()) if path.exists() else {}


def register_apps(apps: Sequence[str]) -> None:
	"""Name the apps in apps.txt, which is where Frappe looks for them."""
	path = Path(get_sites_path(), "apps.txt")
	known = path.read_text().split() if path.exists() else []
	wanted = [*dict.fromkeys(("frappe", *known, *apps))]
	if wanted != known:
		path.write_text("\n".join(wanted) + "\n")


def ensure_site(
	site: str = DEFAULT_SITE, apps: Sequence[str] = DEFAULT_APPS, admin_password: str = ADMIN_PASSWORD
) -> list[str]:
	"""Make the site if it is not there, install what is missing; answers what was done, one line each."""
	activate()
	done = []
	register_apps(apps)
	if site not in get_sites():
		new_site(site, admin_password)
		done.append(f"made site {site}")
	installed = run_on_site(site, get_installed)
	for app in apps:
		if app not in installed:
			run_on_site(site, install, app)
			done.append(f"installed {app}")
	return done


def new_site(
	site: str, admin_password: str = ADMIN_PASSWORD, db_name: str | None = None, force: bool = False
) -> None:
	from frappe.installer import _new_site

	register_apps(())
	enter(site, new=True)
	try:
		_new_site(db_name, site, admin_password=admin_password, force=force)
	finally:
		leave()
	run_on_site(site, make_tables)


def make_tables() -> None:
	"""The table of sessions belongs to no DocType."""
	from frappe.sessions import ensure_table

	ensure_table()


def migrate(site: str) -> None:
	from frappe.migrate import SiteMigration

	enter(site)
	try:
		SiteMigration().run(site=site)
	finally:
		leave()
	run_on_site(site, make_tables)


def get_installed() -> list[str]:
	import frappe

	return frappe.get_installed_apps()


def install(app: str) -> None:
	from frappe.installer import install_app

	install_app(app)


def uninstall(app: str) -> None:
	from frappe.core.doctype.scheduled_job_type.scheduled_job_type import sync_jobs
	from frappe.installer import remove_app

	remove_app(app, yes=True, no_backup=True)
	sync_jobs()


def run_on_site(site: str, function: object, *args: object) -> object:
	"""Call a function with a connection of its own, commit what it did."""
	import frappe

	enter(site)
	try:
		frappe.connect()
		result = function(*args)
		frappe.db.commit()
		return result
	finally:
		leave()


def enter(site: str, new: bool = False) -> None:
	import frappe

	frappe.init(site, sites_path=get_sites_path(), new_site=new, force=True)


def leave() -> None:
	import frappe

	frappe.destroy()


def drop_site(site: str) -> None:
	"""The site is gone: its database, and its folder."""
	import frappe
	from frappe.database.mariadb import drop_database

	enter(site)
	try:
		if frappe.conf.db_type == "mariadb":
			drop_database(frappe.conf)
	finally:
		leave()
	shutil.rmtree(Path(get_sites_path(), site), ignore_errors=True)
