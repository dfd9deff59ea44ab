"""The fields that TrackFlow adds to Frappe CRM's documents (CRM-1) and to Frappe's Web Forms (CRM-7); install and uninstall
walk them.

Lead and deal share their names, so that CRM carries the values over when a lead is converted.
"""

from typing import Any

from trackflow.constants.app import MODULE

Field = dict[str, Any]

GOAL = "trackflow_goal"


def _field(fieldname: str, fieldtype: str, label: str, **more: Any) -> Field:
	return {
		"fieldname": fieldname,
		"fieldtype": fieldtype,
		"label": label,
		"module": MODULE,
		"read_only": 1,
		"no_copy": 0,
		**more,
	}


def _in_a_row(first_after: str, fields: list[Field]) -> list[Field]:
	"""Each field behind the one before it."""
	after = first_after
	for field in fields:
		field["insert_after"] = after
		after = field["fieldname"]
	return fields


def _touch_fields() -> list[Field]:
	return [
		_field("trackflow_source", "Data", "Marketing Source"),
		_field("trackflow_medium", "Data", "Marketing Medium"),
		_field("trackflow_campaign", "Data", "Marketing Campaign"),
		_field("trackflow_first_touch_date", "Datetime", "First Touch"),
		_field("trackflow_last_touch_date", "Datetime", "Last Touch"),
		_field("trackflow_touch_count", "Int", "Touches"),
	]


CUSTOM_FIELDS: dict[str, list[Field]] = {
	"CRM Lead": _in_a_row(
		"source",
		[
			# Forms and people fill it in; everything else is worked out from it.
			_field("trackflow_visitor_id", "Data", "Visitor", read_only=0),
			*_touch_fields(),
		],
	),
	"CRM Deal": _in_a_row(
		"source",
		[
			_field("trackflow_visitor_id", "Data", "Visitor"),
			*_touch_fields(),
			# Not a Link: a deal must be saved even when its model was deleted.
			_field("trackflow_attribution_model", "Data", "Attribution Model"),
			_field("trackflow_first_touch_source", "Data", "First Touch Source"),
			_field("trackflow_last_touch_source", "Data", "Last Touch Source"),
			_field("trackflow_marketing_influenced", "Check", "Marketing Influenced"),
		],
	),
	"CRM Organization": _in_a_row(
		"address",
		[
			_field("trackflow_visitor_id", "Data", "Visitor"),
			_field("trackflow_engagement_score", "Float", "Engagement Score", precision="2"),
			_field("trackflow_last_campaign", "Data", "Last Campaign"),
		],
	),
	"Web Form": _in_a_row(
		"doc_type",
		[
			_field(
				GOAL,
				"Data",
				"Goal",
				read_only=0,
				description=(
					"The type of conversion that TrackFlow records for each submission, such as Demo Request. If empty: "
					"Form Submission, and for leads their own conversion, Lead, alone."
				),
			),
		],
	),
}


def fieldnames(doctype: str) -> list[str]:
	"""The names of our fields on a CRM DocType, in order."""
	return [field["fieldname"] for field in CUSTOM_FIELDS.get(doctype, ())]
