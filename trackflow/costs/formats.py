"""Whose export a file is, where its header stands, and which column says what. Pure.

A file is a platform's if its header fits and bears a mark of it; everything else is the generic form, which has to be told
the platform. What the caller says (a format, a mapping of columns) is not doubted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from trackflow.costs import headers, platforms
from trackflow.costs.headers import Spellings, plain, spellings, without_currency
from trackflow.costs.wrong import FileRefused
from trackflow.links import csv_text

GENERIC = "Generic"
# Records in which the header is looked for, and how much of a text holds them.
HEAD = 40
_HEAD_TEXT = 200_000
# Lines below a header that are shown of a file which nobody recognises.
_SAMPLES = 3
# Of a header, or of a line above it.
_LONGEST = 200
_ENTITIES = (*headers.IDS, *headers.NAMES)
_LIST = re.compile(r"\s*\|\s*")


@dataclass(frozen=True, slots=True)
class Format:
	"""`marks` are fields that only this platform calls so, and further headers of its own; `opening` is what only its
	preamble says. `by_day` is what to choose in the platform for rows by day."""

	name: str
	columns: Spellings
	marks: tuple[str, ...] = ()
	own_headers: str = ""
	opening: str = ""
	by_day: str = ""
	spelled: Mapping[str, tuple[str, ...]] = field(init=False)

	def __post_init__(self) -> None:
		object.__setattr__(self, "spelled", {name: spellings(texts) for name, texts in self.columns.items()})


FORMATS = {
	one.name: one
	for one in (
		Format(
			platforms.META,
			headers.META,
			marks=("start", "end", "adset", "adset_id"),
			own_headers=f"{headers.META['clicks'].removesuffix(' | Clicks')} | {headers.META['spend'].removeprefix('Amount spent | ')}",
			by_day="In Ads Manager choose Breakdown, By Time, Day before you export.",
		),
		Format(
			platforms.LINKEDIN,
			headers.LINKEDIN,
			marks=("spend",),
			by_day="In Campaign Manager choose Export with the time breakdown Daily.",
		),
		Format(
			platforms.MICROSOFT,
			headers.MICROSOFT,
			own_headers="Gregorian date | TimePeriod | CurrencyCode | CampaignName",
			opening=r"Report name\b|Report time\b|Microsoft",
			by_day="In Microsoft Advertising choose the unit of time Day for the report.",
		),
		Format(
			platforms.TIKTOK,
			headers.TIKTOK,
			marks=("adset",),
			own_headers="By Day | Nach Tag | Par jour | Por día | Per giorno | Por dia | Per dag | Stat time day | "
			+ " | ".join(_LIST.split(headers.TIKTOK["clicks"])[:8]),
			by_day="In TikTok Ads Manager add the dimension By Day to the custom report.",
		),
		Format(
			platforms.GOOGLE,
			headers.GOOGLE,
			own_headers="Impr. | Currency code | Währungscode | Code de la devise | Code de devise | Código de moneda | Código de la moneda | "
			"Codice valuta | Código da moeda | Valutacode",
			opening=r"report|bericht|rapport|informe|relat[óo]rio",
			by_day="In Google Ads choose Segment, Time, Day before you download, or add Day to the report.",
		),
		Format(GENERIC, headers.GENERIC, by_day="Give every row its day, in a column such as Date."),
	)
}


@dataclass(frozen=True, slots=True)
class Layout:
	"""A header: in which record it is, which field is in which column, the currency that it names, columns that nobody
	reads (by index and header)."""

	format: Format
	delimiter: str
	row: int
	width: int
	columns: Mapping[str, int]
	currency: str
	others: tuple[tuple[int, str], ...]
	opening: tuple[str, ...]
	# Where a field's header stands twice: the field, and the columns.
	twice: tuple[str, tuple[int, ...]] | None
	headers: tuple[str, ...]

	@property
	def named(self) -> dict[str, str]:
		"""The headers of the columns that are read, by field; a number such as #3 for one without."""
		return {
			name: self.headers[index][:_LONGEST] or f"#{index + 1}" for name, index in self.columns.items()
		}


class Column(NamedTuple):
	"""A column as a person sees it: its number from 1, what stands in the header and below it."""

	number: int
	header: str
	samples: tuple[str, ...]


Record = tuple[int, list[str]]


def find(text: str, format_name: str = "", mapping: Mapping[str, str] | None = None) -> Layout:
	"""The layout of a file."""
	head = text[:_HEAD_TEXT]
	found: list[Layout] = []
	unreadable: csv_text.CsvError | None = None
	for delimiter in dict.fromkeys((csv_text.separator(head)[0], *csv_text.DELIMITERS)):
		try:
			records = list(islice(csv_text.records(head, delimiter), HEAD))
		except csv_text.CsvError as error:
			unreadable = error
			continue
		found += (
			_mapped(records, mapping, delimiter) if mapping else _layouts(records, format_name, delimiter)
		)
	if not found:
		raise unreadable or FileRefused(_no_header(format_name, mapping))
	best = max(found, key=_worth)
	_check(best)
	return best


def columns(text: str) -> list[Column]:
	"""The columns of a file that no format fits, for a person to say what they are. The first of the widest records is taken for the
	header; what has no header cannot be mapped."""
	head = text[:_HEAD_TEXT]
	found: list[list[str]] = []
	for delimiter in dict.fromkeys((csv_text.separator(head)[0], *csv_text.DELIMITERS)):
		with suppress(csv_text.CsvError):
			records = [cells for _row, cells in islice(csv_text.records(head, delimiter), HEAD)]
			found = max(found, records, key=lambda some: max(map(_filled, some), default=0))
	if not found:
		return []
	start = max(range(len(found)), key=lambda row: _filled(found[row]))
	below = found[start + 1 : start + 1 + _SAMPLES]
	return [
		Column(
			index + 1,
			header[:_LONGEST],
			tuple(cells[index][:_LONGEST] for cells in below if index < len(cells)),
		)
		for index, header in enumerate(found[start])
		if header
	]


