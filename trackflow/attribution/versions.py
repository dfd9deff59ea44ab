"""Versions of what a data-driven model learnt: which one credits a conversion, and its values as text (ATT-4, ATT-5). Pure.

Which version it is follows from what is stored alone, so that a rebuild of unchanged data changes nothing. All versions here
are of one model and were learnt on the same terms.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction


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


def from_text(text: str | None) -> dict[str, Fraction]:
	"""The same values again."""
	return {channel: Fraction(value) for channel, value in json.loads(text or "{}").items()}


def _age(version: Version) -> tuple[date, int]:
	return version.until, version.number
