"""What TrackFlow's reports share in Frappe's desk: filters, columns, charts. Their answers are Frappe's tuples of columns, rows,
message and chart."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import wraps
from typing import Any

import frappe
from frappe import _
from frappe.utils import escape_html

from trackflow.day_range import day_range, moments
from trackflow.links.csv_text import neutral
from trackflow.reports.groups import OTHERS
from trackflow.reports.history import CAMPAIGN, GROUPS, MEDIUM, SOURCE, Wanted
from trackflow.validation import plain_text

Row = dict[str, Any]
Answer = tuple[list[Row], list[Row], str | None, Row | None]
Execute = Callable[[Row], Answer]
# Groups that a chart tells apart.
MOST_SERIES = 5


def answered(execute: Execute) -> Execute:
	"""A report's `execute` that says by its message what is wrong with its filters, or that they ask for too much. It must not raise: Frappe then makes the
	report, for everybody and for good, one that is prepared in the background."""

	@wraps(execute)
	def answer(filters: Row | None = None) -> Answer:
		try:
			return execute(filters or {})
		except frappe.ValidationError as error:
			frappe.clear_last_message()
			# The desk shows it as HTML, and filters come with the address.
			return [], [], escape_html(str(error)), None
		except frappe.PermissionError:
			frappe.clear_last_message()
			return [], [], _("You may not read this."), None

	return answer


def wanted(filters: Row) -> Wanted:
	"""What the filters of a report ask for."""
	group_by = choice(filters, "group_by", ("", *GROUPS))
	begin, end = moments(*days(filters))
	only = ((field, text(filters, field.lower())) for field in (CAMPAIGN, SOURCE, MEDIUM))
	return Wanted(begin, end, group_by, tuple((field, value) for field, value in only if value))


def days(filters: Row) -> tuple[date, date]:
	"""The first and the last day of a report's period."""
	return day_range(text(filters, "from_date"), text(filters, "to_date"))


def choice(filters: Row, name: str, choices: Sequence[str]) -> str:
	"""One of these values, the first if none is given."""
	value = text(filters, name) or choices[0]
	if value not in choices:
		frappe.throw(_("{0} is none of: {1}.").format(value, ", ".join(filter(None, choices))))
	return value


def column(fieldname: str, label: str, fieldtype: str = "Data", width: int = 120, **more: Any) -> Row:
	return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, **more}


def group_column(group_by: str) -> list[Row]:
	"""The column of groups, of a report that has them."""
	return [column("group", _(group_by), width=180)] if group_by else []


def group_label(name: str | None) -> str:
	"""A group as people read it; whoever clicks chooses what a campaign is called, and a report may be opened in a spreadsheet."""
	if name is OTHERS:
		return _("Others")
	return neutral(name) or _("None")


def chart(labels: Sequence[str], series: Iterable[tuple[str, Sequence[float]]]) -> Row | None:
	"""Bars by label, a colour for each series; None where there is nothing to show."""
	datasets = [{"name": name, "values": list(values)} for name, values in series][:MOST_SERIES]
	if not labels or not datasets:
		return None
	return {"data": {"labels": list(labels), "datasets": datasets}, "type": "bar"}


def no_crm() -> str:
	"""What a report on leads and deals says where there are none."""
	return _("Frappe CRM is not installed on this site, so there are no leads and deals to report on.")


def text(filters: Row, name: str) -> str:
	"""A filter's text, "" for none."""
	value = filters.get(name)
	return plain_text(str(value) if isinstance(value, date) else value, name)
