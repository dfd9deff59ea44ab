"""The sync of forms to an outside CRM (SYN-1), for who may read and change TrackFlow Settings. The token goes in and never comes out."""

from typing import Any

import frappe

from trackflow.privacy import reads
from trackflow.sync import options, run, status
from trackflow.validation import json_object, parsed, plain_text, whole_number


@frappe.whitelist(methods=["GET"])
def get_sync() -> dict[str, Any]:
	"""Settings, mapping, the fields of ours that can be written, and how it is doing."""
	frappe.has_permission(options.SETTINGS, "read", throw=True)
	return {**options.told(), "status": status.figures()}


@frappe.whitelist(methods=["POST"])
def save_sync(
	values: str | dict[str, Any],
	fields: str | list[dict[str, Any]] | None = None,
	token: str | None = None,
) -> dict[str, Any]:
	"""Set some of the settings by name, all rows of the mapping, the token; what is not given stays. Answers as `get_sync` does."""
	frappe.has_permission(options.SETTINGS, "write", throw=True)
	rows = None if fields is None else parsed(fields, "fields")
	options.save(json_object(values, "values") or {}, rows, plain_text(token, "token").strip())
	return get_sync()


@frappe.whitelist(methods=["POST"])
def check_fields() -> dict[str, Any]:
	"""Ask the CRM for its fields: all of them, and what is wrong with the mapping as it is stored, in words."""
	frappe.has_permission(options.SETTINGS, "write", throw=True)
	with status.in_words():
		fields, problems = run.remote_fields()
	return {"fields": options.labelled(fields), "problems": problems}


@frappe.whitelist(methods=["POST"])
def preview_sync(limit: int | str = 5) -> list[dict[str, Any]]:
	"""What would be written for the next forms, up to 20, or for the last ones where none waits. Changes nothing."""
	frappe.has_permission(options.SETTINGS, "write", throw=True)
	number = whole_number(limit, "limit")
	with status.in_words():
		rows = run.preview(number)
	reads.note("CRM Sync Log", *(row["name"] for row in rows))
	return rows
