"""Settings of the site. Each is also a default, which is where formats and precisions are looked up."""

import frappe
from frappe.model import no_value_fields
from frappe.model.document import Document


class SystemSettings(Document):
	def on_update(self) -> None:
		known = frappe.db.get_defaults()
		for df in self.meta.fields:
			value = self.get(df.fieldname)
			if df.fieldtype in no_value_fields or known.get(df.fieldname) == value:
				continue
			if value not in (None, "") or df.fieldname in known:
				frappe.db.set_default(df.fieldname, value)
		frappe.cache.delete_value("system_settings")
		if hasattr(frappe.local, "system_settings"):
			del frappe.local.system_settings
