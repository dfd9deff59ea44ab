"""Why credits are what they are: the terms give the shares exactly, and the words can be worked out with a pocket calculator (ATT-6)."""

import json
import unittest
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import frappe

from trackflow.attribution import explain as gathered
from trackflow.attribution import models, run, training
from trackflow.attribution.channel_rules import ChannelRule
from trackflow.attribution.credits import credits
from trackflow.attribution.explanation import Converted, Journey, Learnt, Origin, channel_reason, explain
from trackflow.attribution.explanation_words import lines
from trackflow.attribution.shapes import JourneyTouch, Model
from trackflow.tests.base import TrackFlowTestCase, counted_statements
from trackflow.tests.factories import (
	changed_model,
	channel_rules,
	make_conversion,
	make_journey,
	make_touch,
	make_visitor,
	set_settings,
)
from trackflow.tests.properties import given, settings, st
from trackflow.tests.test_training import UNTIL, TrainingTestCase
from trackflow.tracking import channels

END = datetime(2026, 3, 20, 12)
DAY = timedelta(days=1)
VISITOR = "v_00000000000000f0"
UTC = ZoneInfo("UTC")
NAMES = ("Email", "Paid Search", "Referral", "Direct")


def make_model(model_type: str, **values: Any) -> Model:
	given = {
		"name": model_type,
		"model_type": model_type,
		"lookback_days": 30,
		"count_direct": True,
		"first_weight": 40.0,
		"last_weight": 40.0,
		"half_life_days": 7,
		"base_model": "",
		"is_default": False,
		"channel_weights": {},
		**values,
	}
	return Model(**given)


def touch(number: int, at: datetime, channel: str, **values: str) -> JourneyTouch:
	texts = ("platform", "source", "medium", "campaign", "link_campaign", "tracked_link", "click_event")
	said = {**dict.fromkeys((*texts, "visitor_id"), ""), **values}
	return JourneyTouch(f"t{number:02}", at, channel, channel == "Direct", **said)


@st.composite
def cases(draw: Any) -> tuple[Model, Converted, Journey, dict[str, Fraction]]:
	"""A model of any kind, a conversion, touches in the window and beside it, values of channels."""
	weights = st.dictionaries(st.sampled_from(NAMES), st.sampled_from((0, 0.5, 1, 3)))
	base = draw(st.sampled_from([one for one in models.MODEL_TYPES if one != models.CUSTOM]))
	kind = draw(st.sampled_from(models.MODEL_TYPES))
	rules = st.builds(
		lambda channel, name, weight: ChannelRule(name, {"channel": channel}, 1, weight),
		st.sampled_from(NAMES), st.sampled_from(("Partners", "Email", "")), st.sampled_from((0, 0.1, 1, 2)),
	)  # fmt: skip
	first = draw(st.sampled_from((0, 20, 40, 33.3)))
	model = make_model(
		kind,
		count_direct=draw(st.booleans()),
		first_weight=first,
		last_weight=draw(st.sampled_from((0, 40, 60))),
		half_life_days=draw(st.integers(1, 9)),
		base_model=base if kind == models.CUSTOM else "",
		channel_weights=draw(weights) if kind == models.CUSTOM else {},
		rules=tuple(draw(st.lists(rules, max_size=2))),
	)
	ages = sorted(draw(st.lists(st.integers(-5, 45 * 24 * 60), max_size=8)), reverse=True)
	touches = [
		touch(number, END - timedelta(minutes=age), draw(st.sampled_from(NAMES)))
		for number, age in enumerate(ages)
	]
	moments = st.none() | st.integers(0, 40).map(lambda days: END - days * DAY)
	value = Decimal(draw(st.integers(-500, 10**7))) / 100
	currency = draw(st.sampled_from(("EUR", "JPY", "KWD", "")))
	conversion = Converted("c", "Deal Won", END, value, currency, draw(moments), draw(moments), "Done")
	values = draw(st.dictionaries(st.sampled_from(NAMES), st.fractions(0, 3, max_denominator=50)))
	return model, conversion, Journey(touches, 1), values


