"""Markov and Shapley on a site: what they learn, which version credits a conversion, and when anything is written."""

import json
import os
from collections import Counter
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, ClassVar
from unittest.mock import patch

import frappe
from click.testing import CliRunner

from trackflow import commands, hooks
from trackflow.attribution import journeys, paths, run, training
from trackflow.attribution.versions import from_text
from trackflow.tests.base import TrackFlowTestCase, counted_statements, fork, is_shared, work
from trackflow.tests.factories import (
	changed_model,
	make_conversion,
	make_journey,
	make_touch,
	make_visitor,
	set_settings,
)
from trackflow.tests.test_credits import credits, everything

# The day until which is learnt, and a moment of the day before it.
UNTIL = date(2026, 3, 20)
END = datetime(2026, 3, 19, 12)
DAY = timedelta(days=1)
TRAINING = "Attribution Training"
BOTH = ("Markov", "Shapley")
WHOLE = datetime(2026, 1, 1), datetime(2026, 3, 20)


class TrainingTestCase(TrackFlowTestCase):
	"""A site where two conversions are enough, and where purchases are what counts."""

	minimum: ClassVar[int] = 2

	def setUp(self) -> None:
		super().setUp()
		self.number = 0
		set_settings(counted_conversion_types="Purchase")
		for model in BOTH:
			self.enterContext(changed_model(model, minimum_conversions=self.minimum))

	def person(self, *channels: str, end: datetime = END, converts: bool = False, **values: Any) -> str:
		"""A visitor with touches of these channels; answers the conversion's name, else the visitor's."""
		self.number += 1
		visitor = make_visitor(f"v_00000000000000{self.number:02x}", **values)
		make_journey(visitor, *channels, end=end)
		return make_conversion(visitor, end) if converts else visitor

	def story(self) -> tuple[str, str]:
		"""Two people of four convert: by E-mail and search, and by e-mail alone."""
		found = (
			self.person("Email", "Paid Search", converts=True),
			self.person("Email", converts=True),
		)
		self.person("Paid Search")
		self.person("Email", "Direct")
		return found

	def newest(self, model: str) -> Any:
		(row,) = frappe.get_all(
			TRAINING, filters={"attribution_model": model}, fields=["*"], order_by="version desc", limit=1
		)
		return row

	def read(self, model: str = "Markov") -> Counter[tuple[tuple[str, ...], int]]:
		"""How many people went a path and converted (1) or did not (0)."""
		found: Counter[tuple[tuple[str, ...], int]] = Counter()
		(one,) = (one for one in journeys.active_models() if one.name == model)
		for channels, conversions, others in paths.read(one, *WHOLE):
			found[tuple(channels), 1] += conversions
			found[tuple(channels), 0] += others
		return +found


