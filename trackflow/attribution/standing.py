"""Where a touch stands in its journey, by position and by age, and conditions on both (ATT-1). Pure and exact: positions are whole
numbers, ages whole microseconds.

Both are of the journey as it is credited: position 1 is the first touch in the window, of whatever kind; age is the time from
the touch to the end of the journey, which is the conversion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

POSITION, AGE = "position", "age"

_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400_000_000
_FIRST, _LAST = 1, -1
_COMPARED = re.compile(r"(<=|>=|<|>)\s*(\d{1,5}(?:\.\d{1,6})?)")
_RANGE = re.compile(r"(-?\d{1,5}(?:\.\d{1,6})?)\s*\.\.\s*(-?\d{1,5}(?:\.\d{1,6})?)")
_WHOLE = re.compile(r"-?\d{1,5}")


class Standing(NamedTuple):
	"""A touch's position, from 1 on, among `count` touches, and how long it was before the journey's end."""

	position: int
	count: int
	age: timedelta


class Positions(NamedTuple):
	"""Positions from one to another, both included; below zero they are counted from the end, -1 being the last."""

	first: int
	last: int

	def hold(self, standing: Standing) -> bool:
		first, last = (one if one > 0 else standing.count + 1 + one for one in self)
		return first <= standing.position <= last


class Ages(NamedTuple):
	"""Ages from one to another in microseconds, both included; without `highest` all that are older."""

	lowest: int
	highest: int | None

	def hold(self, standing: Standing) -> bool:
		age = standing.age // _MICROSECOND
		return self.lowest <= age and (self.highest is None or age <= self.highest)


Condition = Positions | Ages

_NAMED = {
	"first": Positions(_FIRST, _FIRST),
	"last": Positions(_LAST, _LAST),
	"middle": Positions(2, -2),
	# From the last to the first: there is such a position where both are one.
	"only": Positions(_LAST, _FIRST),
}


def along(moments: Sequence[datetime], ended_at: datetime) -> Iterator[Standing]:
	"""Where each touch of a journey stands, given the times of all of them in order."""
	count = len(moments)
	return (Standing(number, count, ended_at - at) for number, at in enumerate(moments, start=1))


def condition(name: str, text: str) -> Condition:
	"""Read a condition of position or of age. ValueError says what is wrong with it."""
	return positions(text) if name == POSITION else ages(text)


@lru_cache(maxsize=1024)
def positions(text: str) -> Positions:
	"""Read `first`, `last`, `middle` (neither of them), `only`, a number (below zero from the end), a range of them such as
	`2..4` and `-3..-1`, or a comparison such as `<= 3`."""
	said = text.strip().casefold()
	if said in _NAMED:
		return _NAMED[said]
	found = None
	if _WHOLE.fullmatch(said):
		found = Positions(int(said), int(said))
	elif (match := _RANGE.fullmatch(said)) and "." not in match[1] + match[2]:
		found = Positions(int(match[1]), int(match[2]))
	elif (match := _COMPARED.fullmatch(said)) and "." not in match[2]:
		number = int(match[2])
		found = {
			"<": Positions(_FIRST, number - 1),
			"<=": Positions(_FIRST, number),
			">": Positions(number + 1, _LAST),
			">=": Positions(number, _LAST),
		}[match[1]]
	if not found:
		raise ValueError(
			f'"{text}" is no position: write first, last, middle, only, a number such as 2 or -2 (from the end), a range such as '
			"2..4 or -3..-1, or a comparison such as <= 3."
		)
	if not all(found) or (found.first > found.last and found.first * found.last > 0):
		raise ValueError(f'No touch has the position "{text}": they begin with 1, and with -1 from the end.')
	return found


@lru_cache(maxsize=1024)
def ages(text: str) -> Ages:
	"""Read a comparison of days such as `<= 7` and `> 30`, or a range such as `7..30`, both included."""
	said = text.strip()
	found = None
	if match := _RANGE.fullmatch(said):
		found = Ages(-_down(-_microseconds(match[1])), _down(_microseconds(match[2])))
	elif match := _COMPARED.fullmatch(said):
		exact = _microseconds(match[2])
		found = {
			"<": Ages(0, -_down(-exact) - 1),
			"<=": Ages(0, _down(exact)),
			">": Ages(_down(exact) + 1, None),
			">=": Ages(-_down(-exact), None),
		}[match[1]]
	if not found:
		raise ValueError(
			f'"{text}" is no age in days: write a comparison such as <= 7 or > 30, or a range such as 7..30.'
		)
	if found.lowest < 0 or (found.highest is not None and found.highest < found.lowest):
		raise ValueError(f'No touch has the age "{text}": ages are 0 days and more, the smaller one first.')
	return found


def parts_of_age(text: str) -> tuple[str, str, str]:
	"""A readable condition of age as it is written: its operator, and one number or two."""
	if match := _RANGE.fullmatch(text.strip()):
		return "..", match[1], match[2]
	match = _COMPARED.fullmatch(text.strip())
	return match[1], match[2], ""


def cuts(conditions: Iterable[Condition]) -> tuple[timedelta, ...]:
	"""The ages at which these conditions begin or cease to hold, the lowest first. Between two of them nothing changes, so that
	a touch's age may be told by the last cut that it reached."""
	some = {
		number
		for one in conditions
		if isinstance(one, Ages)
		for number in (one.lowest, None if one.highest is None else one.highest + 1)
		if number
	}
	return tuple(timedelta(microseconds=number) for number in sorted(some))


def _microseconds(days: str) -> Fraction:
	return Fraction(days) * _DAY


def _down(number: Fraction) -> int:
	return number.numerator // number.denominator
