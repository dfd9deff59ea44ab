"""Clicks and visits of a range of days: of days that are worked out their rollups, of all others, today among them, the hits
themselves. What is answered is the same either way, but for how many different visitors came: see `visitors`.

`table` gives sums to select from, by day and by whatever keys a caller names, so that lists are put together and cut by the database.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import add, or_
from typing import Any

import frappe
from frappe.query_builder.functions import Count, Date, Min, Sum
from frappe.utils import getdate
from pypika.terms import Criterion, ValueWrapper

from trackflow.click_rollups import breakdowns, run, sketch, sources
from trackflow.click_rollups.breakdowns import Breakdown
from trackflow.click_rollups.rows import ROLLUP
from trackflow.click_rollups.sources import Rows, Source
from trackflow.day_range import each_day, moments

Only = Mapping[str, str | Collection[str]]

# Up to so many hits different visitors are counted one by one.
COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class People:
	"""How many different visitors; `estimated` where that is put together of sketches."""

	number: int
	estimated: bool = False


class Days:
	"""The days from the first to the last, told by rollups where they can be. Making one takes four statements."""

	def __init__(self, first: date, last: date) -> None:
		self.whole_since = run.horizon()
		done = run.worked_out(first, last, self.whole_since)
		# Before the first day of which there is something, and of days to come, there is nothing to be asked for.
		begin = max(first, run.first_day() or date.max)
		self.by_rows = [day for day in each_day(begin, min(last, getdate())) if day not in done]

	def table(
		self,
		source: Source,
		first: date,
		last: date,
		by: Sequence[str],
		figures: Sequence[str],
		only: Only | None = None,
	) -> Any:
		"""Sums of a source over days of these, as a table: what `by` names of its keys and "day", and the figures named, of which
		one is among the source's `counts`; `only` narrows keys to a value or some. A group may stand in it twice: sum it up."""
		days = self._days_by_rows(first, last)
		parts = []
		if len(days) < (last - first).days + 1:
			parts.append(self._stored(source, first, last, by, figures, only or {}))
		if days:
			parts.append(_live(source.rows(), days, by, figures, only or {}))
		return parts[0].as_("sums") if len(parts) == 1 else parts[0].union_all(parts[1]).as_("sums")

	def visitors(
		self, source: Source, first: date, last: date, hits: int, only: Only | None = None
	) -> People:
		"""How many different visitors a source's rows are of; see `visitors_by`."""
		return self.visitors_by(source, "", first, last, hits, only).get("", People(0))

	def visitors_by(
		self, source: Source, key: str, first: date, last: date, hits: int, only: Only | None = None
	) -> dict[str, People]:
		"""The same by a key, as the database spells it. They are counted one by one where the rows, robots' too, of which the caller
		knows the number, are few and all there, and where all stand in one rollup; else they are estimated."""
		if hits <= COUNTED and run.is_whole(first, self.whole_since):
			return self._counted(source, key, first, last, only)
		stored: dict[str, list[tuple[int, str]]] = {}
		for one, visitors, text in self._sketches(source, key, first, last, only):
			stored.setdefault(one or "", []).append((visitors, text))
		live: dict[str, list[int]] = {}
		for one, register, least in self._live_places(source, key, self._days_by_rows(first, last), only):
			live.setdefault(one or "", []).append(sketch.place_of(register, least))
		return {one: _people(stored.get(one, []), live.get(one, [])) for one in stored.keys() | live.keys()}

	def visitors_by_day(
		self, source: Source, first: date, last: date, hits: int, only: Only | None = None
	) -> dict[str, People]:
		"""The same for each day by itself; days without any are missing."""
		if hits <= COUNTED and run.is_whole(first, self.whole_since):
			return self._counted_by_day(source, each_day(first, last), only)
		found: dict[str, list[tuple[int, str]]] = {}
		for day, visitors, text in self._sketches(source, "date", first, last, only):
			found.setdefault(str(day), []).append((visitors, text))
		stored = {day: _people(rows, []) for day, rows in found.items()}
		return stored | self._counted_by_day(source, self._days_by_rows(first, last), only)

	def breakdown(self, link: str, first: date, last: date) -> Breakdown:
		"""What the clicks on a link are told apart by: a statement, and one for each field where days are told by rows."""
		source, only = sources.CLICKS_BY_LINK, {"tracked_link": link}
		found: Breakdown = {field: {} for field in breakdowns.FIELDS}
		rollup = frappe.qb.DocType(ROLLUP)
		query = self._of_rollup(rollup, source, first, last, only).where(rollup.breakdown.isnotnull())
		for (text,) in query.select(rollup.breakdown).run():
			breakdowns.merge(found, breakdowns.of_text(text))
		if days := self._days_by_rows(first, last):
			query = _on_days(source.rows(), days, only)
			breakdowns.merge(found, breakdowns.read(query, {}).get((), {}))
		return found

	def _stored(
		self,
		source: Source,
		first: date,
		last: date,
		by: Sequence[str],
		figures: Sequence[str],
		only: Only,
	) -> Any:
		rollup = frappe.qb.DocType(ROLLUP)
		counts = reduce(add, (rollup[name] for name in figures if name in source.counts))
		query = self._of_rollup(rollup, source, first, last, only).where(counts > 0)
		groups = {key: rollup.date if key == "day" else rollup[key] for key in by}
		return _grouped(query, groups, {name: Sum(rollup[name]) for name in figures})

	def _of_rollup(self, rollup: Any, source: Source, first: date, last: date, only: Only) -> Any:
		query = frappe.qb.from_(rollup).where(rollup.grain == source.grain)
		query = query.where((rollup.date >= first) & (rollup.date <= last))
		if days := self._days_by_rows(first, last):
			query = query.where(rollup.date.notin(days))
		return _narrowed(query, {key: rollup[key] for key in only}, only)

	def _days_by_rows(self, first: date, last: date) -> list[date]:
		return [day for day in self.by_rows if first <= day <= last]

	def _counted(
		self, source: Source, key: str, first: date, last: date, only: Only | None
	) -> dict[str, People]:
		rows = source.rows()
		query = _on_days(rows, each_day(first, last), only or {})
		number = Count(rows.visitor).distinct()
		if key:
			found = query.select(rows.keys[key], number).groupby(rows.keys[key]).run()
		else:
			found = [("", number) for (number,) in query.select(number).run()]
		return {one or "": People(number) for one, number in found}

	def _sketches(
		self, source: Source, key: str, first: date, last: date, only: Only | None
	) -> Sequence[tuple[Any, int, str]]:
		rollup = frappe.qb.DocType(ROLLUP)
		query = self._of_rollup(rollup, source, first, last, only or {}).where(rollup.visitors > 0)
		group = rollup[key] if key else ValueWrapper("")
		return query.select(group, rollup.visitors, rollup.visitor_sketch).run()

	def _live_places(
		self, source: Source, key: str, days: list[date], only: Only | None
	) -> Sequence[tuple[str | None, str, str]]:
		if not days:
			return []
		rows = source.rows()
		query = _on_days(rows, days, only or {})
		query = query.where(rows.visitor.isnotnull())
		register, least = sources.hashed(rows.visitor)
		groups = [*([rows.keys[key]] if key else []), register]
		found = query.select(*groups, Min(least)).groupby(*groups).run()
		return found if key else [("", *row) for row in found]

	def _counted_by_day(self, source: Source, days: list[date], only: Only | None) -> dict[str, People]:
		if not days:
			return {}
		if len(days) == 1:
			# Most often it is today alone, whose visitors need not be sorted by day.
			people = self._counted(source, "", days[0], days[0], only)[""]
			return {str(days[0]): people} if people.number else {}
		rows = source.rows()
		day = Date(rows.at)
		query = _on_days(rows, days, only or {})
		found = query.select(day, Count(rows.visitor).distinct()).groupby(day).run()
		return {str(one): People(number) for one, number in found if number}


