"""Exchange rates from a file into TrackFlow Exchange Rate: rows that are there get the file's rate, the same file again
changes nothing (CST-1). One transaction."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import frappe
from frappe import _
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.collisions import retried
from trackflow.costs import days, files, numbers, rate_sheet, store
from trackflow.costs.exchange import days_told_by
from trackflow.costs.rate_sheet import Rate, RateSheet
from trackflow.day_range import each_day
from trackflow.links import csv_text
from trackflow.naming import key_name
from trackflow.rollups import marks
from trackflow.validation import check_choice, plain_text

DOCTYPE = "TrackFlow Exchange Rate"
PORTION = 2000
SHOWN = 500

Row = dict[str, Any]


def read(
	content: bytes | str | None, decimal_mark: str = "", day_order: str = "", since: str = ""
) -> RateSheet:
	"""The rates of a file; what is wrong with it as a whole stops with clear words."""
	text = files.text_of(content)
	check_choice("decimal_mark", decimal_mark, numbers.MARKS)
	check_choice("day_order", day_order, days.ORDERS)
	try:
		return rate_sheet.read(text, files.site(), decimal_mark, day_order, _since(since))
	except csv_text.CsvError as error:
		frappe.throw(_(str(error)))


def _since(text: str) -> date | None:
	try:
		return date.fromisoformat(plain_text(text, "since")) if text else None
	except ValueError:
		frappe.throw(_("{0} is no day such as 2026-03-31.").format(text))


def import_rates(sheet: RateSheet, *, dry_run: bool = False) -> Row:
	"""Write the rates of a file, or say what would be written."""
	for ptype in ("create", "write"):
		frappe.has_permission(DOCTYPE, ptype, throw=True)
	counts = _gone_through(sheet, dry_run)[0] if dry_run else _written(sheet)
	return {
		"format": sheet.format,
		**{verdict: counts[verdict] for verdict in (store.NEW, store.CHANGED, store.UNCHANGED)},
		"refused": len(sheet.refused),
		"unknown_currencies": sorted(sheet.strangers),
		"rows": [{"row": row, "message": _(message)} for row, message in sheet.refused[:SHOWN]],
	}


@retried
def _written(sheet: RateSheet) -> Counter[str]:
	"""ONE TRANSACTION, again after a collision: two may bring the same rates at once."""
	frappe.db.commit()
	counts, changed = _gone_through(sheet, False)
	_mark(changed)
	frappe.db.commit()
	return counts


def _gone_through(sheet: RateSheet, dry_run: bool) -> tuple[Counter[str], set[date]]:
	"""What became of the rates, or would; and the days whose rates are new or others."""
	counts: Counter[str] = Counter()
	changed: set[date] = set()
	for portion in rate_sheet.portions(sheet.rates, PORTION):
		changed |= _write(portion, counts, dry_run)
	return counts, changed


def _mark(changed: set[date]) -> None:
	"""The days that may rest on rates of these days, as far as there is anything to work out."""
	if changed:
		resting = {day for one in changed for day in each_day(*days_told_by(one))}
		marks.mark(resting.intersection(marks.all_days()))


def _write(portion: list[Rate], counts: Counter[str], dry_run: bool) -> set[date]:
	"""The days whose rates are new or others."""
	by_name = {key_name(rate.day, rate.source, rate.target): rate for rate in portion}
	stored = bulk.load(DOCTYPE, {"name": ("in", sorted(by_name))}, ["rate"])
	new = {name: rate for name, rate in by_name.items() if name not in stored}
	other = {
		name: rate
		for name, rate in by_name.items()
		if name in stored and Decimal(str(stored[name].rate)).quantize(rate_sheet.PLACES) != rate.rate
	}
	counts.update(
		{
			store.NEW: len(new),
			store.CHANGED: len(other),
			store.UNCHANGED: len(by_name) - len(new) - len(other),
		}
	)
	if not dry_run:
		bulk.insert(DOCTYPE, [_row(name, rate) for name, rate in new.items()])
		standard = {
			"entered_by": "CSV",
			"modified": now_datetime(),
			"modified_by": frappe.session.user,
		}
		bulk.update(DOCTYPE, {name: {"rate": float(rate.rate)} | standard for name, rate in other.items()})
	return {rate.day for rate in (*new.values(), *other.values())}


def _row(name: str, rate: Rate) -> Row:
	return {
		"name": name,
		"date": rate.day,
		"from_currency": rate.source,
		"to_currency": rate.target,
		"rate": float(rate.rate),
		"entered_by": "CSV",
	}
