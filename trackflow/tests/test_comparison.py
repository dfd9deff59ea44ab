"""Models side by side (ATT-7): the arithmetic, and the site's figures worked out with a pencil."""

import json
import unittest
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import frappe

from trackflow.attribution import comparing, run, telling_paths
from trackflow.attribution.comparison import PLACES, Credited, at_place, compare
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.factories import (
	VISITOR,
	changed_model,
	make_campaign,
	make_conversion,
	make_journey,
	make_link,
	make_touch,
	make_visitor,
	set_settings,
)
from trackflow.tests.properties import given, st

END = datetime(2026, 3, 10, 12)
DAY = timedelta(days=1)
MARCH = date(2026, 3, 1), date(2026, 3, 31)
NOTHING = {"conversions": 0, "value": {}, "share": 0}

MODELS = ("Last Touch", "Linear")
ROWS = st.lists(
	st.builds(
		Credited,
		st.sampled_from(MODELS),
		st.just(False),
		st.none() | st.sampled_from(["", "Email", "Direct"]),
		st.sampled_from(["", "EUR", "USD"]),
		st.integers(0, 10**12).map(lambda number: number / 10**9),
		st.integers(-(10**7), 10**7).map(lambda number: number / 100),
		st.sampled_from(PLACES),
	)
	| st.builds(Credited, st.sampled_from(MODELS), st.just(True), st.none(), st.just("EUR"), st.just(1.0), st.just(0.1), st.just("")),
	max_size=30,
)  # fmt: skip


class TestSums(unittest.TestCase):
	"""ATT-7: parts add up to the totals, to the last of nine places."""

	@given(ROWS)
	def test_parts_are_the_whole(self, rows: list[Credited]) -> None:
		found = compare(rows, MODELS)
		lines = [*found.groups.values(), found.unattributed, *([found.others] if found.others else [])]
		for model in MODELS:
			own = [row for row in rows if row.model == model]
			conversions = sum((round(Decimal(row.conversions), 9) for row in own), Decimal(0))
			self.assertEqual(found.totals[model].conversions, conversions)
			self.assertEqual(sum(line[model].conversions for line in lines), conversions)
			for currency in found.currencies:
				amounts = [line[model].value.get(currency, Decimal(0)) for line in lines]
				value = sum(
					(round(Decimal(row.value), 9) for row in own if row.currency == currency), Decimal(0)
				)
				self.assertEqual(sum(amounts), value)
				self.assertEqual(found.totals[model].value.get(currency, 0), value)

	@given(ROWS)
	def test_positions_are_their_line(self, rows: list[Credited]) -> None:
		found = compare(rows, MODELS)
		for line in (*found.groups.values(), *([found.others] if found.others else [])):
			parts = [at_place(line, place) for place in PLACES]
			for model in MODELS:
				whole = line[model]
				self.assertEqual(sum(part[model].conversions for part in parts), whole.conversions)
				for currency in found.currencies:
					amounts = sum(part[model].value.get(currency, Decimal(0)) for part in parts)
					self.assertEqual(amounts, whole.value.get(currency, 0))
		self.assertFalse(any(figures.places for figures in found.unattributed.values()))

	@given(ROWS)
	def test_groups_by_size(self, rows: list[Credited]) -> None:
		found = compare(rows, MODELS)
		sizes = [line["Last Touch"].conversions for line in found.groups.values()]
		self.assertEqual(sizes, sorted(sizes, reverse=True))
		self.assertEqual(
			found.others is None, not any(row.group is None and not row.is_unattributed for row in rows)
		)

	def test_no_share_of_nothing(self) -> None:
		found = compare([], MODELS)
		self.assertIsNone(found.share("Linear", found.unattributed["Linear"]))