class TestByHand(TrainingTestCase):
	"""ATT-5: what is learnt and credited, worked out with a pencil.

	Of four people three begin with Email. From Email one of three goes on to Paid Search, one converts, one leaves; from Paid
	Search one of two converts. So half of all paths convert. Without Email only those convert who begin with Paid Search: ¼ × ½ =
	⅛, a quarter of it: ¾ is lost. Without Paid Search: ¾ × ⅓ = ¼, half of it: ½ is lost.

	By Shapley Email has the one conversion alone and half of the other, Paid Search the other half.
	"""

	def setUp(self) -> None:
		super().setUp()
		self.both, self.email = self.story()
		self.trained = training.train(UNTIL)
		run.credit_pending()

	def test_what_is_kept(self) -> None:
		for model, expected in (
			("Markov", {"Email": Fraction(3, 4), "Paid Search": Fraction(1, 2)}),
			("Shapley", {"Email": Fraction(3, 2), "Paid Search": Fraction(1, 2)}),
		):
			with self.subTest(model=model):
				row = self.newest(model)
				self.assertEqual(from_text(row.channel_values), expected)
				self.assertEqual((row.path_count, row.conversions, row.non_conversions), (4, 2, 2))
				self.assertEqual((row.version, row.is_too_little, row.conversion_probability), (1, 0, 50))
				self.assertEqual((row.from_date, row.until_date), (UNTIL - 90 * DAY, UNTIL))

	def test_credits(self) -> None:
		self.assertEqual(credits(self.both, "Markov"), {"Email": 0.6, "Paid Search": 0.4})
		self.assertEqual(credits(self.both, "Shapley"), {"Email": 0.75, "Paid Search": 0.25})
		for model in BOTH:
			self.assertEqual(credits(self.email, model), {"Email": 1})

	def test_it_says_what_it_did(self) -> None:
		self.assertEqual(
			[one.as_dict() for one in self.trained],
			[
				{"model": model, "version": 1, "is_new": True, "conversions": 2, "message": ""}
				for model in BOTH
			],
		)

	def test_a_rebuild_changes_nothing(self) -> None:
		"""ATT-4"""
		before = everything()
		self.assertEqual(run.rebuild(), (2, 0))
		self.assertEqual(everything(), before)

	def test_training_again_writes_nothing(self) -> None:
		"""ATT-4"""
		before = [*everything(), frappe.get_all(TRAINING, fields=["*"], order_by="name")]
		again = training.train(UNTIL)
		self.assertEqual([(one.version, one.is_new) for one in again], [(1, False)] * 2)
		self.assertEqual([*everything(), frappe.get_all(TRAINING, fields=["*"], order_by="name")], before)

	def test_a_conversion_that_the_rule_weighs(self) -> None:
		"""Rules name a channel anew for the model alone, in what it learns as in what it credits."""
		rule = {"channel_name": "News", "match_conditions": '{"source": "EMAIL"}', "priority": 1, "weight": 2}
		model = frappe.get_doc("Attribution Model", "Markov")
		try:
			model.append("channel_rules", rule)
			model.save()
			run.credit([self.both])
			self.assertEqual(credits(self.both, "Markov"), {"News": 0.666666667, "Paid Search": 0.333333333})
			training.train(UNTIL)
			run.credit_pending()
			self.assertEqual(from_text(self.newest("Markov").channel_values)["News"], Fraction(3, 4))
			self.assertEqual(credits(self.both, "Markov"), {"News": 0.75, "Paid Search": 0.25})
		finally:
			model.channel_rules = []
			model.save()
			frappe.db.commit()
		self.assertEqual(credits(self.both, "Shapley"), {"Email": 0.75, "Paid Search": 0.25})

	def test_the_form_shows_channels_by_value(self) -> None:
		doc = frappe.get_doc(TRAINING, self.newest("Markov").name)
		doc.run_method("onload")
		self.assertEqual(
			doc.get_onload("channels"),
			[
				{"channel": "Email", "value": 0.75, "share": 0.6},
				{"channel": "Paid Search", "value": 0.5, "share": 0.4},
			],
		)


class TestSecondOrder(TrainingTestCase):
	"""ATT-5: higher orders by parameter; what cannot be solved exactly is said, and nothing is lost."""

	def test_the_last_two_touches_decide(self) -> None:
		self.story()
		with changed_model("Markov", markov_order=2):
			training.train(UNTIL)
		# The path by both channels is a state of its own: without Paid Search only Email alone converts, ¾ × ⅓.
		values = from_text(self.newest("Markov").channel_values)
		self.assertEqual(values, {"Email": Fraction(1), "Paid Search": Fraction(1, 2)})
		self.assertEqual(self.newest("Markov").markov_order, 2)

	def test_too_many_states(self) -> None:
		self.story()
		training.train(UNTIL)
		names = [f"Channel {number:03}" for number in range(160)]
		for number in range(0, len(names), 80):
			self.person(*names[number : number + 80], end=END)
		markov, shapley = training.train(UNTIL)
		self.assertEqual((markov.version, markov.is_new), (0, False))
		self.assertIn("take a lower order", markov.message)
		self.assertEqual(self.newest("Markov").version, 1)
		self.assertTrue(shapley.version)
		self.assertEqual(training.used("Markov", END).number, 1)


