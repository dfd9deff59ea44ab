"""Archives are read back to the same rows, of nobody, and move no figure (RET-1)."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import getdate

from trackflow.click_rollups import run as click_rollups
from trackflow.privacy import aged, retention
from trackflow.privacy.archive import draft, keeping, layout, restoring
from trackflow.privacy.personal import BY_DOCTYPE
from trackflow.tests.factories import make_campaign, set_settings
from trackflow.tests.test_archive import ARCHIVED, ArchiveTestCase
from trackflow.tests.test_retention import VISITOR
from trackflow.tracking import counters, repair


class TestBack(ArchiveTestCase):
	"""Rows come back as they were archived, and move nothing."""

	def totals(self) -> dict[str, Any]:
		"""What must not change: figures of links, variants, campaigns and visitors."""
		return {
			doctype: frappe.get_all(doctype, fields=["*"], order_by="name")
			for doctype in (
				"Tracked Link",
				"Campaign Link Variant",
				"Link Campaign",
				"Visitor",
				"Touch Point",
				"Visitor Event",
			)
		}

	def restore_all(self, **options: Any) -> list[restoring.Outcome]:
		return [restoring.restore(row["name"], **options) for row in self.records()]

	def test_exactly_the_same_rows(self) -> None:
		frappe.db.set_value("Tracked Link", self.link, "campaign", make_campaign().name)
		self.make_history()
		before = self.stored()
		retention.run()
		gone = before.keys() - self.stored().keys()
		self.restore_all()
		after = self.stored()
		self.assertEqual(after.keys(), before.keys())
		by_visitor: dict[tuple[str, Any, str], set[str]] = {}
		for key in gone:
			row, back, table = before[key], after[key], BY_DOCTYPE[key[0]]
			for field in table.empties:
				self.assertFalse(back[field], field)
			for field in ("creation", "modified", *table.keeps):
				if field == "referrer" and row[field]:
					self.assertEqual(back[field], "https://search.example/")
				else:
					self.assertEqual(
						(back[field] or None, type(back[field])),
						(row[field] or None, type(row[field])),
						field,
					)
			self.assertEqual(bool(back["visitor_id"]), bool(row["visitor_id"]))
			if row["visitor_id"]:
				self.assertRegex(back["visitor_id"], r"\Ae_[0-9a-f]{16}\Z")
				day = row[layout.TIMES[key[0]]].date()
				by_visitor.setdefault((key[0], day, row["visitor_id"]), set()).add(back["visitor_id"])
		self.assertEqual({len(ids) for ids in by_visitor.values()}, {1})
		for key in before.keys() - gone:
			self.assertEqual(after[key], before[key])

	def test_sums_of_another_site(self) -> None:
		"""ROL-2: a site that never had these rows sums up what came with one file before it reads the next one."""
		self.visit(1, 900)
		day = getdate() - timedelta(days=900)
		retention.run()
		frappe.db.delete("Daily Click Rollup")
		aged.forget_deletions()
		set_settings(
			**{f"retention_{name}": 0 for name in ("click_event", "visitor_session", "visitor_event")}
		)
		told = []
		for record in self.records():
			restoring.restore(record["name"])
			click_rollups.run()
			told += frappe.get_all(
				"Daily Click Rollup", {"date": day, "grain": "Day"}, ["clicks", "sessions"], as_list=True
			)
		self.assertEqual(len(told), 2)
		self.assertEqual(tuple(told[-1]), (1, 1))

	def test_no_total_moves(self) -> None:
		self.make_history()
		links = frappe.get_all("Tracked Link", fields=["*"], order_by="name")
		campaigns = frappe.get_all("Link Campaign", fields=["*"], order_by="name")
		retention.run()
		totals = self.totals()
		self.assertEqual((totals["Tracked Link"], totals["Link Campaign"]), (links, campaigns))
		for _again in range(2):
			self.restore_all()
			self.assertEqual((repair.rebuild_all(), counters.rebuild(), repair.repair()), (0, 0, 0))
			self.assertEqual(self.totals(), totals)

	def test_again_nothing_comes(self) -> None:
		self.make_history()
		retention.run()
		self.assertTrue(all(one.rows == one.missing for one in self.restore_all(dry_run=True)))
		self.assertEqual({row["status"] for row in self.records()}, {"Archived"})
		self.assertTrue(all(one.rows == one.missing for one in self.restore_all()))
		stored = self.stored()
		self.assertFalse(any(one.missing for one in self.restore_all()))
		self.assertEqual(self.stored(), stored)
		frappe.db.delete("Click Event", {"visitor_id": ("like", "e_%")})
		self.assertTrue(any(one.missing for one in self.restore_all()))
		self.assertEqual(self.stored(), stored)

	def test_they_go_again_without_another_file(self) -> None:
		self.make_history()
		retention.run()
		left, files = self.stored(), self.kept()
		self.restore_all()
		self.assertEqual({row["status"] for row in self.records()}, {"Restored"})
		retention.run()
		self.assertEqual((self.stored(), self.kept()), (left, files))
		self.assertEqual({row["status"] for row in self.records()}, {"Archived"})

	def test_they_stay_where_the_days_are_raised(self) -> None:
		self.make_history()
		retention.run()
		self.restore_all()
		stored = self.stored()
		set_settings(retention_click_event=2000, retention_visitor_session=2000)
		self.assertEqual(sum(retention.run().deleted[doctype] for doctype in ARCHIVED), 0)
		self.assertEqual(self.stored(), stored)
		self.assertEqual((counters.rebuild(), repair.repair()), (0, 0))
		set_settings(retention_click_event=730, retention_visitor_session=365)
		retention.run()
		self.assertEqual(self.archived().keys() & self.stored().keys(), set())
		self.assertEqual(set(self.archived().values()), {1})

	def test_repair_is_not_kept_from_its_work(self) -> None:
		"""Sessions of nobody without touch points are nothing to mend, however many there are."""
		for number in (1, 2, 3):
			self.visit(number, 900)
		retention.run()
		self.restore_all()
		self.visit(9, 1)
		frappe.db.delete("Touch Point")
		with patch.object(repair, "AT_ONCE", 1):
			self.assertEqual(repair.repair(), 1)
		self.assertEqual(frappe.db.count("Touch Point"), 1)

	def test_by_a_file(self) -> None:
		"""On a site that knows nothing of it."""
		self.visit(1, 900)
		retention.run()
		path = self.kept()[0]
		frappe.db.delete(keeping.RECORD)
		found = restoring.restore(str(path))
		self.assertEqual((found.doctype, found.rows, found.missing), ("Click Event", 1, 1))
		self.assertTrue(path.exists())
		# Nobody here vouches for that file: when the row goes, it is archived, the same under the same name.
		content = [one.name for one in self.kept()]
		retention.run()
		self.assertEqual((frappe.db.count("Click Event"), [one.name for one in self.kept()]), (0, content))

	def test_what_cannot_be_read(self) -> None:
		self.visit(1, 900)
		retention.run()
		path = self.kept()[0]
		path.write_bytes(path.read_bytes()[:-4])
		for named, words in (
			(path.name, "not where files are kept"),
			(str(path), "unpacked"),
			("/nowhere", "neither"),
			(str(Path(__file__)), "unpacked"),
		):
			with self.subTest(named), self.assertRaisesRegex(frappe.ValidationError, words):
				restoring.restore(named)
		self.assertEqual(frappe.db.count("Click Event"), 0)
		self.assertEqual([one.name for one in keeping.folder().iterdir()], ["lock"])


class TestErasedPersons(ArchiveTestCase):
	"""CRM-8: who is erased, or asks for a copy, is in no archive."""

	def test_no_file_names_anybody(self) -> None:
		self.make_history()
		words = {VISITOR.format(number) for number in range(1, 7)} | {"203.0.113.9", "Agent", "q=ada"}
		retention.run()
		for path in self.kept():
			_header, rows = draft.read(path)
			text = json.dumps(list(rows))
			self.assertEqual([word for word in words if word in text], [])
