"""The package `frappe` of benchless: the part of Frappe's documented API that apps and their tests use.

Importable under benchless only. Same names, signatures, exceptions and status codes as Frappe v15, written anew;
what is missing is missing, nothing pretends. State of a site, request or job lives in `frappe.local`.
"""

import importlib
import json
import os
from collections.abc import Callable
from typing import Any

from werkzeug.local import Local, release_local

from frappe.exceptions import *
from frappe.types.frappedict import _dict

# The release whose documented behaviour this host follows; apps read the major number.
__version__ = "15.55.1"
__title__ = "Frappe Framework"

STANDARD_USERS = ("Guest", "Administrator")

local = Local()
# A `RedisWrapper` from `init()` on: an object, and callable for old code (`frappe.cache().get_value`).
cache: Any = None
# Controllers by site and DocType, for the life of the process.
controllers: dict[str, dict[str, type]] = {}

db = local("db")
qb = local("qb")
conf = local("conf")
form = form_dict = local("form_dict")
request = local("request")
job = local("job")
response = local("response")
session = local("session")
user = local("user")
flags = local("flags")
error_log = local("error_log")
debug_log = local("debug_log")
message_log = local("message_log")
lang = local("lang")

from frappe._apps import (
	append_hook,
	get_all_apps,
	get_app_path,
	get_app_source_path,
	get_attr,
	get_doc_hooks,
	get_file_items,
	get_file_json,
	get_hooks,
	get_installed_apps,
	get_module,
	get_module_list,
	get_module_path,
	get_pymodule_path,
	get_site_path,
	read_file,
	scrub,
	setup_module_map,
	unscrub,
)
from frappe._documents import (
	can_cache_doc,
	clear_cache,
	clear_document_cache,
	copy_doc,
	delete_doc,
	delete_doc_if_exists,
	get_all,
	get_cached_doc,
	get_cached_value,
	get_doc,
	get_doctype_app,
	get_document_cache_key,
	get_last_doc,
	get_list,
	get_meta,
	get_meta_module,
	get_precision,
	get_single,
	get_system_settings,
	get_value,
	get_website_settings,
	has_permission,
	has_website_permission,
	is_table,
	make_property_setter,
	new_doc,
	only_has_select_perm,
	reload_doc,
	reload_doctype,
	rename_doc,
	reset_metadata_version,
	set_value,
)
from frappe._messages import (
	_,
	_lt,
	as_json,
	as_unicode,
	bold,
	clear_last_message,
	clear_messages,
	errprint,
	generate_hash,
	get_message_log,
	get_traceback,
	log,
	log_error,
	logger,
	msgprint,
	parse_json,
	redirect,
	redirect_to_message,
	respond_as_web_page,
	safe_decode,
	safe_encode,
	throw,
)
from frappe._whitelist import (
	allowed_http_methods_for_whitelisted_func,
	call,
	get_newargs,
	guest_methods,
	is_whitelisted,
	only_for,
	ping,
	read_only,
	whitelist,
	whitelisted,
	xss_safe_methods,
)


def init(site: str, sites_path: str = ".", new_site: bool = False, force: bool = False) -> None:
	"""Reset `frappe.local` for `site`. Reads the configuration, opens nothing."""
	global cache

	if getattr(local, "initialised", None) and not force:
		return

	from frappe.query_builder import get_query_builder
	from frappe.utils.redis_wrapper import MemoryWrapper, setup_cache

	# A bench's processes run in the sites folder; here it may be anywhere.
	sites_path = os.environ.get("SITES_PATH", ".") if sites_path == "." else sites_path
	local.error_log = []
	local.message_log = []
	local.debug_log = []
	local.flags = _dict(currently_saving=[], redirect_location="", new_site=new_site)
	local.locked_documents = []
	local.test_objects = {}
	local.site = site
	local.sites_path = sites_path
	local.site_path = os.path.join(sites_path, site)
	local.all_apps = None
	local.request_ip = None
	local.response = _dict(docs=[])
	local.task_id = None
	local.conf = _dict(get_site_config())
	local.lang = local.conf.lang or "en"
	local.module_app = None
	local.app_modules = None
	local.db = None
	local.user = None
	local.user_perms = None
	local.session = _dict()
	local.role_permissions = {}
	local.valid_columns = {}
	local.new_doc_templates = {}
	local.jenv = None
	local.jloader = None
	local.cache = {}
	local.form_dict = _dict()
	local.dev_server = 0
	local.qb = get_query_builder(local.conf.db_type)
	for stale in ("request_cache", "doc_events_hooks", "system_settings", "website_settings"):
		if hasattr(local, stale):
			delattr(local, stale)

	cache = setup_cache(local.conf.redis_cache)
	if isinstance(cache, MemoryWrapper):
		cache.heed_others()
	setup_module_map()
	local.initialised = True


def connect(site: str | None = None, db_name: str | None = None, set_admin_as_user: bool = True) -> None:
	"""Make `frappe.db` for the current site (initialises `site` first, if given). The connection opens lazily."""
	from frappe.database import get_db

	if site:
		init(site)
	local.db = get_db(cur_db_name=db_name)
	if set_admin_as_user:
		set_user("Administrator")


def destroy() -> None:
	"""Close the connection (what was not committed is gone) and release `frappe.local`."""
	if getattr(local, "db", None):
		local.db.close()
	release_local(local)