class ComparisonTestCase(TrackFlowTestCase):
	"""A site where purchases are what counts and what has a value."""

	def setUp(self) -> None:
		super().setUp()
		self.number = 0
		set_settings(counted_conversion_types="Purchase", valued_conversion_types="Purchase")

	def person(self, *channels: str, at: datetime = END, **values: Any) -> str:
		"""Somebody with touches of these channels, one a day, the last one at the conversion's moment."""
		visitor = self.visitor()
		make_journey(visitor, *channels, end=at)
		return make_conversion(visitor, at, **values)

	def visitor(self) -> str:
		self.number += 1
		return make_visitor(VISITOR.format(self.number))

	def story(self) -> None:
		"""Two conversions: one of three touches, one of e-mail alone."""
		self.person("Email", "Paid Search", "Direct", value=100)
		self.person("Email", value=50.01)
		run.credit_pending()

	def compared(self, group_by: str = "channel", conversion_type: str = "") -> dict[str, Any]:
		return comparing.comparison_answer(*MARCH, group_by, conversion_type)

	def told(self, figures: dict[str, Any]) -> dict[str, Any]:
		"""Figures without those that costs and rates give."""
		return {name: figures[name] for name in NOTHING}

	def by_group(self, group_by: str, model: str = "Linear") -> dict[str, float]:
		"""What a model credits to each group, in conversions."""
		found = self.compared(group_by)
		return {line["group"]: line["figures"][model]["conversions"] for line in found["groups"]}


class TestByHand(ComparisonTestCase):
	"""ATT-7: two conversions under three models, worked out with a pencil."""

	def setUp(self) -> None:
		super().setUp()
		self.story()
		self.found = self.compared()

	def figures(self, model: str) -> dict[str, tuple[float, float, float]]:
		return {
			line["group"]: (one["conversions"], one["value"].get("USD", 0), one["share"])
			for line in self.found["groups"]
			for one in [line["figures"][model]]
		}

	def test_first_touch(self) -> None:
		self.assertEqual(
			self.figures("First Touch"),
			{"Email": (2, 150.01, 100), "Direct": (0, 0, 0), "Paid Search": (0, 0, 0)},
		)

	def test_last_touch(self) -> None:
		self.assertEqual(
			self.figures("Last Touch"),
			{"Email": (1, 50.01, 50), "Direct": (1, 100, 50), "Paid Search": (0, 0, 0)},
		)

	def test_linear(self) -> None:
		"""Thirds of 100.00 are 33.34, 33.33 and 33.33; those of 1 have nine places."""
		self.assertEqual(
			self.figures("Linear"),
			{
				"Email": (1.333333334, 83.35, 66.67),
				"Paid Search": (0.333333333, 33.33, 16.67),
				"Direct": (0.333333333, 33.33, 16.67),
			},
		)

	def test_totals(self) -> None:
		for model in self.found["models"]:
			name = model["name"]
			total = {"conversions": 2, "value": {"USD": 150.01}, "share": 100}
			self.assertEqual(self.told(self.found["totals"][name]), total, name)
			self.assertEqual(self.told(self.found["unattributed"][name]), NOTHING, name)
		self.assertIsNone(self.found["others"])

	def test_the_default_model_comes_first(self) -> None:
		self.assertEqual(
			self.found["models"][0], {"name": "Last Touch", "model_type": "Last Touch", "is_default": 1}
		)
		self.assertEqual([line["group"] for line in self.found["groups"]], ["Email", "Direct", "Paid Search"])

	def test_models_that_are_switched_off(self) -> None:
		with changed_model("Linear", is_active=0):
			self.assertNotIn("Linear", self.compared()["totals"])


