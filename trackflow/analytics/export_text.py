"""Rows as text, portion by portion: CSV that no spreadsheet computes, or a JSON array with a row on each line. Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from trackflow.links.csv_text import lines, neutral

Row = dict[str, Any]

CSV, JSON = FORMATS = ("csv", "json")
MIMETYPES = {CSV: "text/csv", JSON: "application/json"}


def written(format: str, columns: Sequence[str], portions: Iterable[Sequence[Row]]) -> Iterator[bytes]:
	"""The text of a file in one of FORMATS, as much as each portion makes. Values are texts, numbers, None, or what JSON holds."""
	return (_csv if format == CSV else _json)(columns, portions)


def _csv(columns: Sequence[str], portions: Iterable[Sequence[Row]]) -> Iterator[bytes]:
	# The mark makes Excel read UTF-8.
	yield f"\ufeff{lines([columns])}".encode()
	for portion in portions:
		yield lines([_cell(row.get(name)) for name in columns] for row in portion).encode()


def _cell(value: Any) -> Any:
	if value is None:
		return ""
	if isinstance(value, int | float):
		return value
	return neutral(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _json(columns: Sequence[str], portions: Iterable[Sequence[Row]]) -> Iterator[bytes]:
	yield b"["
	separator = "\n"
	for portion in portions:
		if portion:
			rows = (json.dumps({name: row.get(name) for name in columns}) for row in portion)
			yield (separator + ",\n".join(rows)).encode()
			separator = ",\n"
	yield b"\n]\n"
