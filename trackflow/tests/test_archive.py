"""What is deleted by its age is archived before, whatever happens meanwhile, and comes back (RET-1)."""

import json
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

from trackflow import bulk, doctor
from trackflow.privacy import aged, retention
from trackflow.privacy.archive import draft, keeping, layout, places, restoring, trouble
from trackflow.privacy.archive.places import PlaceError, PrivateFiles
from trackflow.privacy.personal import BY_DOCTYPE
from trackflow.stream import writer
from trackflow.stream.drain import drain
from trackflow.tests.base import fork, is_shared
from trackflow.tests.factories import click_record, make_campaign, make_conversion, make_visitor, set_settings
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tests.test_retention import VISITOR, RetentionTestCase
from trackflow.tracking import counters, repair

ARCHIVED = tuple(layout.TIMES)


class Killed(BaseException):
	"""Stands for a process that ends here: nothing that handles errors handles it."""


class ArchiveTestCase(RetentionTestCase):
	target = places.FILES

	def setUp(self) -> None:
		super().setUp()
		for path in (PrivateFiles().folder, keeping.folder()):
			shutil.rmtree(path, ignore_errors=True)
			self.addCleanup(shutil.rmtree, path, ignore_errors=True)
		set_settings(archive_target=self.target)

	def kept(self) -> list[Path]:
		"""The files of the archive."""
		folder = PrivateFiles().folder
		return sorted(folder.glob("*.gz"))

	def archived(self) -> Counter[tuple[str, str]]:
		"""Table and name of each row in these files, however often it is there."""
		found: Counter[tuple[str, str]] = Counter()
		for path in self.kept():
			header, rows = draft.read(path)
			found.update((header.doctype, row["name"]) for row in rows)
		return found

	def stored(self) -> dict[tuple[str, str], dict[str, Any]]:
		"""The rows of archived tables, by table and name."""
		return {
			(doctype, name): row
			for doctype in ARCHIVED
			for name, row in bulk.load(doctype, {}, self.fields(doctype)).items()
		}

	def fields(self, doctype: str) -> list[str]:
		table = BY_DOCTYPE[doctype]
		return [*layout.fields(doctype)[1:], *table.empties]

	def records(self) -> list[dict[str, Any]]:
		return frappe.get_all(keeping.RECORD, fields=["*"], order_by="name")

	def make_history(self) -> None:
		"""Three days of old visits, a person who converted among them, a robot, and a visit of today."""
		for number, days in ((1, 900), (2, 900), (3, 901), (4, 902), (5, 1)):
			self.visit(
				number,
				days,
				referrer="https://search.example/find?q=ada",
				address="203.0.113.9",
				user_agent="Agent",
			)
		self.visit(6, 900, counted=False, is_bot=True, bot_reason="Crawler")
		make_conversion(VISITOR.format(2), now_datetime())
		frappe.db.commit()


