"""Cost files as the platforms write them, one for each quirk (CST-1). Made here: no platform's data."""

import unittest
from datetime import date
from decimal import Decimal
from typing import Any

from trackflow.costs import formats, headers, sheet
from trackflow.costs.facts import Fact
from trackflow.costs.sheet import Options, Sheet, Site
from trackflow.costs.wrong import FileRefused
from trackflow.links import csv_text
from trackflow.links.csv_text import CsvError
from trackflow.tests.properties import given, st

SITE = Site(frozenset({"EUR", "USD", "CAD", "JPY"}), date(2026, 12, 31))
GOOGLE = """Campaign report
"September 1, 2026 - September 3, 2026"
Day,Campaign,Campaign ID,Currency code,Cost,Impr.,Clicks,Conversions
2026-09-01,Spring,123,CAD,12.34,"1,234",7,1.00
2026-09-02,Spring,123,CAD,"1,020.50","10,500",88,2.50
Total: Account,--,--,CAD,"1,032.84","11,734",95,3.50
Total: Campaigns,--,--,CAD,"1,032.84","11,734",95,3.50
"""
META = """Reporting starts,Reporting ends,Day,Campaign name,Campaign ID,Ad set name,Amount spent (EUR),Impressions,Clicks (all),Link clicks
2026-09-01,2026-09-02,2026-09-01,Spring,c:11,Set,12.3,100,9,4
2026-09-01,2026-09-02,2026-09-02,Spring,c:11,Set,,,,
2026-09-01,2026-09-02,,,,,12.3,100,9,4
"""
LINKEDIN = """Campaign Performance Report (in UTC)
Report Start: 09/01/2026, Report End: 09/22/2026

Start Date (in UTC)\tAccount Name\tCampaign Name\tCampaign ID\tTotal Spent\tImpressions\tClicks\tCurrency
09/01/2026\tAcme\t"Leads, A"\t11\t"1,234.50"\t10000\t200\tUSD
09/22/2026\tAcme\tBrand\t12\t10.25\t500\t4\tUSD
"""
TIKTOK = """Campaign name,Campaign ID,Ad group name,Ad group ID,By Day,Cost,Impressions,Clicks (destination),Currency
Spring,="1790000000000001",Group,1790000000000002,2026-09-01,12.50,100,4,USD
Total of 1 results,,,,,12.50,100,4,USD
"""
MICROSOFT = """Report Name: Campaign performance,,,,
Report Time: 9/1/2026 - 9/13/2026,,,,

Gregorian date,Campaign,Campaign ID,Impressions,Clicks,Spend,Currency code
9/13/2026,Spring,5,10,1,2.50,USD
9/1/2026,Spring,5,10,1,2.50,USD
"©2026 Microsoft Corporation. All rights reserved. ",,,,,,
"""
# Headers and a line of each platform, in the languages that people use it in.
LANGUAGES = (
	(
		"Google Ads",
		"Tag;Kampagne;Kampagnen-ID;Währungscode;Kosten;Impr.;Klicks",
		"01.09.2026;A;1;EUR;1,50;1.200;7",
	),
	(
		"Google Ads",
		"Jour;Campagne;ID de la campagne;Code de la devise;Coût;Impr.;Clics",
		"1 sept. 2026;A;1;EUR;1,50;1\u202f200;7",
	),
	(
		"Google Ads",
		"Día;Campaña;ID de la campaña;Código de moneda;Coste;Impr.;Clics",
		"1 sept 2026;A;1;EUR;1,50;1.200;7",
	),
	(
		"Google Ads",
		"Giorno;Campagna;ID campagna;Codice valuta;Costo;Impr.;Clic",
		"1 set 2026;A;1;EUR;1,50;1.200;7",
	),
	(
		"Google Ads",
		"Dia;Campanha;Código da campanha;Código da moeda;Custo;Impr.;Cliques",
		"1 de set. de 2026;A;1;EUR;1,50;1.200;7",
	),
	(
		"Google Ads",
		"Dag;Campagne;Campagne-ID;Valutacode;Kosten;Vertoningen;Klikken",
		"1 sep 2026;A;1;EUR;1,50;1.200;7",
	),
	(
		"Meta",
		"Tag;Kampagnenname;Kampagnen-ID;Ausgegebener Betrag (EUR);Impressionen;Link-Klicks",
		"2026-09-01;A;1;1,50;1200;7",
	),
	(
		"Meta",
		"Jour;Nom de la campagne;ID de la campagne;Montant dépensé (EUR);Impressions;Clics sur un lien",
		"2026-09-01;A;1;1,50;1200;7",
	),
	(
		"Meta",
		"Día;Nombre de la campaña;ID de la campaña;Importe gastado (EUR);Impresiones;Clics en el enlace",
		"2026-09-01;A;1;1,50;1200;7",
	),
	(
		"Meta",
		"Giorno;Nome della campagna;ID della campagna;Importo speso (EUR);Impression;Clic sul link",
		"2026-09-01;A;1;1,50;1200;7",
	),
	(
		"Meta",
		"Dia;Nome da campanha;ID da campanha;Valor usado (EUR);Impressões;Cliques no link",
		"2026-09-01;A;1;1,50;1200;7",
	),
	(
		"Meta",
		"Dag;Campagnenaam;Campagne-ID;Besteed bedrag (EUR);Weergaven;Klikken op links",
		"2026-09-01;A;1;1,50;1200;7",
	),
	(
		"LinkedIn",
		"Startdatum (in UTC);Name der Kampagne;Kampagnen-ID;Gesamtausgaben;Impressions;Klicks;Währung",
		"1.9.2026;A;1;1,50;1.200;7;EUR",
	),
)


