"""What is deleted by its age, and what stays: RET-1, DATA-3."""

import json
import unittest
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.constants.defaults import SETTINGS
from trackflow.privacy import aged, due, retention
from trackflow.rollups import run as rollup
from trackflow.stream import writer
from trackflow.stream.drain import drain
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.factories import (
	SHOP,
	click_record,
	event_record,
	make_conversion,
	make_link,
	make_visitor,
	set_settings,
)
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tracking import counters, repair

NOW = datetime(2026, 11, 1, 12)
VISITOR = "v_{:016x}"
UNDER_WAY = {
	"Email Campaign Log": ("Queued", "Sending"),
	"Webhook Delivery": ("Pending",),
	"CRM Sync Log": ("pending",),
}


class TestDue(unittest.TestCase):
	"""RET-1: what is due, as a pure function of days."""

	def test_days(self) -> None:
		self.assertEqual(
			due.cutoffs(NOW, {"Visitor": 10, "Click Queue": 0}), {"Visitor": NOW - timedelta(days=10)}
		)

	def test_touch_points_outlive_their_sessions(self) -> None:
		for touch, session, expected in ((5, 10, 10), (20, 10, 20), (5, 0, None), (0, 10, None)):
			found = due.cutoffs(NOW, {"Touch Point": touch, "Visitor Session": session}).get("Touch Point")
			self.assertEqual(found, NOW - timedelta(days=expected) if expected else None)

	def test_horizon(self) -> None:
		self.assertEqual(due.horizon(NOW, {"Click Event": 30, "Visitor Event": 10}), NOW - timedelta(days=10))
		self.assertIsNone(due.horizon(NOW, {"Click Event": 0, "Visitor": 10}))

	def test_whole_days(self) -> None:
		found = due.cutoffs(NOW, {"Visitor": 10}, whole_days=True)
		self.assertEqual(found, {"Visitor": datetime(2026, 10, 22)})

	def test_what_was_deleted_does_not_come_back_with_more_days(self) -> None:
		deleted = NOW - timedelta(days=30)
		self.assertEqual(due.horizon(NOW, {"Click Event": 300}, deleted), deleted)
		self.assertEqual(due.horizon(NOW, {"Click Event": 0}, deleted), deleted)
		self.assertEqual(due.horizon(NOW, {"Click Event": 10}, deleted), NOW - timedelta(days=10))

	def test_each_table_has_its_setting(self) -> None:
		self.assertLessEqual({table.setting for table in due.TABLES}, SETTINGS.keys())


class RetentionTestCase(TrackFlowTestCase):
	def visit(self, number: int, days_ago: float, **values: Any) -> None:
		"""A click and the page that it led to, so many days ago."""
		at = (datetime.now().astimezone() - timedelta(days=days_ago)).timestamp()
		writer.write([
			click_record(self.link, number, at, **values),
			event_record(number, at + 5, url=f"https://{SHOP}/", received=at + 5, **values),
		])  # fmt: skip
		drain()

	def setUp(self) -> None:
		super().setUp()
		self.link = make_link("spring").name
		frappe.db.set_value("Tracked Link", self.link, "creation", now_datetime() - timedelta(days=900))

	def whose(self) -> dict[str, set[int]]:
		"""By DocType, whose rows there are."""
		return {
			table.doctype: {
				int(one[2:], 16) for one in frappe.get_all(table.doctype, pluck=table.visitor, order_by="name") if one
			}
			for table in due.TABLES if table.visitor
		}  # fmt: skip

	def assert_all(self, numbers: set[int]) -> None:
		"""These, and nobody else, have rows in each of the tables."""
		for doctype, found in self.whose().items():
			self.assertEqual(found, numbers, doctype)


