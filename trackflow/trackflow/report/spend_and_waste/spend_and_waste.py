"""Spend and Waste: what was spent on what, what it brought, and what of it was waste (WST-1, RPT-1). docs/reports.md says what
is counted."""

from collections.abc import Mapping
from typing import Any

from frappe import _
from frappe.utils import escape_html

from trackflow.reports import desk
from trackflow.reports.spend import number, ratios
from trackflow.rollups import reading
from trackflow.rollups.grains import CAMPAIGN, GRAINS, Figures, Place
from trackflow.waste import findings, words
from trackflow.waste.judge import SEVERITIES, Finding

Row = dict[str, Any]

MOST_ROWS = 2_000
MOST_BARS = 10
_CHOICES = (CAMPAIGN, *(grain for grain in GRAINS if grain != CAMPAIGN))
_LABELS = {"platform": "Platform", "campaign": "Campaign", "adset": "Ad Set", "ad": "Ad"}


@desk.answered
def execute(filters: Row) -> desk.Answer:
	"""The columns, rows, message and chart; a line for each entity, the one with most waste first, then by spend."""
	days = desk.days(filters)
	grain = desk.choice(filters, "grain", _CHOICES)
	severity = desk.choice(filters, "severity", ("", *SEVERITIES))
	model = reading.model_named(desk.text(filters, "attribution_model"))
	judged = findings.judged(*days, grain, model)
	lines = _Lines(grain, judged, severity)
	rows = lines.rows()
	said = list(judged.notices)
	if len(rows) > MOST_ROWS:
		said.append(_("There are more: these are the {0} with most waste and spend.").format(MOST_ROWS))
		rows = rows[:MOST_ROWS]
	if judged.acknowledged or judged.young:
		said.append(
			_("Left alone: {0} that are acknowledged, {1} of young campaigns.").format(
				judged.acknowledged, judged.young
			)
		)
	total = [lines.total()] if rows and not severity else []
	message = "<br>".join(escape_html(one) for one in said) or None
	return _columns(grain), [*rows, *total], message, lines.chart(rows)


def _columns(grain: str) -> list[Row]:
	money: Row = {"fieldtype": "Currency", "options": "currency"}
	names = Place._fields[: GRAINS[grain]] or ("organization",)
	return [
		*(desk.column(name, _(_LABELS.get(name, "Organization")), width=150) for name in names),
		desk.column("spend", _("Spend"), **money),
		desk.column("waste", _("Waste"), **money),
		desk.column("waste_share", _("Waste of the Spend"), "Percent"),
		desk.column("severity", _("Severity"), width=90),
		desk.column("reason", _("Reason"), width=180),
		desk.column("conversions", _("Conversions"), "Float", precision=2),
		desk.column("value", _("Value"), **money),
		desk.column("cpa", _("CPA"), **money),
		desk.column("roas", _("ROAS"), "Float", 80, precision=2),
		desk.column("impressions", _("Impressions"), "Int"),
		desk.column("clicks", _("Clicks"), "Int"),
		desk.column("ctr", _("CTR"), "Percent", 80),
		desk.column("cpc", _("CPC"), **money),
		desk.column("recommendation", _("Recommendation"), width=380),
		desk.column("currency", _("Currency"), width=90),
	]


class _Lines:
	"""Turns what was judged into lines of the report."""

	def __init__(self, grain: str, judged: findings.Judged, severity: str) -> None:
		self._grain, self._read = grain, judged.read
		self._found: Mapping[Place, Finding] = {one.place: one.finding for one in judged.found}
		self._told = words.table()
		# None, or the severities from this one on.
		self._severities = SEVERITIES[SEVERITIES.index(severity) :] if severity else None

	def rows(self) -> list[Row]:
		some = [(place, figures) for place, figures in self._read.places.items() if self._is_shown(place)]
		some.sort(key=lambda one: (-self._waste(one[0]), -(one[1].spend or 0), one[0]))
		return [self._row(place, figures) for place, figures in some]

	def total(self) -> Row:
		waste = sum((one.waste for one in self._found.values()), start=0)
		spend = self._read.total.spend
		first = Place._fields[0] if GRAINS[self._grain] else "organization"
		share = float(100 * waste / spend) if spend else None
		names = ("platform", "campaign", "adset", "ad", "severity", "reason", "recommendation")
		return {
			**dict.fromkeys(names, ""),
			**self._figures(self._read.total),
			"waste": float(waste),
			"waste_share": share,
			first: _("Total"),
		}

	def chart(self, rows: list[Row]) -> Row | None:
		"""Waste and the rest of the spend of the first lines."""
		bars = rows[:MOST_BARS]
		names = Place._fields[: GRAINS[self._grain]] or ("organization",)
		labels = [" · ".join(row[name] for name in names) for row in bars]
		waste = [row["waste"] or 0 for row in bars]
		rest = [(row["spend"] or 0) - (row["waste"] or 0) for row in bars]
		found = desk.chart(labels, ((_("Waste"), waste), (_("Other Spend"), rest)))
		return found and {**found, "barOptions": {"stacked": 1}, "fieldtype": "Currency"}

	def _is_shown(self, place: Place) -> bool:
		found = self._found.get(place)
		return self._severities is None or bool(found and found.severity in self._severities)

	def _waste(self, place: Place) -> float:
		found = self._found.get(place)
		return float(found.waste) if found else 0.0

	def _row(self, place: Place, figures: Figures) -> Row:
		names = {name: desk.group_label(part) for name, part in place._asdict().items()}
		row = {**names, "organization": _("All"), **self._figures(figures)}
		found = self._found.get(place)
		if found is None:
			return {
				**row,
				"waste": None,
				"waste_share": None,
				"severity": "",
				"reason": "",
				"recommendation": "",
			}
		return {
			**row,
			"waste": float(found.waste),
			"waste_share": float(found.share),
			"severity": _(found.severity.title()),
			"reason": self._told[found.reason].label,
			"recommendation": words.recommended(found),
		}

	def _figures(self, figures: Figures) -> Row:
		of = ratios(figures)
		return {
			"spend": number(figures.spend),
			"conversions": float(figures.conversions),
			"value": number(figures.value),
			"cpa": of.cpa,
			"roas": of.roas,
			"impressions": figures.impressions,
			"clicks": figures.clicks,
			"ctr": of.ctr,
			"cpc": of.cpc,
			"currency": self._read.currency,
		}
