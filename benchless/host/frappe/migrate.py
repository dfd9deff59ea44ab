"""`migrate`: hooks, patches, DocTypes, hooks again, in Frappe's order."""

import frappe
from frappe.model import sync
from frappe.modules import patch_handler
from frappe.modules.patch_handler import PatchType


class SiteMigration:
	"""Brings a site to what its apps are now."""

	def __init__(self, skip_failing: bool = False, skip_search_index: bool = False) -> None:
		self.skip_failing = skip_failing

	def run(self, site: str | None = None) -> None:
		"""Migrate `site`, or the site of the present connection."""
		if site:
			if not getattr(frappe.local, "initialised", None):
				frappe.init(site)
			frappe.connect()
		frappe.clear_cache()
		frappe.flags.in_migrate = True
		try:
			self.run_hooks("before_migrate")
			patch_handler.run_all(self.skip_failing, PatchType.pre_model_sync)
			sync.sync_all()
			patch_handler.run_all(self.skip_failing, PatchType.post_model_sync)
			sync.remove_orphan_doctypes()
			self.run_hooks("after_migrate")
		except BaseException:
			frappe.db.rollback()
			raise
		finally:
			frappe.flags.in_migrate = False
		frappe.clear_cache()
		frappe.db.commit()

	@staticmethod
	def run_hooks(name: str) -> None:
		from frappe.core.doctype.scheduled_job_type.scheduled_job_type import sync_jobs
		from frappe.installer import update_installed_applications

		if name == "after_migrate":
			update_installed_applications()
			sync_jobs()
		for app in frappe.get_installed_apps():
			for method in frappe.get_hooks(name, app_name=app):
				frappe.get_attr(method)()
		frappe.db.commit()
