"""Patches of apps (patches.txt), each run once per site: before or after the DocTypes are synchronised."""

import configparser
from enum import Enum

import frappe
from frappe import _


class PatchError(Exception):
	pass


class PatchType(Enum):
	pre_model_sync = "pre_model_sync"
	post_model_sync = "post_model_sync"


def run_all(skip_failing: bool = False, patch_type: PatchType | None = None) -> None:
	"""Run what has not run yet."""
	done = set(frappe.get_all("Patch Log", filters={"skipped": 0}, pluck="patch"))
	last = []
	for patch in get_all_patches(patch_type):
		if patch.startswith("finally:"):
			last.append(patch.removeprefix("finally:"))
		elif patch not in done:
			_run(patch, skip_failing)
	for patch in last:
		if patch not in done:
			_run(patch, skip_failing)


def _run(patch: str, skip_failing: bool) -> None:
	try:
		execute_patch(patch)
	except Exception:
		if not skip_failing:
			raise
		print(f"Failed to execute {patch}\n{frappe.get_traceback()}")
		update_patch_log(patch, skipped=True)
		frappe.db.commit()


def get_all_patches(patch_type: PatchType | None = None) -> list[str]:
	return [patch for app in frappe.get_installed_apps() for patch in get_patches_from_app(app, patch_type)]


def get_patches_from_app(app: str, patch_type: PatchType | None = None) -> list[str]:
	"""Lines of an app's patches.txt; a file without sections counts as `pre_model_sync`."""
	path = frappe.get_app_path(app, "patches.txt")
	parser = configparser.ConfigParser(allow_no_value=True, delimiters="\n")
	parser.optionxform = str
	try:
		parser.read(path)
	except configparser.MissingSectionHeaderError:
		return frappe.get_file_items(path) if patch_type in (None, PatchType.pre_model_sync) else []
	if not parser.sections():
		return []
	kinds = [patch_type] if patch_type else list(PatchType)
	if patch_type and patch_type.value not in parser:
		frappe.throw(_("Patch type {} not found in patches.txt").format(patch_type))
	return [patch for kind in kinds if kind.value in parser for patch in parser[kind.value]]


def run_single(patchmodule: str, force: bool = False) -> bool:
	if force or not executed(patchmodule):
		execute_patch(patchmodule)
	return True


def execute_patch(patchmodule: str) -> None:
	"""Run a patch in a transaction of its own and remember it."""
	_patch_mode(True)
	try:
		if patchmodule.startswith("execute:"):
			exec(patchmodule.removeprefix("execute:"), {"frappe": frappe})
		else:
			frappe.get_attr(f"{patchmodule.split(maxsplit=1)[0]}.execute")()
		update_patch_log(patchmodule)
	except Exception:
		frappe.db.rollback()
		raise
	finally:
		frappe.local.flags.in_patch = False
	frappe.db.commit()


def update_patch_log(patchmodule: str, skipped: bool = False) -> None:
	row = frappe.get_doc(doctype="Patch Log", patch=patchmodule, skipped=int(skipped))
	if skipped:
		row.traceback = frappe.get_traceback()
	row.insert(ignore_permissions=True)


def executed(patchmodule: str) -> bool:
	return bool(
		frappe.db.get_value("Patch Log", {"patch": patchmodule.removeprefix("finally:"), "skipped": 0})
	)


def _patch_mode(enable: bool) -> None:
	frappe.local.flags.in_patch = enable
	frappe.db.commit()
