"""Velocity: how long leads and deals take from stage to stage, and on the whole (RPT-1). docs/reports.md says what is counted."""

from collections.abc import Iterable, Sequence
from typing import Any

import frappe
from frappe import _
from frappe.utils import now_datetime

from trackflow.reports import desk, history, stages, velocity
from trackflow.reports.history import CAMPAIGN, DEAL_TO_WON, LEAD_TO_DEAL, LEAD_TO_WON
from trackflow.reports.stages import Stages
from trackflow.reports.velocity import Question, Times

Row = dict[str, Any]

LEADS, DEALS = "Leads", "Deals"
# Seconds of the unit in which times are shown.
UNITS = {"Days": 86_400, "Hours": 3_600}


@desk.answered
def execute(filters: Row) -> desk.Answer:
	"""The columns, rows, message and chart of velocity; a line for each stage, of each campaign if these are told apart."""
	desk.choice(filters, "group_by", ("", CAMPAIGN))
	wanted = desk.wanted(filters)
	document = desk.choice(filters, "document", ("", LEADS, DEALS))
	unit = desk.choice(filters, "unit", tuple(UNITS))
	lines = _Lines(bool(wanted.group_by), unit)
	if not history.has_crm():
		return lines.columns(), [], desk.no_crm(), None
	question = Question(
		wanted.begin,
		wanted.end,
		now_datetime(),
		dict(wanted.only).get(CAMPAIGN, ""),
		bool(wanted.group_by),
	)
	of_leads = stages.of_leads(history.statuses("CRM Lead Status"))
	of_deals = stages.of_deals(history.statuses("CRM Deal Status"))
	overall = velocity.ways(history.ways(of_deals, wanted.begin), question)
	lines.add(_("Overall"), overall, (LEAD_TO_DEAL, DEAL_TO_WON, LEAD_TO_WON))
	if document != DEALS:
		lines.add_stages(_("Leads"), velocity.stages(history.lead_changes(), question), of_leads)
	if document != LEADS:
		lines.add_stages(_("Deals"), velocity.stages(history.deal_changes(), question), of_deals)
	return lines.columns(), lines.rows, None, lines.chart()


class _Lines:
	"""Turns times into lines of the report."""

	def __init__(self, is_grouped: bool, unit: str) -> None:
		self.is_grouped, self.unit = is_grouped, unit
		self.rows: list[Row] = []
		self.medians: dict[str, dict[str, float]] = {}

	def columns(self) -> list[Row]:
		unit = _(self.unit)

		def time(fieldname: str, label: str) -> Row:
			return desk.column(fieldname, f"{label} ({unit})", "Float", 140, precision=2)

		return [
			*desk.group_column(CAMPAIGN if self.is_grouped else ""),
			desk.column("part", _("Part"), width=100),
			desk.column("stage", _("Stage"), width=180),
			desk.column("count", _("Finished"), "Int", 100),
			time("median", _("Median")),
			time("mean", _("Mean")),
			time("most", _("90th Percentile")),
			desk.column("returned", _("Came Back"), "Int", 110),
			desk.column("waiting", _("Still In"), "Int", 100),
			time("median_age", _("Median Age")),
			time("oldest", _("Oldest")),
		]

	def add_stages(self, part: str, found: Sequence[Times], of: Stages) -> None:
		"""Stages of leads or deals: steps in their order, then what waits, then statuses that are no more. Nobody is on the way
		in one that ends it."""
		ends = {*of.won, *of.lost}
		others = sorted({times.name for times in found} - {*of.steps, *of.on_hold} - ends)
		self.add(part, found, (*of.steps, *of.on_hold, *others))

	def add(self, part: str, found: Iterable[Times], names: Sequence[str]) -> None:
		"""Times of these names, each group's in their order."""
		by_group: dict[str | None, dict[str, Times]] = {}
		for times in found:
			by_group.setdefault(times.group, {})[times.name] = times
		for group, by_name in by_group.items():
			for name in names:
				if name in by_name:
					self._add(part, group, by_name[name])

	def _add(self, part: str, group: str | None, times: Times) -> None:
		figures, seconds = velocity.figures(times), UNITS[self.unit]
		label = desk.group_label(group) if self.is_grouped else ""

		def shown(value: float | None) -> float | None:
			return None if value is None else round(value / seconds, 4)

		self.rows.append(
			{
				**({"group": label} if self.is_grouped else {}),
				"part": part,
				"stage": _(times.name),
				"count": figures.count,
				"median": shown(figures.median),
				"mean": shown(figures.mean),
				"most": shown(figures.most),
				"returned": figures.returned,
				"waiting": figures.waiting,
				"median_age": shown(figures.median_age),
				"oldest": shown(figures.oldest),
			}
		)
		if figures.median is not None:
			series = self.medians.setdefault(label or _("Median"), {})
			series[f"{part}: {_(times.name)}"] = round(figures.median / seconds, 4)

	def chart(self) -> Row | None:
		"""The medians, of groups those of the largest ones."""
		labels = list(dict.fromkeys(label for series in self.medians.values() for label in series))
		return desk.chart(
			labels,
			((name, [series.get(label, 0) for label in labels]) for name, series in self.medians.items()),
		)