def read(text: str, most: int = 1000, **said: Any) -> Sheet:
	return sheet.read(text, Options(**said), SITE, most)


def facts(text: str, **said: Any) -> list[Fact]:
	found = read(text, **said)
	assert not found.refused, found.refused
	return found.facts


def spends(text: str, **said: Any) -> list[Decimal | None]:
	return [fact.spend for fact in facts(text, **said)]


class TestPlatforms(unittest.TestCase):
	"""CST-1: exports are recognised, and read as they come."""

	def test_google(self) -> None:
		found = read(GOOGLE)
		self.assertEqual((found.layout.format.name, dict(found.left_out)), ("Google Ads", {"totals": 2}))
		one, other = found.facts
		self.assertEqual(
			(one.row, one.day, one.platform, one.currency), (4, date(2026, 9, 1), "Google Ads", "CAD")
		)
		self.assertEqual(
			(one.campaign_id, one.campaign, one.impressions, one.clicks), ("123", "Spring", 1234, 7)
		)
		self.assertEqual((one.spend, other.spend), (Decimal("12.34"), Decimal("1020.50")))

	def test_meta(self) -> None:
		found = read(META)
		self.assertEqual(found.layout.format.name, "Meta")
		self.assertEqual(dict(found.left_out), {"empty": 1, "totals": 1})
		(fact,) = found.facts
		self.assertEqual((fact.currency, fact.campaign_id, fact.adset), ("EUR", "11", "Set"))
		self.assertEqual((fact.spend, fact.impressions), (Decimal("12.3"), 100))
		self.assertEqual(fact.clicks, 4, "clicks that lead somewhere go before all clicks")

	def test_linkedin(self) -> None:
		found = read(LINKEDIN)
		self.assertEqual((found.layout.format.name, found.day_order), ("LinkedIn", "MDY"))
		self.assertEqual([fact.day for fact in found.facts], [date(2026, 9, 1), date(2026, 9, 22)])
		self.assertEqual(found.facts[0].spend, Decimal("1234.50"))
		self.assertEqual(found.facts[0].campaign, "Leads, A")

	def test_tiktok(self) -> None:
		found = read(TIKTOK)
		self.assertEqual((found.layout.format.name, dict(found.left_out)), ("TikTok", {"totals": 1}))
		(fact,) = found.facts
		self.assertEqual((fact.campaign_id, fact.adset_id), ("1790000000000001", "1790000000000002"))

	def test_microsoft(self) -> None:
		found = read(MICROSOFT)
		self.assertEqual((found.layout.format.name, dict(found.left_out)), ("Microsoft Ads", {"empty": 1}))
		self.assertEqual(len(found.facts), 2)

	def test_every_language(self) -> None:
		"""The header in each of seven languages is the platform's own, and every column of it is understood."""
		for name, header, line in LANGUAGES:
			with self.subTest(name, header=header):
				found = read(f"{header}\n{line}\n")
				self.assertEqual((found.layout.format.name, found.refused), (name, []))
				self.assertEqual(found.layout.others, ())
				(fact,) = found.facts
				self.assertEqual((fact.day, fact.campaign, fact.campaign_id), (date(2026, 9, 1), "A", "1"))
				self.assertEqual((fact.spend, fact.impressions, fact.clicks), (Decimal("1.50"), 1200, 7))
				self.assertEqual(fact.currency, "EUR")

	def test_a_plain_list_is_nobodys(self) -> None:
		text = "Date,Campaign,Cost\n2026-09-01,Spring,12\n"
		self.assertIn("names no platform", read(text, currency="EUR").refused[0][1])
		(fact,) = facts(text, platform="facebook ads", currency="eur")
		self.assertEqual((fact.platform, fact.currency, fact.impressions), ("Meta", "EUR", None))

	def test_a_list_of_several_platforms(self) -> None:
		text = "Date,Platform,Campaign,Spend,Currency\n2026-09-01,google,A,1,EUR\n2026-09-01,Reddit,A,2,USD\n"
		found = [(fact.platform, fact.currency) for fact in facts(text)]
		self.assertEqual(found, [("Google Ads", "EUR"), ("Reddit", "USD")])

	def test_what_the_caller_says_is_not_doubted(self) -> None:
		(fact,) = facts("Day,Campaign,Cost\n2026-09-01,A,1\n", format="Google Ads", currency="EUR")
		self.assertEqual(fact.platform, "Google Ads")
		with self.assertRaisesRegex(FileRefused, "no export of Meta"):
			read(GOOGLE, format="Meta")


