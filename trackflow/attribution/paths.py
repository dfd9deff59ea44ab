"""Reads the paths that a data-driven model learns from (ATT-5): of conversions, and of people who had none.

A conversion's path is the journey that is credited, read by the very code that credits it, some hundred conversions at a time.
People without a conversion are many more: the database puts their paths together and counts equal ones, and rows are read one
by one as they come. So memory has a bound, and the number of statements does not grow with people.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import frappe
from frappe import _
from frappe.query_builder import Case, Order
from frappe.query_builder.functions import Coalesce, Concat, Count, Max, Min
from pypika.analytics import Count as CountOver
from pypika.analytics import RowNumber
from pypika.functions import NullIf
from pypika.queries import QueryBuilder, Table
from pypika.terms import AggregateFunction, Field, Term, ValueWrapper

from trackflow import bulk
from trackflow.attribution import journeys
from trackflow.attribution import standing as standings
from trackflow.attribution.channel_rules import FACTS, age_cuts, look_at_position, rename
from trackflow.attribution.data_driven import Path
from trackflow.attribution.models import is_direct
from trackflow.attribution.path_figures import MOST_TOUCHES
from trackflow.attribution.shapes import JourneyTouch, Model
from trackflow.attribution.standing import Standing
from trackflow.attribution.window import within

Row = dict[str, Any]

AT_ONCE = 500
KINDS_OF_TOUCH = 65_536
_IN_PATH, _IN_TOUCH, _END = ",", ".", ";"


class _Kind(NamedTuple):
	"""The channel that a touch has for a model, and whether it counts as direct."""

	channel: str
	is_direct: bool


def read(model: Model, since: datetime, until: datetime) -> Iterator[Path]:
	"""The paths of conversions and of people without one, from `since` on and before `until`. The same path may come again.
	For rules a journey ends with its conversion, that of people without one at `until`.

	No other statement may be sent on this connection before all are read. Raises ValueError where the database cuts paths off.
	"""
	kinds = _Kinds(model)
	yield from _of_conversions(model, kinds, since, until)
	yield from _of_others(model, kinds, since, until)


class _Kinds:
	"""Tells touches' kinds by what the model looks at; each is worked out once. Without rules that is the channel alone."""

	def __init__(self, model: Model) -> None:
		self.facts = FACTS if model.rules else ("channel",)
		self.cuts = age_cuts(model.rules)
		self.looks_at_position = look_at_position(model.rules)
		self._of_item = lru_cache(KINDS_OF_TOUCH)(self._kind_of_item)
		self._of = lru_cache(KINDS_OF_TOUCH)(self._kind)
		self._model = model

	def of_journey(self, journey: Sequence[JourneyTouch], ended_at: datetime) -> tuple[str, ...]:
		"""The channels that count of the last touches of a journey."""
		stand = standings.along([touch.occurred_at for touch in journey], ended_at)
		return self._channels(
			[
				self._of(
					touch.is_direct,
					tuple(getattr(touch, name) for name in self.facts),
					self._seen(*one[:2], bisect_right(self.cuts, one.age)),
				)
				for touch, one in [*zip(journey, stand, strict=True)][-MOST_TOUCHES:]
			]
		)

	def of_items(self, items: Sequence[str], count: int) -> tuple[str, ...]:
		"""The same of touches as the database writes them: the last ones of a journey of `count`."""
		return self._channels(
			[
				self._of_item(item, number if self.looks_at_position else 1, count)
				for number, item in enumerate(items, start=count - len(items) + 1)
			]
		)

	def _channels(self, path: Sequence[_Kind]) -> tuple[str, ...]:
		"""The channels that count: of direct touches as the model's switch says, they alone where there is nothing else."""
		if not self._model.count_direct:
			path = [kind for kind in path if not kind.is_direct] or path
		return tuple(kind.channel for kind in path)

	def _kind_of_item(self, item: str, position: int, count: int) -> _Kind:
		"""The kind of a touch as the database writes it, see `_item`."""
		flag, cut, *facts = item.removesuffix(_END).split(_IN_TOUCH)
		texts = tuple(bytes.fromhex(one).decode() for one in facts)
		return self._of(flag == "1", texts, self._seen(position, count, int(cut)))

	def _seen(self, position: int, count: int, cut: int) -> Standing:
		"""Where a touch stands, as far as rules can tell: its age is that of the last cut that it reached."""
		age = self.cuts[cut - 1] if cut else timedelta()
		return Standing(position, count, age) if self.looks_at_position else Standing(1, 1, age)

	def _kind(self, flag: bool, facts: tuple[str, ...], standing: Standing) -> _Kind:
		channel, _weight = rename(dict(zip(self.facts, facts, strict=True)), self._model.rules, standing)
		kind = _Kind(channel, flag)
		return kind._replace(is_direct=is_direct(kind))


