"""A file of costs → facts, and rows that are refused, each with its number and the reason. Pure.

Reads the whole file before it reads a row, since what a comma or 03/04/2026 means is a matter of the file. Keeps of each row
the cells that it understands.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from trackflow.costs import days, formats, headers, numbers, platforms
from trackflow.costs.facts import Fact, added, checked, tidy, without_totals
from trackflow.costs.formats import GENERIC, Layout
from trackflow.costs.wrong import FileRefused, RowRefused
from trackflow.links import csv_text

_TOTAL = re.compile(
	r"(?:grand |sub)?totals?\b|gesamt|summe\b|totale?s?\b|totaux\b|totaal\b|resultados totales|results from\b|ergebnisse (?:aus|von)\b|"
	r"résultats de\b|risultati d|resultados d|resultaten van\b|overall\b|insgesamt\b",
	re.IGNORECASE,
)
_ID_IN_FORMULA = re.compile(r'="?([^"]*)"?')
_KIND_BEFORE_ID = re.compile(r"(?:c|cg|as|ag|a):([0-9]+)")
# Of a cell in a message.
_SHOWN = 60
_NO_NAME = frozenset({"", "-", "--", "—", "–"})
_NUMBERS = ("impressions", "clicks", "spend")
_POSITION = {name: position for position, name in enumerate(headers.FIELDS)}
_ENTITIES = tuple(_POSITION[name] for name in (*headers.IDS, *headers.NAMES))


@dataclass(frozen=True, slots=True)
class Options:
	"""What the person says of a file. `columns` are headers, or numbers such as #3, by field."""

	format: str = ""
	platform: str = ""
	currency: str = ""
	decimal_mark: str = ""
	day_order: str = ""
	columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Site:
	"""What the site knows: its currencies, and the last day that costs can be of."""

	currencies: frozenset[str]
	latest: date


class Raw(NamedTuple):
	"""A row as it stands: the cells of headers.FIELDS in their order, and what its other cells come to."""

	row: int
	cells: tuple[str, ...]
	others: int
	is_too_wide: bool


@dataclass(slots=True)
class Sheet:
	"""A file, read. `refused` are (row, reason); `left_out` counts rows that are no facts, by what they are; `summed` counts
	rows that became parts of one fact."""

	layout: Layout
	decimal_mark: str
	day_order: str
	facts: list[Fact]
	refused: list[tuple[int, str]]
	left_out: Counter[str]
	summed: int = 0


def read(text: str, options: Options, site: Site, most_rows: int) -> Sheet:
	"""The facts of a CSV text."""
	layout = formats.find(text, options.format, options.columns)
	raws, left_out = _raws(text, layout, most_rows)
	if not raws:
		raise FileRefused("The file has a header and no rows of costs.")
	_check_span(layout, raws)
	number_evidence, day_evidence = numbers.Evidence(), days.Evidence()
	for raw in raws:
		for name in _NUMBERS:
			number_evidence.add(raw.row, raw.cells[_POSITION[name]], is_whole=name != "spend")
		for name in ("day", "start", "end"):
			day_evidence.add(raw.row, raw.cells[_POSITION[name]])
	mark, order = number_evidence.mark(options.decimal_mark), day_evidence.order(options.day_order)
	sheet = Sheet(layout, mark, order, [], [], left_out)
	reader = _Reader(layout, options, site, mark, order)
	_gather(sheet, raws, reader)
	sheet.facts, totals = without_totals(sheet.facts)
	sheet.refused += totals
	sheet.refused.sort()
	return sheet


