"""One event on its way to one address."""

from frappe.model.document import Document

from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_webhook_delivery_status": ("status", "next_attempt_at"),
	"idx_webhook_delivery_webhook": ("webhook", "creation"),
	"idx_webhook_delivery_key": ("api_key", "creation"),
}


class WebhookDelivery(Document):
	pass


def on_doctype_update() -> None:
	add_indexes("Webhook Delivery", INDEXES)
