"""Runs reports: who may, and the answer in the form that the desk shows and exports.

Custom columns, total rows, prepared reports and user permissions are not part of this host.
"""

import json
from typing import Any

import frappe
from frappe import _

PARTS = ("columns", "result", "message", "chart", "report_summary", "skip_total_row")


def get_report_doc(report_name: str) -> Any:
	"""The report, for whoever has one of its roles and may report on its DocType."""
	report = frappe.get_doc("Report", report_name)
	if not report.is_permitted():
		frappe.throw(_("You don't have access to Report: {0}").format(_(report.name)), frappe.PermissionError)
	if not frappe.has_permission(report.ref_doctype, "report"):
		frappe.throw(
			_("You don't have permission to get a report on: {0}").format(_(report.ref_doctype)),
			frappe.PermissionError,
		)
	if report.disabled:
		frappe.throw(_("Report {0} is disabled").format(_(report_name)))
	return report


@frappe.whitelist()
@frappe.read_only()
def run(
	report_name: str,
	filters: Any = None,
	user: str | None = None,
	ignore_prepared_report: Any = False,
	custom_columns: Any = None,
	is_tree: Any = False,
	parent_field: str | None = None,
	are_default_filters: Any = True,
) -> dict[str, Any]:
	report = get_report_doc(report_name)
	if isinstance(filters, str):
		filters = json.loads(filters)
	try:
		made = list(report.execute_script_report(filters) or [])[: len(PARTS)]
	except Exception:
		frappe.log_error("Report Error")
		raise
	answer = dict(zip(PARTS, [*made, *[None] * (len(PARTS) - len(made))], strict=True))
	answer["columns"] = [_column(one) for one in answer["columns"] or []]
	answer["result"] = [_row(one, answer["columns"]) for one in answer["result"] or []]
	answer["skip_total_row"] = answer["skip_total_row"] or 0
	return {**answer, "status": None, "execution_time": 0, "add_total_row": report.add_total_row}


def _column(column: Any) -> Any:
	if isinstance(column, str):
		label, fieldtype, *more = [*column.split(":"), ""]
		kind, _slash, options = fieldtype.partition("/")
		column = {"label": label, "fieldtype": kind or "Data", "options": options, "width": (more or [""])[0]}
	return frappe._dict({"fieldname": frappe.scrub(column["label"]), **column})


def _row(row: Any, columns: list[Any]) -> Any:
	if isinstance(row, list | tuple):
		return dict(zip((column.fieldname for column in columns), row, strict=True))
	return row
