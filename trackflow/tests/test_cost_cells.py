"""Numbers and days of cost files, as platforms and spreadsheets write them (CST-1)."""

import unittest
from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_decimal

from trackflow.costs import days, numbers
from trackflow.costs.wrong import FileRefused, RowRefused
from trackflow.tests.properties import given, st

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")
DATES = st.dates(date(2000, 1, 1), date(2099, 12, 31))
# From 10⁹ on Babel groups some languages by a pattern that nobody writes (1000000'000).
AMOUNTS = st.decimals(0, 10**9 - 1, places=2, allow_nan=False, allow_infinity=False)


def mark_of(*cells: str, is_whole: bool = False, chosen: str = "") -> str:
	evidence = numbers.Evidence()
	for row, cell in enumerate(cells, 1):
		evidence.add(row, cell, is_whole)
	return evidence.mark(chosen)


def order_of(*cells: str, chosen: str = "") -> str:
	evidence = days.Evidence()
	for row, cell in enumerate(cells, 1):
		evidence.add(row, cell)
	return evidence.order(chosen)


class TestNumbers(unittest.TestCase):
	"""CST-1: a figure is read as it was written, or its row is refused."""

	def test_every_spelling(self) -> None:
		for text, mark, value in (
			("1234.56", ".", "1234.56"),
			("1,234.56", ".", "1234.56"),
			("1.234,56", ",", "1234.56"),
			("1\u00a0234,56", ",", "1234.56"),
			("1\u202f234,56", ",", "1234.56"),
			("1\u2009234\u2009567", ",", "1234567"),
			("1'234.56", ".", "1234.56"),
			("1’234’567.5", ".", "1234567.5"),
			("12,34,567.80", ".", "1234567.80"),
			(".5", ".", "0.5"),
			("5.", ".", "5"),
			("€ 12,50", ",", "12.50"),
			("12,50 €", ",", "12.50"),
			("CA$1,020.50", ".", "1020.50"),
			("R$ 7,00", ",", "7.00"),
			("12.50 USD", ".", "12.50"),
			("100 zł", ",", "100"),
			("-3.20", ".", "-3.20"),
			("−3,20 €", ",", "-3.20"),
			("$-5", ".", "-5"),
			("(5.00)", ".", "-5.00"),
		):
			with self.subTest(text):
				self.assertEqual(numbers.parse(text, mark), Decimal(value))

	def test_no_figure(self) -> None:
		for text in ("", "--", " -- ", "-", "—", "n/a", "N/A"):
			self.assertIsNone(numbers.parse(text, "."), text)

	def test_what_is_no_number(self) -> None:
		for text in (
			"twelve",
			"12%",
			"3,4 %",
			"1,2,3",
			"1.2.3",
			"12abcde",
			"1e5",
			"(5",
			"5)",
			"--5",
			"1,23,4",
			"٣",
			"inf",
			"NaN",
			"9" * 5000,
		):
			with self.subTest(text), self.assertRaises(RowRefused):
				numbers.parse(text, ".")

	@given(AMOUNTS, st.sampled_from((*LANGUAGES, "de_CH", "en_IN", "fr_CH", "sv", "pl")))
	def test_what_babel_writes_is_read(self, amount: Decimal, locale: str) -> None:
		text = format_decimal(amount, format=None, locale=locale)
		mark = "." if locale in ("en", "de_CH", "en_IN") else ","
		self.assertEqual(numbers.parse(text, mark), amount)

	@given(st.text(max_size=20), st.sampled_from(numbers.MARKS))
	def test_any_text_is_read_or_refused(self, text: str, mark: str) -> None:
		try:
			number = numbers.parse(text, mark)
		except RowRefused as error:
			self.assertTrue(str(error))
			return
		self.assertTrue(number is None or number.is_finite())


class TestDecimalMark(unittest.TestCase):
	"""CST-1: what a comma means is a matter of the whole file, and never guessed."""

	def test_one_clear_cell_decides_for_all(self) -> None:
		for clear, mark in (
			("12,34", ","),
			("1.234,56", ","),
			("1.234.567", ","),
			("0,123", ","),
			("1234,567", ","),
			("12.34", "."),
			("1,234.56", "."),
			("1,234,567", "."),
			("1 234,567", ","),
			("1'234.567", "."),
		):
			with self.subTest(clear):
				self.assertEqual(mark_of("1,234", "1.234", clear), mark)

	def test_things_are_counted_in_whole_numbers(self) -> None:
		self.assertEqual(mark_of("1,234", is_whole=True), ".")
		self.assertEqual(mark_of("1.234", is_whole=True), ",")

	def test_what_stays_open_is_asked(self) -> None:
		with self.assertRaisesRegex(FileRefused, r"Row 2 says 1,234.*decimal_mark"):
			mark_of("7", "1,234", "5")
		self.assertEqual(mark_of("1,234", chosen=","), ",")

	def test_contradictions_are_told(self) -> None:
		with self.assertRaisesRegex(FileRefused, r"Row 1 writes the number 1,5, row 2 writes 1\.5"):
			mark_of("1,5", "1.5")
		self.assertEqual(mark_of("1,5", "1.5", chosen="."), ".")

	def test_whole_numbers_need_no_mark(self) -> None:
		self.assertEqual(mark_of("1", "23", "--", ""), ".")

	def test_percentages_say_nothing(self) -> None:
		self.assertEqual(mark_of("3,4%", "1.5"), ".")

	@given(st.lists(AMOUNTS, min_size=1, max_size=20), st.sampled_from(LANGUAGES))
	def test_a_column_is_read_right_or_asked_about(self, amounts: list[Decimal], locale: str) -> None:
		cells = [format_decimal(amount, locale=locale) for amount in amounts]
		try:
			mark = mark_of(*cells)
		except FileRefused:
			return
		self.assertEqual([numbers.parse(cell, mark) for cell in cells], amounts)


