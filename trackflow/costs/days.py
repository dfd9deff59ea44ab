"""Days as platforms write them: 2026-12-31, 31.12.2026, 12/31/2026 or 31/12/2026, Dec 31, 2026, 31 de diciembre de 2026. Pure.

Whether 03/04/2026 is in March or in April is a matter of the whole file: `Evidence` takes all cells. Where none of them
decides, the file is refused with a question. Names of months are Babel's, in the seven languages that are read.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from babel.dates import get_month_names

from trackflow.costs.wrong import FileRefused, RowRefused

ORDERS = ("DMY", "MDY")
LANGUAGES = ("en", "en_GB", "de", "fr", "es", "it", "pt", "pt_PT", "nl")
FIRST = date(2000, 1, 1)
# No day is longer; what is, is not looked at, since patterns take time that grows faster than a text.
_LONGEST = 60

_TIME = r"(?:[T ,]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?[AaPp]\.?[Mm]\.?)?(?:Z| ?[+-][0-9]{2}:?[0-9]{2})?)?"
_ISO = re.compile(rf"([0-9]{{4}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}}){_TIME}")
_DIGITS = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_DOTS = re.compile(rf"([0-9]{{1,2}})\. ?([0-9]{{1,2}})\. ?([0-9]{{4}}|[0-9]{{2}}){_TIME}")
_NUMBERS = re.compile(rf"([0-9]{{1,2}})([/-])([0-9]{{1,2}})\2([0-9]{{4}}|[0-9]{{2}}){_TIME}")
_WORD = r"[^\W\d_]+\.?"
_WEEKDAY = r"(?:[^\W\d_]+(?:-[^\W\d_]+)?\.?,? )?"
_DAY_FIRST = re.compile(
	rf"{_WEEKDAY}([0-9]{{1,2}})(?:\.|st|nd|rd|th|er|º|°)?(?:[ -]de)?[ -]({_WORD}),?(?:[ -]de)?[ -]([0-9]{{4}}|[0-9]{{2}}){_TIME}"
)
_MONTH_FIRST = re.compile(rf"{_WEEKDAY}({_WORD})[ -]([0-9]{{1,2}})(?:st|nd|rd|th)?,?[ -]([0-9]{{4}}){_TIME}")
_SERIAL = re.compile(r"[34][0-9]{4}(?:\.[0-9]+)?")
_RANGE = re.compile(r"\s(?:[-–—~]|to|bis|au|al|a|até|t/m|tot)\s", re.IGNORECASE)


def _plain(word: str) -> str:
	"""Août, aout. and AOÛT are one."""
	letters = unicodedata.normalize("NFKD", word.casefold())
	return "".join(letter for letter in letters if not unicodedata.combining(letter)).rstrip(".")


MONTHS = {
	_plain(name): number
	for language in LANGUAGES
	for width in ("wide", "abbreviated")
	for context in ("format", "stand-alone")
	for number, name in get_month_names(width, context, language).items()
} | {"sept": 9, "maerz": 3}


class Evidence:
	"""What the days of a file say about the order of day and month."""

	def __init__(self) -> None:
		self._rows: dict[str, tuple[int, str]] = {}
		self._unclear: tuple[int, str] | None = None

	def add(self, row: int, text: str) -> None:
		found = _NUMBERS.fullmatch(text) if len(text) <= _LONGEST else None
		if not found:
			return
		first, second = int(found[1]), int(found[3])
		if first > 12:
			self._rows.setdefault("DMY", (row, text))
		elif second > 12:
			self._rows.setdefault("MDY", (row, text))
		elif first != second:
			self._unclear = self._unclear or (row, text)

	def order(self, chosen: str = "") -> str:
		"""The order of day and month: what the caller chose, else what the cells speak for."""
		if chosen:
			return chosen
		if len(self._rows) > 1:
			(one, text), (other, contrary) = sorted(self._rows.values())
			raise FileRefused(
				f"Row {one} writes the day {text}, row {other} writes {contrary}: they cannot both be right. Choose the order "
				"(day_order), DMY or MDY, and the rows that do not fit are refused."
			)
		if self._rows:
			return next(iter(self._rows))
		if self._unclear:
			row, text = self._unclear
			raise FileRefused(
				f"Row {row} says {text}, and nothing in the file tells which is the day and which the month. Choose the order "
				"(day_order): DMY for 31/12/2026 or MDY for 12/31/2026."
			)
		return ORDERS[0]


def parse(text: str, order: str) -> date:
	"""The day of a cell; a time beside it is left away."""
	text = re.sub(r"\s+", " ", text).strip()
	year, month, day = _parts(text, order)
	try:
		found = date(year, month, day)
	except ValueError:
		raise RowRefused(f"There is no day {_shown(text)}.") from None
	if found < FIRST:
		raise RowRefused(f"The day {_shown(text)} is before the year {FIRST.year}.")
	return found


def _parts(text: str, order: str) -> tuple[int, int, int]:
	if len(text) > _LONGEST:
		raise RowRefused(f"{_shown(text)} is no day that can be read; write it like 2026-03-31.")
	if found := _ISO.fullmatch(text):
		return int(found[1]), int(found[3]), int(found[4])
	if found := _DIGITS.fullmatch(text):
		return int(found[1]), int(found[2]), int(found[3])
	if found := _DOTS.fullmatch(text):
		return _year(found[3]), int(found[2]), int(found[1])
	if found := _NUMBERS.fullmatch(text):
		day, month = (1, 3) if order == "DMY" else (3, 1)
		return _year(found[4]), int(found[month]), int(found[day])
	if (found := _DAY_FIRST.fullmatch(text)) and (month := MONTHS.get(_plain(found[2]))):
		return _year(found[3]), month, int(found[1])
	if (found := _MONTH_FIRST.fullmatch(text)) and (month := MONTHS.get(_plain(found[1]))):
		return int(found[3]), month, int(found[2])
	raise RowRefused(_what_it_is_instead(text))


def _year(digits: str) -> int:
	"""Two digits are a year of this century; the year 26 is none of theirs."""
	return int(digits) + 2000 if len(digits) == 2 else int(digits)


def _what_it_is_instead(text: str) -> str:
	if not text:
		return "The row has no day."
	if _SERIAL.fullmatch(text):
		return (
			f"{text} is how a spreadsheet counts days: format the column as a date and save the file again."
		)
	if _RANGE.search(text):
		return f"{_shown(text)} is a range of days: every row needs one day."
	return f"{_shown(text)} is no day that can be read; write it like 2026-03-31."


def _shown(text: str) -> str:
	return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
