"""What an outside CRM has to offer so that forms can be synced to it, and the ways in which it may fail (SYN-1).

A provider searches and updates; it has no way to create. Its errors say in words what happened, and hold neither secrets nor whom
it was about.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from trackflow.sync.mapping import Kind, RemoteField
from trackflow.sync.matching import Person


class ProviderError(Exception):
	"""A CRM did not do what it was asked for; the text is for people."""


class PassingError(ProviderError):
	"""What may be otherwise a moment later: no answer, a broken one."""


class Later(ProviderError):
	"""The CRM wants to be left alone for so many seconds."""

	def __init__(self, text: str, seconds: float) -> None:
		super().__init__(text)
		self.seconds = seconds


class CircuitOpen(ProviderError):
	"""It failed too often just now, and is not asked."""


class Refused(ProviderError):
	"""Nobody can be synced until somebody mends the settings: the token, the address, the mapping."""


class Rejected(ProviderError):
	"""It does not take these values."""


class Gone(ProviderError):
	"""What was asked for is not there."""


class Clock(Protocol):
	"""The module `time` is one; a benchmark brings another."""

	def time(self) -> float: ...
	def monotonic(self) -> float: ...
	def sleep(self, seconds: float) -> None: ...


class Budget:
	"""The time that one sync, or one question of somebody who waits, may take in all."""

	def __init__(self, seconds: float, clock: Clock = time) -> None:
		self._clock, self._until = clock, clock.monotonic() + seconds

	def left(self) -> float:
		return self._until - self._clock.monotonic()


class Provider(Protocol):
	"""An outside CRM. `searched` are keys of fields, in lower case, that are searched by and never written; `kinds` what can be
	written, by the type of a field there."""

	name: str
	searched: frozenset[str]
	kinds: Mapping[str, Kind]

	def search_email(self, email: str, budget: Budget) -> Sequence[Person]: ...
	def search_name(self, name: str, budget: Budget) -> Sequence[Person]: ...
	def update(self, person: str, values: Mapping[str, str | int | float], budget: Budget) -> None: ...
	def fields(self, budget: Budget) -> Sequence[RemoteField]: ...
