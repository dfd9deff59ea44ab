"""Conversion Funnel: how far the people came whom marketing brought in a period (RPT-1). docs/reports.md says what is counted."""

from collections.abc import Iterator
from typing import Any

import frappe
from frappe import _

from trackflow.reports import desk, funnel, history, stages
from trackflow.reports.funnel import Group, Reached, Shape
from trackflow.reports.stages import Stages

Row = dict[str, Any]


@desk.answered
def execute(filters: Row) -> desk.Answer:
	"""The columns, rows, message and chart of the funnel; a line for each step, of each group if there are any."""
	wanted = desk.wanted(filters)
	columns = _columns(wanted.group_by)
	if not history.has_crm():
		return columns, [], desk.no_crm(), None
	of_leads = stages.of_leads(history.statuses("CRM Lead Status"))
	of_deals = stages.of_deals(history.statuses("CRM Deal Status"))
	shape = Shape(len(of_leads.steps), len(of_deals.steps))
	groups = funnel.groups(
		history.visits(wanted),
		history.leads(wanted, of_leads, of_deals, shape),
		history.deals_alone(wanted, of_deals, shape),
	)
	if not wanted.group_by and not groups:
		groups = [Group("")]
	lines = _Lines(of_leads, of_deals, shape, bool(wanted.group_by))
	return columns, [line for group in groups for line in lines.of(group)], None, lines.chart(groups)


def _columns(group_by: str) -> list[Row]:
	return [
		*desk.group_column(group_by),
		desk.column("part", _("Part"), width=170),
		desk.column("step", _("Step"), width=200),
		desk.column("count", _("Count"), "Int", 100),
		desk.column("of_step_before", _("Share of Step Before"), "Percent", 160),
		desk.column("of_entry", _("Share of First Step"), "Percent", 150),
		desk.column("lost", _("Lost Here"), "Int", 100),
		desk.column("open", _("Open Here"), "Int", 100),
	]


class _Lines:
	"""Turns groups into lines of the report."""

	def __init__(self, of_leads: Stages, of_deals: Stages, shape: Shape, is_grouped: bool) -> None:
		self.shape, self.is_grouped = shape, is_grouped
		self.deal_steps = [_("Deals"), *map(_, of_deals.steps), _("Won")]
		self.lead_steps = [_("Leads"), *map(_, of_leads.steps), *self.deal_steps]

	def of(self, group: Group) -> Iterator[Row]:
		name = {"group": desk.group_label(group.name)} if self.is_grouped else {}
		# The desk shows a share that is not there as 0 %, one that is None as nothing.
		visits = {**name, "part": _("Visits"), "of_step_before": None, "of_entry": None}
		yield {**visits, "step": _("Sessions"), "count": group.sessions}
		yield {**visits, "step": _("Visitors"), "count": group.visitors}
		entry, *steps = self._part(
			_("Leads"), self.lead_steps, funnel.chain(group.leads, self.shape.of_leads)
		)
		of_visitors = funnel.share(entry["count"], group.visitors)
		yield {**name, **entry, "of_step_before": _rounded(of_visitors)}
		for step in steps:
			yield {**name, **step}
		if self.is_grouped and not group.deals:
			return
		deals = funnel.chain(group.deals, self.shape.of_deals)
		for step in self._part(_("Deals Without a Lead"), self.deal_steps, deals):
			yield {**name, **step}

	def _part(self, part: str, steps: list[str], chain: list[Reached]) -> Iterator[Row]:
		for step, reached in zip(steps, chain, strict=True):
			yield {"part": part, "step": step, **_figures(reached)}

	def chart(self, groups: list[Group]) -> Row | None:
		"""Visitors and the leads' chain; of groups the largest ones."""
		return desk.chart(
			[_("Visitors"), *self.lead_steps],
			(
				(
					desk.group_label(group.name) if self.is_grouped else _("People"),
					[group.visitors, *(one.count for one in funnel.chain(group.leads, self.shape.of_leads))],
				)
				for group in groups
			),
		)


def _figures(reached: Reached) -> Row:
	return {
		"count": reached.count,
		"of_step_before": _rounded(reached.of_step_before),
		"of_entry": _rounded(reached.of_entry),
		"lost": reached.lost,
		"open": reached.still_open,
	}


def _rounded(share: float | None) -> float | None:
	return None if share is None else round(share, 2)
