"""One request made with an API key, with secrets and personal data blacked out."""

from frappe.model.document import Document

from trackflow.setup.indexes import add_indexes

INDEXES = {
	"idx_api_request_log_key_time": ("api_key", "request_time"),
	"idx_api_request_log_time": ("request_time",),
}


class APIRequestLog(Document):
	pass


def on_doctype_update() -> None:
	add_indexes("API Request Log", INDEXES)
