"""Link Templates: what is refused on save, what a value may be, what becomes of it in an address (LNK-5)."""

import unittest
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import frappe
from frappe.model.document import Document

from trackflow.links import templates, templating
from trackflow.links.templating import TemplateError, Variable
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.properties import given, st
from trackflow.tests.test_permissions import CAMPAIGNER, NOBODY, PermissionTestCase

CITY = {"variable_name": "city", "variable_type": "Text", "is_required": 1}
METHOD = "/api/method/trackflow.api.links."


class TestValues(unittest.TestCase):
	"""LNK-5: values are typed and checked; the words say which and why."""

	def refuse(self, value: Any, words: str, **variable: Any) -> None:
		with self.subTest(ascii((value, variable))), self.assertRaisesRegex(TemplateError, words) as caught:
			Variable("x", **variable).check(value)
		self.assertEqual(caught.exception.variable, "x")

	def test_text(self) -> None:
		rules = {"min_length": 2, "max_length": 4, "pattern": "[A-Z]+"}
		self.assertEqual(Variable("x", rules=rules).check(" ABC "), "ABC")
		for value, words in (
			("A", "at least 2"),
			("ABCDE", "at most 4"),
			("abc", "pattern"),
			("AB\n9", "pattern"),
		):
			self.refuse(value, words, rules=rules)
		self.refuse("x" * 501, "too long")

	def test_patterns_take_no_ages(self) -> None:
		"""SEC-4: each of these keeps an engine that tries all ways through it busy for hours."""
		for pattern, value in (
			("(a+)+b", "a" * 500),
			("(a|a){30}b", "a" * 40),
			("(a*){12}b", "a" * 500),
			("(a{1,9}){20}b", "a" * 100),
			(".*.*.*.*.*.*.*.*x", "a" * 500),
			("(?:a|a)?" * 25 + "b", "a" * 26),
			("(a?){30}a{30}b", "a" * 29),
			("(?i:a+)" * 8 + "b", "a" * 500),
		):
			self.refuse(value, "does not fit the pattern", rules={"pattern": pattern})
		self.assertEqual(Variable("x", rules={"pattern": "(a+)+b"}).check("aab"), "aab")
		self.assertEqual(Variable("x", rules={"pattern": r"\p{L}{1,100}"}).check("Łódź"), "Łódź")

	def test_patterns_that_are_none(self) -> None:
		for pattern, words in (
			(r"(a)\1", r"invalid escape.*Backreferences and look-around are not known"),
			("(?=a)a", "look-around are not known"),
			("((a{1000}){1000})", "no regular expression"),
			(r"(?:\p{L}{0,30}){30}", "too large"),
			(["a"], "must be a text"),
			("\ud800", "must be a text"),
		):
			with self.subTest(ascii(pattern)), self.assertRaisesRegex(TemplateError, words):
				Variable("x", rules={"pattern": pattern})

	def test_halves_of_characters_in_values(self) -> None:
		self.refuse("\ud800", "no text can hold")
		self.refuse("\ud800", "no text can hold", rules={"pattern": ".*"})

	def test_numbers(self) -> None:
		for value in (1, "1.5", "-3", 10):
			self.assertEqual(Variable("x", "Number").check(value), str(value))
		for value in ("1,5", "1e5", "NaN", "Infinity", "0x10", "١", True, "9" * 16):
			self.refuse(value, "no number", type="Number")
		self.refuse(0, "below 1", type="Number", rules={"min": 1})
		self.refuse("10.01", "above 10", type="Number", rules={"max": 10})

	def test_dates(self) -> None:
		self.assertEqual(Variable("x", "Date").check("2026-02-28"), "2026-02-28")
		for value in ("2026-02-30", "28.02.2026", "20260228", "tomorrow"):
			self.refuse(value, "no date", type="Date")
		self.refuse("2025-12-31", "below", type="Date", rules={"min": "2026-01-01"})

	def test_choices(self) -> None:
		rules = {"choices": ["red", "blue"]}
		self.assertEqual(Variable("x", "Choice", rules=rules).check("red"), "red")
		self.refuse("Red", "none of red, blue", type="Choice", rules=rules)

	def test_urls(self) -> None:
		url = "https://shop.example.com/a?b=c#d"
		self.assertEqual(Variable("x", "URL").check(url), url)
		for value in (
			"shop.example.com",
			"javascript:alert(1)",
			"https://u:p@shop.example.com",
			"https://a b",
		):
			self.refuse(value, "x: The", type="URL")

	def test_defaults_and_missing_values(self) -> None:
		self.assertEqual(Variable("x").check(None), "")
		self.assertEqual(Variable("x", default="d", required=True).check(""), "d")
		self.refuse(" ", "a value is needed", required=True)

	def test_variables_that_cannot_be(self) -> None:
		for values, words in (
			({"name": "a b"}, "no name"),
			({"name": "1a"}, "no name"),
			({"type": "Colour"}, "type is one of"),
			({"rules": {"max": 1}}, "has no rule max"),
			({"rules": {"max_length": "2"}}, "whole number"),
			({"rules": {"pattern": "("}}, "regular expression"),
			({"type": "Number", "rules": {"min": "a"}}, "min is no number"),
			({"type": "Date", "rules": {"max": "soon"}}, "max is no date"),
			({"type": "Choice"}, "choices"),
			({"type": "Choice", "rules": {"choices": [1]}}, "choices"),
			({"type": "Number", "default": "many"}, "The default does not fit"),
		):
			with self.subTest(ascii(values)), self.assertRaisesRegex(TemplateError, words):
				Variable(**{"name": "x", **values})

	def test_unknown_values(self) -> None:
		with self.assertRaisesRegex(TemplateError, "no variable town"):
			templating.check_values([Variable("city")], {"town": "Berlin"})


