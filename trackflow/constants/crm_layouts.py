"""The section that TrackFlow puts into the side panels of Frappe CRM (CRM Fields Layout), one for each DocType."""

from typing import Any

from trackflow.constants.custom_fields import CUSTOM_FIELDS, fieldnames

SIDE_PANEL = "Side Panel"
SECTION_NAME = "trackflow_section"


def side_panel_section(doctype: str) -> dict[str, Any]:
	"""The section as CRM stores it, closed at first so that it takes no room from what is there."""
	return {
		"label": "TrackFlow",
		"name": SECTION_NAME,
		"opened": False,
		"columns": [{"name": "trackflow_column", "fields": fieldnames(doctype)}],
	}


SIDE_PANEL_DOCTYPES = tuple(doctype for doctype in CUSTOM_FIELDS if doctype.startswith("CRM "))
