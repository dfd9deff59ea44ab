"""Remembers what functions answered, as `lru_cache` does, but for texts that a stranger could make long. Pure."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

# Addresses that links lead to are shorter, so that what is asked for again and again is remembered.
LONGEST = 512


def remembered(count: int, longest: int = LONGEST) -> Callable[[F], F]:
	"""Remember `count` answers by all arguments, unless the first one, a text, is longer than `longest`: such a call is
	worked out each time. So memory has a bound whatever is sent."""

	def decorate(function: F) -> F:
		answer = lru_cache(maxsize=count)(function)

		@wraps(function)
		def call(text: str | None, *more: Any) -> Any:
			return function(text, *more) if text and len(text) > longest else answer(text, *more)

		return call

	return decorate
