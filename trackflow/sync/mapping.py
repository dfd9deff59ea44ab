"""Which field of ours goes into which field of the CRM, and as what (SYN-1). Pure.

A CRM's field takes texts, numbers or days. Name and e-mail are searched by and never written; two of ours never go into one.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from trackflow.sync.fields import NAMES, Value

TEXT, NUMBER, DAY = "text", "number", "day"
# What every CRM's texts hold.
SHORT = 255


class Kind(NamedTuple):
	"""What a type of a CRM's fields takes; of texts, how many characters."""

	what: str = TEXT
	most: int = SHORT


class Field(NamedTuple):
	"""A row of the mapping: ours, and the CRM's by its key; its type there and its label as they were when it was chosen. One whose
	type is not known counts as a short text."""

	source: str
	remote: str
	type: str = ""
	label: str = ""
	kind: Kind = Kind()


class RemoteField(NamedTuple):
	"""A field of the CRM. `is_writable` says whether it can be mapped, `is_searched` that it is name or e-mail."""

	key: str
	label: str
	type: str
	is_writable: bool
	is_searched: bool = False


class Problem(NamedTuple):
	"""What is wrong with a row; `what` is a word that `options` has a sentence for."""

	source: str
	remote: str
	what: str


TWICE, UNKNOWN_SOURCE, NO_REMOTE = "twice", "unknown_source", "no_remote"
SEARCHED, GONE, UNSUITABLE, OTHER_KIND = "searched", "gone", "unsuitable", "other_kind"


def problems(fields: Collection[Field], searched: Collection[str] = ()) -> list[Problem]:
	"""What is wrong with the mapping by itself; `searched` are keys of the CRM by which persons are searched."""
	counts = Counter(one.remote.casefold() for one in fields)
	found = []
	for source, remote, *_rest in fields:
		if source not in NAMES:
			found.append(Problem(source, remote, UNKNOWN_SOURCE))
		elif not remote:
			found.append(Problem(source, remote, NO_REMOTE))
		elif remote.casefold() in searched:
			found.append(Problem(source, remote, SEARCHED))
		elif counts[remote.casefold()] > 1:
			found.append(Problem(source, remote, TWICE))
	return found


def held_to(fields: Iterable[Field], remote: Iterable[RemoteField]) -> list[Problem]:
	"""What is wrong with it as the CRM's fields are now."""
	known = {one.key: one for one in remote}
	found = []
	for field in fields:
		there = known.get(field.remote)
		if there is None:
			found.append(Problem(field.source, field.remote, GONE))
		elif there.is_searched:
			found.append(Problem(field.source, field.remote, SEARCHED))
		elif not there.is_writable:
			found.append(Problem(field.source, field.remote, UNSUITABLE))
		elif there.type != field.type:
			found.append(Problem(field.source, field.remote, OTHER_KIND))
	return found


def written(
	fields: Iterable[Field], values: Mapping[str, Value], withheld: Collection[str] = ()
) -> dict[str, str | int | float]:
	"""What goes into the CRM, by its keys: what is known and fits."""
	found = {
		one.remote: _as(one.kind, values[one.source])
		for one in fields
		if one.source in values and one.source not in withheld
	}
	return {key: value for key, value in found.items() if value is not None}


def _as(kind: Kind, value: Value) -> str | int | float | None:
	if kind.what == NUMBER:
		return value if isinstance(value, int | float) else _number(str(value))
	if kind.what == DAY:
		return _day(value)
	text = value.isoformat(" ", "minutes") if isinstance(value, datetime) else str(value)
	return text[: kind.most]


def _number(text: str) -> float | None:
	try:
		number = float(text)
	except ValueError:
		return None
	# Neither infinite nor no number.
	return number if abs(number) < 1e15 else None


def _day(value: Value) -> str | None:
	if isinstance(value, datetime):
		return value.date().isoformat()
	try:
		return date.fromisoformat(str(value)[:10]).isoformat()
	except ValueError:
		return None
