"""The redirect under the name that integrations know. There is no page: short links live at `/r/<code>`."""

import frappe
from werkzeug.wrappers import Response

from trackflow.redirect.handler import respond


@frappe.whitelist(allow_guest=True, methods=["GET"])
def handle_redirect(tracking_id: str = "") -> Response:
	"""Answer as `GET /r/<tracking_id>` does."""
	return respond(tracking_id)