def _live(rows: Rows, days: list[date], by: Sequence[str], figures: Iterable[str], only: Only) -> Any:
	query = _on_days(rows, days, only)
	groups = {key: Date(rows.at) if key == "day" else rows.keys[key] for key in by}
	return _grouped(query, groups, {name: rows.figures[name] for name in figures})


def _grouped(query: Any, groups: Mapping[str, Any], figures: Mapping[str, Any]) -> Any:
	told_apart: list[Any] = []
	names = {}
	for key, term in groups.items():
		told_apart += sources.numbers(term) if key in sources.LONG else [term]
		names[key] = Min(term) if key in sources.LONG else term
	columns = (term.as_(name) for name, term in (*names.items(), *figures.items()))
	return query.select(*columns).groupby(*told_apart)


def _on_days(rows: Rows, days: Iterable[date], only: Only) -> Any:
	return _narrowed(rows.query.where(_within(rows, days)), rows.keys, only)


def _narrowed(query: Any, keys: Mapping[str, Any], only: Only) -> Any:
	for key, wanted in only.items():
		query = query.where(
			keys[key] == wanted if isinstance(wanted, str) else keys[key].isin(sorted(wanted))
		)
	return query


def _within(rows: Rows, days: Iterable[date]) -> Criterion:
	"""The hit was on one of these days (in order): a span for each run of them."""
	spans: list[list[date]] = []
	for day in days:
		if spans and day - spans[-1][1] == timedelta(days=1):
			spans[-1][1] = day
		else:
			spans.append([day, day])
	return reduce(or_, (rows.within(*moments(first, last)) for first, last in spans))


def _people(stored: Sequence[tuple[int, str]], live: Sequence[int]) -> People:
	"""How many visitors there were in rollups, by number and sketch, and in rows, by their places in one."""
	if not live and len(stored) == 1:
		return People(stored[0][0])
	people = sketch.merged(text for _number, text in stored)
	for place in live:
		people.add(place)
	return People(people.estimate(), True)
