"""A lead moved from one status to another: who, when, and the campaign behind it."""

from frappe.model.document import Document

from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_lead_status_change_lead": ("lead_id", "change_date"),
	"idx_lead_status_change_date": ("change_date",),
}


class LeadStatusChange(Document):
	pass


def on_doctype_update() -> None:
	add_indexes("Lead Status Change", INDEXES)
