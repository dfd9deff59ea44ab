"""One message on its way to one address: what happened, and how far it is (WHK-1). Its name is the id that the receiver sees."""

from trackflow.privacy.reads import ReadLogged
from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_webhook_delivery_status": ("status", "next_attempt_at"),
	"idx_webhook_delivery_due": ("webhook", "status", "next_attempt_at"),
	"idx_webhook_delivery_webhook": ("webhook", "creation"),
	"idx_webhook_delivery_key": ("api_key", "creation"),
}


class WebhookDelivery(ReadLogged):
	pass


def on_doctype_update() -> None:
	add_indexes("Webhook Delivery", INDEXES)
