"""What is deleted by its age is archived before, whatever happens meanwhile, and comes back (RET-1)."""

import json
import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from trackflow import bulk, doctor
from trackflow.privacy import aged, retention
from trackflow.privacy.archive import draft, keeping, layout, places, trouble
from trackflow.privacy.archive.places import PlaceError, PrivateFiles
from trackflow.privacy.personal import BY_DOCTYPE
from trackflow.tests.factories import make_conversion, set_settings
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tests.test_retention import VISITOR, RetentionTestCase

ARCHIVED = tuple(layout.TIMES)


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

	def test_nobody_fetches_files_over_the_web(self) -> None:
		self.visit(1, 900)
		retention.run()
		for path in self.kept():
			self.assertEqual(self.get(f"/private/files/{path.parent.name}/{path.name}").status_code, 403)

	def test_again_there_is_nothing_to_do(self) -> None:
		self.make_history()
		retention.run()
		files = [(path.name, path.stat().st_mtime_ns) for path in self.kept()]
		self.assertFalse(retention.run().rows_written)
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
				self.assertFalse(retention.run().rows_written)
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
			done = retention.run().deleted
		self.assertEqual(
			{doctype: number for doctype, number in done.items() if number}, {"API Request Log": 1}
		)

	def test_doctor(self) -> None:
		self.assertEqual((self.finding().mark, "0 files" in self.finding().text), (doctor.FINE, True))
		set_settings(archive_target="Off")
		self.assertIn("Off", self.finding().text)


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
