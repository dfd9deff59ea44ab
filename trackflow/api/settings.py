"""The settings that the app shows, for who may read and change TrackFlow Settings (ROL-P); all others are set in the desk."""

from typing import Any

import frappe

from trackflow.app_page import settings
from trackflow.validation import json_object


@frappe.whitelist(methods=["GET"])
def get_settings() -> dict[str, Any]:
	"""Attribution, consent and retention: each field with its label, what it is for, and its value."""
	frappe.has_permission(settings.DOCTYPE, "read", throw=True)
	return settings.told()


@frappe.whitelist(methods=["POST"])
def save_settings(values: str | dict[str, Any]) -> dict[str, Any]:
	"""Set some of these fields, by name; answers all of them as they are then."""
	frappe.has_permission(settings.DOCTYPE, "write", throw=True)
	settings.save(json_object(values, "values") or {})
	return settings.told()
