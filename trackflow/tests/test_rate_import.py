"""Exchange rates from files: lists, and the history of the European Central Bank (CST-1)."""

import json
import unittest
from datetime import date
from decimal import Decimal
from typing import Any

import frappe

from trackflow.costs import rate_import, rate_sheet
from trackflow.costs.rate_sheet import RateSheet
from trackflow.costs.sheet import Site
from trackflow.costs.wrong import FileRefused
from trackflow.links.csv_text import CsvError
from trackflow.tests.base import counted_statements
from trackflow.tests.cost_cases import CostCommandTestCase, CostTestCase, marked
from trackflow.tests.properties import given, st

SITE = Site(frozenset({"EUR", "USD", "JPY"}), date(2026, 12, 31))
RATE = "TrackFlow Exchange Rate"
LIST = "Date,From,To,Rate\n2026-03-01,EUR,USD,1.1\n2026-03-02,eur,usd,1.2\n"
BANK = "Date,USD,JPY,CYP,\n2026-03-03,1.0842,161.53,N/A,\n2026-03-02,1.08,N/A,N/A,\n"


def read(text: str, **options: Any) -> RateSheet:
	return rate_sheet.read(text, SITE, **options)


class TestLists(unittest.TestCase):
	"""CST-1: a rate a row."""

	def test_rates(self) -> None:
		found = read(LIST)
		first = found.rates[0]
		self.assertEqual((first.source, first.target, first.rate), ("EUR", "USD", Decimal("1.1")))
		self.assertEqual((found.format, found.refused), ("List", []))

	def test_localised(self) -> None:
		(rate,) = read("Datum;Von;From;To;Kurs\n31.12.2025;;EUR;JPY;161,53\n").rates
		self.assertEqual((rate.day, rate.rate), (date(2025, 12, 31), Decimal("161.53")))

	def test_what_stays_open_is_asked(self) -> None:
		text = 'Date,From,To,Rate\n2026-03-01,EUR,USD,"1,084"\n'
		with self.assertRaisesRegex(FileRefused, "decimal_mark"):
			read(text)
		self.assertEqual(read(text, decimal_mark=",").rates[0].rate, Decimal("1.084"))

	def test_what_is_refused(self) -> None:
		for line, words in (
			("2026-03-01,EUR,USD,0", "no rate"),
			("2026-03-01,EUR,USD,-1", "no rate"),
			("2026-03-01,EUR,USD,", "no rate"),
			("2026-03-01,EUR,USD,x", "no number"),
			("2026-03-01,EUR,EUR,1", "to itself"),
			("2026-03-01,EUR,QQQ,1", "no currency QQQ"),
			("soon,EUR,USD,1", "no day"),
			("2027-03-01,EUR,USD,1", "lies ahead"),
		):
			with self.subTest(words, line=line):
				((row, message),) = read(f"Date,From,To,Rate\n{line}\n").refused
				self.assertEqual(row, 2)
				self.assertIn(words, message)
		((row, message),) = read(f"{LIST}2026-03-01,EUR,USD,1.1\n").refused
		self.assertEqual((row, message), (4, "Row 2 has a rate of the same day and currencies."))

	def test_other_files(self) -> None:
		for text in ("", "a,b\n1,2\n", "Date,From,Rate\n"):
			with self.assertRaisesRegex(FileRefused, "no list of rates"):
				read(text)
		with self.assertRaisesRegex(FileRefused, "mean the same"):
			read("Date,From,To,Rate,Kurs\n")

	@given(st.text(max_size=200))
	def test_any_text_is_read_or_refused(self, text: str) -> None:
		"""SEC-4"""
		for head in ("", "Date,From,To,Rate\n", "Date,USD,JPY\n"):
			try:
				found = read(head + text)
			except CsvError as error:
				self.assertTrue(str(error))
			else:
				self.assertTrue(all(rate.rate > 0 for rate in found.rates))


