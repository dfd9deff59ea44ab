"""A file of exchange rates → rates, and rows that are refused: a plain list with a rate a row, or the history of euro rates
as the European Central Bank publishes it, with a column for each currency. Pure.

The bank's file has the header `Date, USD, JPY, …`; a cell says how much of the currency a euro was worth that day, N/A
where there is no rate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from trackflow.costs import days, numbers
from trackflow.costs.headers import plain, spellings
from trackflow.costs.sheet import Site
from trackflow.costs.wrong import FileRefused, RowRefused
from trackflow.links import csv_text

LIST, BANK = "List", "European Central Bank"
EURO = "EUR"
# Nine places are kept; a rate that is less would be none.
PLACES = Decimal("0.000000001")
MOST = Decimal(10) ** 9
MOST_RATES = 500_000
_COLUMNS = {
	"day": spellings("Date | Day | Datum | Tag | Jour | Fecha | Data"),
	"source": spellings("From | From Currency | Base | Base Currency | from_currency"),
	"target": spellings("To | To Currency | Currency | Quote | to_currency"),
	"rate": spellings("Rate | Exchange Rate | Kurs | Value"),
}


@dataclass(frozen=True, slots=True)
class Rate:
	"""What one unit of `source` is worth in `target` on a day."""

	row: int
	day: date
	source: str
	target: str
	rate: Decimal


@dataclass(slots=True)
class RateSheet:
	"""`strangers` are currencies that the site does not have."""

	format: str
	rates: list[Rate] = field(default_factory=list)
	refused: list[tuple[int, str]] = field(default_factory=list)
	strangers: set[str] = field(default_factory=set)


Record = tuple[int, list[str]]


def read(
	text: str, site: Site, decimal_mark: str = "", day_order: str = "", since: date | None = None
) -> RateSheet:
	"""The rates of a CSV text; those of the bank from `since` on."""
	records = csv_text.records(text)
	_row, header = next(records, (0, []))
	if _is_of_bank(header):
		return _bank(header, records, site, since or days.FIRST)
	return _list(header, list(records), site, decimal_mark, day_order)


def _is_of_bank(header: Sequence[str]) -> bool:
	codes = [cell for cell in header[1:] if cell]
	return (
		bool(codes) and plain(header[0]) == "date" and all(re.fullmatch("[A-Z]{3}", code) for code in codes)
	)


def _bank(header: Sequence[str], records: Iterator[Record], site: Site, since: date) -> RateSheet:
	sheet = RateSheet(BANK)
	if EURO not in site.currencies:
		raise FileRefused(f"There is no currency {EURO} on this site, and the file is of rates against it.")
	columns = [(index, code) for index, code in enumerate(header) if index and code]
	sheet.strangers = {code for _index, code in columns} - site.currencies
	wanted = [(index, code) for index, code in columns if code in site.currencies]
	for row, cells in records:
		try:
			day = _day(cells[0], days.ORDERS[0], site)
			if day < since:
				continue
			sheet.rates += [
				Rate(row, day, EURO, code, checked_rate(number))
				for index, code in wanted
				if index < len(cells) and (number := numbers.parse(cells[index], ".")) is not None
			]
		except RowRefused as error:
			sheet.refused.append((row, str(error)))
		if len(sheet.rates) > MOST_RATES:
			raise FileRefused(
				f"The file has more than {MOST_RATES} rates. Say from which day on they are wanted."
			)
	return sheet


def _list(
	header: Sequence[str], records: Sequence[Record], site: Site, decimal_mark: str, day_order: str
) -> RateSheet:
	columns = _columns(header)
	if len(records) > MOST_RATES:
		raise FileRefused(f"The file has more than {MOST_RATES} rows. Split it.")
	number_evidence, day_evidence = numbers.Evidence(), days.Evidence()
	rows = [
		(row, {name: cells[index] if index < len(cells) else "" for name, index in columns.items()})
		for row, cells in records
	]
	for row, cell in rows:
		number_evidence.add(row, cell["rate"], is_whole=False)
		day_evidence.add(row, cell["day"])
	mark, order = number_evidence.mark(decimal_mark), day_evidence.order(day_order)
	sheet = RateSheet(LIST)
	seen: dict[tuple[date, str, str], Rate] = {}
	for row, cell in rows:
		try:
			rate = _rate(row, cell, site, mark, order)
			before = seen.setdefault((rate.day, rate.source, rate.target), rate)
			if before is not rate:
				raise RowRefused(f"Row {before.row} has a rate of the same day and currencies.")
			sheet.rates.append(rate)
		except RowRefused as error:
			sheet.refused.append((row, str(error)))
	return sheet


def _columns(header: Sequence[str]) -> dict[str, int]:
	named = [plain(cell) for cell in header]
	columns = {}
	for name, texts in _COLUMNS.items():
		indices = [index for index, text in enumerate(named) if text in texts]
		if not indices:
			raise FileRefused(
				"The file is no list of rates: its header needs Date, From, To and Rate; or it is the history of the European "
				"Central Bank, with Date and a column for each currency."
			)
		if len(indices) > 1:
			raise FileRefused(f"Two columns mean the same; one of them is {header[indices[1]]}.")
		columns[name] = indices[0]
	return columns


def _rate(row: int, cell: Mapping[str, str], site: Site, mark: str, order: str) -> Rate:
	day = _day(cell["day"], order, site)
	source, target = cell["source"].upper(), cell["target"].upper()
	for code in (source, target):
		if code not in site.currencies:
			raise RowRefused(f"There is no currency {code[:60]} on this site.")
	if source == target:
		raise RowRefused(f"A rate from {source} to itself says nothing.")
	number = numbers.parse(cell["rate"], mark)
	if number is None:
		raise RowRefused("The row has no rate.")
	return Rate(row, day, source, target, checked_rate(number))


def _day(text: str, order: str, site: Site) -> date:
	return checked_day(days.parse(text, order), site)


def checked_day(day: date, site: Site) -> date:
	"""A day that a rate can be of."""
	if day < days.FIRST:
		raise RowRefused(f"The day {day} is before the year {days.FIRST.year}.")
	if day > site.latest:
		raise RowRefused(f"The day {day} lies ahead.")
	return day


def checked_rate(rate: Decimal) -> Decimal:
	"""A rate that can be, as it is stored."""
	if not rate.is_finite() or not PLACES <= rate < MOST:
		raise RowRefused(f"{rate} is no rate.")
	return rate.quantize(PLACES)


def portions(rates: Sequence[Rate], size: int) -> Iterator[list[Rate]]:
	"""So many rates at a time, in the order of their days."""
	ordered = sorted(rates, key=lambda one: (one.day, one.source, one.target))
	for start in range(0, len(ordered), size):
		yield ordered[start : start + size]
