"""Remembers what functions of a text answered, for texts that a stranger could make long or many. Pure.

One look-up in a dict for what is known: what a request asks ten times costs less than one call of Python's own.
"""

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

# Addresses that links lead to are shorter, so that what is asked for again and again is remembered.
LONGEST = 512


class _Answers(dict[str | None, Any]):
	"""Answers of one function by text."""

	def __init__(self, function: Callable[[str | None], Any], count: int, longest: int) -> None:
		self._function, self._count, self._longest = function, count, longest

	def __missing__(self, text: str | None) -> Any:
		answer = self._function(text)
		if not text or len(text) <= self._longest:
			if len(self) >= self._count:
				self._forget_oldest()
			self[text] = answer
		return answer

	def _forget_oldest(self) -> None:
		"""Some at once: to find the oldest, all are walked past. Other threads may have forgotten them meanwhile."""
		for text in list(self)[: self._count // 8 + 1]:
			self.pop(text, None)


def remembered(count: int, longest: int = LONGEST) -> Callable[[Callable[[Any], T]], Callable[[Any], T]]:
	"""Remember `count` answers of a function of one text, unless it is longer than `longest`: that is worked out each time.
	So memory has a bound whatever is sent."""
	return lambda function: _Answers(function, count, longest).__getitem__
