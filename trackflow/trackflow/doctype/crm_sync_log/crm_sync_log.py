"""One form submission on its way to an outside CRM."""

from frappe.model.document import Document

from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_crm_sync_log_status": ("status", "due_at"),
	"idx_crm_sync_log_visitor": ("visitor",),
	"idx_crm_sync_log_event": ("visitor_event",),
}


class CRMSyncLog(Document):
	pass


def on_doctype_update() -> None:
	add_indexes("CRM Sync Log", INDEXES)
