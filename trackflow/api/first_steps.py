"""What the app's first-run guide asks, again and again until the first click is there (UI-1)."""

from typing import Any

import frappe

from trackflow.analytics.scope import check
from trackflow.app_page import first_steps
from trackflow.privacy import reads
from trackflow.validation import plain_text


@frappe.whitelist(methods=["GET"])
def get_first_steps(link: str | None = None) -> dict[str, Any]:
	"""Where the site stands: whether anything was recorded, the first domain, the newest link (or the one that is named), and the
	newest click on it; for who may read links and clicks."""
	check("Tracked Link", "Click Event")
	reads.note("Click Event")
	return first_steps.state(plain_text(link, "link"))