def converted(
	model: Model, types: Sequence[str], since: datetime, until: datetime, fields: Sequence[Term] = ()
) -> Iterator[tuple[Row, list[JourneyTouch]]]:
	"""Conversions of these types by time, each with the journey that a model credits. `fields` of them are read too."""
	table = frappe.qb.DocType("Conversion")
	fields = [*fields, *(table[field] for field in journeys.KEPT_FIELDS)]
	for rows in chunks(conversions(types, since, until), fields):
		touches = journeys.touches_of(rows, model.lookback_days)
		for row in rows:
			yield row, within(touches.get(row.name, ()), row.conversion_date, model.lookback_days)


def conversions(types: Sequence[str], since: datetime, until: datetime) -> QueryBuilder:
	"""The conversions of these types, from `since` on and before `until`; nothing is selected of them yet."""
	table = frappe.qb.DocType("Conversion")
	return (
		frappe.qb.from_(table)
		.where(table.conversion_type.isin([*types, ""]))
		.where((table.conversion_date >= since) & (table.conversion_date < until))
	)


def _of_conversions(model: Model, kinds: _Kinds, since: datetime, until: datetime) -> Iterator[Path]:
	for row, journey in converted(model, model.learning.conversion_types, since, until):
		yield kinds.of_journey(journey, row.conversion_date), 1, 0


def chunks(some: QueryBuilder, fields: Sequence[Term]) -> Iterator[list[Row]]:
	"""These conversions by time, some at once."""
	table = frappe.qb.DocType("Conversion")
	at = table.conversion_date
	query = (
		some.select(table.name, table.visitor, table.crm_lead, at, *fields)
		.orderby(at, table.name)
		.limit(AT_ONCE)
	)
	rows = query.run(as_dict=True)
	while rows:
		yield rows
		last = rows[-1]
		after = (at > last.conversion_date) | ((at == last.conversion_date) & (table.name > last.name))
		rows = query.where(after).run(as_dict=True)


def _of_others(model: Model, kinds: _Kinds, since: datetime, until: datetime) -> Iterator[Path]:
	touches = _touches(kinds, model.learning.conversion_types, since, until)
	query = _counted(touches, kinds.looks_at_position)
	with frappe.db.unbuffered_cursor():
		for path, touches_read, count, people in query.run(as_list=True, as_iterator=True):
			items = path.split(_IN_PATH)
			# A text that was cut has lost whole touches, or the end of its last one.
			if len(items) != touches_read or not path.endswith(_END):
				raise ValueError(
					_(
						"The database cut a path off, as its group_concat_max_len is too small: set it to 1048576, as on a new "
						"MariaDB, and train again. Nothing was learnt."
					)
				)
			yield kinds.of_items(items, count or touches_read), 0, people


def _counted(touches: QueryBuilder, with_count: bool) -> QueryBuilder:
	"""Equal paths of these touches (person, item, occurred_at, name): the last touches, the number of these, on demand how many
	there were in all, and the number of people."""
	place = (
		RowNumber()
		.over(touches.person)
		.orderby(touches.occurred_at, touches.name, order=Order.desc)
		.as_("place")
	)
	count = CountOver(touches.name).over(touches.person) if with_count else ValueWrapper(0)
	placed = (
		frappe.qb.from_(touches).select(touches.person, touches.item, place, count.as_("count")).as_("placed")
	)
	last = (
		frappe.qb.from_(placed)
		.select(placed.person, placed.item, placed.place, placed["count"])
		.where(placed.place <= MOST_TOUCHES)
		.orderby(placed.person)
		.orderby(placed.place, order=Order.desc)
		.as_("last")
	)
	paths = (
		frappe.qb.from_(last)
		.select(
			last.person,
			_Joined(last.item, last.place).as_("path"),
			Count("*").as_("touches"),
			Max(last["count"]).as_("count"),
		)
		.groupby(last.person)
		.as_("paths")
	)
	return (
		frappe.qb.from_(paths)
		.select(paths.path, Max(paths.touches), paths["count"], Count("*"))
		.groupby(paths.path, paths["count"])
	)


