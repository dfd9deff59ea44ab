"""Reads the paths that a data-driven model learns from (ATT-5): of conversions, and of people who had none.

A conversion's path is the journey that is credited, read by the very code that credits it, some hundred conversions at a time.
People without a conversion are many more: the database puts their paths together and counts equal ones, and rows are read one
by one as they come. So memory has a bound, and the number of statements does not grow with people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import frappe
from frappe import _
from frappe.query_builder import Order
from frappe.query_builder.functions import Coalesce, Concat, Count, Max, Min
from pypika.analytics import RowNumber
from pypika.functions import NullIf
from pypika.queries import QueryBuilder, Table
from pypika.terms import AggregateFunction, Field, Function, Term

from trackflow.attribution import journeys
from trackflow.attribution.channel_rules import CONDITIONS, rename
from trackflow.attribution.data_driven import Path
from trackflow.attribution.models import is_direct
from trackflow.attribution.path_figures import MOST_TOUCHES
from trackflow.attribution.shapes import JourneyTouch, Model
from trackflow.attribution.window import within

Row = dict[str, Any]

AT_ONCE = 500
KINDS_OF_TOUCH = 65_536
_IN_PATH, _IN_TOUCH = ",", "."


class _Kind(NamedTuple):
	"""The channel that a touch has for a model, and whether it counts as direct."""

	channel: str
	is_direct: bool


def read(model: Model, since: datetime, until: datetime) -> Iterator[Path]:
	"""The paths of conversions and of people without one, from `since` on and before `until`. The same path may come again.

	No other statement may be sent on this connection before all are read. Raises ValueError where the database cuts paths off.
	"""
	kinds = _Kinds(model)
	yield from _of_conversions(model, kinds, since, until)
	yield from _of_others(model, kinds, since, until)


class _Kinds:
	"""Tells touches' kinds by what the model looks at; each is worked out once. Without rules that is the channel alone."""

	def __init__(self, model: Model) -> None:
		self.facts = CONDITIONS if model.rules else ("channel",)
		self.of_item = lru_cache(KINDS_OF_TOUCH)(self._of_item)
		self._of = lru_cache(KINDS_OF_TOUCH)(self._kind)
		self._model = model

	def of_touch(self, touch: JourneyTouch) -> _Kind:
		return self._of(touch.is_direct, tuple(getattr(touch, name) for name in self.facts))

	def channels(self, path: Sequence[_Kind]) -> tuple[str, ...]:
		"""The channels that count: of direct touches as the model's switch says, they alone where there is nothing else."""
		if not self._model.count_direct:
			path = [kind for kind in path if not kind.is_direct] or path
		return tuple(kind.channel for kind in path)

	def _of_item(self, item: str) -> _Kind:
		"""The kind of a touch as the database writes it, see `_item`."""
		flag, *facts = item.split(_IN_TOUCH)
		return self._of(flag == "1", tuple(bytes.fromhex(one).decode() for one in facts))

	def _kind(self, flag: bool, facts: tuple[str, ...]) -> _Kind:
		channel, _weight = rename(dict(zip(self.facts, facts, strict=True)), self._model.rules)
		kind = _Kind(channel, flag)
		return kind._replace(is_direct=is_direct(kind))


def converted(
	model: Model, types: Sequence[str], since: datetime, until: datetime, fields: Sequence[Term] = ()
) -> Iterator[tuple[Row, list[JourneyTouch]]]:
	"""Conversions of these types by time, each with the journey that a model credits. `fields` of them are read too."""
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
	for _row, journey in converted(model, model.learning.conversion_types, since, until):
		yield kinds.channels([kinds.of_touch(touch) for touch in journey[-MOST_TOUCHES:]]), 1, 0


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
	query = _counted(_touches(kinds.facts, model.learning.conversion_types, since, until))
	with frappe.db.unbuffered_cursor():
		for path, touches, people in query.run(as_list=True, as_iterator=True):
			items = path.split(_IN_PATH)
			if len(items) != touches:
				raise ValueError(_("The database cut a path off: its group_concat_max_len is too small."))
			yield kinds.channels([kinds.of_item(item) for item in items]), 0, people


def _counted(touches: QueryBuilder) -> QueryBuilder:
	"""Equal paths of these touches (person, item, occurred_at, name), the number of their touches, and of their people."""
	place = (
		RowNumber()
		.over(touches.person)
		.orderby(touches.occurred_at, touches.name, order=Order.desc)
		.as_("place")
	)
	placed = frappe.qb.from_(touches).select(touches.person, touches.item, place).as_("placed")
	last = (
		frappe.qb.from_(placed)
		.select(placed.person, placed.item, placed.place)
		.where(placed.place <= MOST_TOUCHES)
		.orderby(placed.person)
		.orderby(placed.place, order=Order.desc)
		.as_("last")
	)
	paths = (
		frappe.qb.from_(last)
		.select(last.person, _Joined(last.item, last.place).as_("path"), Count("*").as_("touches"))
		.groupby(last.person)
		.as_("paths")
	)
	return frappe.qb.from_(paths).select(paths.path, Max(paths.touches), Count("*")).groupby(paths.path)


def _touches(facts: Iterable[str], types: Sequence[str], since: datetime, until: datetime) -> QueryBuilder:
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
		.select(person.as_("person"), _item(touch, facts).as_("item"), touch.occurred_at, touch.name)
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


def _item(touch: Table, facts: Iterable[str]) -> Term:
	"""A touch as text: whether it is direct, and the bytes of its facts in hex. So no visitor's text can be taken for a
	separator, and no collation takes two texts for one."""
	parts: list[Any] = [Coalesce(touch.is_direct, 0)]
	for name in facts:
		parts += [_IN_TOUCH, Function("HEX", Coalesce(touch[name], ""))]
	return Concat(*parts)


class _Joined(AggregateFunction):
	"""Items of a group in the order of their places, the last place first. SQLite takes them in the order of the subquery."""

	def __init__(self, item: Term, place: Term) -> None:
		super().__init__("GROUP_CONCAT", item)
		self._place = place

	def get_special_params_sql(self, **kwargs: Any) -> str:
		return f"ORDER BY {self._place.get_sql(**kwargs)} DESC" if frappe.db.db_type == "mariadb" else ""
