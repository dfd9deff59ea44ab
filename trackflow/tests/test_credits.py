"""Credits in the database: written once, explained by rows, rebuilt without a change (ATT-1 to ATT-4)."""

import os
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import frappe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trackflow.attribution import run
from trackflow.collisions import retried
from trackflow.stream import drain, writer
from trackflow.tests.base import TrackFlowTestCase, fork, is_shared, work
from trackflow.tests.factories import (
	changed_model,
	event_record,
	make_campaign,
	make_conversion,
	make_journey,
	make_link,
	make_touch,
	make_visitor,
	set_settings,
)

END = datetime(2026, 3, 20, 12)
VISITOR = "v_00000000000000aa"
MODELS = {
	"First Touch", "Last Touch", "Last Non-Direct", "Linear", "Time Decay", "Position Based", "W-Shaped", "Custom",
	"Markov", "Shapley",
}  # fmt: skip


def credits(conversion: str, model: str) -> dict[str, float]:
	"""Weights by channel."""
	rows = frappe.get_all(
		"Attribution Link",
		filters={"conversion": conversion, "attribution_model": model},
		fields=["channel", "weight"],
		order_by="position",
	)
	found: dict[str, float] = {}
	for row in rows:
		found[row.channel] = round(found.get(row.channel, 0) + row.weight, 9)
	return found


def everything() -> list[Any]:
	"""All derived rows with their stamps: what a rebuild must not touch."""
	doctypes = (
		"Attribution Link",
		"Link Conversion",
		"Deal Attribution",
		"Deal Link Association",
		"Conversion",
	)
	return [frappe.get_all(one, fields=["*"], order_by="name") for one in doctypes]


class TestModels(TrackFlowTestCase):
	"""ATT-1: all models are installed and active, Last Touch the default; each gives what it says."""

	def setUp(self) -> None:
		super().setUp()
		make_visitor(VISITOR)

	def test_what_is_installed(self) -> None:
		rows = frappe.get_all(
			"Attribution Model", filters={"is_active": 1}, fields=["model_type", "is_default"]
		)
		self.assertEqual({row.model_type for row in rows}, MODELS)
		self.assertEqual([row.model_type for row in rows if row.is_default], ["Last Touch"])

	def test_a_journey_of_four(self) -> None:
		make_journey(VISITOR, "Paid Search", "Email", "Referral", "Direct", end=END - timedelta(days=1))
		conversion = make_conversion(VISITOR, END)
		run.credit([conversion])
		self.assertEqual(credits(conversion, "First Touch"), {"Paid Search": 1})
		self.assertEqual(credits(conversion, "Last Touch"), {"Direct": 1})
		self.assertEqual(credits(conversion, "Last Non-Direct"), {"Referral": 1})
		self.assertEqual(
			credits(conversion, "Linear"),
			{"Paid Search": 0.25, "Email": 0.25, "Referral": 0.25, "Direct": 0.25},
		)
		self.assertEqual(
			credits(conversion, "Position Based"),
			{"Paid Search": 0.4, "Email": 0.1, "Referral": 0.1, "Direct": 0.4},
		)
		ages = [2 ** (-day / 7) for day in (4, 3, 2, 1)]
		for found, age in zip(credits(conversion, "Time Decay").values(), ages, strict=True):
			self.assertAlmostEqual(found, age / sum(ages), places=8)

	def test_w_shaped_looks_at_the_lead_and_the_deal(self) -> None:
		days = (8, 6, 4, 2)
		for day, channel in zip(days, ("Paid Search", "Email", "Referral", "Direct"), strict=True):
			make_touch(VISITOR, END - timedelta(days=day), channel)
		conversion = make_conversion(
			VISITOR, END, lead_created_at=END - timedelta(days=5), deal_created_at=END - timedelta(days=1)
		)
		run.credit([conversion])
		found = credits(conversion, "W-Shaped")
		self.assertEqual(found, {"Paid Search": 0.3, "Email": 0.3, "Referral": 0.1, "Direct": 0.3})

	def test_channel_rules_are_for_one_model(self) -> None:
		make_journey(VISITOR, "Referral", "Email", end=END)
		rule = {
			"channel_name": "Partners",
			"match_conditions": '{"channel": "Referral"}',
			"priority": 1,
			"weight": 3,
		}
		conversion = make_conversion(VISITOR, END)
		model = frappe.get_doc("Attribution Model", "Linear")
		try:
			model.append("channel_rules", rule)
			model.save()
			run.credit([conversion])
		finally:
			model.channel_rules = []
			model.save()
			frappe.db.commit()
		self.assertEqual(credits(conversion, "Linear"), {"Partners": 0.75, "Email": 0.25})
		self.assertEqual(credits(conversion, "First Touch"), {"Referral": 1})

	def test_custom_weighs_channels_by_the_settings_and_its_own_rules(self) -> None:
		make_journey(VISITOR, "Referral", "Email", end=END)
		conversion = make_conversion(VISITOR, END)
		set_settings(custom_attribution_settings='{"channel_weights": {"Email": 3, "Referral": 3}}')
		with changed_model(
			"Custom", custom_rules='{"channel_weights": {"Referral": 1}}', base_model="Linear"
		):
			run.credit([conversion])
		set_settings(custom_attribution_settings=None)
		self.assertEqual(credits(conversion, "Custom"), {"Referral": 0.25, "Email": 0.75})
		self.assertEqual(credits(conversion, "Linear"), {"Referral": 0.5, "Email": 0.5})

	def test_direct_touches_can_be_left_out(self) -> None:
		make_journey(VISITOR, "Email", "Direct", end=END)
		conversion = make_conversion(VISITOR, END)
		with changed_model("Linear", count_direct=0):
			run.credit([conversion])
		self.assertEqual(credits(conversion, "Linear"), {"Email": 1})