def worked_out(credit: dict[str, Any], rule: dict[str, Any]) -> Fraction:
	"""A share as its terms in the JSON say."""
	terms = {name: credit["terms"].get(name) for name in credit["terms"]}
	share = Fraction(terms["part"]) / Fraction(terms["total"])
	if rule.get("weights_count"):
		share *= Fraction(terms["channel_weight"]) * Fraction(terms["rule_weight"])
		share /= Fraction(terms["weighed_total"])
	return share


class TestTerms(unittest.TestCase):
	"""ATT-6, ATT-2: what the JSON says gives each share exactly, and each stored weight and amount, under all model types."""

	@settings(max_examples=600)
	@given(cases())
	def test_they_give_the_shares(self, case: Any) -> None:
		model, conversion, journey, values = case
		found = credits(
			model,
			journey.touches,
			conversion.at,
			conversion.value,
			conversion.currency,
			conversion.lead_created_at,
			conversion.deal_created_at,
			values,
		)
		told = explain(model, conversion, journey, found, Learnt(values=values))
		told = json.loads(json.dumps(gathered._plain(told, UTC)))
		self.assertEqual(len(told["credits"]), len(found))
		for said, credit in zip(told["credits"], found, strict=True):
			self.assertEqual(Fraction(said["share"]), credit.share)
			if credit.touch:
				self.assertEqual(worked_out(said, told["rule"]), credit.share)
				weight = credit.share * 10**9 // 1 + said["weight_has_leftover"]
				self.assertEqual(Fraction(said["weight"]) * 10**9, weight)
			unit, exact = Fraction(said["unit"]), Fraction(said["exact_value"])
			self.assertEqual(exact, Fraction(conversion.value) * credit.share)
			units = abs(exact) // unit + said["has_leftover_unit"]
			self.assertEqual(abs(Fraction(said["value"])), units * unit)
		self.assertEqual(sum(Fraction(one["share"]) for one in told["credits"]), 1)
		counted = sum(one.touch is not None for one in found)
		left_out = told["left_out"]["before"]["count"] + told["left_out"]["after"]["count"]
		self.assertEqual(counted + left_out, len(journey.touches))

	@given(cases(), st.integers(1, 9))
	def test_what_is_told_and_the_rest_are_the_whole(self, case: Any, limit: int) -> None:
		model, conversion, journey, values = case
		moments = conversion.lead_created_at, conversion.deal_created_at
		found = credits(model, journey.touches, END, conversion.value, conversion.currency, *moments, values)
		whole = explain(model, conversion, journey, found, Learnt(values=values))
		told = explain(model, conversion, journey, found, Learnt(values=values), limit)
		self.assertIsNone(whole["rest"])
		self.assertEqual(len(told["credits"]), min(limit, len(found)))
		self.assertTrue(all(one in whole["credits"] for one in told["credits"]))
		if rest := told["rest"]:
			for name in ("share", "weight", "value"):
				parts = sum(one[name] for one in told["credits"]) + rest[name]
				self.assertEqual(parts, sum(getattr(one, name) for one in found))
			self.assertEqual(rest["touches"], len(found) - limit)
			smallest = min(one["share"] for one in told["credits"])
			larger = sum(one.share > smallest for one in found)
			self.assertLess(larger, limit)

	def test_numbers_of_thousands_of_digits(self) -> None:
		"""Python writes none: they have fifty places."""
		share = Fraction(10**5000, 3 * 10**5000 + 1)
		self.assertEqual(gathered._plain([share, share - share], UTC), [f"0.{'3' * 50}", "0"])

	def test_time_decay_of_a_conversion_long_after(self) -> None:
		"""Powers are those of the age until the conversion, however small they are."""
		touches = [touch(1, END - 3000 * DAY, "Email"), touch(2, END - 2999 * DAY, "Email")]
		powers = models.powers_of_age([one.occurred_at for one in touches], END, 1)
		self.assertEqual(powers, [Fraction(1, 2**3000), Fraction(1, 2**2999)])


