"""What the drain could not store: tried again, then kept as Failed with its error."""

from frappe.model.document import Document

from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_click_queue_status": ("status", "creation"),
	"idx_click_queue_reference": ("reference",),
}


class ClickQueue(Document):
	pass


def on_doctype_update() -> None:
	add_indexes("Click Queue", INDEXES)