class TestArchive(ArchiveTestCase):
	"""What is due is a file before it is gone."""

	def test_what_goes_is_in_files_and_nothing_else_is(self) -> None:
		self.make_history()
		before = self.stored()
		retention.run()
		left, archived = self.stored(), self.archived()
		self.assertEqual(before.keys() - left.keys(), archived.keys())
		self.assertEqual(set(archived.values()), {1})
		self.assertEqual(self.whose()["Click Event"], {2, 5})
		self.assertEqual({doctype for doctype, _name in archived}, set(ARCHIVED))
		# A file for each table and day.
		self.assertEqual(len(self.kept()), 6)

	def test_the_list_of_files(self) -> None:
		self.visit(1, 900)
		retention.run()
		records = self.records()
		self.assertEqual([row["name"] for row in records], [path.name for path in self.kept()])
		for row, path in zip(records, self.kept(), strict=True):
			header, digest = draft.check(path), draft.digest_of(path)
			self.assertEqual(
				(row["status"], row["document_type"], row["row_count"], row["size_bytes"], row["sha256"]),
				("Archived", header.doctype, header.rows, digest.size, digest.sha256),
			)
			self.assertEqual((str(row["from_time"]), row["places"]), (header.from_time, PrivateFiles.label))
		self.assertEqual([path.name for path in keeping.folder().iterdir()], ["lock"])

	def test_again_there_is_nothing_to_do(self) -> None:
		self.make_history()
		retention.run()
		files = [(path.name, path.stat().st_mtime_ns) for path in self.kept()]
		self.assertFalse(any(retention.run().values()))
		self.assertEqual([(path.name, path.stat().st_mtime_ns) for path in self.kept()], files)

	def test_days_are_never_cut(self) -> None:
		"""A day is archived when all of it is due."""
		edge = now_datetime() - timedelta(days=730)
		rows = [
			{
				"name": f"at-{hour}",
				"click_timestamp": edge.replace(hour=0, minute=0, second=0) + timedelta(hours=hour),
			}
			for hour in (-1, 0, 23)
		]
		bulk.insert("Click Event", rows)
		retention.run()
		self.assertEqual(sorted(frappe.get_all("Click Event", pluck="name")), ["at-0", "at-23"])

	def test_large_days_are_several_files(self) -> None:
		at = now_datetime() - timedelta(days=900)
		at = at.replace(hour=1)
		bulk.insert("Click Event", [{"name": f"c{number:03}", "click_timestamp": at} for number in range(25)])
		with patch.object(keeping, "FILE_ROWS", 10), patch.object(aged, "BATCH", 4):
			retention.run()
		self.assertEqual([row["row_count"] for row in self.records()], [10, 10, 5])
		self.assertEqual((frappe.db.count("Click Event"), len(self.archived())), (0, 25))

	def test_off_is_as_it_was(self) -> None:
		set_settings(archive_target="Off")
		self.visit(1, 900)
		retention.run()
		self.assertEqual((self.kept(), self.records(), frappe.db.count("Click Event")), ([], [], 0))

	def test_time_over(self) -> None:
		for days in (900, 901):
			self.visit(1, days)
		retention.run(max_seconds=-1)
		self.assertEqual((len(self.kept()), frappe.db.count("Click Event")), (1, 1))
		retention.run()
		self.assertEqual(frappe.db.count("Click Event"), 0)

	def test_two_at_once(self) -> None:
		with keeping.alone(), self.assertRaises(keeping.Busy):
			retention.run()
		with keeping.alone():
			retention.run_daily()

	def test_who_converts_at_the_last_moment_keeps_all(self) -> None:
		self.visit(1, 900)
		original = places.keep

		def keep(*args: Any) -> None:
			original(*args)
			make_conversion(VISITOR.format(1), now_datetime())
			frappe.db.commit()

		with patch.object(places, "keep", keep):
			retention.run()
		self.assertEqual(self.whose()["Click Event"], {1})


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