class TestWhatIsCompared(ComparisonTestCase):
	"""ATT-7: which conversions, and how touches are put into groups."""

	def test_unattributed_is_told_apart(self) -> None:
		"""Also from touches that have no campaign, and from whoever calls a source or channel so."""
		make_touch(self.visitor(), END, "Unattributed", source="Unattributed")
		make_conversion(VISITOR.format(1), END)
		self.person(currency="EUR", value=30)
		run.credit_pending()
		for group_by, group in (("campaign", ""), ("source", "Unattributed"), ("channel", "Unattributed")):
			found = self.compared(group_by)
			for model in found["models"]:
				name = model["name"]
				unattributed = {"conversions": 1, "value": {"EUR": 30}, "share": 50}
				self.assertEqual(self.told(found["unattributed"][name]), unattributed, name)
				self.assertEqual(self.by_group(group_by, name), {group: 1})
				self.assertEqual(found["totals"][name]["value"], {"EUR": 30, "USD": 100})

	def test_every_group(self) -> None:
		campaign, visitor = make_campaign("Spring"), self.visitor()
		link = make_link("flyer", campaign=campaign.name)
		ours = {"source": "news", "medium": "mail", "platform": "Paper"}
		make_touch(visitor, END - DAY, link_campaign=campaign.name, tracked_link=link.name, **ours)
		make_touch(visitor, END, "Paid Search", source="google", medium="cpc", platform="", campaign="summer")
		make_conversion(visitor, END)
		run.credit_pending()
		for group_by, groups in (
			("channel", ("Email", "Paid Search")),
			("campaign", ("Spring", "summer")),
			("link", (link.name, "")),
			("source", ("news", "google")),
			("medium", ("mail", "cpc")),
			("platform", ("Paper", "")),
		):
			with self.subTest(group_by=group_by):
				self.assertEqual(self.by_group(group_by), dict.fromkeys(groups, 0.5))
				self.assertEqual(self.compared(group_by)["totals"]["Linear"]["conversions"], 1)
		labels = {line["group"]: line["label"] for line in self.compared("link")["groups"]}
		self.assertEqual(labels, {link.name: "flyer", "": ""})

	def test_a_touch_that_is_gone(self) -> None:
		"""What its credit knows stays; what only the touch knew is nothing."""
		self.story()
		frappe.db.delete("Touch Point")
		self.assertEqual(self.by_group("source"), {"": 2})
		self.assertEqual(self.by_group("channel")["Email"], 1.333333334)

	def test_both_days_belong_to_the_range(self) -> None:
		microsecond = timedelta(microseconds=1)
		begin, end = datetime(2026, 3, 1), datetime(2026, 4, 1)
		for at in (begin - microsecond, begin, end - microsecond, end):
			self.person("Email", at=at)
		run.credit_pending()
		self.assertEqual(self.compared()["totals"]["Linear"]["conversions"], 2)
		self.assertEqual(telling_paths.paths_answer(*MARCH, 5)["totals"]["conversions"], 2)

	def test_types_that_count_and_types_with_a_value(self) -> None:
		"""A lead and its deal are one conversion, with the deal's value; a type by itself has both."""
		set_settings(counted_conversion_types="Lead", valued_conversion_types="Deal Won")
		self.person("Email", conversion_type="Lead", value=1)
		self.person("Paid Search", conversion_type="Deal Won", value=900)
		self.person("Direct", conversion_type="Purchase", value=7)
		run.credit_pending()
		for kind, conversions, value in (
			("", {"Email": 1, "Paid Search": 0}, {"Paid Search": {"USD": 900}, "Email": {}}),
			("Purchase", {"Direct": 1}, {"Direct": {"USD": 7}}),
			("Download", {}, {}),
		):
			lines = self.compared(conversion_type=kind)["groups"]
			linear = {line["group"]: line["figures"]["Linear"] for line in lines}
			self.assertEqual({group: one["conversions"] for group, one in linear.items()}, conversions)
			self.assertEqual({group: one["value"] for group, one in linear.items()}, value)
			found = telling_paths.paths_answer(*MARCH, 5, kind)
			self.assertEqual({one["path"]: one["conversions"] for one in found["paths"]}, conversions)
			self.assertEqual({one["path"]: one["value"] for one in found["paths"]}, value)

	def test_nothing_that_counts(self) -> None:
		set_settings(counted_conversion_types="", valued_conversion_types="")
		self.story()
		self.assertEqual(
			(self.compared()["groups"], telling_paths.paths_answer(*MARCH, 5)["paths"]), ([], [])
		)

	def test_the_smaller_groups_are_others(self) -> None:
		for number in range(7):
			for _each in range(number):
				self.person(f"Channel {number}", value=0.1)
		run.credit_pending()
		with patch.object(comparing, "MOST_GROUPS", 2):
			found = self.compared()
		self.assertEqual([line["group"] for line in found["groups"]], ["Channel 6", "Channel 5"])
		for model in found["models"]:
			others, total = found["others"][model["name"]], found["totals"][model["name"]]
			self.assertEqual((others["conversions"], others["value"]), (10, {"USD": 1}))
			self.assertEqual((total["conversions"], total["value"]), (21, {"USD": 2.1}))

	def test_the_largest_by_value(self) -> None:
		set_settings(counted_conversion_types="Lead", valued_conversion_types="Deal Won")
		for _each in range(2):
			self.person("Email", conversion_type="Lead")
		self.person("Direct", conversion_type="Lead")
		self.person("Referral", conversion_type="Deal Won", value=900)
		run.credit_pending()
		for figure, most, others in (("conversions", "Email", (1, 900)), ("value", "Referral", (3, 0))):
			with patch.object(comparing, "MOST_GROUPS", 1):
				found = comparing.comparison_answer(*MARCH, "channel", figure=figure)
			self.assertEqual([line["group"] for line in found["groups"]], [most])
			rest = found["others"]["Linear"]
			self.assertEqual((rest["conversions"], rest["value"].get("USD", 0)), others)
		everything = comparing.comparison_answer(*MARCH, "channel", figure="value")["groups"]
		self.assertEqual([line["group"] for line in everything], ["Referral", "Email", "Direct"])

	def test_one_spelling_for_what_a_database_takes_for_one(self) -> None:
		for source in ("News", "news", "NEWS"):
			visitor = self.visitor()
			make_touch(visitor, END, source=source)
			make_conversion(visitor, END)
		run.credit_pending()
		found = self.by_group("source")
		self.assertEqual(sum(found.values()), 3)
		self.assertEqual(len(found), 1 if frappe.db.db_type == "mariadb" else 3)


