"""CSV of links as text: encodings, separators, formulas, and the exports of other products (LNK-4)."""

import unittest
from typing import Any
from zoneinfo import ZoneInfo

from trackflow.links import csv_formats, csv_text
from trackflow.links.csv_formats import Sheet
from trackflow.links.csv_text import CsvError
from trackflow.tests.properties import given, st

BERLIN = ZoneInfo("Europe/Berlin")
HERE = frozenset({"go.example.com"})
CELLS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=20)


def read(text: str, most: int = 100) -> Sheet:
	return csv_formats.read(text, HERE, BERLIN, most)


def values(text: str) -> list[dict[str, Any]]:
	return [row.values for row in read(text).rows]


class TestEncodings(unittest.TestCase):
	"""LNK-4: a file is read as the spreadsheet meant it."""

	text = "Title,Target URL\r\nGrün,https://example.com/\r\n"

	def test_every_encoding(self) -> None:
		for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"):
			with self.subTest(encoding):
				decoded = csv_text.decode(self.text.encode(encoding))
				self.assertEqual(values(decoded)[0]["title"], "Grün")

	def test_half_a_file(self) -> None:
		with self.assertRaisesRegex(CsvError, "cut off"):
			csv_text.decode(self.text.encode("utf-16")[:-1])

	def test_a_damaged_byte_is_named_and_spoils_nothing_else(self) -> None:
		"""CST-1: of UTF-8 with a byte that is none, the others are not taken for Windows-1252."""
		content = 'Title\r\n"Grün,\r\nweiß"\r\nMünchen\r\nspring\r\n'.encode()
		for wrong in (b"\xff", b"\xfc", b"\xc3", b"\xe2\x82"):
			with (
				self.subTest(wrong),
				self.assertRaisesRegex(CsvError, "Line 5 holds a byte that is no UTF-8"),
			):
				csv_text.decode(content.replace(b"spring", b"spr" + wrong + b"ng"))
		for content, line in ((b"\xffa\xc3\xbc", 1), (b"\xef\xbb\xbf\xc3\xbc\n\xff", 2)):
			with self.assertRaisesRegex(CsvError, f"Line {line} "):
				csv_text.decode(content)
		# The sign that stands for what nobody could read is a letter like others.
		self.assertEqual(csv_text.decode("\ufffdü".encode()), "\ufffdü")

	def test_windows_letters_that_look_like_utf_8_by_chance(self) -> None:
		text = "Größe,Äpfel,Öl,Ã¼"
		self.assertEqual(csv_text.decode(text.encode("cp1252")), text)

	@given(st.text(alphabet="aäöüßéèñ ,\n", max_size=80))
	def test_texts_of_windows_are_read(self, text: str) -> None:
		self.assertEqual(csv_text.decode(text.encode("cp1252")), text)

	@given(st.binary(max_size=300))
	def test_any_bytes_are_read_or_refused(self, content: bytes) -> None:
		try:
			read(csv_text.decode(content))
		except CsvError as error:
			self.assertTrue(str(error))

	@given(st.text(max_size=300))
	def test_any_rows_are_read_or_refused(self, text: str) -> None:
		try:
			sheet = read(f"Target URL,Title,Starts on,Variants,Forward Query,Max Clicks\n{text}")
		except CsvError as error:
			self.assertTrue(str(error))
			return
		for row in sheet.rows:
			self.assertTrue(all(words for _field, words in row.errors))


class TestSeparators(unittest.TestCase):
	"""LNK-4: comma, semicolon, tab and bar; quotes, line breaks within and between."""

	def test_every_separator(self) -> None:
		for separator in csv_text.DELIMITERS:
			for end in ("\n", "\r\n", "\r"):
				with self.subTest(separator, end=end):
					lines = (f"Title{separator}Target URL", f'"a{separator}b"{separator}https://example.com/')
					self.assertEqual(values(end.join(lines))[0]["title"], f"a{separator}b")

	def test_excels_own_line(self) -> None:
		self.assertEqual(values("sep=;\r\nTitle;URL\r\na,b;https://example.com/")[0]["title"], "a,b")

	def test_quoted_line_breaks(self) -> None:
		(row,) = values('Title,URL\n"two\r\nlines",https://example.com/\n')
		self.assertEqual(row["title"], "two\r\nlines")

	def test_rows_count_as_in_a_spreadsheet(self) -> None:
		sheet = read('URL,Title\n\nhttps://a.example/,"x\ny"\n,,\nhttps://b.example/,z\n')
		self.assertEqual([row.number for row in sheet.rows], [3, 5])

	@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=5))
	def test_what_is_written_is_read(self, rows: list[list[str]]) -> None:
		text = csv_text.lines([["a", "b"], *([csv_text.neutral(cell) for cell in row] for row in rows)])
		read = csv_text.records(text)
		found = [[csv_text.original(cell) for cell in cells] for _row, cells in read]
		wanted = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
		self.assertEqual(found[1:], wanted)


