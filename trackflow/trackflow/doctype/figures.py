"""The base of documents that people edit while TrackFlow counts on them: no save changes a figure, forged or stale.

Figures are written past the document lifecycle only (`trackflow.tracking.counters`, `trackflow.bulk`), which leaves
`modified` alone, so that an open form can be saved. What the form remembers of them is of no account then.
"""

from typing import Any

import frappe
from frappe.model import numeric_fieldtypes
from frappe.model.document import Document

FIGURES = {
	"Tracked Link": (
		"click_count",
		"scan_count",
		"bot_count",
		"unique_visitor_count",
		"last_click",
		"conversion_count",
		"revenue",
	),
	"Campaign Link Variant": ("clicks", "conversions"),
	"Link Campaign": (
		"total_clicks",
		"unique_visitors",
		"conversions",
		"revenue",
		"spend",
		"figures_notice",
	),
	"Campaign Mailing": (
		"status",
		"message",
		"recipient_count",
		"waiting_count",
		"sent_count",
		"delivered_count",
		"skipped_count",
		"failed_count",
		"bounced_count",
		"unsubscribed_count",
		"opened_count",
		"unsure_count",
		"open_count",
		"clicked_count",
		"click_count",
		"scanner_count",
		"sent_by",
		"started_on",
		"finished_on",
		"cursor",
		"is_gathered",
		"is_stale",
		"anonymous_opens",
	),
	"TrackFlow API Key": ("last_used", "usage_count"),
	"API Key Webhook Event": ("consecutive_failures", "is_paused", "held_until", "lease", "leased_until"),
}


class CountedDocument(Document):
	"""New ones begin without figures; the others keep what is stored, row by row in a table too."""

	def db_insert(self, *args: Any, **kwargs: Any) -> None:
		self._set_figures(None)
		super().db_insert(*args, **kwargs)

	def db_update(self) -> None:
		if self.name and not self.is_new():
			# Locked until the end of the transaction: a drain adds to what is written here.
			fields = list(FIGURES[self.doctype])
			self._set_figures(
				frappe.db.get_value(self.doctype, self.name, fields, as_dict=True, for_update=True)
			)
		super().db_update()

	def _set_figures(self, stored: dict[str, Any] | None) -> None:
		for field in FIGURES[self.doctype]:
			is_number = self.meta.get_field(field).fieldtype in numeric_fieldtypes
			self.set(field, stored[field] if stored else (0 if is_number else None))