class TestChannelReasons(unittest.TestCase):
	"""ATT-6, TCH-1: what made a touch this channel, by the definitions that classify it."""

	def said(self, channel: str, origin: Origin | None = None, **values: str) -> tuple[str, str, str]:
		found = channel_reason(touch(1, END, channel, **values), origin or Origin())
		return found["by"], found["click_id"], found["referrer"]

	def test_reasons(self) -> None:
		news = {"source": "news", "medium": "email"}
		self.assertEqual(self.said("Direct"), ("nothing", "", ""))
		self.assertEqual(self.said("Email", **news), ("medium", "", ""))
		self.assertEqual(self.said("Paid Search", source="google", medium="cpc"), ("paid source", "", ""))
		self.assertEqual(self.said("Paid Other", source="x.example", medium="cpc"), ("paid", "", ""))
		self.assertEqual(self.said("Cross-network", campaign="cross-network"), ("campaign", "", ""))
		self.assertEqual(self.said("Unassigned", source="a", medium="b"), ("no rule", "", ""))
		self.assertEqual(
			self.said("Paid Search", Origin("https://www.google.com/", "gclid")), ("paid source", "gclid", "")
		)
		self.assertEqual(
			self.said("Referral", Origin("https://blog.example/x"), source="blog.example", medium="referral"),
			("medium", "", "blog.example"),
		)
		self.assertEqual(
			self.said("Email", Origin("https://www.google.com/"), **news),
			("medium", "", ""),
			"not by that page",
		)

	def test_a_click_id_without_a_say(self) -> None:
		"""Parameters that say paid need no proof."""
		origin = Origin(click_id="gclid")
		self.assertEqual(self.said("Paid Search", origin, source="google", medium="cpc")[1], "")

	def test_what_the_definitions_do_not_give(self) -> None:
		self.assertEqual(self.said("Unassigned")[0], "link")
		self.assertEqual(self.said("Paid Social")[0], "not kept")

	@given(
		st.sampled_from(("", "google", "facebook", "chatgpt.com", "ebay", "news", "sms", "(direct)")),
		st.sampled_from(("", "cpc", "email", "organic", "video", "app", "banner", "push", "other")),
		st.sampled_from(("", "shop", "cross-network")),
		st.sampled_from(("", "gclid", "fbclid")),
	)
	def test_one_definition(self, source: str, medium: str, campaign: str, click_id: str) -> None:
		"""There is one of them: the reason's channel is the visit's."""
		click_ids = {click_id: "1"} if click_id else None
		found = channels.reason(source, medium, campaign, "", click_ids)
		self.assertEqual(found.channel, channels.classify(source, medium, campaign, "", click_ids))
		self.assertIn(found.by, channels.BY)