class TestWindow(TrackFlowTestCase):
	"""ATT-3: the lookback window, its edge, and what is outside."""

	def setUp(self) -> None:
		super().setUp()
		make_visitor(VISITOR)

	def test_the_edges_belong_to_it(self) -> None:
		make_touch(VISITOR, END - timedelta(days=30, microseconds=1), "Referral")
		make_touch(VISITOR, END - timedelta(days=30), "Email")
		make_touch(VISITOR, END, "Direct")
		make_touch(VISITOR, END + timedelta(microseconds=1), "Paid Search")
		conversion = make_conversion(VISITOR, END)
		run.credit([conversion])
		self.assertEqual(credits(conversion, "Linear"), {"Email": 0.5, "Direct": 0.5})

	def test_the_setting_is_the_default_of_the_models(self) -> None:
		make_touch(VISITOR, END - timedelta(days=10), "Email")
		set_settings(attribution_window_days=9)
		conversion = make_conversion(VISITOR, END)
		run.credit([conversion])
		self.assertEqual(credits(conversion, "Linear"), {"Unattributed": 1})

	def test_nothing_is_said_out_loud(self) -> None:
		conversion = make_conversion(VISITOR, END)
		run.credit([conversion])
		for model in MODELS:
			(row,) = frappe.get_all(
				"Attribution Link",
				filters={"conversion": conversion, "attribution_model": model},
				fields=["*"],
			)
			self.assertEqual(
				(row.channel, row.position, row.weight, row.credited_value, row.touch_point),
				("Unattributed", 0, 1, 100, None),
			)


class TestPersons(TrackFlowTestCase):
	"""CRM-3: several visitors can be one person."""

	def test_one_email_address_is_one_person(self) -> None:
		for visitor, channel in (("v_00000000000000a1", "Email"), ("v_00000000000000a2", "Referral")):
			make_visitor(visitor, contact_email="ada@example.com")
			make_touch(visitor, END - timedelta(days=1), channel)
		make_visitor("v_00000000000000a3")
		make_touch("v_00000000000000a3", END - timedelta(days=1), "Display")
		conversion = make_conversion("v_00000000000000a1", END)
		run.credit([conversion])
		self.assertEqual(credits(conversion, "Linear"), {"Email": 0.5, "Referral": 0.5})


