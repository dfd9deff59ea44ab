"""What of TrackFlow Settings the app shows and saves: the fields with the labels that the form has, so that both say the same (UI-1)."""

from collections.abc import Mapping
from typing import Any

import frappe
from frappe import _

from trackflow.privacy.due import TABLES
from trackflow.validation import plain_text, whole_number

Row = dict[str, Any]

DOCTYPE = "TrackFlow Settings"
SECTIONS = {
	"attribution": ("default_attribution_model", "attribution_window_days"),
	"consent": (
		"cookie_consent_required",
		"cookie_consent_text",
		"privacy_policy_link",
		"cookie_policy_link",
		"consent_policy_version",
	),
	"retention": tuple(table.setting for table in TABLES),
}
SHOWN = frozenset(field for fields in SECTIONS.values() for field in fields)
# A hundred years.
MOST_DAYS = 36_500


def told() -> dict[str, list[Row]]:
	"""By section the fields: name, label, description, value."""
	settings = frappe.get_single(DOCTYPE)
	return {section: [_field(settings, name) for name in fields] for section, fields in SECTIONS.items()}


def save(values: Mapping[str, Any]) -> None:
	"""Set these fields; what the settings' own form refuses is refused."""
	settings = frappe.get_single(DOCTYPE)
	settings.check_permission("write")
	if unknown := sorted(set(values) - SHOWN):
		frappe.throw(_("{0} is not set here.").format(", ".join(unknown)))
	settings.update({name: _checked(settings, name, value) for name, value in values.items()})
	settings.save()


def _field(settings: Any, name: str) -> Row:
	field = settings.meta.get_field(name)
	return {
		"name": name,
		"label": _(field.label),
		"description": _(field.description) if field.description else None,
		"value": settings.get(name),
	}


def _checked(settings: Any, name: str, value: Any) -> Any:
	"""As it is stored. The framework takes what is no number for 0, which here means for good."""
	field = settings.meta.get_field(name)
	if field.fieldtype == "Check":
		return int(bool(value))
	if field.fieldtype != "Int":
		return plain_text(value, field.label)
	number = whole_number(value, field.label)
	if not 0 <= number <= MOST_DAYS:
		frappe.throw(_("{0} is 0 to {1}.").format(_(field.label), MOST_DAYS))
	return number