class TestAddresses(unittest.TestCase):
	"""LNK-5: a value is one component of the address, whatever it holds."""

	@given(st.text(max_size=40), st.text(max_size=40))
	def test_a_value_stays_where_it_is_put(self, path: str, query: str) -> None:
		values = {
			"p": path.encode("utf-8", "replace").decode(),
			"q": query.encode("utf-8", "replace").decode(),
		}
		url = templating.fill_url("https://shop.example.com/a/{p}/b?x=1&q={q}&y=2#{p}", values)
		parts = urlsplit(url)
		self.assertEqual(parts.netloc, "shop.example.com")
		self.assertEqual([unquote(part) for part in parts.path.split("/")], ["", "a", values["p"], "b"])
		wanted = [("x", "1"), ("q", values["q"]), ("y", "2")]
		self.assertEqual(parse_qsl(parts.query, keep_blank_values=True), wanted)
		self.assertEqual(unquote(parts.fragment), values["p"])

	def test_a_whole_address(self) -> None:
		values = {"u": "https://shop.example.com/a?b=c"}
		self.assertEqual(templating.fill_url("{u}&ref=1", values), "https://shop.example.com/a?b=c&ref=1")
		inside = templating.fill_url("https://go.example.com/?next={u}", values)
		self.assertEqual(inside, "https://go.example.com/?next=https%3A%2F%2Fshop.example.com%2Fa%3Fb%3Dc")


class TestTemplatesOnSave(TrackFlowTestCase):
	"""LNK-5: a template that could make no link is refused on save."""

	def make(self, url: str, *rows: dict[str, Any], **values: Any) -> Document:
		values = {"template_name": url[:60], "url_template": url, "variables": list(rows), **values}
		return frappe.get_doc({"doctype": "Link Template", **values}).insert()

	def tearDown(self) -> None:
		frappe.db.rollback()
		super().tearDown()

	def test_what_is_refused(self) -> None:
		for url, words in (
			("https://example.com/{city", "braces do not pair"),
			("https://example.com/city}", "braces do not pair"),
			("https://example.com/{{city}}", "braces do not pair"),
			("https://example.com/{}", "names no variable"),
			("https://example.com/{a b}", "names no variable"),
			("https://example.com/{town}", "not listed: town"),
			("https://example.com/", "nothing names: city"),
			("{city}", "must be of the type URL"),
			("ftp://example.com/{city}", "must begin with"),
			("javascript:{city}", "must begin with"),
		):
			with self.subTest(ascii(url)), self.assertRaisesRegex(frappe.ValidationError, words):
				self.make(url, CITY)
		with self.assertRaisesRegex(frappe.ValidationError, "Two variables"):
			self.make("https://example.com/{city}", CITY, CITY)

	def test_texts_name_variables_too(self) -> None:
		self.make("https://example.com/", CITY, link_title="Sale in {city}")
		with self.assertRaisesRegex(frappe.ValidationError, "not listed: town"):
			self.make("https://example.com/{city}", CITY, content="{town}")