class TestFormulas(unittest.TestCase):
	"""LNK-4, SEC-2: a spreadsheet computes no cell of ours, and nothing is lost by it."""

	@given(CELLS)
	def test_there_and_back(self, value: str) -> None:
		self.assertEqual(csv_text.original(csv_text.neutral(value)), value.strip())

	@given(st.sampled_from("=+-@＝＋－＠"), CELLS)
	def test_no_formula_stays(self, first: str, rest: str) -> None:
		for blank in ("", "\t", "\r\n", " "):
			self.assertTrue(csv_text.neutral(blank + first + rest).startswith("'"))

	def test_plain_text_stays(self) -> None:
		for value in ("", "a=b", "https://example.com/?a=-1", "'quoted'", "5 - 3"):
			self.assertEqual(csv_text.neutral(value), value)


class TestOwnHeaders(unittest.TestCase):
	"""LNK-4: plain headers in any case, with the names that people and exports give them."""

	def test_synonyms(self) -> None:
		text = "LONG URL;slug;UTM_Source;utm-campaign;Expires at;tags\nhttps://example.com/;Sale;news;spring;2026-03-31;a\n"
		wanted = {
			"target_url": "https://example.com/",
			"short_code": "Sale",
			"source": "news",
			"campaign_id": "spring",
			"expiry_date": "2026-03-31 00:00:00",
			"tags": "a",
		}
		self.assertEqual(values(text), [wanted])

	def test_every_column_of_the_export(self) -> None:
		text = ",".join(csv_formats.COLUMNS.values()) + "\n"
		self.assertEqual(read(text).ignored, ())
		self.assertEqual(read(",".join(csv_formats.COLUMNS) + "\n").ignored, ())

	def test_values_become_what_fields_hold(self) -> None:
		(row,) = values(
			"URL,Status,Forward Query,Max Clicks,Starts on,Variants\n"
			'https://a.b/,paused,Yes,5,2026-07-01T10:00:00Z,"[{""variant_name"": ""A""}]"\n'
		)
		self.assertEqual((row["status"], row["forward_query"], row["max_clicks"]), ("Paused", 1, 5))
		self.assertEqual(row["starts_on"], "2026-07-01 12:00:00")
		self.assertEqual(row["variants"], [{"variant_name": "A"}])

	def test_values_that_cannot_be(self) -> None:
		header = "URL,Forward Query,Max Clicks,Expires on,Variants"
		(row,) = read(f"{header}\nhttps://a.b/,perhaps,-1,03/04/2026,[1]\n").rows
		self.assertEqual(
			{field for field, _words in row.errors},
			{"forward_query", "max_clicks", "expiry_date", "variants"},
		)
		(row,) = read(f"{header}\nhttps://a.b/,,,,,,more\n").rows
		self.assertIn("more cells", row.errors[0][1])

	def test_a_password_that_stayed_behind(self) -> None:
		(row,) = read("URL,Has Password\nhttps://a.b/,1\n").rows
		self.assertEqual(row.errors[0][0], "password")
		(row,) = read("URL,Has Password,Password\nhttps://a.b/,1,secret\n").rows
		self.assertEqual((row.errors, row.values["password"]), ([], "secret"))

	def test_files_that_cannot_be(self) -> None:
		for text, words in (
			("", "No column"),
			("a,b\n1,2\n", "No column"),
			("URL,Target\n1,2\n", "Two columns"),
			("URL\n" + "https://a.b/\n" * 3, "more than 2 rows"),
			('URL\n"' + "x" * 200_000 + '"\n', "Row 2 cannot be read"),
		):
			with self.subTest(words), self.assertRaisesRegex(CsvError, words):
				read(text, 2)

	def test_columns_that_nobody_knows_are_named(self) -> None:
		self.assertEqual(read("URL,Owner,Clicks\nhttps://a.b/,me,3\n").ignored, ("Owner",))


