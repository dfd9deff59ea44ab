"""Amounts in the reporting currency by the day's rate, and never by a guess (ROL-1)."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from unittest import TestCase

from trackflow.costs import rates
from trackflow.costs.exchange import DAYS_BEFORE, Rate, Rates, as_number, exact
from trackflow.tests.base import TrackFlowTestCase, counted_statements
from trackflow.tests.factories import make_rate, set_settings
from trackflow.tests.properties import given, st

DAY = date(2026, 3, 16)


def rate(value: str, day: date = DAY, pair: tuple[str, str] = ("EUR", "USD")) -> Rate:
	return Rate(day, *pair, Decimal(value))


class TestAmounts(TestCase):
	"""ROL-1: out of a database and into JSON nothing is lost that is stored."""

	@given(st.integers(-(10**14), 10**14))
	def test_there_and_back(self, number: int) -> None:
		amount = Decimal(number).scaleb(-9)
		self.assertEqual(exact(as_number(amount)), amount)
		self.assertEqual(exact(str(amount)).as_tuple().exponent, -9)

	def test_nothing(self) -> None:
		self.assertEqual((exact(None), exact(""), as_number(None)), (0, 0, None))


class TestConversion(TestCase):
	"""ROL-1: the day's rate, the pair's or the other way round, else the newest of a week."""

	def test_the_days_own_rate_is_taken(self) -> None:
		rates = Rates(
			"USD", [rate("1.1"), rate("1.2", DAY - timedelta(days=1)), rate("9", DAY + timedelta(days=1))]
		)
		self.assertEqual(rates.convert(Decimal(10), "EUR", DAY), Decimal(11))

	def test_the_other_way_round_is_exact(self) -> None:
		rates = Rates("EUR", [rate("3")])
		self.assertEqual(rates.convert(Decimal(10), "USD", DAY), Decimal("3.333333333"))
		self.assertEqual(rates.factor("USD", DAY), Fraction(1, 3))

	def test_a_rate_of_the_pair_itself_goes_before_its_inverse(self) -> None:
		both = [rate("1.1"), rate("0.5", pair=("USD", "EUR"))]
		for some in (both, both[::-1]):
			self.assertEqual(Rates("USD", some).convert(Decimal(10), "EUR", DAY), Decimal(11))

	def test_a_day_without_one_takes_the_newest_of_a_week_before(self) -> None:
		rates = Rates("USD", [rate("1.1"), rate("1.3", DAY - timedelta(days=2))])
		self.assertEqual(rates.convert(Decimal(10), "EUR", DAY + timedelta(days=DAYS_BEFORE)), Decimal(11))
		self.assertFalse(rates.missing)

	def test_what_has_no_rate_is_empty_and_remembered(self) -> None:
		rates = Rates("USD", [rate("1.1"), rate("0", DAY + timedelta(days=1), ("GBP", "USD"))])
		late, early = DAY + timedelta(days=DAYS_BEFORE + 1), DAY - timedelta(days=1)
		self.assertIsNone(rates.convert(Decimal(10), "EUR", late))
		self.assertIsNone(rates.convert(Decimal(10), "EUR", early))
		self.assertIsNone(rates.convert(Decimal(10), "GBP", late))
		self.assertEqual(rates.missing, {(late, "EUR"), (early, "EUR"), (late, "GBP")})

	def test_the_same_currency_and_nothing_need_no_rate(self) -> None:
		rates = Rates("USD")
		self.assertEqual(rates.convert(Decimal("9.99"), "USD", DAY), Decimal("9.99"))
		self.assertEqual(rates.convert(Decimal(0), "EUR", DAY), 0)
		self.assertFalse(rates.missing)

	@given(
		st.decimals(0, 10**9, places=2),
		st.decimals(Decimal("0.000001"), 10**6, places=6),
		st.booleans(),
	)
	def test_what_is_converted_is_off_by_half_of_the_last_place_at_most(
		self, amount: Decimal, value: Decimal, is_inverse: bool
	) -> None:
		pair = ("USD", "EUR") if is_inverse else ("EUR", "USD")
		found = Rates("USD", [Rate(DAY, *pair, value)]).convert(amount, "EUR", DAY)
		exact = Fraction(amount) / Fraction(value) if is_inverse else Fraction(amount) * Fraction(value)
		self.assertLessEqual(abs(Fraction(found) - exact), Fraction(1, 2 * 10**9))


class TestStoredRates(TrackFlowTestCase):
	"""ROL-1: a range's rates come by one statement, into the reporting currency."""

	def test_those_of_the_days_and_of_the_week_before_are_read(self) -> None:
		set_settings(reporting_currency="USD")
		make_rate(DAY - timedelta(days=DAYS_BEFORE), 1.25)
		make_rate(DAY - timedelta(days=DAYS_BEFORE), 0.8, "USD", "GBP")
		make_rate(DAY + timedelta(days=1), 7)
		rates.load(DAY, DAY)
		with counted_statements() as statements:
			found = rates.load(DAY, DAY)
		self.assertEqual(found.into, "USD")
		self.assertEqual(found.convert(Decimal(4), "EUR", DAY), Decimal(5))
		self.assertEqual(found.convert(Decimal(4), "GBP", DAY), Decimal(5))
		self.assertEqual(found.convert(Decimal(4), "EUR", DAY + timedelta(days=1)), None)
		self.assertEqual(len([one for one in statements if "Exchange Rate" in one]), 1)