class TestCutPaths(TrainingTestCase):
	"""ATT-5: a database that cuts paths off is noticed; nothing is learnt from what it leaves of them."""

	def trained_within(self, length: int) -> list[training.Trained]:
		frappe.db.sql(f"set session group_concat_max_len = {length}")
		try:
			return training.train(UNTIL)
		finally:
			frappe.db.sql("set session group_concat_max_len = default")

	def test_a_small_limit(self) -> None:
		if frappe.db.db_type != "mariadb":
			self.skipTest("only MariaDB has a limit")
		self.story()
		self.person(*["Organic Search"] * 9)
		# Nine times "0.0.", fourteen bytes in hex and an end, and eight separators.
		whole = 9 * (4 + 28 + 1) + 8
		# Cut between touches, inside of one, inside of the last one after a whole byte, and before its end.
		for length in (128, 134, whole - 15, whole - 2, whole - 1):
			with self.subTest(length=length):
				trained = self.trained_within(length)
				self.assertEqual([one.version for one in trained], [0, 0])
				self.assertIn("group_concat_max_len is too small: set it to", trained[0].message)
				self.assertEqual(frappe.db.count(TRAINING), 0)
		self.assertTrue(all(one.version for one in self.trained_within(whole)))


class TestTooLittleData(TrainingTestCase):
	"""ATT-5: values of too little data are kept for looking at; credits are Linear's, and what is stored says so."""

	minimum = 3

	def test_linear_until_there_is_enough(self) -> None:
		both, _email = self.story()
		self.assertIsNone(training.used("Markov", END))
		trained = training.train(UNTIL)
		run.credit_pending()
		for model, one in zip(BOTH, trained, strict=True):
			with self.subTest(model=model):
				self.assertEqual(credits(both, model), {"Email": 0.5, "Paid Search": 0.5})
				self.assertEqual(one.message, "Too little data: 2 conversions with a touch, 3 are needed.")
				self.assertTrue(self.newest(model).is_too_little)
				self.assertTrue(from_text(self.newest(model).channel_values))
				self.assertTrue(training.used(model, END).is_too_little)
		self.person("Email", end=END + DAY, converts=True)
		training.train(UNTIL + DAY)
		run.credit_pending()
		for model in BOTH:
			self.assertNotEqual(credits(both, model), {"Email": 0.5, "Paid Search": 0.5})
			self.assertFalse(training.used(model, END).is_too_little)

	def test_nothing_at_all(self) -> None:
		trained = training.train(UNTIL)
		self.assertEqual([one.conversions for one in trained], [0, 0])
		self.assertEqual((self.newest("Markov").path_count, self.newest("Markov").channel_values), (0, "{}"))