class TestPositions(ComparisonTestCase):
	"""ATT-7: what each model credits by platform and position, worked out with a pencil."""

	def setUp(self) -> None:
		super().setUp()
		visitor = self.visitor()
		for age, platform in ((3, "Google Ads"), (2, "Meta Ads"), (1, "Google Ads"), (0, "Google Ads")):
			make_touch(visitor, END - age * DAY, "Paid Search", platform=platform)
		make_conversion(visitor, END, value=100)
		other = self.visitor()
		make_touch(other, END, "Paid Search", platform="Meta Ads")
		make_conversion(other, END, value=30)
		self.person(value=7)
		run.credit_pending()

	def positions(self, line: dict[str, Any], model: str) -> dict[str, tuple[float, float]]:
		return {
			place: (one["conversions"], one["value"].get("USD", 0))
			for place, one in line["figures"][model]["positions"].items()
		}

	def test_model_by_position_by_platform(self) -> None:
		found = comparing.comparison_answer(*MARCH, "platform", by_position=True)
		meta, google = found["groups"]
		self.assertEqual((google["group"], meta["group"]), ("Google Ads", "Meta Ads"))
		nothing = (0, 0)
		for model, of_google, of_meta in (
			("First Touch", (nothing, (1, 100), nothing, nothing), ((1, 30), nothing, nothing, nothing)),
			("Last Touch", (nothing, nothing, nothing, (1, 100)), ((1, 30), nothing, nothing, nothing)),
			("Linear", (nothing, (0.25, 25), (0.25, 25), (0.25, 25)), ((1, 30), nothing, (0.25, 25), nothing)),
			("Position Based", (nothing, (0.4, 40), (0.1, 10), (0.4, 40)), ((1, 30), nothing, (0.1, 10), nothing)),
		):  # fmt: skip
			with self.subTest(model):
				self.assertEqual(tuple(self.positions(google, model).values()), of_google)
				self.assertEqual(tuple(self.positions(meta, model).values()), of_meta)
		self.assertEqual(list(self.positions(google, "Linear")), list(PLACES))
		self.assertEqual(google["figures"]["Linear"]["positions"]["first"]["share"], 8.33)

	def test_all_parts_are_the_totals(self) -> None:
		for group_by in comparing.GROUPS:
			found = comparing.comparison_answer(*MARCH, group_by, by_position=True)
			for name, total in found["totals"].items():
				self.assertEqual((total["conversions"], total["value"]), (3, {"USD": 137}))
				self.assertEqual(found["unattributed"][name]["conversions"], 1)
				self.assertNotIn("positions", found["unattributed"][name])
				parts = [one for line in found["groups"] for one in self.positions(line, name).values()]
				self.assertAlmostEqual(sum(one for one, _value in parts), 2, 9)
				self.assertAlmostEqual(sum(value for _one, value in parts), 130, 9)
				positions = sum(one["conversions"] for one in total["positions"].values())
				self.assertAlmostEqual(positions, 2, 9)

	def test_positions_as_groups(self) -> None:
		expected = {"first": 0.25, "middle": 0.5, "last": 0.25, "only": 1}
		self.assertEqual(self.by_group("position"), expected)
		self.assertEqual(
			self.by_group("position", "First Touch"), {"first": 1, "middle": 0, "last": 0, "only": 1}
		)

	def test_others_have_them_too(self) -> None:
		with patch.object(comparing, "MOST_GROUPS", 1):
			found = comparing.comparison_answer(*MARCH, "platform", by_position=True)
		others = {"figures": found["others"]}
		self.assertEqual(self.positions(others, "Linear")["middle"], (0.25, 25))

	def test_nobody_asked(self) -> None:
		self.assertNotIn("positions", json.dumps(self.compared("platform")))
