"""What an archive file holds: JSON Lines, a header and then a row a line (RET-1). Pure.

The header says how to read the rest, so that a later version reads what an earlier one wrote: fields by name, in the order of
the values. Rows are as an erasure would leave them (`personal`): what tells of a person is not in them, and who it was is a keyed
hash whose key is thrown away. So a file is nobody's data, and no erasure has to look for anybody in it.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from trackflow.privacy.personal import BY_DOCTYPE, VISITOR, website_of
from trackflow.tracking.identity import erased_id, is_erased

Row = dict[str, Any]

FORMAT, VERSION = "trackflow-archive", 1
SUFFIX = ".jsonl.gz"
# What only these hold may be archived, and read back: a file names its table, and must not name any other.
TIMES = {"Click Event": "click_timestamp", "Visitor Session": "session_start"}
# Of what every row has. Who wrote it is no part of what it says.
STANDARD = ("name", "creation", "modified")
TEXTS = ("first", "last", "from_time", "until_time", "app_version", "time_zone")
LONGEST_LINE = 1_000_000
_HEX = re.compile(r"[0-9a-f]{64}")
_OTHER = re.compile(r"[^A-Za-z0-9]+")


class LayoutError(ValueError):
	"""The file is no archive that can be read; the message is for whoever named it."""


@dataclass(frozen=True, slots=True)
class Header:
	"""The first line. `sha256` is that of all lines after it; times are the site's, in `time_zone`."""

	doctype: str
	fields: tuple[str, ...]
	rows: int
	sha256: str
	first: str
	last: str
	from_time: str
	until_time: str
	app_version: str
	time_zone: str

	@property
	def file_name(self) -> str:
		"""The same rows have the same name, wherever and whenever they are written."""
		words = (self.doctype.lower(), self.from_time[:10], self.first, self.last, self.sha256[:16])
		# A name of a row may be any text; those of ours are hexadecimal digits.
		return "_".join(_OTHER.sub("-", word)[:32] for word in words) + SUFFIX

	def line(self) -> bytes:
		return _line({"format": FORMAT, "version": VERSION, **asdict(self)})


def fields(doctype: str) -> tuple[str, ...]:
	"""What is archived of a row, in order."""
	table = BY_DOCTYPE[doctype]
	return (*STANDARD, table.field_of(VISITOR), *table.keeps)


def nobodys(doctype: str, row: Mapping[str, Any], key: bytes) -> Row:
	"""The row as an erasure would leave it."""
	column = BY_DOCTYPE[doctype].field_of(VISITOR)
	kept = {field: row[field] for field in fields(doctype)}
	visitor = row[column]
	if visitor and not is_erased(visitor):
		kept[column] = erased_id(key, visitor)
	if kept.get("referrer"):
		# Nothing else of it is kept by erasures either; of sessions it is emptied, and so no field here.
		kept["referrer"] = website_of(kept["referrer"])
	return kept


def row_line(row: Mapping[str, Any], names: Sequence[str]) -> bytes:
	return _line([_said(row[name]) for name in names])


def read_header(line: bytes) -> Header:
	"""Raises LayoutError."""
	found = _parsed(line)
	if not isinstance(found, dict) or found.get("format") != FORMAT:
		raise LayoutError("This is no archive of TrackFlow's: its first line does not say so.")
	if found.get("version") != VERSION:
		raise LayoutError(f"Version {found.get('version')} of the format is unknown here: update TrackFlow.")
	if found.get("doctype") not in TIMES:
		raise LayoutError("It holds no table that is archived.")
	names = found.get("fields")
	if not isinstance(names, list) or not all(isinstance(one, str) for one in names) or "name" not in names:
		raise LayoutError("Its header names no fields.")
	if len(set(names)) != len(names):
		raise LayoutError("Its header names a field twice.")
	number, digest = found.get("rows"), found.get("sha256")
	if type(number) is not int or not isinstance(digest, str) or not _HEX.fullmatch(digest):
		raise LayoutError("Its header says neither how many rows there are nor what they must add up to.")
	texts = {name: str(found.get(name) or "") for name in TEXTS}
	return Header(found["doctype"], tuple(names), number, digest, **texts)


def read_row(line: bytes, header: Header) -> Row:
	"""Raises LayoutError."""
	values = _parsed(line)
	if not isinstance(values, list) or len(values) != len(header.fields):
		raise LayoutError("A line has not as many values as there are fields.")
	if not all(value is None or isinstance(value, str | int | float) for value in values):
		raise LayoutError("A line holds what is no value of a field.")
	row = dict(zip(header.fields, values, strict=True))
	if not row["name"] or not isinstance(row["name"], str):
		raise LayoutError("A line holds no name.")
	return row


def stored(row: Row, known: Collection[str], times: Collection[str]) -> Row:
	"""The row with the fields that there are today, times as such. Raises LayoutError."""
	try:
		return {
			field: datetime.fromisoformat(value) if field in times and value else value
			for field, value in row.items()
			if field in known
		}
	except (ValueError, TypeError):
		raise LayoutError(f"The row {row['name']} has a time that is none.") from None


def _said(value: Any) -> Any:
	if isinstance(value, datetime):
		return value.isoformat(" ")
	if value is None or isinstance(value, str | int | float):
		return value
	raise TypeError(f"{type(value).__name__} is nothing that an archive holds")


def _parsed(line: bytes) -> Any:
	if len(line) > LONGEST_LINE:
		raise LayoutError("A line is longer than any that TrackFlow writes.")
	try:
		return json.loads(line)
	except (ValueError, RecursionError):
		raise LayoutError("A line is not JSON.") from None


def _line(value: Any) -> bytes:
	return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