class TestVersions(TrainingTestCase):
	"""ATT-4: the newest version that had learnt before a conversion credits it, and a new one concerns no older conversion."""

	def setUp(self) -> None:
		super().setUp()
		self.both, _email = self.story()
		training.train(UNTIL)
		run.credit_pending()
		self.later = self.person("Email", "Paid Search", end=END + 7 * DAY, converts=True)
		run.credit_pending()

	def test_which_one(self) -> None:
		self.person("Paid Search", end=END + 3 * DAY, converts=True)
		run.credit_pending()
		before = credits(self.later, "Shapley")
		self.assertEqual(before, {"Email": 0.75, "Paid Search": 0.25})
		training.train(UNTIL + 7 * DAY)
		pending = frappe.get_all("Conversion", {"attribution_status": "Pending"}, pluck="name")
		self.assertEqual(pending, [])
		self.assertEqual(training.used("Shapley", END).number, 1)
		self.assertEqual(training.used("Shapley", END - 300 * DAY).number, 1)
		self.assertEqual(training.used("Shapley", END + 7 * DAY).number, 1)
		self.assertEqual(training.used("Shapley", END + 8 * DAY).number, 2)

	def test_only_what_it_concerns_is_credited_again(self) -> None:
		self.person("Paid Search", end=END + 3 * DAY, converts=True)
		run.credit_pending()
		training.train(UNTIL + 6 * DAY)
		pending = frappe.get_all("Conversion", {"attribution_status": "Pending"}, pluck="name")
		self.assertEqual(pending, [self.later])
		run.credit_pending()
		# Now Paid Search has one conversion alone too: 3/2 each.
		self.assertEqual(credits(self.later, "Shapley"), {"Email": 0.5, "Paid Search": 0.5})
		self.assertEqual(credits(self.both, "Shapley"), {"Email": 0.75, "Paid Search": 0.25})
		before = everything()
		self.assertEqual(run.rebuild()[1], 0)
		self.assertEqual(everything(), before)

	def test_other_data_of_the_same_day_make_a_version(self) -> None:
		self.person("Paid Search", converts=True)
		training.train(UNTIL)
		self.assertEqual(self.newest("Shapley").version, 2)
		run.credit_pending()
		self.assertEqual(credits(self.both, "Shapley"), {"Email": 0.5, "Paid Search": 0.5})

	def test_other_terms_make_a_version_by_themselves(self) -> None:
		"""What was learnt on other terms credits nobody any more."""
		with changed_model("Shapley", lookback_days=1):
			self.assertIsNone(training.used("Shapley", END))
			training.train(UNTIL, only_missing=True)
			self.assertEqual(self.newest("Shapley").version, 2)
			self.assertEqual(self.newest("Markov").version, 1)
			self.assertEqual(training.used("Shapley", END).number, 2)
		self.assertEqual(training.used("Shapley", END).number, 1)
		self.assertEqual([one.is_new for one in training.train(UNTIL)], [False, False])

	def test_terms_are_those_of_the_model_itself(self) -> None:
		"""What a copy learns on terms that the model had before is none of the model's."""
		copy = frappe.copy_doc(frappe.get_doc("Attribution Model", "Markov"))
		copy.update({"model_name": "Markov Copy", "is_default": 0})
		copy.insert()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "Attribution Model", copy.name)
		training.train(UNTIL)
		with changed_model("Markov", markov_order=2):
			self.assertIsNone(training.used("Markov", END))
			self.assertEqual([one.model for one in training.train(UNTIL, only_missing=True)], ["Markov"])
			self.assertEqual(training.used("Markov", END).number, 2)
			self.assertEqual(training.used("Markov Copy", END).number, 1)

	def test_a_change_of_the_settings_is_worked_off_by_itself(self) -> None:
		set_settings(counted_conversion_types="Purchase\nLead")
		self.assertIsNone(training.used("Shapley", END))
		work()
		self.assertIsNotNone(training.used("Shapley", END))

	def test_models_that_learn_nothing(self) -> None:
		self.assertIsNone(training.used("Linear", END))
		models = frappe.get_all(
			TRAINING, pluck="attribution_model", distinct=True, order_by="attribution_model"
		)
		self.assertEqual(models, [*BOTH])


class TestAtOnce(TrainingTestCase):
	"""ATT-4: trainings at once are one, and no conversion stays behind with credits of a former version."""

	def test_in_many_processes(self) -> None:
		if not is_shared():
			self.skipTest(
				"other processes see neither an in-process Redis nor uncommitted SQLite: needs the real servers"
			)
		self.story()
		training.train(UNTIL)
		run.credit_pending()
		names = [self.person("Email", "Paid Search", end=END + 7 * DAY, converts=True) for _one in range(12)]
		self.person("Paid Search", end=END + 3 * DAY, converts=True)
		works = [lambda: training.train(UNTIL + 6 * DAY)] * 3
		works += [lambda part=names[index::2]: [run.credit([name]) for name in part] for index in range(2)]
		children = [fork(work) for work in works]
		self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0] * 5)
		frappe.db.rollback()
		self.assertEqual([self.newest(model).version for model in BOTH], [2, 2])
		self.assertEqual(frappe.db.count(TRAINING), 4)
		run.credit_pending()
		self.assertEqual(run.rebuild()[1], 0)
		self.assertEqual(credits(names[0], "Shapley"), {"Email": 0.5, "Paid Search": 0.5})


