"""Conversions that were exported for a platform, with their file. Deleting it lets them be exported again."""

import frappe
from frappe.model.document import Document

from trackflow.offline.exports import told
from trackflow.setup.indexes import add_indexes

INDEXES = {"idx_conversion_export_exported": ("exported_on",)}


class ConversionExport(Document):
	def onload(self) -> None:
		"""The form's table of what was not exported."""
		self.set_onload("reasons", told(frappe.parse_json(self.skipped) or {}))

	def on_trash(self) -> None:
		frappe.db.delete("Conversion Export Row", {"export": self.name})


def on_doctype_update() -> None:
	add_indexes("Conversion Export", INDEXES)
