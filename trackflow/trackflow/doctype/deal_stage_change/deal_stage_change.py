"""A deal moved from one stage to another: who, when, and the campaign behind it."""

from frappe.model.document import Document

from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_deal_stage_change_deal": ("deal_id", "change_date"),
	"idx_deal_stage_change_lead": ("lead_id",),
	"idx_deal_stage_change_date": ("change_date",),
}


class DealStageChange(Document):
	pass


def on_doctype_update() -> None:
	add_indexes("Deal Stage Change", INDEXES)
