"""What the app at /trackflow asks for that is about itself (UI-1)."""

import frappe
from frappe import _
from werkzeug.wrappers import Response

from trackflow.app_page.messages import messages
from trackflow.permissions import has_app_permission

# Who waits for a new translation may load the page anew with an empty cache.
KEEP_SECONDS = 3600


@frappe.whitelist(methods=["GET"])
def get_messages() -> Response:
	"""The app's texts in the user's language, by English text. Browsers keep them for an hour, by language and version."""
	if not has_app_permission():
		frappe.throw(_("You do not have permission to use TrackFlow."), frappe.PermissionError)
	response = Response(frappe.as_json({"message": messages()}), mimetype="application/json")
	response.headers["Cache-Control"] = f"private, max-age={KEEP_SECONDS}"
	return response