class TestByHand(TrainingTestCase):
	"""ATT-6: eight touches and 1,000.00 EUR; each model's sentences are those of a pencil.

	Powers of one half of 28, 24.5, … days by a half-life of 7 sum to 2.55622. Markov's removal effects of E-mail and search are ¾
	and ½, Shapley's values 1½ and ½ (see test_training).
	"""

	touches = (
		(28, "Organic Social"), (24.5, "Paid Search"), (21, "Email"), (17.5, "Paid Search"), (14, "Email"), (10.5, "Referral"),
		(7, "Email"), (0, "Direct"),
	)  # fmt: skip

	def setUp(self) -> None:
		super().setUp()
		self.story()
		training.train(UNTIL)
		make_visitor(VISITOR)
		for days, channel in self.touches:
			make_touch(VISITOR, END - days * DAY, channel)
		self.conversion = make_conversion(
			VISITOR, END, "Deal Won", value=1000, currency="EUR",
			lead_created_at=END - 16 * DAY, deal_created_at=END - 6 * DAY,
		)  # fmt: skip
		run.credit_pending()

	def arithmetic(self, model: str) -> list[str]:
		(told,) = gathered.of_conversion(self.conversion, model)["models"]
		return [credit["words"][2] for credit in told["credits"]]

	def test_all_to_one(self) -> None:
		takes, other = "This one takes all: 100 %.", "Another touch takes all: 0 %."
		self.assertEqual(self.arithmetic("First Touch"), [takes, *[other] * 7])
		self.assertEqual(self.arithmetic("Last Touch"), [*[other] * 7, takes])
		self.assertEqual(self.arithmetic("Last Non-Direct"), [*[other] * 6, takes, "Direct: 0 %."])

	def test_linear(self) -> None:
		self.assertEqual(self.arithmetic("Linear"), ["1 ÷ 8 = 12.5 %."] * 8)

	def test_time_decay(self) -> None:
		self.assertEqual(
			self.arithmetic("Time Decay"),
			[
				"2^(−28 ÷ 7) = 0.0625; 0.0625 ÷ 2.55622 = 2.4 %.",
				"2^(−24.5 ÷ 7) = 0.0883883; 0.0883883 ÷ 2.55622 = 3.5 %.",
				"2^(−21 ÷ 7) = 0.125; 0.125 ÷ 2.55622 = 4.9 %.",
				"2^(−17.5 ÷ 7) = 0.176777; 0.176777 ÷ 2.55622 = 6.9 %.",
				"2^(−14 ÷ 7) = 0.25; 0.25 ÷ 2.55622 = 9.8 %.",
				"2^(−10.5 ÷ 7) = 0.353553; 0.353553 ÷ 2.55622 = 13.8 %.",
				"2^(−7 ÷ 7) = 0.5; 0.5 ÷ 2.55622 = 19.6 %.",
				"2^(−0 ÷ 7) = 1; 1 ÷ 2.55622 = 39.1 %.",
			],
		)

	def test_position_based(self) -> None:
		between = "20 % equally for those between: 20 ÷ 6 = 3.33333 %."
		self.assertEqual(
			self.arithmetic("Position Based"),
			["40 % for the first touch.", *[between] * 6, "40 % for the last touch."],
		)

	def test_w_shaped(self) -> None:
		between = "10 % equally for those between: 10 ÷ 5 = 2 %."
		self.assertEqual(
			self.arithmetic("W-Shaped"),
			[
				"30 % for the first touch.", between, between, "30 % for the last touch until the lead was created.", between,
				between, "30 % for the last touch until the deal was created.", between,
			],
		)  # fmt: skip

	def test_w_shaped_without_a_deal_and_all_before_the_lead(self) -> None:
		values = {"lead_created_at": END - 40 * DAY, "deal_created_at": None}
		frappe.db.set_value("Conversion", self.conversion, values)
		(told,) = gathered.of_conversion(self.conversion, "W-Shaped")["models"]
		self.assertIn(
			"created on 2026-02-08 12:00, before all touches. The deal: none is known.", told["words"][-1]
		)
		self.assertEqual(told["credits"][0]["words"][2], "30 % for the first touch; 30 ÷ 40 = 75.0 %.")

	def test_markov_and_shapley(self) -> None:
		for model, label, email, search, total in (
			("Markov", "Removal effect", "0.75", "0.5", "1.25"),
			("Shapley", "Shapley value", "1.5", "0.5", "2"),
		):
			of_email = {"Markov": "20.0", "Shapley": "25.0"}[model]
			of_search = {"Markov": "20.0", "Shapley": "12.5"}[model]
			found = self.arithmetic(model)
			paid = (
				f"{label} of Paid Search: {search} of {total} on this path, over 2 touches: "
				f"{search} ÷ {total} ÷ 2 = {of_search} %."
			)
			mail = (
				f"{label} of Email: {email} of {total} on this path, over 3 touches: "
				f"{email} ÷ {total} ÷ 3 = {of_email} %."
			)
			self.assertEqual([found[index] for index in (1, 2, 3, 4, 6)], [paid, mail, paid, mail, mail])
			self.assertEqual(
				found[5], f"{label} of Referral: 0 of {total} on this path: 0 ÷ {total} = 0.0 %."
			)
			self.assertEqual(found[7], "Direct: 0 %.")
			(told,) = gathered.of_conversion(self.conversion, model)["models"]
			self.assertIn(
				"Version 1, learnt from 2 conversions from 2025-12-20 until 2026-03-20", told["words"][1]
			)

	def test_custom(self) -> None:
		set_settings(custom_attribution_settings='{"channel_weights": {"Email": 3, "Direct": 0}}')
		found = self.arithmetic("Custom")
		self.assertEqual(found[0], "1 ÷ 8 = 12.5 %; weighed 0.125, and 0.125 ÷ 1.625 = 7.7 %.")
		self.assertEqual(found[2], "1 ÷ 8 = 12.5 %; weighed 0.125 × 3 = 0.375, and 0.375 ÷ 1.625 = 23.1 %.")
		self.assertEqual(found[7], "1 ÷ 8 = 12.5 %; weighed 0.125 × 0 = 0, and 0 ÷ 1.625 = 0.0 %.")

	def test_too_little_data(self) -> None:
		with changed_model("Markov", minimum_conversions=30):
			training.train(UNTIL)
			(told,) = gathered.of_conversion(self.conversion, "Markov")["models"]
		self.assertIn("too little (30 are needed), so all touches share equally", told["words"][1])
		self.assertEqual(told["credits"][0]["words"][2], "1 ÷ 7 = 14.3 %.")

	def test_they_are_the_stored_ones(self) -> None:
		"""What is explained is what the rows say, under all models."""
		stored = {
			(row.attribution_model, row.touch_point): (f"{row.weight:.9f}", f"{row.credited_value:.2f}")
			for row in frappe.get_all(
				"Attribution Link",
				filters={"conversion": self.conversion},
				fields=["attribution_model", "touch_point", "weight", "credited_value"],
			)
		}
		told = gathered.of_conversion(self.conversion, "all")["models"]
		self.assertEqual(len(told), 10)
		for model in told:
			for credit in model["credits"]:
				expected = stored.pop((model["model"], credit["touch_point"]), ("0.000000000", "0.00"))
				self.assertEqual(f"{Decimal(credit['weight']):.9f}", expected[0])
				self.assertEqual(f"{Decimal(credit['value']):.2f}", expected[1])
		self.assertEqual(stored, {})

	def test_its_statements_do_not_grow(self) -> None:
		"""PRF-6: many touches take as many statements as few."""
		with counted_statements() as few:
			gathered.of_conversion(self.conversion, "all")
		make_journey(VISITOR, *["Referral"] * 60, end=END - DAY, every=timedelta(hours=20))
		make_journey(VISITOR, *["Email"] * 30, end=END + 30 * DAY)
		frappe.db.commit()
		with counted_statements() as many:
			gathered.of_conversion(self.conversion, "all")
		self.assertEqual(len(many), len(few))
		self.assertLessEqual(len(few), 27)