class TestForms(unittest.TestCase):
	"""CST-1: encodings, separators, line breaks, headers that stand twice."""

	def test_every_encoding_and_separator(self) -> None:
		for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"):
			for separator in (",", ";", "\t"):
				with self.subTest(encoding, separator=separator):
					rows = (
						["Kampagnenbericht"],
						["Tag", "Kampagne", "Währungscode", "Kosten", "Impr."],
						["2026-09-01", "Grün", "EUR", '"1.234,56"', '"1.234"'],
						["Gesamt: Konto", "--", "EUR", '"1.234,56"', '"1.234"'],
					)
					text = "\r\n".join(separator.join(row) for row in rows)
					(fact,) = facts(csv_text.decode(text.encode(encoding)))
					self.assertEqual((fact.campaign, fact.spend), ("Grün", Decimal("1234.56")))

	def test_line_breaks_and_separators_in_quotes(self) -> None:
		(fact,) = facts('Date,Platform,Campaign,Cost,Currency\n2026-09-01,X,"a,\nb",1,EUR\n')
		self.assertEqual((fact.campaign, fact.row), ("a, b", 2))

	def test_headers_that_stand_twice(self) -> None:
		text = "Date,Campaign,Cost,Cost\n2026-09-01,A,1,2\n"
		with self.assertRaisesRegex(FileRefused, r"called Cost, numbers 3 and 4.*#3"):
			read(text)
		columns = {"day": "date", "campaign": "Campaign", "spend": "#4"}
		self.assertEqual(spends(text, columns=columns, platform="X", currency="EUR"), [Decimal(2)])

	def test_a_mapping_of_columns(self) -> None:
		text = "Kosten 2026\n\nwann;was;teuer\n1.9.2026;A;12,5\n"
		columns = {"day": "Wann", "campaign": "was", "spend": "teuer"}
		(fact,) = facts(text, columns=columns, platform="X", currency="EUR")
		self.assertEqual((fact.day, fact.spend), (date(2026, 9, 1), Decimal("12.5")))
		with self.assertRaisesRegex(FileRefused, "all columns of the mapping: Wann, was, price"):
			read(text, columns={**columns, "spend": "price"})

	def test_a_separator_without_quotes(self) -> None:
		found = read("Date,Campaign,Cost\n2026-09-01,A,1,5\n2026-09-01,B,1,,\n", platform="X", currency="EUR")
		self.assertEqual([row for row, _words in found.refused], [2])
		self.assertEqual([fact.row for fact in found.facts], [3])

	def test_rows_count_as_in_a_spreadsheet(self) -> None:
		found = read(
			'Date,Campaign,Cost\n\n2026-09-01,"A\nB",x\n,,\n2026-09-01,C,y\n', platform="X", currency="EUR"
		)
		self.assertEqual([row for row, _words in found.refused], [3, 5])

	def test_too_many_rows(self) -> None:
		with self.assertRaisesRegex(FileRefused, "more than 1 rows"):
			read(GOOGLE, most=1)

	def test_a_campaign_may_be_called_total(self) -> None:
		text = "Day,Campaign,Currency code,Cost\n2026-09-01,Total Recall,EUR,1\n"
		self.assertEqual([fact.campaign for fact in facts(text)], ["Total Recall"])


