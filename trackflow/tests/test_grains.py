"""A day's figures sum alike at all grains, whatever was spent and credited (ROL-1)."""

from datetime import date
from decimal import Decimal
from unittest import TestCase

from trackflow.costs.exchange import Rate, Rates
from trackflow.naming import key_name
from trackflow.rollups.grains import (
	AD,
	CAMPAIGN,
	GRAINS,
	ORGANIZATION,
	PLATFORM,
	ZERO,
	Cost,
	Counted,
	Credited,
	Figures,
	Place,
	amounts_of,
	amounts_text,
	figures_by_grain,
)
from trackflow.tests.properties import given, st

DAY = date(2026, 3, 16)
RATES = (Rate(DAY, "EUR", "USD", Decimal("1.0837")), Rate(DAY, "USD", "GBP", Decimal("0.77")))
COUNTED = Counted({"Lead"}, {"Deal Won"})
TEXTS = st.sampled_from(["", "a", "A", "b", "ß", "a\x1fb", "b\x1fb"])
PLACES = st.builds(Place, TEXTS, TEXTS, TEXTS, TEXTS)
AMOUNTS = st.integers(0, 10**12).map(lambda number: Decimal(number).scaleb(-9))
KNOWN = st.sampled_from(["EUR", "GBP", "USD"])


def costs(currencies: st.SearchStrategy[str]) -> st.SearchStrategy[list[Cost]]:
	number = st.integers(0, 99)
	return st.lists(st.builds(Cost, PLACES, currencies, number, number, AMOUNTS), max_size=12)


def credits(currencies: st.SearchStrategy[str]) -> st.SearchStrategy[list[Credited]]:
	types = st.sampled_from(["Lead", "Deal Won", "Purchase"])
	return st.lists(st.builds(Credited, PLACES, currencies, types, AMOUNTS, AMOUNTS), max_size=12)


def total(places: dict[Place, Figures]) -> Figures:
	found = Figures()
	for figures in places.values():
		found.add(figures)
	return found


class TestGrains(TestCase):
	"""ROL-1: sums over any grain equal sums over any other, for every figure."""

	@given(costs(KNOWN), credits(KNOWN))
	def test_all_grains_sum_alike(self, some: list[Cost], more: list[Credited]) -> None:
		found = figures_by_grain(DAY, some, more, Rates("USD", RATES), COUNTED)
		wanted = total(found[ORGANIZATION])
		for grain in GRAINS:
			self.assertEqual(total(found[grain]), wanted)
			self.assertEqual(len({key_name(*place) for place in found[grain]}), len(found[grain]))
		self.assertEqual(wanted.clicks, sum(cost.clicks for cost in some))
		self.assertEqual(
			wanted.conversions, sum(row.conversions for row in more if row.conversion_type == "Lead")
		)
		original = sum(cost.spend for cost in some if cost.currency == "EUR")
		self.assertEqual(wanted.original.get("EUR", ZERO), original)
		earned = sum(
			row.value for row in more if row.currency == "EUR" and row.conversion_type in COUNTED.valued
		)
		self.assertEqual(wanted.original_value.get("EUR", ZERO), earned)

	@given(st.dictionaries(st.sampled_from(["USD", "EUR", ""]), AMOUNTS))
	def test_amounts_are_stored_exactly(self, amounts: dict[str, Decimal]) -> None:
		text = amounts_text(amounts)
		self.assertEqual(
			amounts_of(text) if text else {}, {name: one for name, one in amounts.items() if one}
		)

	@given(costs(st.sampled_from(["USD", "CHF", ""])), credits(st.sampled_from(["USD", "", "CHF"])))
	def test_what_is_not_known_is_not_known_at_any_grain(
		self, some: list[Cost], more: list[Credited]
	) -> None:
		found = figures_by_grain(DAY, some, more, Rates("USD", RATES), COUNTED)
		sums = [total(found[grain]) for grain in GRAINS]
		self.assertEqual(len({(one.spend, one.value) for one in sums}), 1)
		lacking = {cost.currency or "?" for cost in some if cost.currency != "USD" and cost.spend}
		self.assertEqual(sums[0].spend is None, bool(lacking))
		self.assertEqual(sums[0].spend_lacks, lacking)

	@given(costs(KNOWN), credits(KNOWN))
	def test_the_order_makes_no_difference(self, some: list[Cost], more: list[Credited]) -> None:
		rates = Rates("USD", RATES)
		found = figures_by_grain(DAY, some, more, rates, COUNTED)
		self.assertEqual(figures_by_grain(DAY, some[::-1], more[::-1], rates, COUNTED), found)

	def test_nothing_gives_no_rows(self) -> None:
		nothing = [Cost(Place("Meta"), "USD", 0, 0, ZERO)]
		found = figures_by_grain(DAY, nothing, [], Rates("USD"), COUNTED)
		self.assertEqual(found, {grain: {} for grain in GRAINS})

	def test_what_has_no_entity_is_in_the_row_without_a_name(self) -> None:
		some = [Cost(Place("Meta"), "USD", 0, 1, Decimal(5))]
		more = [Credited(Place("Meta", "Spring", "x", "1"), "USD", "Lead", Decimal(1), ZERO)]
		found = figures_by_grain(DAY, some, more, Rates("USD"), COUNTED)
		self.assertEqual(set(found[ORGANIZATION]), {Place()})
		self.assertEqual(set(found[PLATFORM]), {Place("Meta")})
		self.assertEqual(set(found[CAMPAIGN]), {Place("Meta"), Place("Meta", "Spring")})
		self.assertEqual(found[CAMPAIGN][Place("Meta")].spend, 5)
		self.assertEqual(found[AD][Place("Meta", "Spring", "x", "1")].conversions, 1)

	def test_costs_and_credits_meet_whatever_the_case(self) -> None:
		some = [Cost(Place("Google Ads", "123"), "USD", 0, 1, Decimal(5))]
		more = [Credited(Place("google ads", " 123"), "USD", "Lead", Decimal(1), ZERO)]
		found = figures_by_grain(DAY, some, more, Rates("USD"), COUNTED)
		self.assertEqual(list(found[CAMPAIGN]), [Place("Google Ads", "123")])

	def test_accents_and_blanks_are_one_however_they_are_written(self) -> None:
		some = [Cost(Place("Meta", "Caf\u00e9 noir"), "USD", 0, 1, Decimal(5))]
		more = [Credited(Place("Meta", "cafe\u0301  noir"), "USD", "Lead", Decimal(1), ZERO)]
		found = figures_by_grain(DAY, some, more, Rates("USD"), COUNTED)
		self.assertEqual(list(found[CAMPAIGN]), [Place("Meta", "Caf\u00e9 noir")])

	def test_types_that_do_not_count_stand_by_themselves(self) -> None:
		more = [
			Credited(Place(), "USD", "Lead", Decimal(1), Decimal(7)),
			Credited(Place(), "USD", "Deal Won", Decimal("0.5"), Decimal(40)),
			Credited(Place(), "USD", "Purchase", Decimal("0.25"), Decimal(9)),
		]
		[found] = figures_by_grain(DAY, [], more, Rates("USD"), COUNTED)[ORGANIZATION].values()
		self.assertEqual((found.conversions, found.value), (1, 40))
		self.assertEqual(found.others, {"Deal Won": Decimal("0.5"), "Purchase": Decimal("0.25")})
