"""Costs by API: up to 1,000 rows by field, each with a verdict; the same call again changes nothing (CST-1)."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import frappe
from frappe import _

from trackflow.collisions import retried
from trackflow.costs import campaigns, days, facts, files, platforms, store
from trackflow.costs.facts import CHANGEABLE, KEY, Fact
from trackflow.costs.sheet import Site
from trackflow.costs.store import Verdict
from trackflow.costs.wrong import RowRefused
from trackflow.validation import is_storable, parsed

AT_MOST = 1000
_PARTS = KEY | CHANGEABLE

Row = dict[str, Any]


def upsert(rows: Any) -> Row:
	"""Write rows, dicts by field of Daily Campaign Metric, and say of each what became of it. Rows count from 1."""
	given = parsed(rows, "rows")
	if not isinstance(given, list) or not all(isinstance(row, Mapping) for row in given):
		frappe.throw(_("rows must be a list of objects such as {0}.").format('{"date": "2026-03-31", …}'))
	if not 1 <= len(given) <= AT_MOST:
		frappe.throw(_("Give between 1 and {0} rows.").format(AT_MOST))
	for ptype in ("create", "write"):
		frappe.has_permission(store.DOCTYPE, ptype, throw=True)
	refused: dict[int, str] = {}
	found = _facts(given, refused)
	return _answer(len(given), _written(found), refused)


@retried
def _written(found: list[Fact]) -> list[Verdict]:
	"""ONE TRANSACTION, again after a collision: programs send the same rows at once."""
	frappe.db.commit()
	verdicts = _compared(found)
	store.write(verdicts, "API")
	frappe.db.commit()
	return verdicts


def _facts(given: list[Mapping[str, Any]], refused: dict[int, str]) -> list[Fact]:
	known, found = files.site(), {}
	for number, row in enumerate(given, 1):
		try:
			fact = _fact(number, row, known)
			if fact.name in found:
				raise RowRefused(f"The row has the key of row {found[fact.name].row}.")
			found[fact.name] = fact
		except RowRefused as error:
			refused[number] = _(str(error))
	kept, totals = facts.without_totals(found.values())
	refused.update((number, _(reason)) for number, reason in totals)
	return kept


def _compared(found: list[Fact]) -> list[Verdict]:
	known = campaigns.known()
	return [
		_with_spend(verdict)
		for portion in store.portions(found)
		for verdict in store.compare(portion, known, is_locked=True)
	]


def _with_spend(verdict: Verdict) -> Verdict:
	if verdict.verdict == store.NEW and verdict.fact.spend is None:
		return Verdict(
			verdict.fact,
			verdict.name,
			store.REFUSED,
			message="A new row needs spend, 0 if nothing was spent.",
		)
	return verdict


def _fact(number: int, row: Mapping[str, Any], known: Site) -> Fact:
	if unknown := sorted(str(name) for name in row if name not in _PARTS):
		raise RowRefused(f"There is no field {', '.join(unknown)}.")
	if not is_storable(row):
		raise RowRefused("The row holds characters that no text can hold.")
	texts = {part: _text(row.get(field), field) for field, part in _PARTS.items() if part not in _OTHERS}
	fact = Fact(
		number,
		_day(row.get("date")),
		impressions=_count(row.get("impressions"), "impressions"),
		clicks=_count(row.get("clicks"), "clicks"),
		spend=_number(row.get("spend"), "spend"),
		**texts | {"platform": platforms.platform_of(texts["platform"])},
	)
	return facts.checked(fact, known.currencies, known.latest)


_OTHERS = ("day", "impressions", "clicks", "spend")


def _text(value: Any, field: str) -> str:
	if isinstance(value, int) and not isinstance(value, bool):
		# Ids of platforms are numbers for many programs.
		return str(value)
	if value is not None and not isinstance(value, str):
		raise RowRefused(f"{field} must be a text.")
	return facts.tidy(value or "")


def _day(value: Any) -> date:
	if not isinstance(value, str):
		raise RowRefused("The row needs a date such as 2026-03-31.")
	try:
		day = date.fromisoformat(value.strip())
	except ValueError:
		raise RowRefused(f"{value[:60]} is no date such as 2026-03-31.") from None
	if day < days.FIRST:
		raise RowRefused(f"The date {day} is before the year {days.FIRST.year}.")
	return day


def _number(value: Any, field: str) -> Decimal | None:
	if value is None or value == "":
		return None
	try:
		number = Decimal("NaN") if isinstance(value, bool) else Decimal(str(value).strip())
	except InvalidOperation:
		number = Decimal("NaN")
	if not number.is_finite() or number.adjusted() > 30:
		raise RowRefused(f"{field} must be a number such as 12.50.")
	return number


def _count(value: Any, field: str) -> int | None:
	number = _number(value, field)
	if number is None:
		return None
	if number != number.to_integral_value():
		raise RowRefused(f"{field} must be a whole number.")
	return int(number)


def _answer(count: int, verdicts: list[Verdict], refused: Mapping[int, str]) -> Row:
	rows: dict[int, Row] = {number: _refusal(number, message) for number, message in refused.items()}
	for one in verdicts:
		number = one.fact.row
		if one.verdict == store.REFUSED:
			rows[number] = _refusal(number, _(one.message))
		else:
			rows[number] = {"row": number, "verdict": one.verdict, "name": one.name}
	counts = Counter(row["verdict"] for row in rows.values())
	verdict_names = (store.NEW, store.CHANGED, store.UNCHANGED, store.REFUSED)
	return {
		**{verdict: counts[verdict] for verdict in verdict_names},
		"rows": [rows[number] for number in range(1, count + 1)],
	}


def _refusal(number: int, message: str) -> Row:
	return {"row": number, "verdict": store.REFUSED, "message": message}