class TestPaths(TrainingTestCase):
	"""ATT-5: the paths of conversions and of people without one."""

	def test_the_window_of_a_conversion(self) -> None:
		visitor = self.person("Email")
		make_touch(visitor, END - 30 * DAY, "Referral")
		make_touch(visitor, END - 30 * DAY - timedelta(microseconds=1), "Display")
		make_touch(visitor, END + timedelta(hours=1), "Affiliates")
		make_conversion(visitor, END)
		self.assertEqual(self.read(), {(("Referral", "Email"), 1): 1})

	def test_the_days_that_are_learnt_from(self) -> None:
		first, last = WHOLE[0], WHOLE[1] - timedelta(microseconds=1)
		for end in (first, first - timedelta(microseconds=1), last, WHOLE[1]):
			self.person("Email", end=end)
			self.person("Referral", end=end, converts=True)
		self.assertEqual(self.read(), {(("Email",), 0): 2, (("Referral",), 1): 2})

	def test_other_conversions_do_not_count(self) -> None:
		visitor = self.person("Email")
		make_conversion(visitor, END, "Lead")
		self.assertEqual(self.read(), {(("Email",), 0): 1})

	def test_whoever_converted_is_nobody_without_a_conversion(self) -> None:
		"""Also where it was before the days that are learnt from, and where the touch was another device's."""
		early = self.person("Email")
		make_conversion(early, WHOLE[0] - DAY)
		self.person("Referral", contact_email="ada@example.com", converts=True)
		self.person("Display", contact_email="ada@example.com")
		self.person("Affiliates", crm_lead="L1")
		visitor = make_visitor("v_00000000000000f1", crm_lead="L1", contact_email="bob@example.com")
		make_conversion(visitor, END + timedelta(hours=1))
		self.person("Paid Search", contact_email="bob@example.com")
		make_conversion("", END, crm_lead="L2")
		self.person("Video", crm_lead="L2")
		self.person("Organic Search")
		found = self.read()
		self.assertEqual({path for (path, converted) in found if not converted}, {("Organic Search",)})

	def test_several_devices_are_one_path(self) -> None:
		for person in ({"crm_lead": "L1"}, {"contact_email": "ada@example.com"}, {"erased_person": "e1"}):
			self.person("Email", end=END, **person)
			self.person("Referral", end=END - DAY, **person)
		self.person("Display")
		self.assertEqual(self.read(), {(("Referral", "Email"), 0): 3, (("Display",), 0): 1})

	def test_the_order_is_that_of_time(self) -> None:
		channels = ("Email", "Referral", "Display", "Video", "Affiliates")
		for shift in range(len(channels)):
			visitor = self.person(contact_email=f"{shift}@example.com")
			for number in range(len(channels)):
				place = (number * 3 + shift) % len(channels)
				make_touch(visitor, END + timedelta(hours=place), channels[place])
		self.assertEqual(self.read(), {(channels, 0): len(channels)})

	def test_direct_touches(self) -> None:
		"""ATT-3: they count only where there is nothing else, or like others by the model's switch."""
		self.person("Email", "Direct")
		self.person("Direct", "Direct", converts=True)
		self.assertEqual(self.read(), {(("Email",), 0): 1, (("Direct", "Direct"), 1): 1})
		with changed_model("Markov", count_direct=1):
			self.assertEqual(self.read(), {(("Email", "Direct"), 0): 1, (("Direct", "Direct"), 1): 1})

	def test_the_last_touches_of_long_paths(self) -> None:
		for converts in (True, False):
			visitor = self.person()
			make_journey(visitor, "Email", *["Referral"] * 100, end=END, every=timedelta(hours=1))
			if converts:
				make_conversion(visitor, END)
			self.assertEqual(self.read()[("Referral",) * 100, int(converts)], 1)

	def test_no_text_is_taken_for_anything_else(self) -> None:
		"""Case, accents, blanks at the end, separators: two names stay two, on every database."""
		names = ["Email", "email", "Émail", "Email ", "a,b.c", "a\x1eb\x1f", "0.1,2", "%s {0}"]
		for name in names:
			self.person(name)
			self.person(name, "Referral")
		expected = {((name,), 0): 1 for name in names} | {((name, "Referral"), 0): 1 for name in names}
		self.assertEqual(self.read(), expected)

	def test_rules_look_at_what_a_touch_was(self) -> None:
		visitor = self.person()
		make_touch(visitor, END - DAY, "Referral", source="Partner, Inc.", medium="x\x1f", campaign=None)
		make_touch(visitor, END, "Referral", source="other")
		rule = {"channel_name": "Partners", "match_conditions": '{"source": "partner*", "medium": "x*"}'}
		model = frappe.get_doc("Attribution Model", "Markov")
		try:
			model.append("channel_rules", rule)
			model.save()
			self.assertEqual(self.read(), {(("Partners", "Referral"), 0): 1})
			make_conversion(visitor, END)
			self.assertEqual(self.read(), {(("Partners", "Referral"), 1): 1})
		finally:
			model.channel_rules = []
			model.save()
			frappe.db.commit()

	def test_statements_do_not_grow_with_people(self) -> None:
		"""PRF-6"""
		numbers = []
		self.read()
		for _round in range(2):
			for _person in range(8):
				self.person("Email", "Referral")
				self.person("Email", converts=True)
			with counted_statements() as statements:
				self.read()
			numbers.append(len(statements))
		self.assertEqual(numbers[0], numbers[1])
		self.assertLess(numbers[0], 12)

	def test_many_conversions_are_read_some_at_once(self) -> None:
		"""PRF-6"""
		for number in range(7):
			self.person("Email", end=END - timedelta(minutes=number % 3), converts=True)
		at_once = paths.AT_ONCE
		try:
			paths.AT_ONCE = 2
			self.assertEqual(self.read(), {(("Email",), 1): 7})
		finally:
			paths.AT_ONCE = at_once


