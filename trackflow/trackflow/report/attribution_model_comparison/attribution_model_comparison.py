"""Attribution Model Comparison: what each active model credits to each channel, campaign and so on, side by side (ATT-7).
docs/reports.md says what is counted."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from frappe import _
from frappe.utils import cint

from trackflow.attribution import comparing
from trackflow.attribution.comparison import PLACES, Comparison, Figures, Line, at_place
from trackflow.reports import desk

Row = dict[str, Any]

GROUPS = tuple(name.title() for name in comparing.GROUPS)
FIGURES = tuple(name.title() for name in comparing.FIGURES)


@desk.answered
def execute(filters: Row) -> desk.Answer:
	"""The columns, rows, message and chart; a line for each group, on demand for each position in it, with value for each currency
	of it."""
	days = desk.days(filters)
	group_by = desk.choice(filters, "group_by", GROUPS)
	figure = desk.choice(filters, "figure", FIGURES).lower()
	models = [model.name for model in comparing.active_models()]
	conversion_type = desk.text(filters, "conversion_type")
	by_position = bool(cint(filters.get("by_position")))
	found = comparing.compared(*days, group_by.lower(), models, conversion_type, figure, by_position)
	labels = comparing.link_labels(found) if group_by.lower() == comparing.LINK else {}
	lines = _Lines(found, models, labels, by_position)
	rows = list(lines.conversions() if figure == comparing.CONVERSIONS else lines.value())
	return _columns(group_by, figure, models, by_position), rows, None, lines.chart(rows)


def _columns(group_by: str, figure: str, models: Iterable[str], by_position: bool) -> list[Row]:
	if figure == comparing.CONVERSIONS:
		of_model: Row = {"fieldtype": "Float", "precision": 2}
		currency = []
	else:
		of_model = {"fieldtype": "Currency", "options": "currency"}
		currency = [desk.column("currency", _("Currency"), width=90)]
	of_models = [desk.column(_field(number), name, **of_model) for number, name in enumerate(models)]
	position = [desk.column("position", _("Position"), width=90)] if by_position else []
	return [*desk.group_column(group_by), *position, *currency, *of_models]


class _Lines:
	"""Turns a comparison into lines of the report."""

	def __init__(
		self, found: Comparison, models: list[str], labels: dict[str, str], by_position: bool
	) -> None:
		self.found, self.models, self.labels, self.by_position = found, models, labels, by_position

	def conversions(self) -> Iterator[Row]:
		for names, line in self._named():
			yield {**names, **self._of(line, lambda figures: figures.conversions)}

	def value(self) -> Iterator[Row]:
		for names, line in self._named():
			for currency in self.found.currencies:
				if any(currency in figures.value for figures in line.values()):
					amounts = self._of(line, lambda figures, of=currency: figures.value.get(of, 0))
					yield {**names, "currency": currency, **amounts}

	def chart(self, rows: list[Row]) -> Row | None:
		"""The groups under the first models; amounts of several currencies have no place in one chart, nor have parts of groups."""
		if self.by_position or len({row.get("currency") for row in rows}) > 1:
			return None
		# The total is no group.
		bars = rows[:-1]
		return desk.chart(
			[row["group"] for row in bars],
			((model, [row[_field(number)] for row in bars]) for number, model in enumerate(self.models)),
		)

	def _named(self) -> Iterator[tuple[Row, Line]]:
		for group, line in self.found.groups.items():
			label = self.labels.get(group, group)
			yield from self._parts(desk.group_label(label), line)
		if self.found.others:
			yield from self._parts(desk.group_label(None), self.found.others)
		yield {"group": _("Unattributed")}, self.found.unattributed
		yield {"group": _("Total")}, self.found.totals

	def _parts(self, name: str, line: Line) -> Iterator[tuple[Row, Line]]:
		"""A line whole, or in its positions; those that nothing is credited to are left out."""
		if not self.by_position:
			yield {"group": name}, line
			return
		for place in PLACES:
			part = at_place(line, place)
			if any(figures.conversions or figures.value for figures in part.values()):
				yield {"group": name, "position": _(place.title())}, part

	def _of(self, line: Line, figure: Callable[[Figures], Any]) -> dict[str, float]:
		return {_field(number): float(figure(line[name])) for number, name in enumerate(self.models)}


def _field(number: int) -> str:
	return f"model_{number}"
