"""Attribution Model Comparison: what each active model credits to each channel, campaign and so on, side by side (ATT-7).
docs/reports.md says what is counted."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, escape_html

from trackflow.attribution import comparing
from trackflow.attribution.comparison import PLACES, Figures, Line, at_place
from trackflow.attribution.spending import cpa, roas
from trackflow.costs.exchange import as_number
from trackflow.reports import desk

Row = dict[str, Any]

GROUPS = tuple(name.title() for name in comparing.GROUPS)
CONVERSIONS, VALUE, CPA, ROAS = FIGURES = ("Conversions", "Value", "CPA", "ROAS")


@desk.answered
def execute(filters: Row) -> desk.Answer:
	"""The columns, rows, message and chart; a line for each group, on demand for each position in it, with value for each currency
	of it."""
	days = desk.days(filters)
	group_by = desk.choice(filters, "group_by", GROUPS)
	figure = desk.choice(filters, "figure", FIGURES)
	models = [model.name for model in comparing.active_models()]
	conversion_type = desk.text(filters, "conversion_type")
	by_position = bool(cint(filters.get("by_position")))
	if by_position and figure in (CPA, ROAS):
		frappe.throw(_("What was spent is not known by position."))
	size = comparing.VALUE if figure in (VALUE, ROAS) else comparing.CONVERSIONS
	whole = comparing.compared(*days, group_by.lower(), models, conversion_type, size, by_position)
	labels = comparing.link_labels(whole.found) if group_by.lower() == comparing.LINK else {}
	lines = _Lines(whole, models, labels, by_position)
	rows = list(lines.of(figure))
	return _columns(group_by, figure, models, by_position), rows, _message(whole, figure), lines.chart(rows)


def _message(whole: comparing.Compared, figure: str) -> str | None:
	"""What to know of the money, as HTML."""
	if figure not in (CPA, ROAS):
		return None
	said = whole.notices
	if not whole.spending.knows_groups:
		said = [_("What was spent is known by campaign and by platform."), *said]
	return "<br>".join(map(escape_html, said)) or None


def _columns(group_by: str, figure: str, models: Iterable[str], by_position: bool) -> list[Row]:
	money: Row = {"fieldtype": "Currency", "options": "currency"}
	of_model = money if figure in (VALUE, CPA) else {"fieldtype": "Float", "precision": 2}
	currency = [] if figure == CONVERSIONS else [desk.column("currency", _("Currency"), width=90)]
	spend = [desk.column("spend", _("Spend"), **money)] if figure in (CPA, ROAS) else []
	of_models = [desk.column(_field(number), name, **of_model) for number, name in enumerate(models)]
	position = [desk.column("position", _("Position"), width=90)] if by_position else []
	return [*desk.group_column(group_by), *position, *currency, *spend, *of_models]


class _Lines:
	"""Turns a comparison into lines of the report."""

	def __init__(
		self, whole: comparing.Compared, models: list[str], labels: dict[str, str], by_position: bool
	) -> None:
		self.whole, self.found, self.models = whole, whole.found, models
		self.labels, self.by_position = labels, by_position

	def of(self, figure: str) -> Iterator[Row]:
		if figure == CONVERSIONS:
			return self._conversions()
		return self._value() if figure == VALUE else self._returns(cpa if figure == CPA else roas)

	def _conversions(self) -> Iterator[Row]:
		for names, _spend, line in self._named():
			yield {**names, **self._of(line, lambda figures: figures.conversions)}

	def _value(self) -> Iterator[Row]:
		for names, _spend, line in self._named():
			for currency in self.found.currencies:
				if any(currency in figures.value for figures in line.values()):
					amounts = self._of(line, lambda figures, of=currency: figures.value.get(of, 0))
					yield {**names, "currency": currency, **amounts}

	def _returns(self, figure: Callable[[Decimal | None, Figures], Decimal | None]) -> Iterator[Row]:
		for names, spend, line in self._named():
			amounts = self._of(line, lambda figures, of=spend: figure(of, figures))
			yield {**names, "currency": self.whole.rates.into, "spend": as_number(spend), **amounts}

	def chart(self, rows: list[Row]) -> Row | None:
		"""The groups under the first models; amounts of several currencies have no place in one chart, nor have parts of groups, and
		figures that are not known."""
		if any(row[_field(number)] is None for row in rows for number in range(len(self.models))):
			return None
		if self.by_position or len({row.get("currency") for row in rows}) > 1:
			return None
		# The total is no group.
		bars = rows[:-1]
		return desk.chart(
			[row["group"] for row in bars],
			((model, [row[_field(number)] for row in bars]) for number, model in enumerate(self.models)),
		)

	def _named(self) -> Iterator[tuple[Row, Decimal | None, Line]]:
		"""The lines in order: what they are called, what was spent on them, figures."""
		spending = self.whole.spending
		for group, line in self.found.groups.items():
			for names, part in self._parts(desk.group_label(self.labels.get(group, group)), line):
				yield names, spending.of(group), part
		if self.found.others:
			others = spending.of_others(self.found.groups)
			for names, part in self._parts(desk.group_label(None), self.found.others):
				yield names, others, part
		yield {"group": _("Unattributed")}, None, self.found.unattributed
		yield {"group": _("Total")}, spending.total, self.found.totals

	def _parts(self, name: str, line: Line) -> Iterator[tuple[Row, Line]]:
		"""A line whole, or in its positions; those that nothing is credited to are left out."""
		if not self.by_position:
			yield {"group": name}, line
			return
		for place in PLACES:
			part = at_place(line, place)
			if any(figures.conversions or figures.value for figures in part.values()):
				yield {"group": name, "position": _(place.title())}, part

	def _of(self, line: Line, figure: Callable[[Figures], Any]) -> dict[str, float | None]:
		return {_field(number): as_number(figure(line[name])) for number, name in enumerate(self.models)}


def _field(number: int) -> str:
	return f"model_{number}"
