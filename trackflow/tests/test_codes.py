"""Short codes: how they are made, read and refused (LNK-1)."""

from __future__ import annotations

import unittest

from trackflow.links.codes import ALPHABET, MAX_LENGTH, RESERVED, CodeError, check, make_code, normalise
from trackflow.tests.properties import given, st


class TestMakeCode(unittest.TestCase):
	"""LNK-1: random codes without look-alikes."""

	def test_the_alphabet_has_no_look_alikes_and_no_capitals(self):
		self.assertEqual(len(ALPHABET), len(set(ALPHABET)))
		self.assertEqual(ALPHABET, ALPHABET.lower())
		self.assertTrue(set("0o1li").isdisjoint(ALPHABET))

	def test_default_length_is_six(self):
		self.assertEqual(len(make_code()), 6)

	def test_the_choice_is_the_callers(self):
		self.assertEqual(make_code(4, choice=lambda letters: letters[-1]), "zzzz")

	def test_a_reserved_word_is_drawn_again(self):
		letters = iter("qrab")
		self.assertEqual(make_code(2, choice=lambda _alphabet: next(letters)), "ab")

	def test_impossible_lengths(self):
		for length in (-1, 0, MAX_LENGTH + 1):
			with self.subTest(length=length), self.assertRaises(CodeError):
				make_code(length)

	@given(st.integers(1, MAX_LENGTH))
	def test_every_code_made_is_allowed_and_normal(self, length):
		code = make_code(length)
		check(code)
		self.assertEqual(len(code), length)
		self.assertEqual(normalise(code), code)

	def test_codes_do_not_repeat_early(self):
		self.assertGreater(len({make_code() for _ in range(1000)}), 990)


class TestNormalise(unittest.TestCase):
	"""LNK-1: look-up ignores case and the blanks around a code."""

	def test_table(self):
		for code, expected in (
			(" K3x9P2 ", "k3x9p2"),
			("Spring-Sale_26\n", "spring-sale_26"),
			("", ""),
			(None, ""),
		):
			with self.subTest(code=code):
				self.assertEqual(normalise(code), expected)

	@given(st.text())
	def test_is_idempotent(self, text):
		self.assertEqual(normalise(normalise(text)), normalise(text))


class TestCheck(unittest.TestCase):
	"""LNK-1: letters, digits, hyphen and underscore; reserved words refused."""

	def test_allowed(self):
		for code in ("a", "A", "0", "Spring-Sale_26", "-", "_", "x" * MAX_LENGTH, "apis"):
			with self.subTest(code=code):
				check(code)

	def test_refused(self):
		for code in (
			"",
			" ",
			"a b",
			"a/b",
			"a.b",
			"a%20",
			"ä",
			"٣",
			"a\n",
			"x" * (MAX_LENGTH + 1),
			"api",
			"API",
			"QR",
		):
			with self.subTest(code=code), self.assertRaises(CodeError):
				check(code)

	def test_every_reserved_word_is_refused(self):
		for word in RESERVED:
			with self.subTest(word=word), self.assertRaisesRegex(CodeError, "reserved"):
				check(word)

	@given(st.text(max_size=80))
	def test_what_is_allowed_needs_no_encoding_in_a_path(self, code):
		try:
			check(code)
		except CodeError as error:
			self.assertTrue(str(error))
		else:
			self.assertRegex(code, r"\A[A-Za-z0-9_-]{1,64}\Z")
