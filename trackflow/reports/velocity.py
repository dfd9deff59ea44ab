"""The arithmetic of velocity: from changes of status to the times that stages take (RPT-1). Pure: "now" is given.

A stage's time of a lead or deal is the sum of its stays there, so that going back and forth makes it longer, not shorter; it
counts once the stage was left for good, as far as is known. Who is in a stage still is counted apart, by age.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, zip_longest
from math import ceil, floor
from operator import attrgetter
from typing import NamedTuple

from trackflow.reports.groups import MOST_GROUPS, OTHERS, folded


class Change(NamedTuple):
	"""A row of what is kept: a document came into a status. `closed_at`: when a document that moved on without another status
	(a lead that became a deal) did so. `is_there`: whether it exists still, under that name."""

	document: str
	status: str
	at: datetime
	group: str = ""
	closed_at: datetime | None = None
	is_there: bool = True


class Way(NamedTuple):
	"""From one milestone to another."""

	name: str
	began: datetime | None
	ended: datetime | None
	group: str = ""


class Stay(NamedTuple):
	"""In a status, until it was left; None: it was not."""

	status: str
	began: datetime
	ended: datetime | None


@dataclass(frozen=True, slots=True)
class Question:
	"""What ended from `begin` until before `end`, and what goes on `now`; of the group `only`, if one is named; told apart by
	group or not."""

	begin: datetime
	end: datetime
	now: datetime
	only: str = ""
	by_group: bool = False

	def is_in(self, at: datetime) -> bool:
		return self.begin <= at < self.end

	def is_about(self, group: str) -> bool:
		return not self.only or folded(group) == folded(self.only)


@dataclass(slots=True)
class Times:
	"""What is known of a stage or way in a group, in seconds; the group OTHERS is the small ones together. Arrays, since there
	are as many as documents."""

	group: str | None
	name: str
	finished: "array[float]" = field(default_factory=lambda: array("d"))
	ages: "array[float]" = field(default_factory=lambda: array("d"))
	returned: int = 0

	@property
	def size(self) -> int:
		return len(self.finished) + len(self.ages)


@dataclass(frozen=True, slots=True)
class Figures:
	"""The same as figures, in seconds; None where there is nothing to say. `most` is what nine of ten did not exceed."""

	count: int
	median: float | None
	mean: float | None
	most: float | None
	returned: int
	waiting: int
	median_age: float | None
	oldest: float | None


# By a group, whatever its case, and a status or way.
Found = dict[tuple[str, str], Times]


def stages(changes: Iterable[Change], question: Question) -> list[Times]:
	"""The times of all statuses that were left for good in the period, and of those that documents are in now. `changes` come
	by document, in their order; a document's group is that of its first change."""
	found: Found = {}
	for _document, some in groupby(changes, key=attrgetter("document")):
		own = list(some)
		if question.is_about(own[0].group):
			_add(found, own, question)
	return _largest(found)


def ways(some: Iterable[Way], question: Question) -> list[Times]:
	"""The times of ways that ended in the period."""
	found: Found = {}
	for way in some:
		# A deal may be older than the lead that somebody gave it: that is no time.
		is_time = way.began and way.ended and way.began <= way.ended and question.is_in(way.ended)
		if is_time and question.is_about(way.group):
			times = _times(found, way.group, way.name, question)
			times.finished.append((way.ended - way.began).total_seconds())
	return _largest(found)


def stays(changes: Sequence[Change]) -> Iterator[Stay]:
	"""The stays of one document, whose changes these are, in their order. Statuses that were made one leave changes from one
	to itself: who is in it stays."""
	closed_at, is_there = changes[-1].closed_at, changes[-1].is_there
	changes = [next(some) for _status, some in groupby(changes, key=attrgetter("status"))]
	for change, following in zip_longest(changes, changes[1:]):
		ends = [at for at in (following and following.at, closed_at) if at]
		if not ends and is_there:
			yield Stay(change.status, change.at, None)
		elif ends and min(ends) > change.at:
			yield Stay(change.status, change.at, min(ends))


def figures(times: Times) -> Figures:
	"""Count, average and spread of times, each in seconds."""
	finished, ages = sorted(times.finished), sorted(times.ages)
	return Figures(
		len(finished),
		percentile(finished, 0.5),
		sum(finished) / len(finished) if finished else None,
		percentile(finished, 0.9),
		times.returned,
		len(ages),
		percentile(ages, 0.5),
		ages[-1] if ages else None,
	)


def percentile(ordered: Sequence[float], part: float) -> float | None:
	"""The value below which `part` of the ordered values lie, in between two by its distance from them; None of nothing."""
	if not ordered:
		return None
	place = part * (len(ordered) - 1)
	below, above = ordered[floor(place)], ordered[ceil(place)]
	return min(above, below + (above - below) * (place - floor(place)))


def _add(found: Found, changes: Sequence[Change], question: Question) -> None:
	by_status: dict[str, list[Stay]] = {}
	for stay in stays(changes):
		by_status.setdefault(stay.status, []).append(stay)
	for status, own in by_status.items():
		last = own[-1]
		if last.ended is None:
			times = _times(found, changes[0].group, status, question)
			times.ages.append(max(0.0, (question.now - last.began).total_seconds()))
		elif question.is_in(last.ended):
			times = _times(found, changes[0].group, status, question)
			times.finished.append(
				sum((stay.ended - stay.began).total_seconds() for stay in own if stay.ended)
			)
			times.returned += len(own) > 1


def _times(found: Found, group: str, name: str, question: Question) -> Times:
	group = group.strip() if question.by_group else ""
	key = (folded(group), name)
	if key not in found:
		found[key] = Times(group, name)
	return found[key]


def _largest(found: Found) -> list[Times]:
	"""All times, those of the largest groups first; what is beyond MOST_GROUPS is put together."""
	sizes: Counter[str] = Counter()
	for (group, _name), times in found.items():
		sizes[group] += times.size
	ordered = sorted(sizes, key=lambda group: (-sizes[group], group))
	shown = {group: place for place, group in enumerate(ordered[:MOST_GROUPS])}
	rest: dict[str, Times] = {}
	for (group, name), times in found.items():
		if group not in shown:
			others = rest.setdefault(name, Times(OTHERS, name))
			others.finished.extend(times.finished)
			others.ages.extend(times.ages)
			others.returned += times.returned
	named = [key for key in found if key[0] in shown]
	return [found[key] for key in sorted(named, key=lambda key: shown[key[0]])] + [*rest.values()]