class TestBank(unittest.TestCase):
	"""CST-1: the history as the European Central Bank publishes it: a column for each currency, against the euro."""

	def test_columns(self) -> None:
		found = read(BANK)
		rates = [(str(rate.day), rate.source, rate.target, rate.rate) for rate in found.rates]
		self.assertEqual(
			rates,
			[
				("2026-03-03", "EUR", "USD", Decimal("1.0842")),
				("2026-03-03", "EUR", "JPY", Decimal("161.53")),
				("2026-03-02", "EUR", "USD", Decimal("1.08")),
			],
		)
		self.assertEqual((found.strangers, found.refused), ({"CYP"}, []))

	def test_since(self) -> None:
		self.assertEqual({rate.day for rate in read(BANK, since=date(2026, 3, 3)).rates}, {date(2026, 3, 3)})


class TestImport(CostTestCase):
	"""CST-1: rates are upserted; the same file again changes nothing."""

	def test_again_and_changed(self) -> None:
		for text, wanted in ((LIST, (2, 0, 0)), (LIST, (0, 0, 2)), (LIST.replace("1.2", "1.25"), (0, 1, 1))):
			answer = self.answer("import_rates", csv=text)
			self.assertEqual((answer["new"], answer["changed"], answer["unchanged"]), wanted)
		rates = frappe.get_all(RATE, fields=["rate", "entered_by"], order_by="date")
		self.assertEqual([(row.rate, row.entered_by) for row in rates], [(1.1, "CSV"), (1.25, "CSV")])

	def test_days_that_rest_on_a_rate_are_marked(self) -> None:
		"""ROL-1: a day without a rate takes one of the days before it."""
		self.answer("upsert", rows=[{"date": "2026-03-04", "platform": "X", "spend": 5, "currency": "USD"}])
		with marked() as days:
			self.answer("import_rates", csv=LIST)
		self.assertEqual(days, {date(2026, 3, 4)})
		with marked() as days:
			self.answer("import_rates", csv=LIST)
		self.assertEqual(days, set())

	def test_a_dry_run(self) -> None:
		self.assertEqual(self.answer("import_rates", csv=LIST, dry_run=1)["new"], 2)
		self.assertEqual(frappe.db.count(RATE), 0)

	def test_errors(self) -> None:
		self.assert_refused(self.call("import_rates", csv="a,b\n1,2\n"), "no list of rates")
		answer = self.answer("import_rates", csv="Date,USD,\n9999-12-31,1.5,\n2026-03-01,1.5,\n")
		self.assertEqual((answer["new"], answer["refused"]), (1, 1))
		self.assertIn("lies ahead", answer["rows"][0]["message"])
		self.assert_refused(self.call("import_rates", csv=BANK, since="yesterday"), "no day such as")
		self.assert_refused(self.call("import_rates", csv=LIST, decimal_mark="x"), "decimal_mark must be")

	def test_by_hand(self) -> None:
		row = {
			"doctype": RATE,
			"date": "2026-03-01",
			"from_currency": "EUR",
			"to_currency": "USD",
			"rate": 1.1,
		}
		for values in (
			{"rate": 0},
			{"rate": -1},
			{"rate": float("nan")},
			{"rate": float("inf")},
			{"rate": 1e30},
			{"rate": 1e-12},
			{"to_currency": "EUR"},
			{"date": "9999-12-31"},
			{"date": "0001-01-01"},
			{"date": "1999-12-31"},
			{"date": None},
		):
			with self.subTest(values=values), self.assertRaises(frappe.ValidationError):
				frappe.get_doc({**row, **values}).insert()

	def test_statements_do_not_grow_with_rows(self) -> None:
		def statements(count: int) -> int:
			rows = "".join(f"2026-03-{1 + row % 28:02},EUR,USD,1.{row + 1}\n" for row in range(count))
			frappe.db.delete(RATE)
			sheet = rate_import.read(f"Date,From,To,Rate\n{rows}")
			with counted_statements() as found:
				rate_import.import_rates(sheet)
			return len(found)

		statements(2)
		self.assertEqual(statements(5), statements(28))


class TestCommand(CostCommandTestCase):
	"""CLI-1: rates from a file, by command."""

	def test_import(self) -> None:
		result = self.invoke("import-rates", "FILE", "--json", text=BANK)
		self.assertEqual(result.exit_code, 0, result.output)
		self.assertGreaterEqual(json.loads(result.output)["new"], 2)
		result = self.invoke("import-rates", "FILE", text=f"{LIST}x,EUR,USD,1\n")
		self.assertEqual(result.exit_code, 1)
		self.assertIn("is no day", result.output)
