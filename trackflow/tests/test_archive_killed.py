"""A run of retention that ends anywhere, and one that others work beside: nothing is lost, nothing twice (RET-1)."""

import os
import shutil
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.privacy import aged, retention
from trackflow.privacy.archive import keeping, trouble
from trackflow.privacy.archive.places import PrivateFiles
from trackflow.stream import writer
from trackflow.stream.drain import drain
from trackflow.tests.base import fork, is_shared
from trackflow.tests.factories import click_record, make_conversion, make_visitor
from trackflow.tests.test_archive import ARCHIVED, ArchiveTestCase
from trackflow.tests.test_retention import VISITOR


class Killed(BaseException):
	"""Stands for a process that ends here: nothing that handles errors handles it."""


class TestKilled(ArchiveTestCase):
	"""Killed anywhere: nothing is lost, nothing archived under two names, nothing gone that is not archived."""

	def test_at_every_step(self) -> None:
		self.visit(1, 900)
		self.visit(2, 900)
		make_conversion(VISITOR.format(2), now_datetime())
		frappe.db.commit()
		before, whole = self.stored(), False
		steps = 0
		while not whole:
			steps += 1
			whole = self.survives(steps)
			with self.subTest(steps):
				self.assert_nothing_is_lost(before)
				retention.run()
				self.assert_done(before, {1})
			self.begin_again(before)
		self.assertGreater(steps, 30)

	def test_again_and_again(self) -> None:
		self.make_history()
		before, steps = self.stored(), 1
		while not self.survives(steps):
			self.assert_nothing_is_lost(before)
			steps += 1
		self.assert_done(before, {1, 3, 4, 6, None})

	def begin_again(self, before: dict[tuple[str, str], Any]) -> None:
		"""The rows as they were, and no archive."""
		missing = before.keys() - self.stored().keys()
		for doctype in ARCHIVED:
			bulk.insert(doctype, [before[key] for key in missing if key[0] == doctype])
		frappe.db.delete(keeping.RECORD)
		frappe.db.commit()
		for path in (PrivateFiles().folder, keeping.folder()):
			shutil.rmtree(path, ignore_errors=True)

	def assert_done(self, before: dict[tuple[str, str], Any], numbers: set[int | None]) -> None:
		"""The rows of these visitors are archived, once, and gone; the others are there; nothing lies about."""
		ids = {VISITOR.format(one) if one else None for one in numbers}
		due = {key for key, row in before.items() if (row["visitor_id"] or None) in ids}
		self.assertEqual(before.keys() - self.stored().keys(), due)
		self.assertEqual(self.archived(), Counter(due))
		self.assertEqual({row["status"] for row in self.records()}, {"Archived"})
		self.assertEqual([row["name"] for row in self.records()], [path.name for path in self.kept()])
		self.assertEqual([path.name for path in keeping.folder().iterdir()], ["lock"])
		self.assertEqual(sorted(PrivateFiles().folder.iterdir()), self.kept())

	def survives(self, step: int) -> bool:
		"""A run that is killed at its so-manieth commit, write of a file, or file that goes; whether it came to its end."""
		left = [step]

		def deadly(original: Any) -> Any:
			def call(*args: Any, **options: Any) -> Any:
				left[0] -= 1
				if not left[0]:
					raise Killed
				return original(*args, **options)

			return call

		with (
			patch.object(frappe.db, "commit", deadly(frappe.db.commit)),
			patch.object(Path, "unlink", deadly(Path.unlink)),
			patch.object(Path, "replace", deadly(Path.replace)),
			patch.object(os, "fsync", deadly(os.fsync)),
			patch.object(bulk, "delete", deadly(bulk.delete)),
		):
			try:
				retention.run()
				return True
			except Killed:
				frappe.db.rollback()
				return False

	def assert_nothing_is_lost(self, before: dict[tuple[str, str], Any]) -> None:
		frappe.db.rollback()
		archived = self.archived()
		self.assertLessEqual(before.keys() - self.stored().keys(), archived.keys())
		self.assertLessEqual(set(archived.values()), {1})

	def test_for_real(self) -> None:
		"""A process of its own that is ended where a file is kept, and nothing was deleted yet."""
		if not is_shared():
			self.skipTest("Other processes see nothing of this database")
		self.make_history()
		before = self.stored()

		def die(*_args: Any) -> None:
			os._exit(9)

		def run() -> None:
			with patch.object(aged, "delete_due", die):
				retention.run()

		_pid, status = os.waitpid(fork(run), 0)
		self.assertEqual(os.waitstatus_to_exitcode(status), 9)
		frappe.db.rollback()
		self.assertEqual(self.stored(), before)
		names = [path.name for path in self.kept()]
		self.assertEqual(len(names), 1)
		retention.run()
		self.assertIn(names[0], [path.name for path in self.kept()])
		self.assertEqual(before.keys() - self.stored().keys(), self.archived().keys())

	def test_a_lost_draft_comes_from_the_place(self) -> None:
		self.visit(1, 900)
		with patch.object(aged, "delete_due", side_effect=Killed), self.assertRaises(Killed):
			retention.run()
		name = self.kept()[0].name
		(keeping.folder() / name).unlink()
		retention.run()
		self.assertEqual((self.kept()[0].name, frappe.db.count("Click Event")), (name, 0))
		self.assertEqual(set(self.archived().values()), {1})

	def test_a_draft_that_is_nowhere_is_made_again(self) -> None:
		self.visit(1, 900)
		with patch.object(PrivateFiles, "put", side_effect=Killed), self.assertRaises(Killed):
			retention.run()
		for path in keeping.folder().glob("*.gz"):
			path.unlink()
		retention.run()
		self.assertEqual((frappe.db.count("Click Event"), len(self.archived())), (0, 2))
		self.assertEqual(len(self.records()), 2)

	def test_a_file_that_is_gone_while_its_rows_go(self) -> None:
		"""Then nobody knows which rows those were: no more of them goes."""
		self.visit(1, 900)
		with patch.object(aged, "delete_due", side_effect=Killed), self.assertRaises(Killed):
			retention.run()
		for path in (*self.kept(), *keeping.folder().glob("*.gz")):
			path.unlink()
		retention.run()
		self.assertIn("No place has the file", trouble.current())
		self.assertEqual(frappe.db.count("Click Event"), 1)