class TestMakingLinks(PermissionTestCase):
	"""LNK-5: a template makes one link, or many."""

	def setUp(self) -> None:
		super().setUp()
		rows = [
			CITY,
			{
				"variable_name": "colour",
				"variable_type": "Choice",
				"validation_rules": '{"choices": ["red", "light blue"]}',
				"default_value": "red",
			},
		]
		frappe.delete_doc("Link Template", "City Sale", force=True, ignore_missing=True)
		self.template = frappe.get_doc(
			{
				"doctype": "Link Template",
				"template_name": "City Sale",
				"url_template": "https://shop.example.com/{city}?c={colour}",
				"link_title": "Sale in {city}",
				"content": "{colour}",
				"source": "poster",
				"variables": rows,
			}
		).insert()

	def tearDown(self) -> None:
		frappe.db.rollback()
		frappe.delete_doc("Link Template", "City Sale", force=True, ignore_missing=True)
		frappe.db.commit()
		super().tearDown()

	def call(self, method: str, user: str | None = CAMPAIGNER, **values: Any) -> Any:
		headers = self.authorization(user)
		return self.request("POST", METHOD + method, headers=headers, json=values)

	def test_one(self) -> None:
		answer = self.call("make_link", template="City Sale", values={"city": "São Paulo/1"})
		self.assertEqual(answer.status_code, 200, answer.text)
		link = frappe.get_doc("Tracked Link", answer.json["message"]["name"])
		self.assertEqual(link.target_url, "https://shop.example.com/S%C3%A3o%20Paulo%2F1?c=red")
		self.assertEqual((link.title, link.content, link.source), ("Sale in São Paulo/1", "red", "poster"))
		self.assertEqual(link.template, "City Sale")
		self.assertTrue(answer.json["message"]["short_url"].endswith(f"/r/{link.short_code}"))

	def test_one_with_wrong_values(self) -> None:
		for values, words in (
			({}, "city: a value is needed"),
			({"city": "x", "town": "y"}, "no variable town"),
			({"city": "x", "colour": "green"}, "none of red, light blue"),
		):
			answer = self.call("make_link", template="City Sale", values=values)
			self.assertEqual(answer.status_code, 417, answer.text)
			self.assertIn(words, answer.text)

	def test_many_from_a_list(self) -> None:
		rows = [{"city": "Bonn"}, {"city": ""}, {"city": "Ulm", "colour": "light blue"}]
		answer = self.call("make_links", template="City Sale", rows=rows).json["message"]
		self.assertEqual((answer["created"], answer["failed"]), (2, 1))
		self.assertEqual(
			answer["rows"][1],
			{"row": 2, "errors": [{"field": "city", "message": "city: a value is needed."}]},
		)
		self.assertEqual(frappe.db.count("Tracked Link", {"template": "City Sale"}), 2)

	def test_many_from_a_csv(self) -> None:
		answer = self.call("make_links", template="City Sale", csv="city;colour\r\nBonn;red\r\nUlm;\r\n")
		self.assertEqual(answer.json["message"]["created"], 2)
		answer = self.call("make_links", template="City Sale", csv="town\nBonn\n").json["message"]
		self.assertIn("no variable town", answer["rows"][0]["errors"][0]["message"])

	def test_who_may_and_what_is_off(self) -> None:
		for user in (None, NOBODY):
			for method in ("make_link", "make_links"):
				self.assertEqual(self.call(method, user, template="City Sale").status_code, 403)
		self.assertEqual(self.call("make_link", template="Nothing", values={}).status_code, 404)
		self.assertEqual(self.call("make_links", template="City Sale", rows=[]).status_code, 417)
		self.template.is_active = 0
		self.template.save()
		self.assertIn("switched off", self.call("make_link", template="City Sale", values={"city": "x"}).text)

	def test_halves_of_characters(self) -> None:
		"""SEC-4: said in words, wherever they stand."""
		for values in (
			{"template": "\ud800", "values": {"city": "x"}},
			{"template": "City Sale", "values": {"city": "\ud800"}},
		):
			answer = self.call("make_link", **values)
			self.assertEqual(answer.status_code, 417, answer.text)
			self.assertIn("no text can hold", answer.text)
		answer = self.call("make_links", template="\ud800", rows=[{}])
		self.assertEqual(answer.status_code, 417, answer.text)

	def test_a_template_can_be_deleted_in_use(self) -> None:
		templates.make_link("City Sale", {"city": "Bonn"})
		self.assertEqual(frappe.db.count("Tracked Link", {"template": "City Sale"}), 1)
