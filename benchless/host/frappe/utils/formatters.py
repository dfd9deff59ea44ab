"""Values as people read them, by the type of their field."""

from typing import Any

import frappe
from frappe.utils import (
	cint,
	cstr,
	escape_html,
	fmt_money,
	format_datetime,
	format_duration,
	format_time,
	formatdate,
)


def format_value(
	value: Any,
	df: Any = None,
	doc: Any = None,
	currency: str | None = None,
	translated: bool = False,
	format: str | None = None,
) -> str:
	"""A value as text; `df` is a field, a dict like one, or nothing."""
	df = frappe._dict(df.as_dict() if hasattr(df, "as_dict") else df or {})
	kind = df.fieldtype
	if kind is None:
		kind = {"datetime": "Datetime", "date": "Date", "float": "Float", "int": "Int"}.get(
			type(value).__name__
		)
	if value is None or value == "":
		return ""
	if kind == "Date":
		return formatdate(value, format)
	if kind == "Datetime":
		return format_datetime(value, format)
	if kind == "Time":
		return format_time(value, format)
	if kind == "Currency":
		currency = currency or (doc.get(df.options) if doc and df.options and ":" not in df.options else None)
		return fmt_money(value, precision=cint(df.precision) or None, currency=currency)
	if kind in ("Float", "Percent"):
		precision = (
			cint(df.precision) if df.precision else cint(frappe.db.get_default("float_precision")) or 3
		)
		text = fmt_money(value, precision=precision)
		return f"{text}%" if kind == "Percent" else text
	if kind == "Int":
		return cstr(cint(value))
	if kind == "Duration":
		return format_duration(value, df.hide_days)
	if kind == "Check":
		return cstr(cint(value))
	return escape_html(value) if isinstance(value, str) and kind in ("Data", "Small Text", "Text") else value
