"""Gives the settings their first values: only where nothing was ever stored, so that nobody's choice is undone."""

import frappe

from trackflow.constants.defaults import FALLBACK_CURRENCY, SETTINGS
from trackflow.constants.models import DEFAULT_MODEL

DOCTYPE = "TrackFlow Settings"


def ensure_settings() -> None:
	"""Store the default of every setting that has no row yet, and what figures cannot do without."""
	stored = frappe.db.get_singles_dict(DOCTYPE)
	needed = {
		"default_attribution_model": DEFAULT_MODEL,
		"reporting_currency": frappe.db.get_default("currency") or FALLBACK_CURRENCY,
	}
	missing = {field: value for field, value in SETTINGS.items() if field not in stored}
	missing |= {field: value for field, value in needed.items() if not stored.get(field)}
	if missing:
		frappe.db.set_single_value(DOCTYPE, missing)