class TestDaysOnly(unittest.TestCase):
	"""CST-1: what is of no single day is refused, with what to choose instead."""

	def test_a_range_in_a_row(self) -> None:
		text = "Reporting starts,Reporting ends,Campaign name,Amount spent (EUR)\n"
		found = read(f"{text}2026-09-01,2026-09-30,A,5\n2026-09-02,2026-09-02,A,5\n")
		self.assertEqual([fact.day for fact in found.facts], [date(2026, 9, 2)])
		self.assertEqual(found.refused[0][0], 2)
		self.assertRegex(found.refused[0][1], "from 2026-09-01 to 2026-09-30.*By Time, Day")

	def test_a_report_without_days(self) -> None:
		for text, words in (
			("Campaign,Currency code,Cost,Impr.\nA,EUR,5,1\n", "no column with the day.*Segment, Time, Day"),
			("Week,Campaign,Currency code,Cost\n2026-09-01,A,EUR,5\n", "is by Week"),
			("Monat;Kampagne;Währungscode;Kosten\nSep 2026;A;EUR;5\n", "is by Monat"),
			("Campaign Name,Total Spent\nA,5\n", "time breakdown Daily"),
			("Campaign name,Ad group name,Cost\nA,B,5\n", "By Day"),
		):
			with self.subTest(words), self.assertRaisesRegex(FileRefused, words):
				read(text)

	def test_a_start_that_is_the_reports(self) -> None:
		text = "Report Start: 9/1/2026, Report End: 9/30/2026\nStart Date (in UTC),Campaign Name,Total Spent\n9/1/2026,A,5\n"
		with self.assertRaisesRegex(FileRefused, "one day.*Daily"):
			read(text, currency="USD", day_order="MDY")
		self.assertEqual(len(facts(text.replace("9/30", "9/1"), currency="USD", day_order="MDY")), 1)

	def test_a_range_in_a_cell(self) -> None:
		found = read("Date,Campaign,Cost\n2026-09-01 - 2026-09-07,A,1\n", platform="X", currency="EUR")
		self.assertIn("range of days", found.refused[0][1])


class TestMoney(unittest.TestCase):
	"""CST-1: a currency that is told, and told once; figures that can be."""

	def test_where_the_currency_is_from(self) -> None:
		row = "2026-09-01,A,5"
		for header, line, said, currency in (
			("Date,Campaign,Cost (USD)", row, "", "USD"),
			("Date,Campaign,Cost,Currency", f"{row},usd", "", "USD"),
			("Date,Campaign,Cost", row, "USD", "USD"),
		):
			(fact,) = facts(f"{header}\n{line}\n", platform="X", currency=said)
			self.assertEqual(fact.currency, currency)

	def test_no_currency_or_several(self) -> None:
		for header, line, said, words in (
			("Date,Campaign,Cost", "2026-09-01,A,5", "", "has no currency"),
			("Date,Campaign,Cost (USD)", "2026-09-01,A,5", "EUR", "in USD, and in EUR"),
			("Date,Campaign,Cost (USD),Currency", "2026-09-01,A,5,EUR", "", "in USD, and in EUR"),
			("Date,Campaign,Cost (USD)", "2026-09-01,A,5 €", "", "in USD, and in EUR"),
			("Date,Campaign,Cost (XYZ)", "2026-09-01,A,5", "", "no currency XYZ"),
		):
			with self.subTest(words, header=header):
				((row, message),) = read(f"{header}\n{line}\n", platform="X", currency=said).refused
				self.assertEqual(row, 2)
				self.assertIn(words, message)

	def test_figures_that_cannot_be(self) -> None:
		header = "Date,Campaign,Campaign ID,Cost,Clicks"
		for line, words in (
			("2026-09-01,A,1,-5,1", "negative"),
			("2026-09-01,A,1,5,-1", "negative"),
			("2026-09-01,A,1,5,1.5", "no whole number"),
			("2026-09-01,A,1,5%,1", "percentage"),
			("2026-09-01,A,1,much,1", "no number"),
			("2026-09-01,A,1,,1", "no spend"),
			(
				"2026-09-01,A,1,10000000000,1",
				"more than a row can have: 10000000000. It must be below 10,000,000,000",
			),
			("2026-09-01,A,1,5,3000000000", "more than can be"),
			("2027-01-01,A,1,5,1", "lies ahead"),
			("2026-09-01,A,1.20212E+17,5,1", "rounded by a spreadsheet"),
			(f"2026-09-01,{'A' * 141},,5,1", "longer than 140"),
		):
			with self.subTest(words):
				((row, message),) = read(f"{header}\n{line}\n", platform="X", currency="EUR").refused
				self.assertEqual(row, 2)
				self.assertIn(words, message)

	def test_what_stays_open_is_asked(self) -> None:
		text = 'Date,Campaign,Cost\n2026-09-01,A,"1,234"\n'
		with self.assertRaisesRegex(FileRefused, "decimal_mark"):
			read(text, platform="X", currency="JPY")
		self.assertEqual(spends(text, platform="X", currency="JPY", decimal_mark="."), [Decimal(1234)])
		self.assertEqual(spends(text, platform="X", currency="JPY", decimal_mark=","), [Decimal("1.234")])