def _filled(cells: Sequence[str]) -> int:
	return sum(1 for cell in cells if cell)


def _worth(layout: Layout) -> tuple[bool, int, int]:
	"""A platform's own form before the generic one, more columns before fewer, the upper row before a lower one."""
	return (layout.format.name != GENERIC, len(layout.columns), -layout.row)


def _no_header(format_name: str, mapping: Mapping[str, str] | None) -> str:
	if mapping:
		columns = ", ".join(mapping.values())
		return f"No row of the file has all columns of the mapping: {columns}."
	if format_name:
		return f"This is no export of {format_name}: no row names the columns of spend, and of days or campaigns."
	return "No row of the file names the columns of costs, such as Date, Campaign and Cost. A mapping can say which they are."


def _layouts(records: Sequence[Record], format_name: str, delimiter: str) -> Iterator[Layout]:
	"""Every record that may be a header, under every format that it may have."""
	candidates = [FORMATS[format_name]] if format_name else FORMATS.values()
	opening: list[str] = []
	for row, cells in records:
		named = _by_header(cells)
		for one in candidates:
			columns = _columns(named, one)
			if not _is_header(columns):
				continue
			if not format_name and one.name != GENERIC and not _is_marked(one, columns, named, opening):
				continue
			yield _layout(one, delimiter, row, cells, columns, opening)
		opening.append(_line(cells))


def _by_header(cells: Iterable[str]) -> dict[str, list[int]]:
	"""Where each header stands, as it is looked up; with its currency and without."""
	found: dict[str, list[int]] = {}
	for index, cell in enumerate(cell[:_LONGEST] for cell in cells):
		for name in dict.fromkeys((plain(cell), plain(without_currency(cell)[0]))):
			if name:
				found.setdefault(name, []).append(index)
	return found


def _columns(named: Mapping[str, Sequence[int]], one: Format) -> dict[str, tuple[int, ...]]:
	"""By field, the columns of the first spelling that there is: several where two columns have one header."""
	found = {}
	for name, texts in one.spelled.items():
		if spelled := next((text for text in texts if text in named), None):
			found[name] = tuple(named[spelled])
	return found


def _is_header(columns: Mapping[str, Sequence[int]]) -> bool:
	indices = {index for some in columns.values() for index in some}
	return (
		"spend" in columns
		and len(indices) > 1
		and any(name in columns for name in ("day", "start", *_ENTITIES))
	)


def _is_marked(
	one: Format,
	columns: Mapping[str, Sequence[int]],
	named: Mapping[str, Sequence[int]],
	opening: Sequence[str],
) -> bool:
	"""Whether the header is this platform's beyond doubt. A column of platforms makes a file a collection of several."""
	if any(name in named for name in spellings(headers.GENERIC["platform"])):
		return False
	marks = any(name in columns for name in one.marks)
	own = one.own_headers and any(name in named for name in spellings(one.own_headers))
	return bool(marks or own or (one.opening and any(re.search(one.opening, text, re.I) for text in opening)))


def _layout(
	one: Format,
	delimiter: str,
	row: int,
	cells: Sequence[str],
	columns: Mapping[str, Sequence[int]],
	opening: Sequence[str],
) -> Layout:
	chosen = {name: some[0] for name, some in columns.items()}
	return Layout(
		one,
		delimiter,
		row,
		len(cells),
		chosen,
		without_currency(cells[chosen["spend"]][:_LONGEST])[1],
		tuple((index, cell) for index, cell in enumerate(cells) if index not in chosen.values()),
		tuple(opening),
		next(((name, tuple(some)) for name, some in columns.items() if len(some) > 1), None),
		tuple(cells),
	)


def _mapped(records: Sequence[Record], mapping: Mapping[str, str], delimiter: str) -> Iterator[Layout]:
	"""The first record that has all columns of a mapping, by header or by number (#3)."""
	for number, (row, cells) in enumerate(records):
		columns = {name: _column(cells, wanted) for name, wanted in mapping.items()}
		if all(some for some in columns.values()) and len(cells) > 1:
			opening = [_line(before) for _row, before in records[:number]]
			yield _layout(FORMATS[GENERIC], delimiter, row, cells, columns, opening)
			return


def _line(cells: Sequence[str]) -> str:
	return " ".join(filter(None, cells))[:_LONGEST]


def _column(cells: Sequence[str], wanted: str) -> tuple[int, ...]:
	if number := re.fullmatch(r"#([1-9][0-9]{0,3})", wanted.strip()):
		index = int(number[1]) - 1
		return (index,) if index < len(cells) and cells[index] else ()
	return tuple(index for index, cell in enumerate(cells) if cell and plain(cell) == plain(wanted))


def _check(layout: Layout) -> None:
	"""No column may be meant twice. Days must be there: what is of a week, or of a whole report, is of no day."""
	if layout.twice:
		name, some = layout.twice
		columns = " and ".join(str(index + 1) for index in some)
		raise FileRefused(
			f"Two columns are called {layout.headers[some[0]][:_LONGEST]}, numbers {columns}. Say in a mapping which one is meant: "
			f'{headers.LABELS[name]} is "#{some[0] + 1}".'
		)
	if "day" in layout.columns or "start" in layout.columns:
		return
	coarse = spellings(headers.COARSE)
	wide = next((header for _index, header in layout.others if plain(header) in coarse), "")
	what = f"is by {wide}" if wide else "has no column with the day"
	raise FileRefused(f"The file {what}: costs are kept by day. {layout.format.by_day}")
