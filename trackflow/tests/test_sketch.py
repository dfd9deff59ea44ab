"""How many different visitors there were, without their ids: the sketches of Daily Click Rollup (ROL-2)."""

import base64
import hashlib
import random
import zlib
from collections.abc import Iterable
from unittest import TestCase

from trackflow.click_rollups.sketch import REGISTERS, Sketch, of_text, place_of
from trackflow.tests.properties import given, st

# Of "", "a", "visitor" and "Zoë".
PLACES = [33_025, 109_061, 89_988, 3_841]
VISITORS = st.lists(st.integers(0, 2000).map(str), max_size=400)
DENSE = 3000


def place(visitor: str) -> int:
	"""Where a visitor stands, by the hash that a database makes."""
	digest = hashlib.md5(visitor.encode(), usedforsecurity=False).hexdigest()
	return place_of(digest[13:16], digest[:13])


def sketch_of(visitors: Iterable[str]) -> Sketch:
	return Sketch(map(place, visitors))


def _ids(number: int, seed: int) -> list[str]:
	chance = random.Random(seed)
	return [f"{chance.getrandbits(128):032x}" for _each in range(number)]


def _text(form: str, content: bytes) -> str:
	return form + base64.b64encode(content).decode()


class TestContent(TestCase):
	"""What is in a sketch depends on who was there, and on nothing else."""

	@given(VISITORS, st.randoms(use_true_random=False))
	def test_order_and_repetition_make_no_difference(
		self, visitors: list[str], chance: random.Random
	) -> None:
		others = visitors * 2
		chance.shuffle(others)
		self.assertEqual(sketch_of(visitors).text(), sketch_of(others).text())

	@given(VISITORS, VISITORS)
	def test_merged_is_the_sketch_of_both(self, some: list[str], others: list[str]) -> None:
		merged, second = sketch_of(some), sketch_of(others)
		merged.merge(second)
		self.assertEqual(merged.text(), sketch_of(some + others).text())
		# What was merged into another one is what it was.
		self.assertEqual(second.text(), sketch_of(others).text())

	@given(VISITORS, VISITORS, VISITORS)
	def test_days_may_be_merged_in_any_order(
		self, one: list[str], another: list[str], third: list[str]
	) -> None:
		texts = set()
		for order in ((one, another, third), (third, one, another), (another, third, one)):
			merged = Sketch()
			for visitors in order:
				merged.merge(of_text(sketch_of(visitors).text()))
			texts.add((merged.text(), merged.estimate()))
		self.assertEqual(len(texts), 1)

	@given(VISITORS)
	def test_a_text_says_all_of_it(self, visitors: list[str]) -> None:
		made = sketch_of(visitors)
		read = of_text(made.text())
		self.assertEqual((read.text(), read.estimate()), (made.text(), made.estimate()))
		read.add(place("somebody else"))
		made.add(place("somebody else"))
		self.assertEqual(read.text(), made.text())

	def test_few_and_many_are_written_in_two_forms(self) -> None:
		forms = set()
		for number in (1, 200, DENSE, 100_000):
			made = sketch_of(_ids(number, number))
			text = made.text()
			forms.add((number >= DENSE, text[0]))
			self.assertEqual(of_text(text).text(), text)
			# A row is bounded, however many came.
			self.assertLess(len(text), 4_000)
		self.assertEqual(forms, {(False, "s"), (True, "d")})

	def test_nobody(self) -> None:
		self.assertEqual((Sketch().text(), Sketch().estimate()), ("", 0))
		for text in ("", None):
			self.assertEqual(of_text(text).estimate(), 0)

	def test_stored_sketches_stay_readable(self) -> None:
		"""A place that changed would count everybody twice who was there before and after the update."""
		self.assertEqual([place(one) for one in ("", "a", "visitor", "Zoë")], PLACES)


class TestEstimate(TestCase):
	"""An estimate is within a few per cent; the standard error is 1.6."""

	def test_of_few_and_of_many(self) -> None:
		for number in (1, 10, 100, 1_000, 30_000, 300_000):
			with self.subTest(number):
				estimate = sketch_of(_ids(number, 7)).estimate()
				self.assertLessEqual(abs(estimate - number), number * 0.05)

	def test_errors_are_as_small_as_is_said(self) -> None:
		for number in (300, 4_000, 20_000):
			errors = [sketch_of(_ids(number, seed)).estimate() / number - 1 for seed in range(20)]
			with self.subTest(number):
				self.assertLess((sum(error**2 for error in errors) / len(errors)) ** 0.5, 0.024)
				# Neither too high nor too low as a rule.
				self.assertLess(abs(sum(errors) / len(errors)), 0.01)

	def test_days_with_visitors_in_common(self) -> None:
		ids = _ids(30_000, 3)
		merged = Sketch()
		for begin in range(0, 20_000, 5_000):
			merged.merge(sketch_of(ids[begin : begin + 15_000]))
		self.assertLessEqual(abs(merged.estimate() - 30_000), 30_000 * 0.05)


class TestWrongTexts(TestCase):
	"""A text that is none is a ValueError, never a wrong number."""

	def test_broken_texts(self) -> None:
		few, many = sketch_of(_ids(9, 1)).text(), sketch_of(_ids(DENSE, 1)).text()
		packed = base64.b64decode(many[1:])
		for name, text in (
			("another form", "x" + few[1:]),
			("no form", few[1:]),
			("few cut off", few[:-1]),
			("few, an entry cut off", _text("s", base64.b64decode(few[1:])[:-1])),
			("few, no base64", few[:5] + "%" + few[6:]),
			("few, no ASCII", few[:5] + "ä" + few[6:]),
			("few, a register that there is not", _text("s", (REGISTERS << 6 | 1).to_bytes(3, "big"))),
			("few, a rank that there is not", _text("s", (1 << 6 | 54).to_bytes(3, "big"))),
			("few, a rank of nothing", _text("s", (1 << 6).to_bytes(3, "big"))),
			("many cut off", many[:40]),
			("many, no base64", many[:40] + "%%%%" + many[44:]),
			("many, cut off before it was written", _text("d", packed[:-20])),
			("many, not packed", _text("d", bytes(REGISTERS))),
			("many, too few registers", _text("d", zlib.compress(bytes([1]) * (REGISTERS - 1)))),
			("many, too many registers", _text("d", zlib.compress(bytes([1]) * (REGISTERS + 1)))),
			("many, a rank that there is not", _text("d", zlib.compress(bytes([54]) * REGISTERS))),
		):
			with self.subTest(name), self.assertRaises(ValueError):
				of_text(text)

	@given(st.text(max_size=30))
	def test_any_text(self, text: str) -> None:
		for one in (text, f"s{text}", f"d{text}"):
			try:
				read = of_text(one)
			except ValueError:
				continue
			self.assertGreaterEqual(read.estimate(), 0)

	@given(st.binary(max_size=60))
	def test_any_content(self, content: bytes) -> None:
		for text in (_text("s", content), _text("d", content), _text("d", zlib.compress(content))):
			try:
				read = of_text(text)
			except ValueError:
				continue
			self.assertEqual(of_text(read.text()).text(), read.text())
			self.assertGreaterEqual(read.estimate(), 0)
