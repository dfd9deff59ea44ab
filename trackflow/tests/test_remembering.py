"""What is remembered of strangers' texts: right, and bounded (SEC-4). Pure."""

from __future__ import annotations

import unittest

from trackflow.remembering import remembered
from trackflow.tests.properties import given, st


class TestRemembered(unittest.TestCase):
	"""SEC-4: whatever is asked, the answer is the function's, and memory has a bound."""

	@given(st.integers(1, 20), st.lists(st.text("ab", max_size=6) | st.none(), max_size=120))
	def test_answers_as_the_function_does(self, count, texts):
		function = remembered(count, longest=4)(lambda text: (text or "").upper())
		for text in texts:
			self.assertEqual(function(text), (text or "").upper())
			self.assertLessEqual(len(function.__self__), count)
		self.assertFalse([text for text in function.__self__ if text and len(text) > 4])

	def test_asks_once_until_it_is_forgotten(self):
		asked = []
		function = remembered(8)(asked.append)
		for text in "aabbab":
			function(text)
		self.assertEqual(asked, ["a", "b"])
		for text in "cdefgh" + "i":
			function(text)
		function("i")
		function("a")
		self.assertEqual(asked, [*"abcdefghi", "a"])

	def test_what_fails_is_not_remembered(self):
		function = remembered(8)(int)
		for _time in range(2):
			with self.assertRaises(ValueError):
				function("x")
		self.assertEqual(len(function.__self__), 0)