# What is printed of a conversion that three touches share; its name is put in.
PAGE = [
	"Conversion {} (Purchase) of 2026-03-20 12:00: 100.00 EUR.",
	"",
	"Linear",
	"  Touches count in the 30 days up to the conversion, from 2026-02-18 12:00 to 2026-03-20 12:00.",
	"  Left out, as they were before that: 1. The nearest: Email 45 days before.",
	"  Left out, as they were after the conversion: 1. The nearest: Direct 1 day after.",
	"  All touches share equally.",
	"",
	"  Touch 1 of 3, 2026-03-06 12:00, 14 days before the conversion: Partners, 33.3 % = 33.34 EUR.",
	"    Referral: a page of blog.example led here, which makes it source “blog.example”, medium “referral”; medium “referral” "
	"says so.",
	"    Channel rule 1 of this model decides (source blog*): it calls this touch Partners.",
	"    1 ÷ 3 = 33.3 %.",
	"    Stored as 0.333333334: its ninth place is one more, so that all weights sum to 1.",
	"    Exactly 33.333333… EUR, which is 33.33 EUR in whole units of 0.01 EUR; 0.01 EUR that was left over went here: its "
	"remainder is one of the largest.",
	"",
	"  Touch 2 of 3, 2026-03-13 12:00, 7 days before the conversion: Paid Search, 33.3 % = 33.33 EUR.",
	"    Paid Search: the click id gclid of Google Ads makes it source “google”, medium “cpc”; source “google” is a search "
	"engine, medium “cpc” says that somebody paid.",
	"    1 ÷ 3 = 33.3 %.",
	"    Stored as 0.333333333.",
	"    Exactly 33.333333… EUR, which is 33.33 EUR in whole units of 0.01 EUR.",
	"",
	"  Touch 3 of 3, 2026-03-20 09:00, 3 hours before the conversion: Direct, 33.3 % = 33.33 EUR.",
	"    Direct: no campaign parameters, no link of yours, no click id, and no page of another site led here.",
	"    1 ÷ 3 = 33.3 %.",
	"    Stored as 0.333333333.",
	"    Exactly 33.333333… EUR, which is 33.33 EUR in whole units of 0.01 EUR.",
]  # fmt: skip