class TestRebuild(TrackFlowTestCase):
	"""ATT-4: idempotent and rebuildable; a rebuild of unchanged data changes not one row."""

	def setUp(self) -> None:
		super().setUp()
		self.link = make_link("spring", campaign=make_campaign().name)
		for number in range(5):
			visitor = make_visitor(f"v_00000000000000b{number}")
			make_journey(visitor, "Email", "Direct", "Referral", end=END - timedelta(hours=number))
			make_touch(
				visitor,
				END - timedelta(minutes=30),
				"Paid Search",
				tracked_link=self.link.name,
				click_event=f"c{number}",
			)
			make_conversion(visitor, END, value=33.33)
		run.credit_pending()

	def test_nothing_changes_when_nothing_changed(self) -> None:
		before = everything()
		self.assertEqual(run.rebuild(), (5, 0))
		self.assertEqual(everything(), before)

	def test_only_the_days_that_were_asked_for(self) -> None:
		self.assertEqual(run.rebuild(END.date(), END.date())[0], 5)
		self.assertEqual(run.rebuild(END.date() + timedelta(days=1))[0], 0)
		self.assertEqual(run.rebuild(None, END.date() - timedelta(days=1))[0], 0)

	def test_what_was_lost_comes_back_as_it_was(self) -> None:
		before = frappe.get_all(
			"Attribution Link", fields=["name", "weight", "credited_value"], order_by="name"
		)
		frappe.db.delete("Attribution Link", {"attribution_model": "Linear"})
		self.assertGreater(run.rebuild()[1], 0)
		after = frappe.get_all(
			"Attribution Link", fields=["name", "weight", "credited_value"], order_by="name"
		)
		self.assertEqual(after, before)

	def test_the_link_knows_its_conversions_of_the_types_that_count(self) -> None:
		self.link.reload()
		self.assertEqual((self.link.conversion_count, self.link.revenue), (0, 0))
		set_settings(counted_conversion_types="Lead\nPurchase", valued_conversion_types="Purchase")
		self.assertEqual(run.rebuild(), (5, 1))
		self.assertEqual(run.rebuild(), (5, 0))
		self.link.reload()
		won = frappe.get_all(
			"Attribution Link",
			filters={"attribution_model": "Last Touch", "tracked_link": self.link.name},
			fields=["weight", "credited_value"],
		)
		self.assertGreater(self.link.conversion_count, 0)
		self.assertEqual(self.link.conversion_count, sum(row.weight for row in won))
		self.assertAlmostEqual(self.link.revenue, sum(row.credited_value for row in won))
		self.assertEqual(frappe.db.count("Link Conversion"), len(won))

	def test_changing_what_counts_is_worked_off_by_itself(self) -> None:
		set_settings(counted_conversion_types="Purchase", valued_conversion_types="Purchase")
		work()
		self.link.reload()
		self.assertGreater(self.link.conversion_count, 0)
		set_settings(default_attribution_model="First Touch")
		work()
		self.link.reload()
		self.assertEqual(self.link.conversion_count, 0)

	def test_an_unknown_model_type_sets_the_conversion_aside(self) -> None:
		frappe.db.set_value("Conversion", {"visitor": ("is", "set")}, "attribution_status", "Pending")
		with changed_model("Linear", model_type="Crystal Ball"):
			run.credit_pending()
			self.assertEqual(frappe.db.count("Conversion", {"attribution_status": "Failed"}), 5)
		run.repair()
		self.assertEqual(frappe.db.count("Conversion", {"attribution_status": "Done"}), 5)


