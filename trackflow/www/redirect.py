"""The redirect under the name that integrations know. There is no page: short links live at `/r/<code>`."""

from typing import NoReturn

import frappe
from werkzeug.exceptions import HTTPException

from trackflow.redirect.handler import respond


@frappe.whitelist(allow_guest=True, methods=["GET"])
def handle_redirect(tracking_id: str = "") -> NoReturn:
	"""Answer as `GET /r/<tracking_id>` does."""
	raise HTTPException(response=respond(tracking_id))