class TestWords(TrackFlowTestCase):
	"""ATT-6: a lead's explanation as it is printed, and why something is Direct or Unattributed."""

	def told(self, conversion: str, model: str = "Last Touch") -> str:
		run.credit([conversion])
		found = gathered.of_conversion(conversion, model)
		return "\n".join([*found["words"], *lines(found["models"])])

	def test_a_page(self) -> None:
		make_visitor(VISITOR)
		make_touch(VISITOR, END - 45 * DAY, "Email", source="news", medium="email")
		make_touch(
			VISITOR,
			END - 14 * DAY,
			"Referral",
			source="blog.example",
			medium="referral",
			referrer="https://blog.example/a",
		)
		make_touch(
			VISITOR, END - 7 * DAY, "Paid Search", source="", medium="", click_id_type="gclid", click_id="x"
		)
		make_touch(VISITOR, END - timedelta(hours=3), "Direct", source="", medium="")
		make_touch(VISITOR, END + DAY, "Direct", source="", medium="")
		conversion = make_conversion(VISITOR, END, value=100, currency="EUR")
		partners = {"channel_name": "Partners", "match_conditions": '{"source": "blog*"}'}
		with channel_rules("Linear", {**partners, "priority": 1, "weight": 1}):
			page = self.told(conversion, "Linear")
		first, *others = PAGE
		self.assertEqual(page.splitlines(), [first.format(conversion), *others])

	def test_nobody_is_known(self) -> None:
		conversion = make_conversion(VISITOR, END, visitor=None)
		self.assertIn("Unattributed: nobody's browser is known for it.", self.told(conversion))

	def test_no_visit_is_known(self) -> None:
		conversion = make_conversion(make_visitor(VISITOR), END)
		self.assertIn("(browsers: 1), but no visit of theirs is.", self.told(conversion))

	def test_all_visits_lie_outside(self) -> None:
		make_visitor(VISITOR)
		make_journey(VISITOR, *["Email"] * 8, end=END - 45 * DAY)
		make_touch(VISITOR, END + timedelta(hours=2), "Direct")
		conversion = make_conversion(VISITOR, END)
		page = self.told(conversion)
		self.assertIn("no touch lies in the 30 days up to the conversion", page)
		self.assertIn("The last touch before that was 45 days before the conversion (Email).", page)
		self.assertIn("The first touch after it was 2 hours later (Direct).", page)
		self.assertIn("Left out, as they were before that: 8.", page)
		(told,) = gathered.of_conversion(conversion)["models"]
		nearest = [one["days_before"] for one in told["left_out"]["before"]["nearest"]]
		self.assertEqual(nearest, ["45", "46", "47", "48", "49"])

	def test_each_model_has_its_window(self) -> None:
		make_visitor(VISITOR)
		make_journey(VISITOR, *["Email"] * 8, end=END - 6 * DAY)
		make_touch(VISITOR, END - 45 * DAY, "Referral")
		conversion = make_conversion(VISITOR, END)
		with changed_model("Linear", lookback_days=10):
			told = {one["model"]: one for one in gathered.of_conversion(conversion, "all")["models"]}
		counted = {
			name: (len(told[name]["credits"]), told[name]["left_out"]["before"]["count"]) for name in told
		}
		self.assertEqual((counted["Linear"], counted["Last Touch"]), ((5, 4), (8, 1)))
		self.assertEqual(told["Linear"]["window"]["from"][:10], "2026-03-10")

	def test_credits_that_wait(self) -> None:
		conversion = make_conversion(make_visitor(VISITOR), END)
		self.assertIn("wait to be computed", " ".join(gathered.of_conversion(conversion)["words"]))

	def test_an_unknown_model(self) -> None:
		conversion = make_conversion(make_visitor(VISITOR), END)
		with self.assertRaises(frappe.DoesNotExistError):
			gathered.of_conversion(conversion, "Nonsense")