class TestClicksMeanwhile(ArchiveTestCase):
	"""Rows are deleted while others come: no click is lost, and no collision is the last word."""

	def test_a_drain_beside_it(self) -> None:
		if not is_shared():
			self.skipTest("Other processes see nothing of this database")
		at = now_datetime() - timedelta(days=900)
		rows = [
			{
				"name": f"{number:032x}", "click_timestamp": at.replace(hour=1) + timedelta(milliseconds=number), "tracked_link": self.link,
				"visitor_id": VISITOR.format(number % 50), "event_type": "Click", "counted": 1,
			}
			for number in range(5000)
		]  # fmt: skip
		bulk.insert("Click Event", rows)
		for number in range(50):
			make_visitor(VISITOR.format(number))
		frappe.db.commit()
		fresh = [
			[click_record(self.link, number % 50, time.time() + number / 1000)] for number in range(2000)
		]

		def clicks() -> None:
			for record in fresh:
				writer.write(record)
			drain()

		child = fork(clicks)
		with patch.object(aged, "BATCH", 100), patch.object(keeping, "FILE_ROWS", 700):
			retention.run()
		_pid, status = os.waitpid(child, 0)
		self.assertEqual(os.waitstatus_to_exitcode(status), 0)
		drain()
		frappe.db.rollback()
		self.assertEqual(len(self.archived()), 5000)
		names = {record["id"] for (record,) in fresh}
		self.assertEqual(set(frappe.get_all("Click Event", pluck="name")), names)
		self.assertEqual(frappe.db.get_value("Tracked Link", self.link, "click_count"), 2000)
