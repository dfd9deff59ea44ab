"""Versions of what a data-driven model learnt: which one credits a conversion, and its values as text (ATT-4, ATT-5). Pure.

Which version it is follows from what is stored alone, so that a rebuild of unchanged data changes nothing. All versions here
are of one model and were learnt on the same terms.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache

from trackflow.attribution.data_driven import along

# Shares have hundreds of digits: they are worked out once for the same values and channels. At worst some 100 MB.
REMEMBERED_VALUES = 16
REMEMBERED_PATHS = 2048


@dataclass(frozen=True, slots=True)
class Version:
	"""What a model learnt from the conversions before the day `until`; of one day the higher number counts. Too little data
	credits nobody."""

	name: str
	number: int
	until: date
	is_too_little: bool
	conversions: int
	minimum_conversions: int


class Values(dict[str, Fraction]):
	"""What channels are worth, by name; in proportion, so that their unit does not matter. Never changed once it is asked."""

	def __init__(self, values: Mapping[str, Fraction]) -> None:
		super().__init__(values)
		self._by_channel = lru_cache(REMEMBERED_PATHS)(self._work_out)

	@classmethod
	def of(cls, values: Mapping[str, Fraction]) -> "Values":
		return values if isinstance(values, cls) else cls(values)

	def along(self, channels: Sequence[str]) -> list[Fraction]:
		"""The shares of a path's touches, see `data_driven.along`; they do not depend on their order."""
		shares = self._by_channel(tuple(sorted(channels)))
		return [shares[channel] for channel in channels]

	def _work_out(self, channels: tuple[str, ...]) -> dict[str, Fraction]:
		return dict(zip(channels, along(channels, self), strict=True))


def version_for(versions: Iterable[Version], day: date) -> Version | None:
	"""The version for conversions of that day: the newest that had learnt before it, or else the first, of those with enough
	data. Where none has, the newest, which then says so; None where there is none."""
	ordered = sorted(versions, key=_age)
	usable = [one for one in ordered if not one.is_too_little]
	if not usable:
		return ordered[-1] if ordered else None
	learnt_before = [one for one in usable if one.until <= day]
	if learnt_before:
		return learnt_before[-1]
	return [one for one in usable if one.until == usable[0].until][-1]


def concerned_since(former: Sequence[Version], new: Version) -> date | None:
	"""The first day whose conversions may be credited otherwise once there is `new`; None where there is no such day."""
	if new.is_too_little:
		return None
	older = [one for one in former if not one.is_too_little and one.until < new.until]
	return new.until if older else date.min


def to_text(values: Mapping[str, Fraction]) -> str:
	"""Values by channel as JSON, exact: each as "numerator/denominator"."""
	texts = {channel: f"{value.numerator}/{value.denominator}" for channel, value in sorted(values.items())}
	return json.dumps(texts, ensure_ascii=False)


@lru_cache(REMEMBERED_VALUES)
def from_text(text: str | None) -> Values:
	"""The same values again; for the same text the same object, with the shares that it remembers."""
	return Values({channel: Fraction(value) for channel, value in json.loads(text or "{}").items()})


def _age(version: Version) -> tuple[date, int]:
	return version.until, version.number