class TestForeignExports(unittest.TestCase):
	"""LNK-4: the exports of Bitly, Dub and Shlink, with the columns that those products write."""

	def test_shlink(self) -> None:
		sheet = read(
			"createdAt,domain,shortCode,shortUrl,longUrl,title,tags,visits\n"
			"2026-01-02T03:04:05+01:00,go.example.com,AbC,https://go.example.com/AbC,"
			"https://example.com/?a=1,Title,red|blue,17\n"
			"2026-01-02T03:04:05+01:00,s.test,x,https://s.test/x,https://example.com/,,,0\n"
		)
		self.assertEqual((sheet.format, sheet.ignored), ("Shlink", ()))
		wanted = {
			"target_url": "https://example.com/?a=1",
			"short_code": "AbC",
			"title": "Title",
			"tags": "red, blue",
			"domain": "go.example.com",
		}
		self.assertEqual(sheet.rows[0].values, wanted)
		self.assertEqual(sheet.rows[1].values, {"target_url": "https://example.com/", "short_code": "x"})
		self.assertIn("s.test is no domain", sheet.rows[1].notes[0])

	def test_shlink_before_it_wrote_codes(self) -> None:
		sheet = read(
			"createdAt,shortUrl,longUrl,title,tags,visits\n"
			"2022-01-02T03:04:05+01:00,https://s.test/abc,https://example.com/,,,0\n"
		)
		self.assertEqual((sheet.format, sheet.rows[0].values["short_code"]), ("Shlink", "abc"))

	def test_what_shlinks_importer_reads(self) -> None:
		sheet = read("Long URL;Short code;Title;Tags\nhttps://example.com/;abc;T;red\n")
		self.assertEqual((sheet.format, sheet.rows[0].values["short_code"]), ("TrackFlow", "abc"))

	def test_dub(self) -> None:
		sheet = read(
			"Short link,Destination URL,Clicks,Created at,Updated at,Tags\n"
			'https://dub.sh/launch,https://example.com/a,5,2026-01-02T03:04:05.000Z,2026-01-03T03:04:05.000Z,"red, blue"\n'
		)
		self.assertEqual((sheet.format, sheet.ignored), ("Dub", ()))
		wanted = {"target_url": "https://example.com/a", "short_code": "launch", "tags": "red, blue"}
		self.assertEqual(sheet.rows[0].values, wanted)

	def test_dub_by_its_api(self) -> None:
		sheet = read(
			"id,domain,key,url,shortLink,archived,expiresAt,tags\n"
			"clx1,go.example.com,launch,https://example.com/,https://go.example.com/launch,true,"
			'2026-12-31T23:00:00.000Z,"[""red"",""blue""]"\n'
		)
		wanted = {
			"target_url": "https://example.com/",
			"short_code": "launch",
			"domain": "go.example.com",
			"status": "Archived",
			"expiry_date": "2027-01-01 00:00:00",
			"tags": "red, blue",
		}
		self.assertEqual((sheet.format, sheet.rows[0].values), ("Dub", wanted))

	def test_bitly(self) -> None:
		sheet = read(
			"Link,Custom Link,Title,Destination URL,Tags,Created\n"
			"bit.ly/3AbCdE,go.example.com/launch,Launch,https://example.com/,red|blue,2026-01-02\n"
			"https://bit.ly/3AbCdF,,,https://example.com/b,,2026-01-02\n"
		)
		wanted = {
			"target_url": "https://example.com/",
			"short_code": "launch",
			"title": "Launch",
			"tags": "red, blue",
			"domain": "go.example.com",
		}
		self.assertEqual((sheet.format, sheet.rows[0].values), ("Bitly", wanted))
		self.assertEqual(sheet.rows[1].values["short_code"], "3AbCdF")

	def test_bitly_by_its_api_and_of_old(self) -> None:
		for text in (
			"id,link,custom_bitlinks,long_url,title,tags,archived,created_at\n"
			'bit.ly/x,https://bit.ly/x,"[""https://go.example.com/launch""]",https://example.com/,T,"[]",false,2026\n',
			"Bitlink,Long URL,Title\nhttps://go.example.com/launch,https://example.com/,T\n",
		):
			sheet = read(text)
			wanted = {
				"target_url": "https://example.com/",
				"short_code": "launch",
				"title": "T",
				"domain": "go.example.com",
			}
			self.assertEqual((sheet.format, sheet.rows[0].values), ("Bitly", wanted))