class init_site:
	"""Context manager: initialise a site, and release everything afterwards."""

	def __init__(self, site: str | None = None) -> None:
		self.site = site or ""

	def __enter__(self) -> Local:
		init(self.site)
		return local

	def __exit__(self, *exc: object) -> None:
		destroy()


def get_common_site_config(sites_path: str | None = None) -> _dict:
	"""What `common_site_config.json` of the sites folder says, {} if there is none."""
	path = os.path.join(sites_path or local.sites_path, "common_site_config.json")
	return _dict(get_file_json(path)) if os.path.exists(path) else _dict()


def get_site_config(sites_path: str | None = None, site_path: str | None = None) -> _dict:
	"""Common and site configuration merged, with environment overrides and defaults for database and Redis."""
	sites_path = sites_path or getattr(local, "sites_path", None)
	site_path = site_path or getattr(local, "site_path", None)
	config = get_common_site_config(sites_path) if sites_path else _dict()
	if site_path:
		path = os.path.join(site_path, "site_config.json")
		if os.path.exists(path):
			config.update(get_file_json(path))
		elif local.site and not local.flags.new_site:
			raise IncorrectSitePath(f"{local.site} does not exist")

	from frappe.utils.redis_wrapper import default_urls

	cache_url, queue_url = default_urls()
	config["redis_cache"] = os.environ.get("FRAPPE_REDIS_CACHE") or config.get("redis_cache") or cache_url
	config["redis_queue"] = os.environ.get("FRAPPE_REDIS_QUEUE") or config.get("redis_queue") or queue_url
	config["db_type"] = config.get("db_type") or "sqlite"
	config["db_host"] = config.get("db_host") or "127.0.0.1"
	config["db_port"] = config.get("db_port") or 3306
	config["db_name"] = config.get("db_name") or scrub(getattr(local, "site", "") or "site").replace(".", "_")
	return config


def get_conf(site: str | None = None) -> _dict:
	"""The configuration of the current site, or of `site`."""
	if hasattr(local, "conf"):
		return local.conf
	with init_site(site):
		return local.conf


def set_user(username: str) -> None:
	"""Act as `username` from here on; everything cached for the former user is dropped."""
	local.session.user = username
	local.session.sid = username
	local.cache = {}
	local.form_dict = _dict()
	local.jenv = None
	local.session.data = _dict()
	local.role_permissions = {}
	local.new_doc_templates = {}
	local.user_perms = None


def set_user_lang(user: str, user_language: str | None = None) -> None:
	"""Take the language of the user, else the given one."""
	from frappe.translate import get_user_lang

	local.lang = get_user_lang(user) or user_language or "en"


def get_user() -> Any:
	"""Permissions of the current user as an object (`.name`, `.get_roles()`)."""
	from frappe.utils.user import UserPermissions

	if not local.user_perms:
		local.user_perms = UserPermissions(local.session.user)
	return local.user_perms


def get_roles(username: str | None = None) -> list[str]:
	"""Roles of a user, the current one by default."""
	if not getattr(local, "session", None) or not local.session.user:
		return ["Guest"]
	from frappe.permissions import get_roles as _get_roles

	return _get_roles(username or local.session.user)


def get_request_header(key: str, default: Any = None) -> Any:
	"""A header of the request being answered."""
	return request.headers.get(key, default)


def create_folder(path: str, with_init: bool = False) -> None:
	"""Create a folder (and its parents), with an `__init__.py` if asked."""
	os.makedirs(path, exist_ok=True)
	if with_init:
		open(os.path.join(path, "__init__.py"), "a").close()


def local_cache(namespace: str, key: str, generator: Callable, regenerate_if_none: bool = False) -> Any:
	"""A value that lives as long as the request, made once by `generator`."""
	space = local.cache.setdefault(namespace, {})
	if key not in space or (regenerate_if_none and space[key] is None):
		space[key] = generator()
	return space[key]


def _lazy(path: str) -> Callable:
	"""A function of a module that must not be imported before the package is complete."""
	module, name = path.rsplit(".", 1)

	def caller(*args: Any, **kwargs: Any) -> Any:
		return getattr(importlib.import_module(module), name)(*args, **kwargs)

	caller.__name__ = name
	caller.__doc__ = f"See `{path}`."
	return caller


enqueue = _lazy("frappe.utils.background_jobs.enqueue")
enqueue_doc = _lazy("frappe.utils.background_jobs.enqueue_doc")
publish_realtime = _lazy("frappe.realtime.publish_realtime")
publish_progress = _lazy("frappe.realtime.publish_progress")
sendmail = _lazy("frappe.email.sendmail")
render_template = _lazy("frappe.utils.jinja.render_template")
get_template = _lazy("frappe.utils.jinja.get_template")
get_jenv = _lazy("frappe.utils.jinja.get_jenv")
get_jloader = _lazy("frappe.utils.jinja.get_jloader")
format_value = _lazy("frappe.utils.formatters.format_value")
format = format_value


def are_emails_muted() -> bool:
	"""True where no mail may leave: flag or configuration."""
	return bool(flags.mute_emails or int(conf.get("mute_emails") or 0))


def get_test_records(doctype: str) -> list[dict]:
	"""The documents of `test_records.json` beside a DocType, [] if there is none."""
	from frappe.modules import get_doctype_module

	folder = get_module_path(get_doctype_module(doctype), "doctype", scrub(doctype))
	text = read_file(os.path.join(folder, "test_records.json"))
	return json.loads(text) if text else []