class TestCurrencies(unittest.TestCase):
	"""CST-1: a cell may name its currency."""

	def test_beyond_doubt_only(self) -> None:
		for text, currency in (
			("12 €", "EUR"),
			("USD 5", "USD"),
			("5\u00a0CHF", "CHF"),
			("$5", ""),
			("5", ""),
			("kr 5", ""),
		):
			self.assertEqual(numbers.currency_of(text), currency, text)


class TestDays(unittest.TestCase):
	"""CST-1: a day in several formats, and months by name in seven languages."""

	def test_every_spelling(self) -> None:
		wanted = date(2026, 9, 1)
		for text in (
			"2026-09-01",
			"20260901",
			"2026/9/1",
			"2026-09-01 00:00:00",
			"2026-09-01T00:00:00Z",
			"1.9.2026",
			"01.09.26",
			"1. 9. 2026",
			"1/9/2026",
			"01-09-2026",
			"Sep 1, 2026",
			"September 1, 2026",
			"Tue, Sep 1, 2026",
			"1 Sept 2026",
			"01-Sep-2026",
			"1. September 2026",
			"1er septembre 2026",
			"mar. 1 sept. 2026",
			"1 de septiembre de 2026",
			"1º de set. de 2026",
			"1 set 2026",
			"1 sep. 2026",
		):
			with self.subTest(text):
				self.assertEqual(days.parse(text, "DMY"), wanted)
		self.assertEqual(days.parse("9/1/2026 12:00 AM", "MDY"), wanted)

	def test_months_are_told_apart_in_all_languages(self) -> None:
		for language in LANGUAGES:
			for width in ("medium", "long", "full"):
				for month in range(1, 13):
					day = date(2026, month, 17)
					text = format_date(day, width, locale=language)
					with self.subTest(language, text=text):
						self.assertEqual(days.parse(text, order_of(text)), day)

	def test_what_is_no_day(self) -> None:
		for text, words in (
			("", "no day"),
			("--", "no day"),
			("yesterday", "no day"),
			("2026-02-31", "no day"),
			("31/31/2026", "no day"),
			("1999-12-31", "before"),
			("0001-01-01", "before"),
			("01.01.0026", "before"),
			("46266", "spreadsheet"),
			("Sep 1, 2026 - Sep 7, 2026", "range"),
			("2026-09-01 – 2026-09-07", "range"),
			("1.9.2026 bis 7.9.2026", "range"),
			("Sep 2026", "no day"),
			("202691", "no day"),
		):
			with self.subTest(text), self.assertRaisesRegex(RowRefused, words):
				days.parse(text, "DMY")

	@given(st.text(max_size=30), st.sampled_from(days.ORDERS))
	def test_any_text_is_read_or_refused(self, text: str, order: str) -> None:
		try:
			days.parse(text, order)
		except RowRefused as error:
			self.assertTrue(str(error))


class TestDayOrder(unittest.TestCase):
	"""CST-1: which number is the month is a matter of the whole file, and never guessed."""

	def test_one_clear_cell_decides_for_all(self) -> None:
		self.assertEqual(order_of("03/04/2026", "13/04/2026"), "DMY")
		self.assertEqual(order_of("03/04/2026", "04/13/2026"), "MDY")

	def test_what_stays_open_is_asked(self) -> None:
		with self.assertRaisesRegex(FileRefused, r"Row 2 says 03/04/2026.*day_order"):
			order_of("05/05/2026", "03/04/2026")
		self.assertEqual(order_of("03/04/2026", chosen="MDY"), "MDY")

	def test_contradictions_are_told(self) -> None:
		with self.assertRaisesRegex(FileRefused, "Row 1 writes the day 13/04/2026, row 2 writes 04/13/2026"):
			order_of("13/04/2026", "04/13/2026")

	def test_dots_and_equal_numbers_leave_nothing_open(self) -> None:
		self.assertEqual(order_of("03.04.2026", "05/05/2026", "2026-03-04"), "DMY")

	@given(
		st.lists(DATES, min_size=1, max_size=20), st.sampled_from((("DMY", "%d/%m/%Y"), ("MDY", "%m/%d/%Y")))
	)
	def test_a_column_is_read_right_or_asked_about(self, dates: list[date], written: tuple[str, str]) -> None:
		cells = [one.strftime(written[1]) for one in dates]
		try:
			order = order_of(*cells)
		except FileRefused:
			return
		self.assertEqual([days.parse(cell, order) for cell in cells], dates)
