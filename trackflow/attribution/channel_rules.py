"""Channel rules: a model may call a touch's channel by another name and weigh it, for itself alone (ATT-1).

Promises that the first rule that matches decides, by priority (lowest number first) and then by order. Never
changes a touch: it gives the name and the weight that the model is to use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

CONDITIONS = ("source", "medium", "campaign", "channel", "platform")
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

	def __post_init__(self) -> None:
		object.__setattr__(self, "channel_name", (self.channel_name or "").strip())
		object.__setattr__(self, "match_conditions", _conditions(self.match_conditions))
		object.__setattr__(self, "priority", int(self.priority or 0))
		object.__setattr__(self, "weight", _weight(self.weight))


def rename(touch: Any, rules: Iterable[ChannelRule]) -> tuple[str, Fraction]:
	"""Return the channel and the weight of `touch` under `rules`; its own channel and 1 where none matches."""
	rule, channel = rule_for(touch, rules), _fact(touch, "channel")
	return (rule.channel_name or channel, rule.weight) if rule else (channel, _ONE)


def rule_for(touch: Any, rules: Iterable[ChannelRule]) -> ChannelRule | None:
	"""Return the rule that decides on `touch`; None where none matches.

	`touch` is a mapping or an object with source, medium, campaign, channel and platform; what it lacks is empty.
	`*` in a pattern stands for any text, also for none; case and blanks at the ends make no difference.
	"""
	facts = {name: _fact(touch, name) for name in CONDITIONS}
	return next((rule for rule in sorted(rules, key=_priority) if matches(facts, rule)), None)


def matches(facts: Mapping[str, str], rule: ChannelRule) -> bool:
	"""Tell whether every condition of `rule` holds for `facts`."""
	return all(
		any(_pattern(pattern).fullmatch(facts.get(name, "").strip()) for pattern in patterns)
		for name, patterns in rule.match_conditions
	)


def _priority(rule: ChannelRule) -> int:
	return rule.priority


def _fact(touch: Any, name: str) -> str:
	value = touch.get(name) if isinstance(touch, Mapping) else getattr(touch, name, "")
	return str(value) if value is not None else ""


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
	return re.compile(".*".join(map(re.escape, pattern.strip().split("*"))), re.IGNORECASE | re.DOTALL)


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
		listed = (patterns,) if isinstance(patterns, str) else patterns
		if not isinstance(listed, list | tuple) or not all(isinstance(pattern, str) for pattern in listed):
			raise RuleError(f"The match condition {name} must be a text or a list of texts.")
		conditions.append((name, tuple(listed)))
	return tuple(conditions)


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
