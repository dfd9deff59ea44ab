"""Visitor Journey: what a person did, step by step, or those who came in a period (RPT-1). docs/reports.md says what is shown.

Whose journey may be read is what `trackflow.api.visitor.get_journey` says; each reading is noted as that is.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from frappe import _

from trackflow.day_range import moments
from trackflow.integrations import journey_access
from trackflow.privacy import reads
from trackflow.reports import desk, history, journey, steps
from trackflow.tracking import timeline

Row = dict[str, Any]

# Visits, clicks and conversions, the oldest ones first.
MOST_ENTRIES = 500
MOST_BARS = 10


@desk.answered
def execute(filters: Row) -> desk.Answer:
	"""The columns, rows, message and chart; a line for each step."""
	visitor, lead, deal = named = [desk.text(filters, name) for name in ("visitor", "lead", "deal")]
	channel, campaign = (desk.text(filters, name) for name in ("channel", "campaign"))
	has_days = bool(desk.text(filters, "from_date") or desk.text(filters, "to_date"))
	messages = []
	if (lead or deal) and not history.has_crm():
		return _columns(), [], desk.no_crm(), None
	if any(named):
		persons = dict.fromkeys(journey_access.person(visitor, lead, deal), "")
		period = moments(*desk.days(filters)) if has_days else None
		if channel or campaign:
			messages.append(_("Channel and campaign choose people of a period: they are not looked at here."))
	else:
		period = moments(*desk.days(filters))
		persons, has_more = journey.came(period, channel, campaign)
		if has_more:
			messages.append(_("More people came: these are the last {0}.").format(journey.MOST_PEOPLE))
	reads.note("Visitor", *sorted(persons))
	entries, has_more = timeline.entries(persons, 0, MOST_ENTRIES, period)
	journey_access.hide_references(entries)
	if has_more:
		messages.append(
			_("There is more: these are the first {0} visits, clicks and conversions.").format(MOST_ENTRIES)
		)
	if steps.is_shortened(entries):
		messages.append(_("Of long visits the first {0} events are shown.").format(timeline.MOST_HITS))
	lines = steps.by_person(steps.lines(entries), persons)
	rows = [{**line, "step": _(line["step"])} for line in lines]
	return _columns(), rows, " ".join(messages) or None, _chart(lines)


def _columns() -> list[Row]:
	return [
		desk.column("at", _("When"), "Datetime", 160),
		desk.column("visitor", _("Visitor"), "Link", 160, options="Visitor"),
		desk.column("step", _("Step"), width=110),
		desk.column("what", _("What"), width=170),
		desk.column("channel", _("Channel")),
		desk.column("source", _("Source")),
		desk.column("medium", _("Medium")),
		desk.column("campaign", _("Campaign"), width=140),
		desk.column("page", _("Page"), width=240),
		desk.column("value", _("Value"), "Currency", 100, options="currency"),
		desk.column("currency", _("Currency"), width=80),
		desk.column("lead", _("Lead"), width=140),
		desk.column("deal", _("Deal"), width=140),
	]


def _chart(lines: Iterable[Row]) -> Row | None:
	"""Visits by channel, of the channels that brought most."""
	channels = Counter(line["channel"] for line in lines if line["kind"] == "session")
	largest = sorted(channels.items(), key=lambda item: (-item[1], item[0]))[:MOST_BARS]
	labels = [desk.group_label(channel) for channel, _number in largest]
	return desk.chart(labels, [(_("Visits"), [number for _channel, number in largest])])