class TestAPlaceThatFails(ArchiveTestCase):
	"""Nothing of visitors goes; it is said once, in the Error Log and by `doctor`, until it works again."""

	def errors(self) -> int:
		return frappe.db.count("Error Log", {"method": ("like", "TrackFlow: nothing is archived%")})

	def finding(self) -> doctor.Finding:
		return next(one for one in doctor.examine() if one.check == "Archive")

	def test_nothing_is_deleted(self) -> None:
		frappe.db.delete("Error Log")
		self.make_history()
		before, whose = self.stored(), self.whose()
		with patch.object(PrivateFiles, "put", side_effect=PlaceError("The disk is full.")):
			for _again in range(3):
				self.assertFalse(any(retention.run().values()))
				self.assertEqual((self.stored(), self.whose()), (before, whose))
		self.assertEqual(self.errors(), 1)
		self.assertEqual(self.finding().mark, doctor.BROKEN)
		self.assertIn("The disk is full.", self.finding().text)
		retention.run()
		self.assertEqual((self.finding().mark, trouble.current()), (doctor.FINE, ""))
		self.assertEqual(before.keys() - self.stored().keys(), self.archived().keys())

	def test_a_place_that_lies(self) -> None:
		"""It says that it took the file."""
		self.visit(1, 900)
		for lie in (lambda *_any: None, self.keep_half):
			with patch.object(PrivateFiles, "put", lie):
				retention.run()
			self.assertEqual(frappe.db.count("Click Event"), 1)
			self.assertIn("does not give it back as it was", trouble.current())

	def keep_half(self, path: Path) -> None:
		folder = PrivateFiles().folder
		folder.mkdir(parents=True, exist_ok=True)
		(folder / path.name).write_bytes(path.read_bytes()[:-1])

	def test_a_disk_that_is_full(self) -> None:
		self.visit(1, 900)
		with patch.object(draft.Draft, "add", side_effect=OSError(28, "No space left on device")):
			retention.run()
		self.assertIn("No space left on device", trouble.current())
		self.assertEqual(frappe.db.count("Click Event"), 1)

	def test_other_tables_go_all_the_same(self) -> None:
		bulk.insert(
			"API Request Log", [{"name": "old", "request_time": now_datetime() - timedelta(days=900)}]
		)
		self.visit(1, 900)
		with patch.object(PrivateFiles, "put", side_effect=PlaceError("no")):
			done = retention.run()
		self.assertEqual(
			{doctype: number for doctype, number in done.items() if number}, {"API Request Log": 1}
		)

	def test_doctor(self) -> None:
		self.assertEqual((self.finding().mark, "0 files" in self.finding().text), (doctor.FINE, True))
		set_settings(archive_target="Off")
		self.assertIn("Off", self.finding().text)


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
		self.assertEqual(sum(retention.run()[doctype] for doctype in ARCHIVED), 0)
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


class TestCommand(CommandTestCase, ArchiveTestCase):
	"""CLI-1: `retention` with its archive."""

	def answer(self, *options: str) -> Any:
		result = self.invoke("retention", "--json", *options)
		self.assertEqual(result.exit_code, 0, result.output)
		return json.loads(result.output)

	def test_it_lists_and_reads_back(self) -> None:
		self.visit(1, 900)
		self.assertEqual(self.answer()["archive_error"], "")
		(clicks, _sessions) = self.answer("--archives")
		self.assertEqual(
			(clicks["document_type"], clicks["row_count"], clicks["status"]), ("Click Event", 1, "Archived")
		)
		expected = {"doctype": "Click Event", "rows": 1, "missing": 1}
		self.assertEqual(self.answer("--restore", clicks["name"], "--dry-run"), {"dry_run": True, **expected})
		self.assertEqual(frappe.db.count("Click Event"), 0)
		self.assertEqual(self.answer("--restore", clicks["name"]), {"dry_run": False, **expected})
		self.assertEqual(frappe.db.count("Click Event"), 1)
		self.assertIn(clicks["name"], self.invoke("retention", "--archives").output)
		self.assertIn("0 of 1 rows came back", self.invoke("retention", "--restore", clicks["name"]).output)

	def test_what_is_wrong_is_said_without_a_traceback(self) -> None:
		self.visit(1, 900)
		with patch.object(PrivateFiles, "put", side_effect=PlaceError("The disk is full.")):
			result = self.invoke("retention")
		self.assertEqual(result.exit_code, 1)
		self.assertIn(
			"Error: Nothing is archived, and nothing of visitors was deleted: The disk is full.",
			result.output,
		)
		result = self.invoke("retention", "--restore", "nothing")
		self.assertEqual((result.exit_code, "neither" in result.output), (1, True))
		with keeping.alone():
			result = self.invoke("retention")
		self.assertEqual((result.exit_code, "Another run" in result.output), (1, True))
		self.assertEqual(self.invoke("retention", "--archives", "--restore", "a").exit_code, 2)
