"""An import of costs from a file: its options by hand, its result by code. What each row was before stays in Cost Import Row."""

import frappe
from frappe import _
from frappe.model.document import Document

from trackflow.costs import files, imports
from trackflow.costs.sheet import Options
from trackflow.validation import stored_json

# What people say; the import was read with it.
_SAID = ("file", "mapping", "columns", *files.OPTIONS)
# What code writes, past the document.
_RESULTS = (
	"status",
	"message",
	"detected_format",
	"first_day",
	"last_day",
	"new_count",
	"changed_count",
	"unchanged_count",
	"refused_count",
	"left_out_count",
	"imported_by",
	"imported_on",
	"undone_by",
	"undone_on",
	"report",
)


class CostImport(Document):
	def validate(self) -> None:
		before = self.get_doc_before_save()
		self.columns = stored_json(self.columns, "Columns")
		for field in _RESULTS:
			self.set(field, before.get(field) if before else None)
		self.status = self.status or imports.DRAFT
		is_open = self.status in (imports.DRAFT, imports.FAILED)
		if (
			before
			and not is_open
			and any((self.get(name) or "") != (before.get(name) or "") for name in _SAID)
		):
			frappe.throw(_("What was imported stays as it was: make another import."))
		self.options()

	def onload(self) -> None:
		"""Say in the form what can no longer be done."""
		if self.status in (imports.IMPORTED, imports.PARTLY) and imports.is_undo_gone(self.imported_on):
			self.set_onload("undo_is_gone", imports.undo_is_gone())

	def on_trash(self) -> None:
		if self.status == imports.QUEUED:
			frappe.throw(_("The import is under way."))
		frappe.db.delete(imports.ENTRY, {"cost_import": self.name})

	def options(self) -> Options:
		"""How its file is to be read."""
		return files.options_of(self.as_dict(), self.columns or self.mapping)

	def content(self) -> bytes:
		return files.content_of(self.file)
