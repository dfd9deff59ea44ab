"""Takes out what Frappe's own uninstall leaves behind, so that nothing of TrackFlow's is left on the site.

Frappe removes the DocTypes with their tables, module, reports and pages, but not roles, defaults, cache entries,
scheduled jobs and what its own tables remember about our documents.
"""

import shutil
from pathlib import Path

import frappe
from redis.exceptions import RedisError

from trackflow.constants.app import APP, MODULE, WORKSPACE
from trackflow.constants.roles import ROLES
from trackflow.exceptions import StreamUnavailable
from trackflow.privacy import aged
from trackflow.privacy.archive import keeping, trouble
from trackflow.setup.crm import forget_crm, remove_from_crm
from trackflow.setup.memory import forget
from trackflow.setup.models import INSTALLED
from trackflow.stream import connection, spool

# (DocType of Frappe's, field): rows that say something about documents which will not exist any more.
REMEMBERED_BY = (
	("Access Log", "export_from"),
	("Activity Log", "reference_doctype"),
	("Comment", "reference_doctype"),
	("Custom DocPerm", "parent"),
	("Data Import", "reference_doctype"),
	("DocShare", "share_doctype"),
	("Document Follow", "ref_doctype"),
	("Email Queue", "reference_doctype"),
	("Error Log", "reference_doctype"),
	("Kanban Board", "reference_doctype"),
	("List Filter", "reference_doctype"),
	("List View Settings", "name"),
	("Notification Log", "document_type"),
	("Property Setter", "doc_type"),
	("Singles", "doctype"),
	("Tag Link", "document_type"),
	("ToDo", "reference_type"),
	("User Permission", "allow"),
	("Version", "ref_doctype"),
	("View Log", "reference_doctype"),
)

# Where the first step keeps for the last one which files are to go.
_FILES = "trackflow_files"


def before_uninstall() -> None:
	"""Everything in the database: what Frappe does after this is committed, what comes after Frappe is not.

	Frappe calls this in a dry run too, and throws the transaction away: so nothing here may touch files or tables.
	"""
	remove_from_crm()
	doctypes = frappe.get_all("DocType", {"module": MODULE}, pluck="name", order_by="name")
	if doctypes:
		_remove_exports()
		_forget(doctypes)
	_remove_roles()
	_leave_switcher()
	_remove_scheduled_jobs()
	forget(INSTALLED)
	forget(trouble.KEY)
	aged.forget_deletions()


def after_uninstall() -> None:
	"""What stands outside the database: cache entries, the streams and the spool with what waits in them, drafts of archives."""
	if APP in frappe.get_installed_apps():
		# A dry run: nothing was removed.
		return
	frappe.cache.delete_keys("trackflow:")
	_remove_streams()
	shutil.rmtree(spool.folder(), ignore_errors=True)
	# Drafts alone: the archive itself is there to outlive its rows.
	shutil.rmtree(keeping.folder(), ignore_errors=True)
	for path in frappe.flags.pop(_FILES, ()):
		path.unlink(missing_ok=True)
	frappe.clear_cache()


def after_app_uninstall(app_name: str) -> None:
	"""Frappe CRM was removed; should it come back, it gets our section and scripts again."""
	if app_name == "crm":
		forget_crm()


def _remove_exports() -> None:
	"""The files of exports tell of visitors, so they are not left to anybody; those on the disk go once all else is gone."""
	attached = {"attached_to_doctype": "Conversion Export"}
	names = frappe.get_all("File", filters=attached, pluck="name", order_by="name")
	paths = frappe.flags.setdefault(_FILES, [])
	paths += (Path(frappe.get_doc("File", name).get_full_path()) for name in names)
	frappe.db.delete("File", attached)


def _forget(doctypes: list[str]) -> None:
	for doctype, field in REMEMBERED_BY:
		if frappe.db.table_exists(doctype):
			frappe.db.delete(doctype, {field: ("in", doctypes)})
	# Passwords and secrets, encrypted.
	frappe.db.delete("__Auth", {"doctype": ("in", doctypes)})
	# Files belong to those who uploaded them; they only hang on nothing any more.
	file = frappe.qb.DocType("File")
	detached = frappe.qb.update(file).set(file.attached_to_doctype, None).set(file.attached_to_name, None)
	detached.where(file.attached_to_doctype.isin(doctypes)).run()


def _remove_roles() -> None:
	for doctype in ("Has Role", "DocPerm", "Custom DocPerm"):
		frappe.db.delete(doctype, {"role": ("in", ROLES)})
	for role in ROLES:
		frappe.delete_doc("Role", role, ignore_permissions=True, force=True, delete_permanently=True)


def _leave_switcher() -> None:
	"""Whoever chose TrackFlow as the app, or as the workspace, to begin with begins where Frappe would have it."""
	user = frappe.get_meta("User")
	if user.has_field("default_workspace"):
		# Frappe lets nobody into the desk whose workspace is gone.
		_clear_default("default_workspace", WORKSPACE)
	if user.has_field("default_app"):
		_clear_default("default_app", APP)
		if frappe.db.get_single_value("System Settings", "default_app") == APP:
			frappe.db.set_single_value("System Settings", "default_app", "")


def _clear_default(field: str, ours: str) -> None:
	frappe.db.set_value("User", {field: ours}, field, "", update_modified=False)


def _remove_streams() -> None:
	# Redis reads brackets and stars as patterns; the site's key holds braces only.
	try:
		redis = connection.connect()
		for key in list(redis.scan_iter(connection.key("*"))):
			redis.delete(key)
	except (StreamUnavailable, RedisError) as error:
		frappe.logger("trackflow").warning("The streams could not be removed: %s", error)


def _remove_scheduled_jobs() -> None:
	jobs = frappe.get_all("Scheduled Job Type", {"method": ("like", "trackflow.%")}, pluck="name")
	if jobs:
		frappe.db.delete("Scheduled Job Log", {"scheduled_job_type": ("in", jobs)})
		frappe.db.delete("Scheduled Job Type", {"name": ("in", jobs)})
