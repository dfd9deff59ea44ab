"""Compares cost facts with what is stored, and writes what differs. The only way to Daily Campaign Metric but its form.

Works portion by portion, whole days each, so that statements and memory follow the portions. Never commits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import frappe
from frappe.utils import getdate, now_datetime

from trackflow import bulk
from trackflow.costs import facts as cost_facts
from trackflow.costs.facts import CHANGEABLE, KEY, NAMES, Fact, Levels
from trackflow.costs.matching import Campaigns
from trackflow.rollups import marks

DOCTYPE = "Daily Campaign Metric"
FIELDS = (*KEY, *CHANGEABLE, "link_campaign", "entered_by")
NEW, CHANGED, UNCHANGED, REFUSED = "new", "changed", "unchanged", "refused"
PORTION = 2000

Row = dict[str, Any]


@dataclass(slots=True)
class Verdict:
	"""What becomes of a fact, under the name of its row. `stored` is that row as it is, `link_campaign` whose it is or will
	be; `changes` are (old, new) by field."""

	fact: Fact
	name: str
	verdict: str
	link_campaign: str = ""
	stored: Row | None = None
	changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
	message: str = ""


def portions(facts: Iterable[Fact]) -> Iterator[list[Fact]]:
	"""Facts in the order of their days; those of a day stay together."""
	portion: list[Fact] = []
	for fact in sorted(facts, key=lambda one: (one.day, one.row)):
		if len(portion) >= PORTION and fact.day != portion[-1].day:
			yield portion
			portion = []
		portion.append(fact)
	if portion:
		yield portion


def compare(facts: Sequence[Fact], campaigns: Campaigns, *, is_locked: bool = False) -> list[Verdict]:
	"""What each fact would do. With `is_locked` the rows of these days stay as they are until the transaction ends."""
	stored = _stored({fact.day for fact in facts}, {fact.platform for fact in facts}, is_locked)
	levels = Levels.of(_fact(row) for row in stored.values())
	return [_verdict(fact, fact.name, stored, levels, campaigns) for fact in facts]


def _stored(days: set[date], platforms: set[str], is_locked: bool) -> dict[str, Row]:
	table = frappe.qb.DocType(DOCTYPE)
	query = (
		frappe.qb.from_(table)
		.select(table.name, *(table[name] for name in FIELDS))
		.where(bulk.among(table.date, [str(day) for day in days]))
		.where(bulk.among(table.platform, platforms))
		.orderby(table.name)
	)
	if is_locked:
		query = query.for_update()
	return {row.name: row for row in query.run(as_dict=True)}


def _verdict(
	fact: Fact, name: str, stored: Mapping[str, Row], levels: Levels, campaigns: Campaigns
) -> Verdict:
	row = stored.get(name)
	link_campaign = (row and row.link_campaign) or campaigns.of_fact(fact)
	if row is None:
		if clash := levels.clash(fact):
			return Verdict(fact, name, REFUSED, message=f"With the costs that are there, {clash}.")
		return Verdict(fact, name, NEW, link_campaign)
	changes = cost_facts.changes(fact, row)
	if link_campaign and not row.link_campaign:
		changes["link_campaign"] = ("", link_campaign)
	return Verdict(fact, name, CHANGED if changes else UNCHANGED, link_campaign, row, changes)


def write(verdicts: Iterable[Verdict], entered_by: str) -> None:
	"""Write what is new or changed, and mark its days."""
	verdicts = [one for one in verdicts if one.verdict in (NEW, CHANGED)]
	bulk.insert(
		DOCTYPE,
		[
			cost_facts.as_row(one.fact, one.name, entered_by) | {"link_campaign": one.link_campaign}
			for one in verdicts
			if one.verdict == NEW
		],
	)
	update(
		{
			one.name: figures(one) | {"link_campaign": one.link_campaign, "entered_by": entered_by}
			for one in verdicts
			if one.verdict == CHANGED
		}
	)
	_changed({one.fact.day for one in verdicts})


def figures(verdict: Verdict) -> Row:
	"""What a row says once the verdict is carried out."""
	if verdict.stored is None:
		row = cost_facts.as_row(verdict.fact, verdict.name, "")
		return {name: row[name] for name in CHANGEABLE}
	return {
		name: verdict.changes[name][1]
		if name in verdict.changes
		else cost_facts.value_of(name, verdict.stored[name])
		for name in CHANGEABLE
	}


def update(rows: dict[str, Row]) -> None:
	"""Set fields of rows by name, so that a form that was opened before cannot be saved over them."""
	standard = {"modified": now_datetime(), "modified_by": frappe.session.user}
	bulk.update(DOCTYPE, {name: row | standard for name, row in rows.items()}, is_locked=True)


def without_campaign(after: str) -> list[Row]:
	"""A portion of the rows without a campaign, in the order of their names."""
	table = frappe.qb.DocType(DOCTYPE)
	return (
		frappe.qb.from_(table)
		.select(table.name, *(table[name] for name in FIELDS))
		.where((table.link_campaign.isnull() | (table.link_campaign == "")) & (table.name > after))
		.orderby(table.name)
		.limit(PORTION)
		.run(as_dict=True)
	)


def join(rows: Iterable[Row], campaigns: Campaigns) -> None:
	"""Give rows without a campaign the one that they belong to."""
	found = {row.name: campaigns.of_fact(_fact(row)) for row in rows}
	found = {name: campaign for name, campaign in found.items() if campaign}
	bulk.update(DOCTYPE, {name: {"link_campaign": campaign} for name, campaign in found.items()})
	_changed({getdate(row.date) for row in rows if row.name in found})


def _fact(row: Row) -> Fact:
	texts = {part: row[field] or "" for field, part in (KEY | NAMES).items() if part != "day"}
	return Fact(0, getdate(row.date), **texts)


def changed_by_hand(day: date) -> None:
	"""A form has written or deleted a row of this day."""
	_changed({day})


def undone(days: set[date]) -> None:
	"""Rows of these days are what they were before an import, or gone."""
	_changed(days)


def _changed(days: Iterable[date]) -> None:
	"""Daily figures rest on what was written."""
	marks.mark(days)