class TestKeys(unittest.TestCase):
	"""CST-1: no cost counts twice, and none is lost."""

	def test_parts_of_a_fact_are_summed(self) -> None:
		text = """Day,Campaign,Device,Currency code,Cost,Impr.,Clicks
2026-09-01,A,Phones,EUR,10.00,100,5
2026-09-01,A,Computers,EUR,4.50,50,--
"""
		found = read(text)
		(fact,) = found.facts
		self.assertEqual(
			(fact.spend, fact.impressions, fact.clicks, fact.rows), (Decimal("14.50"), 150, 5, 2)
		)
		self.assertEqual((found.summed, fact.row), (2, 2))

	def test_the_same_row_twice(self) -> None:
		found = read("Date,Campaign,Cost\n2026-09-01,A,5\n2026-09-01,A,5\n", platform="X", currency="EUR")
		self.assertEqual([fact.row for fact in found.facts], [2])
		self.assertEqual(found.refused, [(3, "The row says the same as row 2.")])

	def test_rows_that_contradict_each_other(self) -> None:
		found = read(
			"Date,Campaign,Cost\n2026-09-01,A,5\n2026-09-01,A,6\n2026-09-02,A,1\n",
			platform="X",
			currency="EUR",
		)
		self.assertEqual([fact.row for fact in found.facts], [4])
		self.assertEqual([row for row, _words in found.refused], [2, 3])
		self.assertIn("Rows 2, 3", found.refused[0][1])

	def test_parts_in_different_currencies(self) -> None:
		text = (
			"Day,Campaign,Device,Currency code,Cost\n2026-09-01,A,Phones,EUR,1\n2026-09-01,A,Tablets,USD,1\n"
		)
		found = read(text)
		self.assertEqual((found.facts, len(found.refused)), ([], 2))

	def test_subtotals_among_their_parts(self) -> None:
		text = "Day,Campaign name,Ad set name,Amount spent (EUR)\n2026-09-01,A,S1,5\n2026-09-01,A,S2,6\n2026-09-01,A,,11\n2026-09-01,B,,7\n"
		found = read(text)
		self.assertEqual([fact.row for fact in found.facts], [2, 3, 5])
		self.assertEqual(found.refused[0][0], 4)
		self.assertIn("counted twice", found.refused[0][1])

	def test_by_id_and_by_name(self) -> None:
		text = "Date,Campaign,Campaign ID,Cost\n2026-09-01,A,1,5\n2026-09-01,a,,5\n2026-09-02,A,,5\n"
		found = read(text, platform="X", currency="EUR")
		self.assertEqual([fact.row for fact in found.facts], [2, 4])
		self.assertIn("by its name alone", found.refused[0][1])

	def test_ad_sets_and_ads_by_id_and_by_name(self) -> None:
		head = "Date,Campaign ID,Ad set name,Ad set ID,Ad name,Ad ID,Cost\n2026-09-01,1,"
		for one, other in (("A,7,,,5", "a,,,,5"), ("A,7,B,8,5", "A,7,b,,5"), ("A,7,B,8,5", ",,B,8,5")):
			found = read(f"{head}{other}\n2026-09-01,1,{one}\n", platform="X", currency="EUR")
			self.assertEqual([fact.row for fact in found.facts], [3], other)
			self.assertIn("counted twice", found.refused[0][1])

	def test_names_that_look_alike_are_one(self) -> None:
		rows = "2026-09-01,Caf\u00e9  au lait,5\n2026-09-01,Cafe\u0301 au\u00a0lait ,5\n"
		found = read(f"Date,Campaign,Cost\n{rows}", platform="X", currency="EUR")
		self.assertEqual([row for row, _reason in found.refused], [2, 3])

	def test_the_id_is_the_key_and_the_name_where_there_is_none(self) -> None:
		def named(**values: Any) -> str:
			return Fact(1, date(2026, 9, 1), "X", **values).name

		self.assertEqual(named(campaign_id="1", campaign="A"), named(campaign_id="1", campaign="B"))
		self.assertNotEqual(named(campaign="A"), named(campaign="B"))