class TestCommand(TrainingTestCase):
	"""CLI-1: training by command, which credits what it concerns."""

	def invoke(self, *options: str) -> str:
		frappe.db.commit()
		context = frappe._dict(sites=[frappe.local.site], profile=False)
		with patch.object(commands.shell, "connected", lambda _context: nullcontext()):
			answer = CliRunner().invoke(commands.trackflow, ["attribution", "--train", *options], obj=context)
		self.assertEqual(answer.exit_code, 0, answer.output)
		return answer.output

	def test_it_trains_and_credits(self) -> None:
		now = frappe.utils.now_datetime()
		conversions = [self.person("Email", "Referral", end=now - DAY, converts=True) for _number in range(2)]
		self.person("Email", end=now - DAY)
		trained = json.loads(self.invoke("--json"))
		self.assertEqual(
			[(one["model"], one["version"], one["is_new"]) for one in trained],
			[("Markov", 1, True), ("Shapley", 1, True)],
		)
		self.assertEqual(credits(conversions[0], "Markov"), {"Email": 0.5, "Referral": 0.5})
		self.assertEqual(frappe.db.count("Conversion", {"attribution_status": "Pending"}), 0)
		self.assertIn("Markov: version 1 (as it was), 2 conversions.", self.invoke())


class TestScheduler(TrainingTestCase):
	"""ATT-4: the weekly job trains and credits what that concerns."""

	def test_every_week(self) -> None:
		(method,) = hooks.scheduler_events["weekly_long"]
		now = frappe.utils.now_datetime()
		conversions = [self.person("Email", "Referral", end=now - DAY, converts=True) for _number in range(2)]
		self.person("Email", end=now - DAY)
		run.credit_pending()
		frappe.get_attr(method)()
		self.assertEqual(credits(conversions[0], "Markov"), {"Email": 0.5, "Referral": 0.5})
		self.assertEqual(frappe.db.count("Conversion", {"attribution_status": "Pending"}), 0)
		self.assertEqual(training.used("Markov", now).number, 1)
