"""CSV as people have it: bytes of any spreadsheet → records of texts, and texts → cells that no spreadsheet computes.

Knows UTF-8 and UTF-16 with or without a mark, else Windows-1252, and refuses UTF-8 with damaged bytes; comma, semicolon, tab and bar; quoted line breaks.
Pure: what is wrong raises CsvError in plain English.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any

DELIMITERS = (",", ";", "\t", "|")
# A spreadsheet takes a cell that begins like this for a formula (or for an answer of a macro).
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
# What stands where bytes mean nothing.
_UNKNOWN = "\ufffd"
_SEPARATOR_LINE = re.compile(r"sep=(.)(?:\r\n|\r|\n)", re.IGNORECASE)


class CsvError(ValueError):
	"""The file cannot be read; the message is for the person who brought it."""


def decode(content: bytes) -> str:
	"""The text of a file, its byte order mark dropped."""
	if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
		encoding = "utf-16"
	elif content[1:2] == b"\0":
		encoding = "utf-16-le"
	elif content[:1] == b"\0":
		encoding = "utf-16-be"
	else:
		content, encoding = content.removeprefix(codecs.BOM_UTF8), "utf-8"
	try:
		return content.decode(encoding)
	except UnicodeDecodeError as error:
		if encoding != "utf-8":
			raise CsvError("The file is cut off: it is no whole UTF-16 text.") from None
		_refuse_damaged(content, error.start)
	# Excel's plain "CSV" on Windows. Every byte means something there, or next to every one.
	return content.decode("cp1252", errors="replace")


def _refuse_damaged(content: bytes, first_wrong: int) -> None:
	"""Stop where most of what is not ASCII is UTF-8: taken for Windows-1252, all of that would be garbage, and what the other bytes
	mean nobody knows. Letters of Windows-1252 hardly ever look like UTF-8."""
	text = content.decode("utf-8", errors="replace")
	wrong = text.count(_UNKNOWN) - content.count(_UNKNOWN.encode())
	known = len(text) - len(text.encode("ascii", errors="ignore")) - wrong
	if known >= wrong:
		line = len(_LINE.findall(content[:first_wrong].decode("utf-8") + "?"))
		raise CsvError(
			f"Line {line} holds a byte that is no UTF-8, while the rest of the file is. Mend that line, or save the file as UTF-8 anew."
		)


def separator(text: str) -> tuple[str, str]:
	"""The delimiter that the text's first line speaks for, and the text without Excel's `sep=` line."""
	text = text.removeprefix("\ufeff")
	if named := _SEPARATOR_LINE.match(text):
		return named[1], text[named.end() :]
	first = next((line for line in _LINE.findall(text) if line.strip()), "")
	unquoted = re.sub(r'"[^"]*"', "", first)
	return max(DELIMITERS, key=unquoted.count), text


def records(text: str, delimiter: str = "") -> Iterator[tuple[int, list[str]]]:
	"""The records that hold anything, each with its row as a spreadsheet counts it, cells without blanks around. Without a
	delimiter it is the one that the first line speaks for."""
	found, text = separator(text)
	lines = (line[0].replace("\0", "") for line in _LINE.finditer(text))
	reader = csv.reader(lines, delimiter=delimiter or found)
	row = 0
	while True:
		row += 1
		try:
			cells = next(reader)
		except StopIteration:
			return
		except csv.Error as error:
			raise CsvError(f"Row {row} cannot be read as CSV: {error}.") from None
		if any(cell.strip() for cell in cells):
			yield row, [cell.strip() for cell in cells]


def lines(rows: Iterable[Iterable[Any]], end: str = "\r\n") -> str:
	"""Rows as the text of a file, each with its end. Cells are as they come: `neutral` is the caller's to ask."""
	written = _Written()
	csv.writer(written, lineterminator=end).writerows(rows)
	return "".join(written)


class _Written(list[str]):
	"""What `csv` takes for a file."""

	write = list.append


def neutral(value: str) -> str:
	"""The text as a cell that no spreadsheet takes for a formula, without blanks around; `original` gives it back."""
	value = value.strip()
	return f"'{value}" if _FORMULA.match(value) else value


def original(cell: str) -> str:
	"""The text of a cell that may have been made neutral."""
	return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
