"""Data-driven models: what each channel is worth by the paths that people took (ATT-5). Pure and exact.

A path is (channels in order, conversions, non-conversions): how many people went exactly this way and did or did not convert.
All results are fractions without rounding. Markov solves its chain, it neither simulates nor stops after some steps; Shapley
adds up over the sets of channels that occur, never over all that could.

Sources: Anderl, Becker, von Wangenheim and Schumann (2016), "Mapping the customer journey" (chains, removal effect);
Zhao, Mahboobi and Bagheri (2018), "Shapley value methods for attribution modeling in online advertising" (the sum over sets);
Bareiss (1968), "Sylvester's identity and multistep integer-preserving Gaussian elimination" (the exact solution).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

Path = tuple[Sequence[str], int, int]
Matrix = list[list[int]]

ZERO = Fraction(0)
# An exact solution takes time with the third power of the states, whose figures grow with their number: seconds, up to here.
MOST_STATES = 150


@dataclass(frozen=True, slots=True)
class Markov:
	"""A chain of channels: the probability that a path converts, the part of it that is lost without a channel
	(its removal effect, 0 to 1), and the conversions in proportion to that."""

	conversion_probability: Fraction
	removal_effects: dict[str, Fraction]
	credits: dict[str, Fraction]


def markov(paths: Iterable[Path], order: int = 1) -> Markov:
	"""The channels' removal effects and credits, by name. The last `order` channels are what the next one depends on.

	Credits sum to the conversions of the paths that have a channel; without any they are 0. Paths without a channel say
	nothing of channels and are left out. Raises ValueError for figures that count nobody, and for more states than can
	be solved exactly.
	"""
	if order < 1:
		raise ValueError(f"The order of a chain must be 1 or more: {order}.")
	chain = _Chain.of(paths, order)
	if chain.is_empty:
		return Markov(ZERO, {}, {})
	states = chain.states
	if len(states) > MOST_STATES:
		raise ValueError(
			f"{len(states)} states are more than can be solved exactly ({MOST_STATES}): take a lower order."
		)
	determinant, adjugate = _adjugate(chain.departures())
	# Times the determinant: how often a state is seen, by its people; times it once more, how many convert from there.
	seen = [
		sum(map(_product, zip(chain.started(), column, strict=True)))
		for column in zip(*adjugate, strict=True)
	]
	converting = [sum(map(_product, zip(row, chain.converted(), strict=True))) for row in adjugate]
	conversions = sum(map(_product, zip(chain.started(), converting, strict=True)))
	effects = {}
	for channel, members in chain.by_channel().items():
		lost = _through(members, seen, adjugate, converting) if conversions else ZERO
		effects[channel] = lost / conversions if lost else ZERO
	probability = Fraction(conversions, determinant * sum(chain.started()))
	return Markov(probability, effects, _in_proportion(effects, sum(chain.converted())))


def shapley(paths: Iterable[Path]) -> dict[str, Fraction]:
	"""The channels' Shapley values, by name, where a set of channels is worth the conversions of all paths that it covers.

	That game is the sum of one game for each set that occurs, worth its conversions to whoever has the whole set: so the
	value of a channel is the sum of conversions ÷ size over the sets that it is in. The values sum to the conversions of
	the paths that have a channel. Raises ValueError for figures that count nobody.
	"""
	by_set: Counter[frozenset[str]] = Counter()
	for channels, conversions, _total in _checked(paths):
		by_set[frozenset(channels)] += conversions
	# Sums by the size of the set: whole numbers, until one fraction is made of each.
	sums: dict[str, Counter[int]] = defaultdict(Counter)
	for some, conversions in by_set.items():
		for channel in some:
			sums[channel][len(some)] += conversions
	return {
		channel: sum((Fraction(number, size) for size, number in by_size.items()), ZERO)
		for channel, by_size in sorted(sums.items())
	}


def along(channels: Sequence[str], values: Mapping[str, Fraction]) -> list[Fraction]:
	"""The shares of a path's touches: each of its channels in proportion to its value, equally over its touches.

	They sum to 1. Channels that have no value get nothing; where none has, all touches share equally.
	"""
	number = Counter(channels)
	total = sum(values.get(channel, ZERO) for channel in number)
	if not total:
		return [Fraction(1, len(channels))] * len(channels)
	return [Fraction(values.get(channel, ZERO)) / total / number[channel] for channel in channels]


def _checked(paths: Iterable[Path]) -> Iterable[Path]:
	"""Channels, conversions and people of each path that has channels and people."""
	for channels, conversions, others in paths:
		if conversions < 0 or others < 0:
			raise ValueError(
				f"Nobody can be counted less than never: {conversions} conversions, {others} others."
			)
		if channels and (conversions or others):
			yield channels, conversions, conversions + others


@dataclass(frozen=True, slots=True)
class _Chain:
	"""People between states; a state is a channel, or the last few of them. Where they began and how they ended stands
	apart, so that no name of a channel can be taken for it."""

	starts: Counter[Hashable]
	steps: Counter[tuple[Hashable, Hashable]]
	conversions: Counter[Hashable]
	ends: Counter[Hashable]
	states: list[Hashable]
	order: int

	@classmethod
	def of(cls, paths: Iterable[Path], order: int) -> _Chain:
		starts, steps, conversions, ends = Counter(), Counter(), Counter(), Counter()
		for channels, converted, people in _checked(paths):
			path = channels if order == 1 else _memories(channels, order)
			starts[path[0]] += people
			for step in pairwise(path):
				steps[step] += people
			conversions[path[-1]] += converted
			ends[path[-1]] += people
		states = sorted({*starts, *(target for _source, target in steps)})
		return cls(starts, steps, conversions, ends, states, order)

	@property
	def is_empty(self) -> bool:
		return not self.states

	def departures(self) -> Matrix:
		"""Who leaves each state, less who goes from it to each other one: what stays where it is cancels out."""
		place = {state: number for number, state in enumerate(self.states)}
		matrix = [[0] * len(place) for _state in place]
		for state, people in self.ends.items():
			matrix[place[state]][place[state]] += people
		for (source, target), people in self.steps.items():
			matrix[place[source]][place[source]] += people
			matrix[place[source]][place[target]] -= people
		return matrix

	def started(self) -> list[int]:
		return [self.starts[state] for state in self.states]

	def converted(self) -> list[int]:
		return [self.conversions[state] for state in self.states]

	def by_channel(self) -> dict[str, list[int]]:
		"""The places of the states that one is in at a touch of this channel."""
		found: dict[str, list[int]] = defaultdict(list)
		for number, state in enumerate(self.states):
			found[state if self.order == 1 else state[-1]].append(number)
		return dict(sorted(found.items()))


def _memories(channels: Sequence[str], order: int) -> list[tuple[str, ...]]:
	return [tuple(channels[max(0, end - order) : end]) for end in range(1, len(channels) + 1)]


def _product(pair: tuple[int, int]) -> int:
	return pair[0] * pair[1]


def _adjugate(matrix: Matrix) -> tuple[int, Matrix]:
	"""The determinant and the adjugate (the inverse times the determinant), in whole numbers: each division leaves nothing.

	For matrices of which all leading minors are positive, as those of a chain in which everybody ends somewhere."""
	size = len(matrix)
	rows = [row + [int(one == number) for one in range(size)] for number, row in enumerate(matrix)]
	former = 1
	for number in range(size):
		leading = rows[number]
		pivot = leading[number]
		for other in range(size):
			if other != number:
				row = rows[other]
				factor = row[number]
				rows[other] = [
					(pivot * one - factor * lead) // former for one, lead in zip(row, leading, strict=True)
				]
		former = pivot
	return former, [row[size:] for row in rows]


def _through(
	members: Sequence[int], seen: Sequence[int], adjugate: Matrix, converting: Sequence[int]
) -> Fraction:
	"""The conversions that come through one of these states at least, times the determinant: what they see, by how often
	they see each other, by what converts from there."""
	if len(members) == 1:
		(only,) = members
		return Fraction(seen[only] * converting[only], adjugate[only][only])
	bordered = [[adjugate[one][other] for other in members] + [converting[one]] for one in members]
	bordered.append([-seen[one] for one in members] + [0])
	minor, determinant = _last_minors(bordered)
	return Fraction(determinant, minor)


def _last_minors(matrix: Matrix) -> tuple[int, int]:
	"""The determinant of all rows and columns but the last ones, and the determinant of all."""
	rows = [list(row) for row in matrix]
	former = 1
	for number in range(len(rows) - 1):
		leading = rows[number]
		pivot = leading[number]
		for other in range(number + 1, len(rows)):
			factor = rows[other][number]
			rows[other] = [
				(pivot * one - factor * lead) // former
				for one, lead in zip(rows[other], leading, strict=True)
			]
		former = pivot
	return former, rows[-1][-1]


def _in_proportion(effects: Mapping[str, Fraction], conversions: int) -> dict[str, Fraction]:
	total = sum(effects.values())
	return {channel: conversions * effect / total if total else ZERO for channel, effect in effects.items()}
