"""Rules of links: words, languages, dates and parameters, without a host (RED-3)."""

from __future__ import annotations

import unittest
from datetime import datetime, timedelta

from trackflow.redirect import rules
from trackflow.redirect.rules import UNKNOWN, Rule, Traits, fits, preferred_language
from trackflow.tests.base import CHROME, IPHONE
from trackflow.tests.properties import given, st
from trackflow.tracking.agents import describe

NOW = datetime(2026, 3, 1, 12, 0, 0)
INSTANT = timedelta(microseconds=1)
THERE = "https://shop.example/there"


def rule(kind: str, values: str = "", **more: object) -> Rule:
	return Rule(kind, THERE, frozenset(rules.words_of(values)), **more)


class TestWhoFits(unittest.TestCase):
	"""RED-3: a rule is a condition, its words are compared whatever their case."""

	def assert_fits(self, expected: bool, one: Rule, traits: Traits = UNKNOWN, query: str = "") -> None:
		self.assertEqual(fits(one, traits, query, NOW), expected, (one, traits, query))

	def test_device_system_and_country(self):
		phone = Traits("mobile", "ios", "de", "de-at")
		for kind, values, expected in (
			("Device", "Mobile", True),
			("Device", " tablet , MOBILE", True),
			("Device", "Desktop", False),
			("OS", "iOS", True),
			("OS", "Android, Windows", False),
			("Country", "DE", True),
			("Country", "AT,CH", False),
		):
			self.assert_fits(expected, rule(kind, values), phone)

	def test_what_is_not_known_fits_nothing(self):
		for kind in ("Device", "OS", "Country", "Language", "Query"):
			self.assert_fits(False, rule(kind, "de, Mobile, iOS"))
			self.assert_fits(False, rule(kind, ""))
		self.assert_fits(False, rule("Weather", "rain"))

	def test_language(self):
		for values, language, expected in (
			("de", "de", True),
			("de", "de-at", True),
			("DE", "de-at", True),
			("de", "den", False),
			("de-AT", "de-at", True),
			("de-AT", "de", False),
			("de-AT", "de-ch", False),
			("fr, de", "de-ch", True),
		):
			self.assert_fits(expected, rule("Language", values), Traits(language=language))

	def test_query(self):
		for values, query, expected in (
			("red", "color=red", True),
			("Red", "COLOR=rED", True),
			("red, blue", "size=L&color=blue", True),
			("red", "color=blue&color=red", True),
			("red", "color=", False),
			("red", "colors=red", False),
			("red", "", False),
			("dark blue", "color=dark+blue", True),
			("grün", "color=gr%C3%BCn", True),
			("red", "color=red%00", False),
			("red", "%ff=%ff&color=red", True),
		):
			self.assert_fits(expected, rule("Query", values, parameter=" color "), query=query)

	def test_dates(self):
		for starts, ends, expected in (
			(NOW, None, True),
			(NOW + INSTANT, None, False),
			(None, NOW, False),
			(None, NOW + INSTANT, True),
			(NOW - INSTANT, NOW + INSTANT, True),
		):
			self.assert_fits(expected, rule("Date", starts_on=starts, ends_on=ends))


class TestSystems(unittest.TestCase):
	"""RED-3: people's words for systems stand for what agents say."""

	def test_words(self):
		for agent, device, system in (
			(CHROME, "desktop", "windows"),
			(IPHONE, "mobile", "ios"),
			("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15",
				"desktop", "macos"),
			("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "desktop", "linux"),
			("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
				"desktop", "chrome os"),
			("Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1",
				"tablet", "ios"),
			("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36",
				"mobile", "android"),
		):  # fmt: skip
			found = describe(agent)
			self.assertEqual((found.device_type.lower(), rules.system_of(found.os)), (device, system), agent)
			rules.check("Device", [device])
			rules.check("OS", [system])

	def test_words_that_fit_nobody_are_told_with_those_that_do(self):
		for kind, word, hint in (
			("Device", "Phone", "Mobile"),
			("OS", "iPhone", "iOS"),
			("Country", "Germany", "DE"),
			("Country", "D", "DE"),
			("Language", "german!", "pt-BR"),
			("Language", "d", "de"),
		):
			with self.subTest(kind, word=word), self.assertRaisesRegex(rules.RuleError, f"{word}.*{hint}"):
				rules.check(kind, ["", word][1:])

	def test_any_text_may_be_a_parameters_value(self):
		rules.check("Query", ["x", "dark blue", "<script>"])


class TestPreferredLanguage(unittest.TestCase):
	"""RED-3: Accept-Language with its q values."""

	def test_table(self):
		for header, expected in (
			("", ""),
			("de", "de"),
			("de-AT,de;q=0.9,en;q=0.8", "de-at"),
			("en;q=0.5, de;q=0.9", "de"),
			("en;q=0.5,de ; q=0.9", "de"),
			("en,de", "en"),
			("en;q=0,de;q=0.1", "de"),
			("en;q=0", ""),
			("*", ""),
			("*;q=1,fr;q=0.2", "fr"),
			("en;q=2,de;q=0.1", "de"),
			("en;q=nan,de;q=0.1", "de"),
			("en;x=1,de;q=0.1", "de"),
			("<script>,fr", "fr"),
			("de_AT,fr", "fr"),
			(",,;q=1,", ""),
			("zh-Hant-TW", "zh-hant-tw"),
		):
			with self.subTest(header):
				self.assertEqual(preferred_language(header), expected)

	@given(st.text())
	def test_anything(self, header):
		found = preferred_language(header)
		self.assertTrue(found == "" or found in header.lower())

	def test_long_ones_are_not_read_to_the_end(self):
		self.assertEqual(preferred_language("x," * 100 + "de"), "")
		self.assertEqual(preferred_language("de," + "fr;q=0.5," * 10_000), "de")


class TestAnyRule(unittest.TestCase):
	"""RED-2: no request is too broken for a rule."""

	@given(
		st.sampled_from(["Device", "OS", "Country", "Language", "Query", "Date", "?"]),
		st.frozensets(st.text(max_size=5), max_size=3),
		st.text(max_size=5),
		st.builds(Traits, st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5)),
		st.text(),
	)
	def test_it_fits_or_not(self, kind, values, parameter, traits, query):
		one = Rule(kind, THERE, values, parameter)
		self.assertIs(fits(one, traits, query, NOW), fits(one, traits, query, NOW))
