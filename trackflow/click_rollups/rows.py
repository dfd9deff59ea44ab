"""The Daily Click Rollups of one day, as they should be. A fixed number of statements; what is held grows with the day's links, pages
and the like, not with its hits.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import frappe
from frappe.query_builder.functions import Count, Min
from pypika.terms import Function

from trackflow import bulk
from trackflow.click_rollups import breakdowns, sources
from trackflow.click_rollups.sketch import Sketch, place_of
from trackflow.click_rollups.sources import DAY, DOMAIN, FIGURES, GRAINS, KEYS, LINK, OTHERS, Rows, Source
from trackflow.day_range import moments
from trackflow.naming import timed_name
from trackflow.tracking import texts

Row = dict[str, Any]
Key = tuple[str, ...]

ROLLUP = "Daily Click Rollup"
FIELDS = ("date", "grain", *KEYS, *FIGURES, "visitors", "new_visitors", "visitor_sketch", "breakdown")
# Of what visitors can make up, such as pages, rows of a domain and day: those with most; and how many are looked at.
MOST, GROUPS = 1_000, 20_000
# Hits of a day above which they are not read at once.
PORTION = 200_000
HEX_DIGITS = "0123456789abcdef"
_NO_KEY: Key = ("",) * len(KEYS)


def row_name(day: date, grain: str, key: Sequence[str]) -> str:
	"""Follows from the key. Rows of one day and grain are neighbours in the database."""
	moment = datetime.combine(day, time.min) + timedelta(milliseconds=GRAINS.index(grain))
	return timed_name(moment, grain, *key)


def of_day(day: date) -> dict[str, Row]:
	"""The rows of all grains, by name. A day without hits has the one of the grain Day."""
	found = _Figures(day)
	# A site's first years may have many such days.
	if found.is_empty():
		return {row_name(day, DAY, _NO_KEY): found.row(DAY, _NO_KEY)}
	for source in sources.ALL:
		found.add(source)
	found.add_day()
	found.add_new_visitors()
	found.add_sketches()
	found.add_breakdowns()
	return {row_name(day, grain, key): found.row(grain, key) for grain, key in found.rows}


class _Figures:
	"""The figures of a day by grain and key."""

	def __init__(self, day: date) -> None:
		self.day = day
		self.begin, self.end = moments(day, day)
		self.rows: dict[tuple[str, Key], Row] = {}

	def is_empty(self) -> bool:
		"""There is no hit and no session. Three statements."""
		hits = ((frappe.qb.DocType(doctype), field) for doctype, field in sources.HITS.items())
		return not any(
			self._within(frappe.qb.from_(of).select(of.name), of[field]).limit(1).run() for of, field in hits
		)

	def add(self, source: Source) -> None:
		"""Sum up the source's rows; spellings of one host are put together."""
		rows = source.rows()
		figures = rows.figures
		if source in sources.OF_VISITORS:
			figures = figures | {"visitors": Count(rows.visitor).distinct()}
		made_up, kept = sources.MADE_UP.get(source.grain), Counter[str]()
		for key, values in self._grouped(rows, figures):
			if made_up and _value_of(key, made_up):
				kept[_value_of(key, "domain")] += 1
				if kept[_value_of(key, "domain")] > MOST:
					continue
			_add(self._of(source.grain, key), figures, values)
		if made_up:
			self._add_rest(source, made_up)

	def _add_rest(self, source: Source, made_up: str) -> None:
		"""What is not among the largest of a domain, as one row."""
		rows = source.rows()
		told: dict[str, Counter[str]] = defaultdict(Counter)
		for (grain, key), of in self.rows.items():
			if grain == source.grain:
				told[_value_of(key, "domain")].update({name: of.get(name, 0) for name in rows.figures})
		rows = replace(rows, keys={"domain": rows.keys["domain"]}, largest=())
		for key, values in self._grouped(rows, rows.figures):
			domain = _value_of(key, "domain")
			rest = {
				name: int(value or 0) - told[domain][name]
				for name, value in zip(rows.figures, values, strict=True)
			}
			if any(rest.values()):
				_add(self._of(source.grain, _key({"domain": domain, made_up: OTHERS})), rest, rest.values())

	def add_day(self) -> None:
		"""The whole day: what was worked out has such a row."""
		day = self._of(DAY, _NO_KEY)
		for (grain, _key), of in list(self.rows.items()):
			if grain == DOMAIN:
				for name in FIGURES:
					day[name] = day.get(name, 0) + of.get(name, 0)
		sessions = sources.SESSIONS.rows()
		[[day["visitors"]]] = self._of_day(sessions).select(Count(sessions.visitor).distinct()).run()

	def add_new_visitors(self) -> None:
		"""Those who were never here before this day, by the domains that they came to, and in all."""
		session, visitor = frappe.qb.DocType("Visitor Session"), frappe.qb.DocType("Visitor")
		query = (
			frappe.qb.from_(session)
			.join(visitor)
			.on(visitor.name == session.visitor_id)
			.where((visitor.first_seen >= self.begin) & (visitor.first_seen < self.end))
		)
		query = self._within(query, session.session_start)
		number, domain = Count(session.visitor_id).distinct(), bulk.as_hex(session.domain)
		for of, visitors in query.select(domain, number).groupby(domain).run():
			self._of(DOMAIN, _key({"domain": bulk.of_hex(of)}))["new_visitors"] = visitors
		[[self._of(DAY, _NO_KEY)["new_visitors"]]] = query.select(number).run()

	def add_sketches(self) -> None:
		"""Who was there, for figures of several days."""
		found: dict[tuple[str, Key], Sketch] = defaultdict(Sketch)
		for source in sources.OF_VISITORS:
			for key, place in self._places(source.rows()):
				found[source.grain, key].add(place)
				if source.grain == DOMAIN:
					found[DAY, _NO_KEY].add(place)
		for of, sketch in found.items():
			self._of(*of)["visitor_sketch"] = sketch.text()

	def add_breakdowns(self) -> None:
		"""What the clicks on each link are told apart by."""
		rows = sources.CLICKS_BY_LINK.rows()
		for texts_of, breakdown in breakdowns.read(self._of_day(rows), rows.keys).items():
			of = self._of(LINK, _key(dict(zip(rows.keys, texts_of, strict=True))))
			of["breakdown"] = breakdowns.text_of(breakdown)

	def row(self, grain: str, key: Key) -> Row:
		of = self.rows.get((grain, key), {})
		return {
			"name": row_name(self.day, grain, key),
			"date": self.day,
			"grain": grain,
			**{name: value or None for name, value in zip(KEYS, key, strict=True)},
			**{name: of.get(name, 0) for name in (*FIGURES, "visitors", "new_visitors")},
			**{name: of.get(name) or None for name in ("visitor_sketch", "breakdown")},
		}

	def _of(self, grain: str, key: Key) -> Row:
		return self.rows.setdefault((grain, key), {})

	def _of_day(self, rows: Rows) -> Any:
		return rows.query.where(rows.within(self.begin, self.end))

	def _within(self, query: Any, at: Any) -> Any:
		return query.where((at >= self.begin) & (at < self.end))

	def _grouped(self, rows: Rows, figures: dict[str, Any]) -> Iterator[tuple[Key, Sequence[Any]]]:
		"""The key of each group, and its figures. Groups are of one spelling, whatever the database takes for equal."""
		groups = [bulk.as_hex(term) for term in rows.keys.values()]
		query = self._of_day(rows).select(*groups, *figures.values()).groupby(*groups)
		if rows.largest:
			# Of as many hits the same ones each time.
			query = query.orderby(*rows.largest, order=frappe.qb.desc).orderby(*groups).limit(GROUPS)
		for line in query.run():
			texts_of = dict(zip(rows.keys, map(bulk.of_hex, line[: len(groups)]), strict=True))
			yield _key(texts_of), line[len(groups) :]

	def _places(self, rows: Rows) -> Iterator[tuple[Key, int]]:
		"""Where visitors stand in the sketch of each key. Of a day with many hits the registers are read in portions."""
		register, least = sources.hashed(rows.visitor)
		groups = [bulk.as_hex(term) for term in rows.keys.values()]
		query = self._of_day(rows).where(rows.visitor.isnotnull())
		[[hits]] = query.select(Count("*")).run()
		query = query.select(*groups, register, Min(least)).groupby(*groups, register)
		for digit in HEX_DIGITS if hits > PORTION else ("",):
			portion = query.where(Function("SUBSTRING", register, 1, 1) == digit) if digit else query
			for *values, of, least_of in portion.run():
				texts_of = dict(zip(rows.keys, map(bulk.of_hex, values), strict=True))
				yield _key(texts_of), place_of(of, least_of)


def _add(of: Row, names: Iterable[str], values: Iterable[Any]) -> None:
	for name, value in zip(names, values, strict=True):
		of[name] = of.get(name, 0) + int(value or 0)


def _value_of(key: Key, name: str) -> str:
	"""What a key has under a name."""
	return key[KEYS.index(name)]


def _key(values: dict[str, str | None]) -> Key:
	if host := values.get("referrer_host"):
		values["referrer_host"] = texts.bracketed(texts.plain_host(host))
	return tuple(values.get(name) or "" for name in KEYS)
