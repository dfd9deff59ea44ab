"""Numbers as spreadsheets and platforms write them: 1,234.56 and 1.234,56, 1 234,56, 1'234.56, with a currency's sign. Pure.

Whether a comma is the decimal mark is a matter of the whole file, never of a cell: `Evidence` takes all cells, and says
which mark they speak for. Where 1,234 may be both, and nothing else decides, the file is refused with a question.
Babel and Frappe read numbers of a locale that is known; here it is the locale that nobody tells.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from trackflow.costs.wrong import FileRefused, RowRefused

MARKS = (".", ",")
# How platforms say that there is no figure.
NOTHING = frozenset({"", "-", "--", "—", "–", "n/a"})
_BLANKS = "\\s'’`´"
_PARTS = re.compile(
	rf"(?P<sign>[-−+(]?)(?P<before>[^0-9.,()+−-]*)(?P<inner>[-−+]?)(?P<digits>[0-9.,](?:[0-9.,{_BLANKS}]*[0-9.,])?)(?P<after>[^0-9]*)"
)
_GROUPED = re.compile(rf"[0-9]{{1,3}}([.,{_BLANKS}])(?:[0-9]{{2,3}}\1)*[0-9]{{3}}")
_LONGEST_SIGN = 4
# No figure is longer; what is, is not looked at, since patterns take time that grows faster than a text.
_LONGEST = 60


def is_nothing(text: str) -> bool:
	"""Whether the cell says that there is no figure."""
	return text.strip().lower() in NOTHING


class Evidence:
	"""What the numbers of a file say about its decimal mark."""

	def __init__(self) -> None:
		self._rows: dict[str, tuple[int, str]] = {}
		self._unclear: tuple[int, str] | None = None

	def add(self, row: int, text: str, is_whole: bool) -> None:
		"""A cell. `is_whole` says that its column counts things: 1,234 clicks are more than one."""
		if not text or text.isdigit():
			return
		mark = _speaks_for(text, is_whole)
		if mark == "?":
			self._unclear = self._unclear or (row, text)
		elif mark:
			self._rows.setdefault(mark, (row, text))

	def mark(self, chosen: str = "") -> str:
		"""The decimal mark: what the caller chose, else what the cells speak for."""
		if chosen:
			return chosen
		if len(self._rows) > 1:
			(one, text), (other, contrary) = sorted(self._rows.values())
			raise FileRefused(
				f"Row {one} writes the number {text}, row {other} writes {contrary}: they cannot both be right. Choose the "
				'decimal mark (decimal_mark), "." or ",", and the rows that do not fit are refused.'
			)
		if self._rows:
			return next(iter(self._rows))
		if self._unclear:
			row, text = self._unclear
			raise FileRefused(
				f"Row {row} says {text}, and nothing in the file tells whether that is a decimal mark or a separator of "
				'thousands. Choose the decimal mark (decimal_mark): "." or ",".'
			)
		return "."


def _parts(text: str) -> re.Match[str] | None:
	text = text.strip()
	return _PARTS.fullmatch(text) if len(text) <= _LONGEST else None


def _speaks_for(text: str, is_whole: bool) -> str:
	"""The decimal mark that a cell speaks for; "?" where it may be either, "" where it says nothing."""
	found = _parts(text)
	if not found or found["after"].strip().startswith("%"):
		return ""
	digits = found["digits"]
	counts = {mark: digits.count(mark) for mark in MARKS}
	if all(counts.values()):
		last = max(MARKS, key=digits.rindex)
		return last if counts[last] == 1 else ""
	mark = next((one for one in MARKS if counts[one]), "")
	if not mark:
		return ""
	if counts[mark] > 1:
		return _other(mark)
	head, tail = digits.split(mark)
	if len(tail) != 3 or not re.fullmatch(r"[1-9][0-9]{0,2}", head):
		return mark
	return _other(mark) if is_whole else "?"


def _other(mark: str) -> str:
	return "," if mark == "." else "."


def parse(text: str, mark: str) -> Decimal | None:
	"""The number of a cell, None for no figure."""
	if text.isascii() and text.isdigit() and len(text) <= _LONGEST:
		return Decimal(text)
	if is_nothing(text):
		return None
	found = _parts(text)
	if not found or (found["sign"] and found["inner"]):
		raise RowRefused(f"{_shown(text)} is no number.")
	after = found["after"].strip()
	if after.startswith("%"):
		raise RowRefused(f"{_shown(text)} is a percentage, where a figure is wanted.")
	is_negative = found["sign"] in ("-", "−", "(") or found["inner"] in ("-", "−")
	if (found["sign"] == "(") != after.endswith(")"):
		raise RowRefused(f"{_shown(text)} is no number.")
	if not _is_sign(found["before"].strip()) or not _is_sign(after.removesuffix(")").strip()):
		raise RowRefused(f"{_shown(text)} is no number.")
	number = _plain(found["digits"], mark)
	if number is None:
		raise RowRefused(f'{_shown(text)} is no number where "{mark}" is the decimal mark.')
	return -number if is_negative else number


def _plain(digits: str, mark: str) -> Decimal | None:
	whole, _mark, decimals = digits.partition(mark)
	if decimals and not re.fullmatch(r"[0-9]+", decimals):
		return None
	if whole and not re.fullmatch(r"[0-9]+", whole):
		group = _GROUPED.fullmatch(whole)
		if not group or group[1] == mark:
			return None
		whole = re.sub(r"[^0-9]", "", whole)
	return Decimal(f"{whole or 0}.{decimals or 0}") if whole or decimals else None


def currency_of(text: str) -> str:
	"""The currency that a cell with a number names beyond doubt: its code, or the euro's sign; else ""."""
	if text.isascii() and not any(character.isalpha() for character in text):
		return ""
	found = _parts(text)
	for part in (found["before"], found["after"]) if found else ():
		sign = part.strip(" \u00a0\u202f()")
		if sign == "€":
			return "EUR"
		if re.fullmatch(r"[A-Z]{3}", sign):
			return sign
	return ""


def _is_sign(text: str) -> bool:
	"""Whether what stands beside a number may be a currency's: €, CA$, EUR, zł, kr."""
	kinds = (unicodedata.category(character) for character in text)
	return len(text) <= _LONGEST_SIGN and all(
		kind == "Sc" or kind[0] in "LM" or kind == "Po" for kind in kinds
	)


def _shown(text: str) -> str:
	return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
