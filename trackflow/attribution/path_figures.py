"""What the paths of conversions have in common: how often each was gone, how long it was, which channels assisted (ATT-7). Pure.

Conversions go by one after the other. Kept are the different paths, and two times and a length of each conversion.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from statistics import fmean, median
from typing import NamedTuple

ZERO = Decimal(0)
# Only the last touches of a longer path are looked at as one: it is a machine's, or says no more than these.
MOST_TOUCHES = 100

# Channels in order, each with the number of touches that it had in a row.
Steps = tuple[tuple[str, int], ...]


class Converted(NamedTuple):
	"""A conversion and the channels of its journey, in order; `first_at` and `last_at` are those of its touches. `is_counted`:
	whether it counts as a conversion, or brings nothing but its value."""

	channels: Sequence[str]
	first_at: datetime | None
	last_at: datetime | None
	converted_at: datetime
	is_counted: bool = True
	value: Decimal = ZERO
	currency: str = ""


@dataclass(slots=True)
class Brought:
	"""Conversions, and money by currency."""

	conversions: int = 0
	value: dict[str, Decimal] = field(default_factory=dict)

	def add(self, conversions: int, value: dict[str, Decimal]) -> None:
		self.conversions += conversions
		for currency, amount in value.items():
			self.value[currency] = self.value.get(currency, ZERO) + amount


@dataclass(slots=True)
class Channel:
	"""Conversions in which a channel took part, was the first touch, the last one, and took part without being the last."""

	conversions: int = 0
	first: int = 0
	last: int = 0

	@property
	def assists(self) -> int:
		return self.conversions - self.last

	@property
	def assists_by_last(self) -> float | None:
		"""How often it assisted for each time that it was the last; None where it never was."""
		return self.assists / self.last if self.last else None


class Spread(NamedTuple):
	"""Median and mean; None of nothing."""

	median: float | None
	mean: float | None


@dataclass(slots=True)
class PathFigures:
	"""All figures; those of length and times are of conversions that count and had a touch, times in seconds."""

	totals: Brought = field(default_factory=Brought)
	without_touch: Brought = field(default_factory=Brought)
	by_path: dict[Steps, Brought] = field(default_factory=lambda: defaultdict(Brought))
	by_channel: dict[str, Channel] = field(default_factory=lambda: defaultdict(Channel))
	lengths: "array[int]" = field(default_factory=lambda: array("q"))
	to_conversion: "array[float]" = field(default_factory=lambda: array("d"))
	to_last_touch: "array[float]" = field(default_factory=lambda: array("d"))

	def most_common(self, limit: int) -> tuple[list[tuple[Steps, Brought]], int, Brought]:
		"""The paths that most went, then how many different others there are, and what these brought together."""
		ordered = sorted(self.by_path.items(), key=lambda item: (-item[1].conversions, item[0]))
		rest = Brought()
		for _steps, brought in ordered[limit:]:
			rest.add(brought.conversions, brought.value)
		return ordered[:limit], len(ordered[limit:]), rest

	def channels(self) -> list[tuple[str, Channel]]:
		"""Channels, those first that took part most often."""
		return sorted(self.by_channel.items(), key=lambda item: (-item[1].conversions, item[0]))


def figures(some: Iterable[Converted]) -> PathFigures:
	"""Take conversions in; those without a touch are counted apart."""
	found = PathFigures()
	# Paths are many, what they are made of is little: each step is kept once.
	known: dict[tuple[str, int], tuple[str, int]] = {}
	for one in some:
		value = {one.currency: one.value} if one.value else {}
		path = tuple(known.setdefault(step, step) for step in steps(one.channels[-MOST_TOUCHES:]))
		for brought in (found.totals, found.by_path[path] if path else found.without_touch):
			brought.add(one.is_counted, value)
		if one.is_counted and one.channels:
			_take_part(found, one)
	return found


def steps(channels: Iterable[str]) -> Steps:
	"""A path with repeats of a channel in a row put together."""
	return tuple((channel, len(list(some))) for channel, some in groupby(channels))


def spread(values: Sequence[float]) -> Spread:
	return Spread(median(values), fmean(values)) if values else Spread(None, None)


def _take_part(found: PathFigures, one: Converted) -> None:
	for channel in set(one.channels):
		found.by_channel[channel].conversions += 1
	found.by_channel[one.channels[0]].first += 1
	found.by_channel[one.channels[-1]].last += 1
	found.lengths.append(len(one.channels))
	if one.first_at and one.last_at:
		found.to_conversion.append((one.converted_at - one.first_at).total_seconds())
		found.to_last_touch.append((one.last_at - one.first_at).total_seconds())
