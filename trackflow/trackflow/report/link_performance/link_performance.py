"""Link Performance: the links of a period, what came over them and what became of it (RPT-1). docs/reports.md says what is counted."""

from collections.abc import Sequence
from typing import Any

from frappe import _

from trackflow.analytics import link_performance
from trackflow.analytics.credited import model_of
from trackflow.analytics.link_performance import Performance, Wanted
from trackflow.analytics.scope import Period
from trackflow.links.csv_text import neutral
from trackflow.reports import desk

Row = dict[str, Any]

# Bars of the chart.
MOST_BARS = 10


@desk.answered
def execute(filters: Row) -> desk.Answer:
	"""The columns, rows, message and chart; a line for each link that was asked for in the period."""
	wanted = Wanted(*(desk.text(filters, name) for name in ("campaign", "domain", "tag")))
	found = link_performance.performance(Period(*desk.days(filters)), wanted, model_of(""))
	currencies = sorted({currency for line in found.lines for currency in line["value"]})
	return _columns(currencies, found.estimated), _rows(found, currencies), _message(found), _chart(found)


def _columns(currencies: Sequence[str], estimated: bool) -> list[Row]:
	visitors = _("Unique Visitors (≈)") if estimated else _("Unique Visitors")
	return [
		desk.column("title", _("Link"), width=220),
		desk.column("link", _("Tracked Link"), "Link", 110, options="Tracked Link"),
		desk.column("short_code", _("Short Code"), width=110),
		desk.column("campaign", _("Campaign"), "Link", 140, options="Link Campaign"),
		desk.column("domain", _("Domain"), width=130),
		desk.column("clicks", _("Clicks"), "Int", 90),
		desk.column("scans", _("QR Scans"), "Int", 90),
		desk.column("robots", _("Robots"), "Int", 90),
		desk.column("unique_visitors", visitors, "Int", 120),
		desk.column("sessions", _("Sessions"), "Int", 90),
		desk.column("bounce_rate", _("Bounce Rate"), "Percent", 110, precision=2),
		desk.column("conversions", _("Conversions"), "Float", 110, precision=2),
		*(
			desk.column(f"value_{number}", f"{_('Value')} ({currency})", "Float", precision=2)
			for number, currency in enumerate(currencies)
		),
	]


def _message(found: Performance) -> str | None:
	"""What is to be known of the figures."""
	if not found.estimated:
		return None
	return _(
		"Unique visitors are estimated: so many clicks are not looked at one by one. They are right to about 2 %."
	)


def _rows(found: Performance, currencies: Sequence[str]) -> list[Row]:
	rows = [
		{
			**line,
			"link": line["name"],
			"title": neutral(line["title"] or line["short_code"] or line["name"]),
			**{
				f"value_{number}": line["value"].get(currency, 0)
				for number, currency in enumerate(currencies)
			},
		}
		for line in found.lines
	]
	for row in rows:
		del row["name"], row["value"], row["people"]
	if found.others:
		rows.append(
			{"title": _("Others"), **{name: found.others[name] for name in ("clicks", "scans", "robots")}}
		)
	return rows


def _chart(found: Performance) -> Row | None:
	"""The links that most people asked for."""
	lines = found.lines[:MOST_BARS]
	labels = [neutral(line["short_code"] or line["name"]) for line in lines]
	figures = ((_("Clicks"), "clicks"), (_("QR Scans"), "scans"), (_("Robots"), "robots"))
	return desk.chart(labels, ((name, [line[figure] for line in lines]) for name, figure in figures))
