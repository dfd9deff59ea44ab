"""A lead with eight touches: its explanation under all models, line by line, as a pocket calculator gives it (ATT-6, CRM-2)."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import frappe

from trackflow.attribution import explain as gathered
from trackflow.attribution import run, training
from trackflow.attribution.explanation_words import lines
from trackflow.tests.factories import channel_rules, make_conversion, make_touch, make_visitor, set_settings
from trackflow.tests.test_training import END, UNTIL, TrainingTestCase

VISITOR = "v_00000000000000f0"
WEEK = timedelta(days=7)
# Of channels, source and medium; one a week, the last one when the lead came.
TOUCHES = (
	("Organic Search", "google", "organic"), ("Referral", "blog.example", "referral"), ("Email", "news", "email"),
	("Paid Social", "facebook", "cpc"), ("Email", "news", "email"), ("Paid Search", "google", "cpc"),
	("Email", "news", "email"), ("Direct", "", ""),
)  # fmt: skip
RULES = (
	{"match_conditions": '{"position": "first"}', "priority": 1, "weight": 2},
	{
		"channel_name": "Newsletter",
		"match_conditions": '{"channel": "Email", "age": "<= 21"}',
		"priority": 2,
		"weight": 1.5,
	},
)
NOTHING, ALL = "Another touch takes all: 0 %.", "This one takes all: 100 %."
DIRECT = "Direct: 0 %."

# By model: each touch's share, and the line that says how it comes about.
BY_HAND: dict[str, tuple[tuple[str, str], ...]] = {
	"First Touch": (("1", ALL), *[("0", NOTHING)] * 7),
	"Last Touch": (*[("0", NOTHING)] * 7, ("1", ALL)),
	"Last Non-Direct": (*[("0", NOTHING)] * 6, ("1", ALL), ("0", DIRECT)),
	"Linear": (("1/8", "1 ÷ 8 = 12.5 %."),) * 8,
	# Each touch counts twice the one a week before it: 1, 2, 4, … 128 of 255. As powers, 1/128 to 1, which sum to 255/128.
	"Time Decay": (
		("1/255", "2^(−49 ÷ 7) = 0.0078125; 0.0078125 ÷ 1.99219 = 0.4 %."),
		("2/255", "2^(−42 ÷ 7) = 0.015625; 0.015625 ÷ 1.99219 = 0.8 %."),
		("4/255", "2^(−35 ÷ 7) = 0.03125; 0.03125 ÷ 1.99219 = 1.6 %."),
		("8/255", "2^(−28 ÷ 7) = 0.0625; 0.0625 ÷ 1.99219 = 3.1 %."),
		("16/255", "2^(−21 ÷ 7) = 0.125; 0.125 ÷ 1.99219 = 6.3 %."),
		("32/255", "2^(−14 ÷ 7) = 0.25; 0.25 ÷ 1.99219 = 12.5 %."),
		("64/255", "2^(−7 ÷ 7) = 0.5; 0.5 ÷ 1.99219 = 25.1 %."),
		("128/255", "2^(−0 ÷ 7) = 1; 1 ÷ 1.99219 = 50.2 %."),
	),
	# 40 %, six times 20/6 %, 40 %.
	"Position Based": (
		("2/5", "40 % for the first touch."),
		*[("1/30", "20 % equally for those between: 20 ÷ 6 = 3.33333 %.")] * 6,
		("2/5", "40 % for the last touch."),
	),
	# A lead has no deal yet: 30 + 30 + 10 of 70. The last touch is the one until the lead was created; 10/6 for six others.
	"W-Shaped": (
		("3/7", "30 % for the first touch; 30 ÷ 70 = 42.9 %."),
		*[("1/42", "10 % equally for those between: 10 ÷ 6 = 1.66667 %; 1.66667 ÷ 70 = 2.4 %.")] * 6,
		("3/7", "30 % for the last touch until the lead was created; 30 ÷ 70 = 42.9 %."),
	),
	# Removal effects ¾ and ½ (see test_training): Email has 3/5 over three touches, Paid Search 2/5; no other channel was learnt.
	"Markov": (
		("0", "Removal effect of Organic Search: 0 of 1.25 on this path: 0 ÷ 1.25 = 0.0 %."),
		("0", "Removal effect of Referral: 0 of 1.25 on this path: 0 ÷ 1.25 = 0.0 %."),
		(
			"1/5",
			"Removal effect of Email: 0.75 of 1.25 on this path, over 3 touches: 0.75 ÷ 1.25 ÷ 3 = 20.0 %.",
		),
		("0", "Removal effect of Paid Social: 0 of 1.25 on this path: 0 ÷ 1.25 = 0.0 %."),
		(
			"1/5",
			"Removal effect of Email: 0.75 of 1.25 on this path, over 3 touches: 0.75 ÷ 1.25 ÷ 3 = 20.0 %.",
		),
		("2/5", "Removal effect of Paid Search: 0.5 of 1.25 on this path: 0.5 ÷ 1.25 = 40.0 %."),
		(
			"1/5",
			"Removal effect of Email: 0.75 of 1.25 on this path, over 3 touches: 0.75 ÷ 1.25 ÷ 3 = 20.0 %.",
		),
		("0", DIRECT),
	),
	# Values 1½ and ½: 3/4 over three touches, 1/4.
	"Shapley": (
		("0", "Shapley value of Organic Search: 0 of 2 on this path: 0 ÷ 2 = 0.0 %."),
		("0", "Shapley value of Referral: 0 of 2 on this path: 0 ÷ 2 = 0.0 %."),
		("1/4", "Shapley value of Email: 1.5 of 2 on this path, over 3 touches: 1.5 ÷ 2 ÷ 3 = 25.0 %."),
		("0", "Shapley value of Paid Social: 0 of 2 on this path: 0 ÷ 2 = 0.0 %."),
		("1/4", "Shapley value of Email: 1.5 of 2 on this path, over 3 touches: 1.5 ÷ 2 ÷ 3 = 25.0 %."),
		("1/4", "Shapley value of Paid Search: 0.5 of 2 on this path: 0.5 ÷ 2 = 25.0 %."),
		("1/4", "Shapley value of Email: 1.5 of 2 on this path, over 3 touches: 1.5 ÷ 2 ÷ 3 = 25.0 %."),
		("0", DIRECT),
	),
	# Eighths times 2, 1, 1, 1, 1½, 1, 1½, 0: together 9/8.
	"Custom": (
		("2/9", "1 ÷ 8 = 12.5 %; weighed 0.125 × 2 = 0.25, and 0.25 ÷ 1.125 = 22.2 %."),
		*[("1/9", "1 ÷ 8 = 12.5 %; weighed 0.125, and 0.125 ÷ 1.125 = 11.1 %.")] * 3,
		("1/6", "1 ÷ 8 = 12.5 %; weighed 0.125 × 1.5 = 0.1875, and 0.1875 ÷ 1.125 = 16.7 %."),
		("1/9", "1 ÷ 8 = 12.5 %; weighed 0.125, and 0.125 ÷ 1.125 = 11.1 %."),
		("1/6", "1 ÷ 8 = 12.5 %; weighed 0.125 × 1.5 = 0.1875, and 0.1875 ÷ 1.125 = 16.7 %."),
		("0", "1 ÷ 8 = 12.5 %; weighed 0.125 × 0 = 0, and 0 ÷ 1.125 = 0.0 %."),
	),
}
REASONS = (
	"Organic Search: source “google” is a search engine.",
	"Referral: medium “referral” says so.",
	"Email: medium “email” says so.",
	"Paid Social: source “facebook” is a social network, medium “cpc” says that somebody paid.",
	"Email: medium “email” says so.",
	"Paid Search: source “google” is a search engine, medium “cpc” says that somebody paid.",
	"Email: medium “email” says so.",
	"Direct: no campaign parameters, no link of yours, no click id, and no page of another site led here.",
)


class TestEightTouches(TrainingTestCase):
	"""ATT-6: a marketer can follow every line with a pocket calculator."""

	weights: ClassVar[str] = '{"channel_weights": {"Direct": 0}}'

	def setUp(self) -> None:
		super().setUp()
		set_settings(attribution_window_days=60, custom_attribution_settings=self.weights)
		self.enterContext(channel_rules("Custom", *RULES))
		self.story()
		training.train(UNTIL)
		make_visitor(VISITOR)
		for number, (channel, source, medium) in enumerate(TOUCHES):
			make_touch(VISITOR, END - (7 - number) * WEEK, channel, source=source, medium=medium)
		self.conversion = make_conversion(VISITOR, END, "Lead", value=0, currency="EUR", lead_created_at=END)
		run.credit_pending()
		told = gathered.of_conversion(self.conversion, "all")
		self.models: dict[str, Any] = {one["model"]: one for one in told["models"]}
		self.page = "\n".join([*told["words"], *lines(told["models"])])

	def test_every_model(self) -> None:
		self.assertEqual(set(self.models), set(BY_HAND))
		for name, by_hand in BY_HAND.items():
			self.assertEqual(sum(Fraction(share) for share, _line in by_hand), 1)
			for number, (credit, (share, line)) in enumerate(
				zip(self.models[name]["credits"], by_hand, strict=True)
			):
				with self.subTest(name, touch=number + 1):
					self.assertEqual((credit["share"], credit["position"]), (share, number + 1))
					head, reason, *rest = credit["words"]
					self.assertEqual(reason, REASONS[number])
					self.assertIn(line, rest)
					days = "the moment of the conversion" if number == 7 else f"{49 - 7 * number} days before"
					self.assertTrue(head.startswith(f"Touch {number + 1} of 8, "), head)
					self.assertIn(days, head)

	def test_what_rules_do(self) -> None:
		found = [credit["words"][2:-1] for credit in self.models["Custom"]["credits"]]
		first = "Channel rule 1 of this model decides (first touch): counts 2."
		mail = "Channel rule 2 of this model decides (at most 21 days old; channel Email): it calls this touch Newsletter, counts 1.5."
		self.assertEqual([one[0] for one in (found[0], found[4], found[6])], [first, mail, mail])
		self.assertEqual(
			[self.models["Custom"]["credits"][number]["channel"] for number in (2, 4)],
			["Email", "Newsletter"],
		)

	def test_stored_credits_are_those(self) -> None:
		rows = frappe.get_all(
			"Attribution Link",
			filters={"conversion": self.conversion},
			fields=["attribution_model", "position", "weight"],
		)
		stored = {(row.attribution_model, row.position): row.weight for row in rows}
		for name, by_hand in BY_HAND.items():
			for position, (share, _line) in enumerate(by_hand, start=1):
				self.assertAlmostEqual(stored.get((name, position), 0), float(Fraction(share)), 8)

	def test_the_page_of_the_documentation(self) -> None:
		"""docs/attribution.md shows it as it is printed."""
		written = (Path(frappe.get_app_path("trackflow")).parent / "docs" / "attribution.md").read_text()
		self.assertIn(f"```\n{self.page}\n```\n", written)
