"""Names of field types and standard fields, in the groups that Frappe gives them."""

import frappe

table_fields = ("Table", "Table MultiSelect")
display_fieldtypes = (
	"Section Break",
	"Column Break",
	"Tab Break",
	"HTML",
	"Button",
	"Image",
	"Fold",
	"Heading",
)
no_value_fields = (*display_fieldtypes, *table_fields)
float_like_fields = {"Float", "Currency", "Percent"}
datetime_fields = {"Datetime", "Date", "Time"}
numeric_fieldtypes = ("Currency", "Int", "Long Int", "Float", "Percent", "Check")
attachment_fieldtypes = ("Attach", "Attach Image")
data_field_options = ("Email", "Name", "Phone", "URL", "Barcode")
data_fieldtypes = (
	*numeric_fieldtypes,
	*attachment_fieldtypes,
	"Small Text",
	"Long Text",
	"Code",
	"Text Editor",
	"Markdown Editor",
	"HTML Editor",
	"Date",
	"Datetime",
	"Time",
	"Text",
	"Data",
	"Link",
	"Dynamic Link",
	"Password",
	"Select",
	"Rating",
	"Read Only",
	"Signature",
	"Color",
	"Barcode",
	"Geolocation",
	"Duration",
	"Icon",
	"Phone",
	"Autocomplete",
	"JSON",
)
default_fields = ("doctype", "name", "owner", "creation", "modified", "modified_by", "docstatus", "idx")
child_table_fields = ("parent", "parentfield", "parenttype")
optional_fields = ("_user_tags", "_comments", "_assign", "_liked_by", "_seen")
core_doctypes_list = (
	"DefaultValue",
	"DocType",
	"DocField",
	"DocPerm",
	"User",
	"Role",
	"Has Role",
	"Module Def",
	"Report",
	"Property Setter",
	"Custom Field",
)
log_types = ("Version", "Error Log", "Scheduled Job Log", "Access Log", "Activity Log", "Email Queue")


def is_default_field(fieldname: str) -> bool:
	return fieldname in default_fields


def get_permitted_fields(
	doctype: str,
	parenttype: str | None = None,
	user: str | None = None,
	permission_type: str | None = None,
	*,
	ignore_virtual: bool = False,
) -> list[str]:
	"""Columns that a user may read, standard fields included."""
	meta = frappe.get_meta(doctype)
	if doctype in core_doctypes_list:
		return meta.get_valid_columns()
	permitted = meta.get_permitted_fieldnames(
		parenttype=parenttype, user=user, permission_type=permission_type or "read"
	)
	children = list(child_table_fields) if meta.istable else []
	return [*default_fields[1:], *children, *permitted, *optional_fields]