def _touches(kinds: _Kinds, types: Sequence[str], since: datetime, until: datetime) -> QueryBuilder:
	"""The touches of everybody who never had a conversion of these types before `until`."""
	touch, visitor = frappe.qb.DocType("Touch Point"), frappe.qb.DocType("Visitor")
	said, converted = _leads_by_address(), _converted(types, until)
	person = _person(touch.visitor_id, visitor, said)
	return (
		frappe.qb.from_(touch)
		.left_join(visitor)
		.on(visitor.name == touch.visitor_id)
		.left_join(said)
		.on(said.contact_email == visitor.contact_email)
		.left_join(converted)
		.on(converted.person == person)
		.select(person.as_("person"), _item(touch, kinds, until).as_("item"), touch.occurred_at, touch.name)
		.where((touch.occurred_at >= since) & (touch.occurred_at < until))
		.where(converted.person.isnull())
		.as_("touches")
	)


def _converted(types: Sequence[str], until: datetime) -> QueryBuilder:
	"""Whoever had a conversion of these types before `until`: as the person that its visitor is, and as its lead."""
	conversion, visitor = frappe.qb.DocType("Conversion"), frappe.qb.DocType("Visitor")
	said = _leads_by_address()
	counted = conversion.conversion_type.isin([*types, ""]) & (conversion.conversion_date < until)
	as_visitor = (
		frappe.qb.from_(conversion)
		.left_join(visitor)
		.on(visitor.name == conversion.visitor)
		.left_join(said)
		.on(said.contact_email == visitor.contact_email)
		.select(_person(conversion.visitor, visitor, said).as_("person"))
		.where(counted & conversion.visitor.isnotnull())
	)
	as_lead = (
		frappe.qb.from_(conversion)
		.select(conversion.crm_lead.as_("person"))
		.where(counted & conversion.crm_lead.isnotnull())
	)
	return as_visitor.union(as_lead).as_("converted")


def _person(visitor_id: Field, visitor: Table, said: QueryBuilder) -> Term:
	"""A key of the person that a visitor is, as `tracking.people` decides: those of one lead (also where another visitor with
	the same address became it), of one address, of one erased person, and else the visitor alone."""
	known = (
		NullIf(one, "")
		for one in (visitor.crm_lead, said.crm_lead, visitor.contact_email, visitor.erased_person)
	)
	return Coalesce(*known, visitor_id)


def _leads_by_address() -> QueryBuilder:
	visitor = frappe.qb.DocType("Visitor")
	return (
		frappe.qb.from_(visitor)
		.select(visitor.contact_email, Min(visitor.crm_lead).as_("crm_lead"))
		.where((visitor.contact_email > "") & (visitor.crm_lead > ""))
		.groupby(visitor.contact_email)
		.as_("said")
	)


def _item(touch: Table, kinds: _Kinds, ended_at: datetime) -> Term:
	"""A touch as text: whether it is direct, how many cuts of age it reached, the bytes of its facts in hex, and an end. So no
	visitor's text can be taken for a separator, and no collation takes two texts for one."""
	parts: list[Any] = [Coalesce(touch.is_direct, 0), _IN_TOUCH, _reached(touch, kinds.cuts, ended_at)]
	for name in kinds.facts:
		parts += [_IN_TOUCH, bulk.as_hex(touch[name])]
	return Concat(*parts, _END)


def _reached(touch: Table, cuts: Sequence[timedelta], ended_at: datetime) -> Term:
	"""How many of these ages the touch had reached then."""
	if not cuts:
		return ValueWrapper(0)
	reached = Case()
	for number in range(len(cuts), 0, -1):
		# Less than the next microsecond: a database that compares times as texts may write a whole second without a point.
		before = ended_at - cuts[number - 1] + timedelta(microseconds=1)
		reached = reached.when(touch.occurred_at < before, number)
	return reached.else_(0)


class _Joined(AggregateFunction):
	"""Items of a group in the order of their places, the last place first. SQLite takes them in the order of the subquery."""

	def __init__(self, item: Term, place: Term) -> None:
		super().__init__("GROUP_CONCAT", item)
		self._place = place

	def get_special_params_sql(self, **kwargs: Any) -> str:
		return f"ORDER BY {self._place.get_sql(**kwargs)} DESC" if frappe.db.db_type == "mariadb" else ""