class TestHostileFiles(unittest.TestCase):
	"""SEC-4: whatever the bytes, the file is read or refused in words."""

	@given(st.binary(max_size=400))
	def test_any_bytes(self, content: bytes) -> None:
		self.assert_read_or_refused(lambda: csv_text.decode(content))

	@given(st.text(max_size=300), st.sampled_from((GOOGLE, META, LINKEDIN, TIKTOK, MICROSOFT)))
	def test_any_rows(self, text: str, export: str) -> None:
		self.assert_read_or_refused(lambda: export + text)

	@given(
		st.lists(
			st.lists(
				st.one_of(
					st.sampled_from(
						(
							"2026-09-01",
							"03/04/2026",
							"1,234",
							"12,5",
							"--",
							"Total",
							"EUR",
							"€5",
							"1e9",
							'"',
							"\0",
						)
					),
					st.text(max_size=8),
				),
				max_size=9,
			),
			max_size=6,
		),
		st.sampled_from([one.columns for one in formats.FORMATS.values()]),
		st.sampled_from(",;\t"),
	)
	def test_any_cells(self, rows: list[list[str]], columns: dict[str, str], separator: str) -> None:
		header = [texts.split("|")[0].strip() for texts in columns.values()]
		lines = [header, *rows]
		self.assert_read_or_refused(lambda: "\n".join(separator.join(line) for line in lines))

	def assert_read_or_refused(self, text: Any) -> None:
		try:
			found = read(text(), platform="X", currency="EUR")
		except CsvError as error:
			self.assertTrue(str(error))
			return
		self.assertTrue(all(row and 0 < len(words) < 500 for row, words in found.refused))
		names = [fact.name for fact in found.facts]
		self.assertEqual(len(names), len(set(names)), "no two facts have one key")
		self.assertTrue(all(fact.spend is not None and fact.spend >= 0 for fact in found.facts))

	def test_nothing_of_a_file_begins_a_tag(self) -> None:
		"""SEC-2: names are shown by reports, messages by the desk, both as HTML."""
		tag = "<img src=x onerror=alert(document.domain)>"
		header = "Date,Platform,Campaign,Campaign ID,Ad ID,Cost,Currency"
		found = read(f"{header}\n2026-09-01,{tag},{tag},{tag},{tag},5,EUR\n2026-09-01,X,A,,,5{tag},EUR\n")
		self.assertNotIn("<img", repr(found))
		self.assertEqual((len(found.facts), len(found.refused)), (1, 1))
		with self.assertRaises(FileRefused) as refused:
			read(f'{header}\n2026-09-01,X,A,,,"1,234{tag}",EUR\n')
		self.assertIn("‹img", str(refused.exception))

	def test_cells_that_patterns_would_chew_on(self) -> None:
		for cell in (
			"1" + "., " * 30_000 + "x1",
			"1 " * 40_000,
			"(" * 90_000,
			"a " * 40_000,
			"Jan 1" * 20_000,
		):
			self.assert_read_or_refused(
				lambda cell=cell: f"{cell}\nDate,Campaign,Cost,{cell}\n{cell},A,5\n2026-03-01,A,{cell}\n"
			)
			self.assert_read_or_refused(
				lambda cell=cell: f"Start Date (in UTC),Total Spent{' ' * 90_000}x\n{cell},{cell}\n"
			)

	def test_every_field_has_a_label(self) -> None:
		self.assertEqual(set(headers.LABELS), set(headers.FIELDS))