class TestWhatGoes(RetentionTestCase):
	"""RET-1: by table and days, in batches; not what belongs to somebody who converted, and not what links counted."""

	def test_by_table(self) -> None:
		for number, days in ((1, 800), (2, 500), (3, 1)):
			self.visit(number, days)
		link = frappe.get_doc("Tracked Link", self.link).as_dict()
		done = retention.run().deleted
		self.assertEqual(
			self.whose(),
			{
				"Click Event": {2, 3}, "Visitor Event": {3}, "Visitor Session": {3}, "Touch Point": {2, 3}, "Visitor": {3},
			},
		)  # fmt: skip
		self.assertEqual(
			{doctype: number for doctype, number in done.items() if number},
			{"Visitor Event": 2, "Click Event": 1, "Visitor Session": 2, "Touch Point": 1, "Visitor": 2},
		)
		self.assertEqual(frappe.get_doc("Tracked Link", self.link).as_dict(), link)
		self.assertFalse(retention.run().rows_written)

	def test_in_batches_past_what_stays(self) -> None:
		for number in range(1, 8):
			self.visit(number, 800 + number)
		for number in (2, 3, 4):
			make_conversion(VISITOR.format(number), now_datetime())
		with patch.object(aged, "BATCH", 2):
			retention.run()
		self.assert_all({2, 3, 4})

	def test_a_person_who_converted_keeps_all_browsers(self) -> None:
		for number, person in ((1, "ada"), (2, "ada"), (3, "bob")):
			self.visit(number, 800)
			frappe.db.set_value("Visitor", VISITOR.format(number), "contact_email", f"{person}@example.com")
		conversion = make_conversion(VISITOR.format(2), now_datetime())
		retention.run()
		self.assert_all({1, 2})
		frappe.db.delete("Conversion", {"name": conversion})
		retention.run()
		self.assert_all(set())

	def test_kept_for_good(self) -> None:
		set_settings(**{table.setting: 0 for table in due.TABLES})
		self.visit(1, 3000)
		self.assertFalse(retention.run().rows_written)

	def test_robots_go_too(self) -> None:
		self.visit(1, 800, counted=False, is_bot=True)
		retention.run()
		self.assertEqual((frappe.db.count("Click Event"), frappe.db.count("Visitor Event")), (0, 0))

	def test_what_waits_to_be_stored_stays(self) -> None:
		row = {"kind": "Click", "payload": "{}", "creation": now_datetime() - timedelta(days=30)}
		for status in ("Pending", "Failed", "Processed"):
			bulk.insert("Click Queue", [{**row, "name": status, "status": status}])
			frappe.db.set_value("Click Queue", status, "creation", row["creation"], update_modified=False)
		retention.run()
		self.assertEqual(frappe.get_all("Click Queue", pluck="name"), ["Pending"])

	def test_every_table_goes_by_its_own_figure(self) -> None:
		"""Those that tracking does not fill: what is old and done goes, what is young or under way stays."""
		old, young = now_datetime() - timedelta(days=400), now_datetime()
		for table in due.TABLES:
			if table.visitor or table.doctype == "Click Queue":
				continue
			states = [*table.statuses, *UNDER_WAY.get(table.doctype, ())] or [""]
			rows = [
				{"name": f"{age}-{state}", "status": state, "creation": at, table.time: at}
				for age, at in (("old", old), ("young", young))
				for state in states
			]
			if not table.statuses:
				rows = [{key: value for key, value in row.items() if key != "status"} for row in rows]
			frappe.db.delete(table.doctype)
			bulk.insert(table.doctype, rows)
			with self.subTest(table.doctype):
				set_settings(**{table.setting: 0})
				self.assertEqual(retention.run().deleted[table.doctype], 0)
				set_settings(**{table.setting: 300})
				with patch.object(aged, "BATCH", 2):
					retention.run()
				left = {f"young-{state}" for state in states}
				left |= {f"old-{state}" for state in UNDER_WAY.get(table.doctype, ())}
				self.assertEqual(set(frappe.get_all(table.doctype, pluck="name")), left)
			frappe.db.delete(table.doctype)

	def test_it_stops_when_its_time_is_over(self) -> None:
		for number in range(4):
			self.visit(number + 1, 800)
		with patch.object(aged, "BATCH", 1):
			self.assertEqual(retention.run(max_seconds=-1).rows_written, 1)

	def test_the_scheduler_calls_it(self) -> None:
		self.assertIn(
			"trackflow.privacy.retention.run_daily", frappe.get_hooks("scheduler_events")["daily_long"]
		)
		make_visitor(VISITOR.format(9), last_seen=now_datetime() - timedelta(days=400))
		retention.run_daily()
		self.assertEqual(frappe.db.count("Visitor"), 0)


class TestRebuildsAfterwards(RetentionTestCase):
	"""DATA-3: a rebuild never reaches behind what may be gone."""

	def test_nothing_changes(self) -> None:
		for days in (800, 400, 370, 1):
			self.visit(1, days)
		retention.run()
		before = (
			self.whose(),
			frappe.get_doc("Tracked Link", self.link).as_dict(),
			frappe.get_doc("Visitor", VISITOR.format(1)).as_dict(),
		)
		self.assertEqual((repair.rebuild_all(), counters.rebuild(), repair.repair()), (0, 0, 0))
		after = (
			self.whose(),
			frappe.get_doc("Tracked Link", self.link).as_dict(),
			frappe.get_doc("Visitor", VISITOR.format(1)).as_dict(),
		)
		self.assertEqual(after, before)

	def test_nothing_changes_when_more_days_are_set(self) -> None:
		"""What was deleted is not counted again as if it had never been."""
		for days in (800, 1):
			self.visit(1, days)
		retention.run()
		set_settings(**{table.setting: 3000 for table in due.TABLES if table.visitor})
		before = frappe.get_doc("Tracked Link", self.link).as_dict()
		self.assertEqual(before.click_count, 2)
		self.assertEqual((repair.rebuild_all(), counters.rebuild(), repair.repair()), (0, 0, 0))
		self.assertEqual(frappe.get_doc("Tracked Link", self.link).as_dict(), before)

	def test_daily_figures_do_not_reach_behind_either(self) -> None:
		old = now_datetime() - timedelta(days=400)
		bulk.insert("Daily Campaign Metric", [{"name": "old", "date": old.date()}])
		self.addCleanup(frappe.db.delete, "Daily Campaign Metric")
		self.assertIsNone(rollup.horizon())
		set_settings(retention_daily_campaign_metric=300)
		retention.run()
		set_settings(retention_daily_campaign_metric=0)
		self.assertEqual(rollup.horizon(), (now_datetime() - timedelta(days=299)).date())


class TestCommand(CommandTestCase, RetentionTestCase):
	"""CLI-1: `retention`."""

	def rows(self, *options: str) -> dict[str, int]:
		result = self.invoke("retention", "--json", *options)
		self.assertEqual(result.exit_code, 0, result.output)
		return json.loads(result.output)["rows"]

	def test_it_counts_and_deletes(self) -> None:
		self.visit(1, 800)
		expected = {table.doctype: int(bool(table.visitor)) for table in due.TABLES}
		self.assertEqual(self.rows("--dry-run"), expected)
		self.assertEqual(frappe.db.count("Click Event"), 1)
		self.assertEqual(self.rows(), expected)
		self.assertEqual(frappe.db.count("Click Event"), 0)
		self.assertIn("Click Event", self.invoke("retention").output)
