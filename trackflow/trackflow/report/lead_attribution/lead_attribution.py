"""Lead Attribution: the leads of a period and what brought them, as their fields say (RPT-1). docs/reports.md says what is shown.

Only leads that the user may read are in it, and nothing that CRM does not show to who may read them.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import frappe
from frappe import _

from trackflow.links.csv_text import neutral
from trackflow.reports import desk, history
from trackflow.reports.history import CAMPAIGN, MEDIUM, SOURCE

Row = dict[str, Any]

# The newest ones are shown.
MOST_LEADS = 5_000
MOST_BARS = 10
# The fields of leads that are filtered by, and those that are shown beside name and status.
_FILTERED = {
	CAMPAIGN: "trackflow_campaign",
	SOURCE: "trackflow_source",
	MEDIUM: "trackflow_medium",
}
# What somebody else than staff may have written.
_OF_VISITORS = ("lead_name", *_FILTERED.values())
FIELDS = (
	"name", "lead_name", "status", "creation", "trackflow_source", "trackflow_medium", "trackflow_campaign",
	"trackflow_first_touch_date", "trackflow_last_touch_date", "trackflow_touch_count",
)  # fmt: skip


@desk.answered
def execute(filters: Row) -> desk.Answer:
	"""The columns, rows, message and chart; a line for each lead, the newest first."""
	wanted = desk.wanted(filters)
	columns = _columns()
	if not history.has_crm():
		return columns, [], desk.no_crm(), None
	if not frappe.has_permission("CRM Lead", "read"):
		return columns, [], _("You may not read leads."), None
	rows = _leads(wanted)
	message = None
	if len(rows) > MOST_LEADS:
		rows = rows[:MOST_LEADS]
		message = _("There are more leads: these are the newest {0}.").format(MOST_LEADS)
	return columns, rows, message, _chart(rows)


def _columns() -> list[Row]:
	return [
		desk.column("name", _("Lead"), "Link", 170, options="CRM Lead"),
		desk.column("lead_name", _("Name"), width=160),
		desk.column("status", _("Status"), width=110),
		desk.column("creation", _("Created On"), "Datetime", 160),
		desk.column("trackflow_source", _(SOURCE)),
		desk.column("trackflow_medium", _(MEDIUM)),
		desk.column("trackflow_campaign", _(CAMPAIGN), width=160),
		desk.column("trackflow_first_touch_date", _("First Touch"), "Datetime", 160),
		desk.column("trackflow_last_touch_date", _("Last Touch"), "Datetime", 160),
		desk.column("trackflow_touch_count", _("Touches"), "Int", 90),
	]


def _leads(wanted: history.Wanted) -> list[Row]:
	"""The leads of the period that the user may read, one more than is shown; what the user may not read of them is None."""
	rows = frappe.get_list(
		"CRM Lead",
		filters=[
			["creation", ">=", wanted.begin],
			["creation", "<", wanted.end],
			*([_FILTERED[field], "=", value] for field, value in wanted.only),
		],
		fields=list(FIELDS),
		order_by="creation desc, name",
		limit=MOST_LEADS + 1,
	)
	return [
		{field: row.get(field) for field in FIELDS}
		| {field: neutral(row[field]) for field in _OF_VISITORS if row.get(field)}
		for row in rows
	]


def _chart(rows: Iterable[Row]) -> Row | None:
	"""Leads by source, of those that brought most."""
	sources = Counter(row["trackflow_source"] or "" for row in rows)
	largest = sorted(sources.items(), key=lambda item: (-item[1], item[0]))[:MOST_BARS]
	labels = [desk.group_label(source) for source, _number in largest]
	return desk.chart(labels, [(_("Leads"), [number for _source, number in largest])])