class TestAtOnce(TrackFlowTestCase):
	"""DATA-3: jobs at once leave the figures of a link that they share exact."""

	def test_credits_of_one_link_in_many_processes(self) -> None:
		if not is_shared():
			self.skipTest(
				"other processes see neither an in-process Redis nor uncommitted SQLite: needs the real servers"
			)
		set_settings(counted_conversion_types="Purchase", valued_conversion_types="Purchase")
		link = make_link("spring")
		names = []
		for number in range(24):
			visitor = make_visitor(f"v_00000000000001{number:02x}")
			make_touch(visitor, END, tracked_link=link.name, click_event=f"c{number}")
			names.append(make_conversion(visitor, END, value=10))
		children = [
			fork(lambda part=names[index::4]: [run.credit([name]) for name in part]) for index in range(4)
		]
		self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0] * 4)
		frappe.db.rollback()
		link.reload()
		self.assertEqual((link.conversion_count, link.revenue), (24, 240))

	def test_taken_back_while_it_is_credited(self) -> None:
		"""CRM-4: a deal that is lost while its win is still being credited leaves nothing behind."""
		if not is_shared():
			self.skipTest(
				"other processes see neither an in-process Redis nor uncommitted SQLite: needs the real servers"
			)
		set_settings(counted_conversion_types="Deal Won", valued_conversion_types="Deal Won")
		link, visitor = make_link("spring"), make_visitor(VISITOR)
		make_touch(visitor, END, tracked_link=link.name, click_event="c1")
		for number in range(12):
			deal = {"source_doctype": "CRM Deal", "source_name": f"D{number}", "crm_deal": f"D{number}"}
			name = make_conversion(visitor, END, "Deal Won", **deal)
			works = (lambda: run.credit([name]), lambda: retried(run.take_back)(name))
			children = [fork(work) for work in works[:: 1 if number % 2 else -1]]
			self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0, 0])
			frappe.db.rollback()
			doctypes = (
				"Conversion",
				"Attribution Link",
				"Link Conversion",
				"Deal Attribution",
				"Deal Link Association",
			)
			self.assertEqual([frappe.db.count(one) for one in doctypes], [0] * 5)
			link.reload()
			self.assertEqual((link.conversion_count, link.revenue), (0, 0))


class TestLateTouches(TrackFlowTestCase):
	"""ATT-4: a touch that arrives after the conversion but happened before it is credited by the next run."""

	def test_it_opens_the_conversion_again(self) -> None:
		now = datetime.now().timestamp()
		purchase = event_record(
			at=now, event_type="CONVERSION", event_name="Purchase", value="10", currency="USD"
		)
		writer.write([purchase])
		drain.drain()
		run.credit_pending()
		(conversion,) = frappe.get_all("Conversion", pluck="name")
		self.assertEqual(credits(conversion, "First Touch"), {"Direct": 1})
		writer.write([event_record(at=now - 7200, utm={"utm_source": "news", "utm_medium": "email"})])
		drain.drain()
		self.assertEqual(frappe.db.get_value("Conversion", conversion, "attribution_status"), "Pending")
		run.credit_pending()
		self.assertEqual(credits(conversion, "First Touch"), {"Email": 1})

	def test_a_later_visit_leaves_it_alone(self) -> None:
		now = datetime.now().timestamp()
		writer.write([event_record(at=now - 7200, event_type="CONVERSION", event_name="Purchase")])
		drain.drain()
		run.credit_pending()
		writer.write([event_record(at=now, utm={"utm_source": "news", "utm_medium": "email"})])
		drain.drain()
		self.assertEqual(frappe.get_all("Conversion", pluck="attribution_status"), ["Done"])


class TestExactness(TrackFlowTestCase):
	"""ATT-2: whatever the journey, stored weights sum to 1 and stored money to the value, to the last cent."""

	@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
	@given(
		channels=st.lists(st.sampled_from(["Email", "Direct", "Referral", "Paid Search"]), max_size=9),
		cents=st.integers(0, 10**9),
	)
	def test_sums(self, channels: list[str], cents: int) -> None:
		for doctype in ("Attribution Link", "Conversion", "Touch Point", "Visitor"):
			frappe.db.delete(doctype)
		make_visitor(VISITOR)
		make_journey(VISITOR, *channels, end=END, every=timedelta(hours=7))
		value = Decimal(cents) / 100
		conversion = make_conversion(VISITOR, END, value=value)
		run.credit([conversion])
		rows = frappe.get_all(
			"Attribution Link",
			filters={"conversion": conversion},
			fields=["attribution_model", "weight", "credited_value"],
			order_by="name",
		)
		self.assertEqual({row.attribution_model for row in rows}, MODELS)
		for model in MODELS:
			own = [row for row in rows if row.attribution_model == model]
			self.assertEqual(sum(Decimal(str(round(row.weight, 9))) for row in own), 1)
			self.assertEqual(sum(Decimal(str(round(row.credited_value, 2))) for row in own), value)
		self.assertEqual(run.credit([conversion]), 0)