def _raws(text: str, layout: Layout, most_rows: int) -> tuple[list[Raw], Counter[str]]:
	raws: list[Raw] = []
	left_out: Counter[str] = Counter()
	indices = [layout.columns.get(name, -1) for name in headers.FIELDS]
	others = [index for index, _header in layout.others]
	for row, cells in csv_text.records(text, layout.delimiter):
		if row <= layout.row:
			continue
		is_too_wide = any(cells[layout.width :])
		cells += [""] * (layout.width - len(cells))
		raw = Raw(
			row,
			tuple(cells[index] if index >= 0 else "" for index in indices),
			hash(tuple(cells[index] for index in others)),
			is_too_wide,
		)
		if what := _what_else(raw, layout, cells):
			left_out[what] += 1
			continue
		if len(raws) >= most_rows:
			raise FileRefused(f"The file has more than {most_rows} rows. Split it.")
		raws.append(raw)
	return raws, left_out


def _what_else(raw: Raw, layout: Layout, cells: Sequence[str]) -> str:
	"""What a row is that is no cost: a total, a line without figures; "" for a cost."""
	day = raw.cells[_POSITION["day"]] or raw.cells[_POSITION["start"]]
	has_day = any(map(str.isdigit, day)) and not _TOTAL.match(day)
	has_figures = any(not numbers.is_nothing(raw.cells[_POSITION[name]]) for name in _NUMBERS)
	has_entity = any(raw.cells[position] not in _NO_NAME for position in _ENTITIES)
	if not has_figures:
		return "empty"
	if not has_day and (not has_entity or any(_TOTAL.match(cell) for cell in cells if cell)):
		return "totals"
	names_entities = any(layout.columns.get(name, -1) >= 0 for name in (*headers.IDS, *headers.NAMES))
	if layout.format.name != GENERIC and names_entities and not has_entity:
		return "totals"
	return ""


def _check_span(layout: Layout, raws: Sequence[Raw]) -> None:
	"""A report with a start alone is by day only if it says so: not where all rows begin with it, and its heading tells of
	more than that day."""
	if "day" in layout.columns or "end" in layout.columns:
		return
	if len({raw.cells[_POSITION["start"]] for raw in raws}) > 1:
		return
	span = next((line for line in layout.opening if _days_in(line) > 1), "")
	if span:
		raise FileRefused(f"All rows are of one day, and the report says: {span}. {layout.format.by_day}")


def _days_in(line: str) -> int:
	"""How many different days a line names."""
	found = re.findall(
		r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}|[^\W\d]+\.? [0-9]{1,2}, [0-9]{4}",
		line,
	)
	return len(set(found))


def _gather(sheet: Sheet, raws: Sequence[Raw], reader: _Reader) -> None:
	"""Facts of rows. Rows of one key are parts of it if a further column tells them apart, such as the device."""
	found: dict[Hashable, list[tuple[Fact, Raw]]] = {}
	for raw in raws:
		try:
			if raw.is_too_wide:
				raise RowRefused(
					"The row has more cells than the header: a separator within a cell needs quotes."
				)
			fact = reader.fact(raw)
		except RowRefused as error:
			sheet.refused.append((raw.row, str(error)))
			continue
		found.setdefault((fact.day, fact.platform, fact.entities), []).append((fact, raw))
	for parts in found.values():
		_put_together(sheet, parts)


def _put_together(sheet: Sheet, parts: Sequence[tuple[Fact, Raw]]) -> None:
	first, first_raw = parts[0]
	seen = {(first_raw.cells, first_raw.others): first.row}
	whole, others = first, {first_raw.others}
	for part, raw in parts[1:]:
		if row := seen.get((raw.cells, raw.others)):
			sheet.refused.append((raw.row, f"The row says the same as row {row}."))
			continue
		seen[raw.cells, raw.others] = raw.row
		if raw.others in others:
			_refuse_all(
				sheet, seen.values(), "Rows {0} are of one day and campaign, and no column tells them apart."
			)
			return
		if part.currency != whole.currency:
			_refuse_all(
				sheet, seen.values(), "Rows {0} are of one day and campaign, in different currencies."
			)
			return
		others.add(raw.others)
		whole = added(whole, part)
	sheet.summed += whole.rows if whole.rows > 1 else 0
	sheet.facts.append(whole)


