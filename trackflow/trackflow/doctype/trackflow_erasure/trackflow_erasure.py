"""One erasure of a person's data: who, when, how many rows. Whom it was about is in it only while it runs."""

from frappe.model.document import Document

from trackflow.setup.indexes import add_indexes

INDEXES = {"idx_trackflow_erasure_status": ("status",)}


class TrackFlowErasure(Document):
	pass


def on_doctype_update() -> None:
	add_indexes("TrackFlow Erasure", INDEXES)