class TestLongJourneys(TrackFlowTestCase):
	"""ATT-6: the touches that get most are told, the others summed up, so that no answer grows with the journey."""

	def setUp(self) -> None:
		super().setUp()
		make_visitor(VISITOR)
		make_journey(VISITOR, *["Email"] * 60, end=END, every=timedelta(hours=1))
		self.conversion = make_conversion(VISITOR, END, value=60, currency="EUR")

	def told(self, model: str, limit: int) -> dict[str, Any]:
		return gathered.of_conversion(self.conversion, model, limit)["models"][0]

	def test_the_rest_in_words(self) -> None:
		for model, limit, expected in (
			("Linear", 3, "The other touches, 57 of them, get 95.0 % = 57.00 EUR together."),
			("First Touch", 3, "The other touches, 57 of them, get nothing."),
			("First Touch", 60, None),
			("W-Shaped", 1, "The other touches, 59 of them, get 25.0 % = 15.00 EUR together."),
		):
			with self.subTest(model, limit=limit):
				told = self.told(model, limit)
				self.assertEqual(len(told["credits"]), limit)
				if expected is None:
					self.assertIsNone(told["rest"])
					continue
				self.assertEqual(told["rest"]["words"][-1], expected)
				self.assertEqual(lines([told])[-1].strip(), told["rest"]["words"][-1])

	def test_which_are_told(self) -> None:
		"""The first one takes all, then the nearest ones; in the order of the journey."""
		self.assertEqual([one["position"] for one in self.told("First Touch", 3)["credits"]], [1, 59, 60])
		self.assertEqual([one["position"] for one in self.told("Linear", 2)["credits"]], [59, 60])

	def test_the_answer_does_not_grow(self) -> None:
		visitor = make_visitor("v_00000000000000f9", contact_email="ada@example.com")
		frappe.db.set_value("Visitor", VISITOR, "contact_email", "ada@example.com")
		gathered.of_conversion(self.conversion, "all")
		with counted_statements() as few:
			before = len(json.dumps(gathered.of_conversion(self.conversion, "all", 10)))
		make_journey(visitor, *["Email"] * 300, end=END, every=timedelta(hours=2))
		with counted_statements() as many:
			after = len(json.dumps(gathered.of_conversion(self.conversion, "all", 10)))
		self.assertEqual(len(few), len(many))
		self.assertLess(after, 1.5 * before)