def _refuse_all(sheet: Sheet, rows: Collection[int], reason: str) -> None:
	text = reason.format(", ".join(map(str, sorted(rows))))
	sheet.refused += [(row, text) for row in rows]


@dataclass(slots=True)
class _Reader:
	layout: Layout
	options: Options
	site: Site
	mark: str
	order: str
	# What texts come to that stand in many rows.
	_known_days: dict[tuple[str, str, str], date] = field(default_factory=dict)
	_known_entities: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)

	def fact(self, raw: Raw) -> Fact:
		cell = dict(zip(headers.FIELDS, raw.cells, strict=True))
		spend = numbers.parse(cell["spend"], self.mark)
		if spend is None and self.layout.format.name == GENERIC:
			raise RowRefused("The row tells no spend; write 0 where nothing was spent.")
		fact = Fact(
			raw.row,
			self._day(cell),
			self._platform(cell),
			self._currency(cell),
			**self._entities(raw.cells),
			**{name: self._count(cell[name], name) for name in ("impressions", "clicks")},
			spend=spend or numbers.parse("0", self.mark),
		)
		return checked(fact, self.site.currencies, self.site.latest)

	def _entities(self, cells: Sequence[str]) -> dict[str, str]:
		"""Ids and names."""
		texts = tuple(cells[position] for position in _ENTITIES)
		if texts not in self._known_entities:
			count = len(headers.IDS)
			ids, names = map(_id, texts[:count]), map(_name, texts[count:])
			entities = dict(zip((*headers.IDS, *headers.NAMES), (*ids, *names), strict=True))
			self._known_entities[texts] = entities
		return self._known_entities[texts]

	def _day(self, cell: Mapping[str, str]) -> date:
		texts = (cell["day"], cell["start"], cell["end"])
		if texts not in self._known_days:
			self._known_days[texts] = self._day_of(cell)
		return self._known_days[texts]

	def _day_of(self, cell: Mapping[str, str]) -> date:
		if "day" in self.layout.columns:
			return days.parse(cell["day"], self.order)
		first = days.parse(cell["start"], self.order)
		if "end" in self.layout.columns and days.parse(cell["end"], self.order) != first:
			raise RowRefused(
				f"The row is of the days from {cell['start']} to {cell['end']}: costs are kept by day. {self.layout.format.by_day}"
			)
		return first

	def _platform(self, cell: Mapping[str, str]) -> str:
		if self.layout.format.name != GENERIC:
			return self.layout.format.name
		name = platforms.platform_of(cell["platform"]) or platforms.platform_of(self.options.platform)
		if not name:
			raise RowRefused(
				"The row names no platform: give the file a column Platform, or say it (platform)."
			)
		return name

	def _currency(self, cell: Mapping[str, str]) -> str:
		of_row = "" if cell["currency"] in _NO_NAME else cell["currency"].upper()
		told = self.options.currency.upper()
		found = self.layout.currency or of_row or told
		if not found:
			raise RowRefused(
				"The row has no currency: add the column of the currency to the export, or say it (currency)."
			)
		for other in (of_row, told, numbers.currency_of(cell["spend"])):
			if other and other != found:
				raise RowRefused(f"The row is in {found}, and in {other[:_SHOWN]}.")
		return found

	def _count(self, text: str, name: str) -> int | None:
		number = numbers.parse(text, self.mark)
		if number is None:
			return None
		if number != number.to_integral_value():
			raise RowRefused(f"The {name} are no whole number: {text}.")
		return int(number)


def _id(text: str) -> str:
	"""An id as the platform has it: not as a formula that keeps its digits, nor with its kind before it."""
	text = csv_text.original(text)
	if found := _ID_IN_FORMULA.fullmatch(text):
		text = found[1]
	text = tidy(text.removeprefix("'"))
	if found := _KIND_BEFORE_ID.fullmatch(text):
		text = found[1]
	return "" if text in _NO_NAME else text


def _name(text: str) -> str:
	text = tidy(csv_text.original(text))
	return "" if text in _NO_NAME else text
