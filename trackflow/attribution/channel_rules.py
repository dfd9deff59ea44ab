"""Channel rules: a model may call a touch's channel by another name and weigh it, for itself alone (ATT-1).

Promises that the first rule that matches decides, by priority (lowest number first) and then by order. Never
changes a touch: it gives the name and the weight that the model is to use. Rules look at what a touch says of itself, and
at where it stands in its journey; whoever knows the journey gives the latter (`rules_along`, or a `Standing`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any

from trackflow.attribution import standing as standings
from trackflow.attribution.models import TouchLike
from trackflow.attribution.standing import AGE, POSITION, Condition, Standing

# What a touch says of itself, and what its journey says of it.
FACTS = ("source", "medium", "campaign", "channel", "platform")
OF_JOURNEY = (POSITION, AGE)
CONDITIONS = (*FACTS, *OF_JOURNEY)
_ONE = Fraction(1)


class RuleError(ValueError):
	"""The rule cannot be read; the message is for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class ChannelRule:
	"""One rule: every condition must hold, each by one of its patterns; no condition holds for every touch."""

	channel_name: str
	match_conditions: Mapping[str, Any] | str | tuple[tuple[str, tuple[str, ...]], ...] = ()
	priority: int = 0
	weight: Any = 1
	# The same conditions, read: those on the touch itself, and those on where it stands.
	_of_touch: tuple[tuple[str, tuple[str, ...]], ...] = field(init=False, repr=False, compare=False)
	of_journey: tuple[tuple[Condition, ...], ...] = field(init=False, repr=False, compare=False)

	def __post_init__(self) -> None:
		conditions = _conditions(self.match_conditions)
		object.__setattr__(self, "channel_name", (self.channel_name or "").strip())
		object.__setattr__(self, "match_conditions", conditions)
		object.__setattr__(self, "priority", int(self.priority or 0))
		object.__setattr__(self, "weight", _weight(self.weight))
		object.__setattr__(self, "_of_touch", tuple(one for one in conditions if one[0] in FACTS))
		of_journey = tuple(_read(*one) for one in conditions if one[0] in OF_JOURNEY)
		object.__setattr__(self, "of_journey", of_journey)

	def fits(self, facts: Mapping[str, str], standing: Standing | None) -> bool:
		"""Tell whether every condition holds. Of a touch outside of any journey no condition on the journey does."""
		return all(
			any(matches(pattern, facts.get(name, "")) for pattern in patterns)
			for name, patterns in self._of_touch
		) and all(
			standing is not None and any(condition.hold(standing) for condition in conditions)
			for conditions in self.of_journey
		)


def rename(
	touch: Any, rules: Iterable[ChannelRule], standing: Standing | None = None
) -> tuple[str, Fraction]:
	"""Return the channel and the weight of `touch` under `rules`; its own channel and 1 where none matches."""
	return renamed(touch, rule_for(touch, rules, standing))


def renamed(touch: Any, rule: ChannelRule | None) -> tuple[str, Fraction]:
	"""The same where the rule that decides is known."""
	channel = _fact(touch, "channel")
	return (rule.channel_name or channel, rule.weight) if rule else (channel, _ONE)


def rules_along(
	journey: Sequence[TouchLike], ended_at: datetime, rules: Sequence[ChannelRule]
) -> list[ChannelRule | None]:
	"""The rule that decides on each touch of a whole journey, which is in order and ends with the conversion."""
	if not rules:
		return [None] * len(journey)
	moments = [touch.occurred_at for touch in journey]
	ordered = sorted(rules, key=_priority)
	return [
		_first_of(touch, ordered, standing)
		for touch, standing in zip(journey, standings.along(moments, ended_at), strict=True)
	]


def rule_for(
	touch: Any, rules: Iterable[ChannelRule], standing: Standing | None = None
) -> ChannelRule | None:
	"""Return the rule that decides on `touch`, which stands there in its journey; None where none matches.

	`touch` is a mapping or an object with source, medium, campaign, channel and platform; what it lacks is empty.
	`*` in a pattern stands for any text, also for none; case and blanks at the ends make no difference.
	"""
	return _first_of(touch, sorted(rules, key=_priority), standing)


def look_at_position(rules: Iterable[ChannelRule]) -> bool:
	"""Tell whether any rule asks for a touch's position."""
	return any(name == POSITION for rule in rules for name, _patterns in rule.match_conditions)


def age_cuts(rules: Iterable[ChannelRule]) -> tuple[timedelta, ...]:
	"""The ages at which rules begin or cease to hold, the lowest first: see `standing.cuts`."""
	return standings.cuts(one for rule in rules for some in rule.of_journey for one in some)


def _first_of(touch: Any, ordered: Iterable[ChannelRule], standing: Standing | None) -> ChannelRule | None:
	facts = {name: _fact(touch, name) for name in FACTS}
	return next((rule for rule in ordered if rule.fits(facts, standing)), None)


def _priority(rule: ChannelRule) -> int:
	return rule.priority


def _fact(touch: Any, name: str) -> str:
	value = touch.get(name) if isinstance(touch, Mapping) else getattr(touch, name, "")
	return str(value) if value is not None else ""


def matches(pattern: str, text: str) -> bool:
	"""Tell whether a text is what a pattern says. Each part is looked for once, behind the one before it: a regular expression of
	a few stars would try all places of all of them, for seconds where a visitor writes a text for it."""
	first, *others = _parts(pattern)
	text = text.strip().casefold()
	if not others:
		return text == first
	*middle, last = others
	at, end = len(first), len(text) - len(last)
	if at > end or not text.startswith(first) or not text.endswith(last):
		return False
	for part in middle:
		if (found := text.find(part, at, end)) < 0:
			return False
		at = found + len(part)
	return True


@lru_cache(maxsize=1024)
def _parts(pattern: str) -> tuple[str, ...]:
	return tuple(pattern.strip().casefold().split("*"))


def _conditions(given: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
	"""Return conditions in one form, from a mapping, its JSON, or that form itself."""
	if isinstance(given, str):
		try:
			given = json.loads(given) if given.strip() else {}
		except ValueError:
			raise RuleError("The match conditions are not valid JSON.") from None
	if isinstance(given, tuple):
		given = dict(given)
	if given is None:
		given = {}
	if not isinstance(given, Mapping):
		raise RuleError('The match conditions must be an object such as {"source": "google"}.')
	conditions = []
	for name, patterns in given.items():
		if name not in CONDITIONS:
			raise RuleError(f"Unknown match condition {name}; there are {', '.join(CONDITIONS)}.")
		listed = patterns if isinstance(patterns, list | tuple) else (patterns,)
		if name == POSITION:
			# Numbers may be written as such.
			listed = [str(one) if type(one) is int else one for one in listed]
		if not all(isinstance(pattern, str) for pattern in listed):
			raise RuleError(f"The match condition {name} must be a text or a list of texts.")
		conditions.append((name, tuple(listed)))
	return tuple(conditions)


def _read(name: str, texts: Iterable[str]) -> tuple[Condition, ...]:
	try:
		return tuple(standings.condition(name, text) for text in texts)
	except ValueError as error:
		raise RuleError(str(error)) from None


def _weight(given: Any) -> Fraction:
	"""Return a weight exactly as written; an empty one is 1."""
	if given is None or given == "":
		return _ONE
	try:
		weight = Fraction(str(given))
	except (ValueError, ZeroDivisionError):
		raise RuleError(f"The weight of a channel rule must be a number: {given}.") from None
	if weight < 0:
		raise RuleError(f"The weight of a channel rule must not be negative: {given}.")
	return weight
