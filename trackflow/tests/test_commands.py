"""Commands that have no feature of their own to be tested with (CLI-1)."""

import json
from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

import frappe
from click.testing import CliRunner

from trackflow import commands
from trackflow.stream import drain, writer
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.factories import click_record, make_link


class CommandTestCase(TrackFlowTestCase):
	def invoke(self, *arguments: str) -> Any:
		frappe.db.commit()
		context = frappe._dict(sites=[frappe.local.site], profile=False)
		with patch.object(commands.shell, "connected", lambda _context: nullcontext()):
			return CliRunner().invoke(commands.trackflow, list(arguments), obj=context)


class TestRebuild(CommandTestCase):
	"""DATA-3: what follows from clicks can be worked out again; right figures change no row."""

	def rebuilt(self, what: str) -> dict[str, int]:
		result = self.invoke("rebuild", what, "--json")
		self.assertEqual(result.exit_code, 0, result.output)
		return json.loads(result.output)["rows_written"]

	def test_wrong_figures_are_mended_and_right_ones_stay(self) -> None:
		link = make_link("spring")
		writer.write([click_record(link.name)])
		drain.drain()
		self.assertEqual(self.rebuilt("all"), {"clicks": 0, "visits": 0})
		frappe.db.set_value("Tracked Link", link.name, "click_count", 7)
		self.assertEqual(self.rebuilt("clicks"), {"clicks": 1})
		self.assertEqual(frappe.db.get_value("Tracked Link", link.name, "click_count"), 1)
		frappe.db.delete("Touch Point")
		self.assertEqual(self.rebuilt("visits"), {"visits": 1})
		self.assertEqual(frappe.db.count("Touch Point"), 1)


class TestExport(CommandTestCase):
	"""RPT-2, CLI-1: rows on the command line."""

	def test_csv_and_json(self) -> None:
		link = make_link("spring")
		writer.write([click_record(link.name) for _each in range(3)])
		drain.drain()
		result = self.invoke("export", "clicks")
		self.assertEqual((result.exit_code, result.output.count("\n")), (0, 4), result.output)
		rows = json.loads(self.invoke("export", "clicks", "--json").output)
		self.assertEqual({row["tracked_link"] for row in rows}, {link.name})

	def test_what_is_refused(self) -> None:
		for arguments, code in (
			(("visitors",), 2),
			(("clicks", "--from", "yesterday"), 1),
			(("clicks", "--domain", "nowhere.example.com"), 1),
		):
			result = self.invoke("export", *arguments)
			self.assertEqual(result.exit_code, code, result.output)
			self.assertNotIn("Traceback", result.output)


class TestWeeklySummary(CommandTestCase):
	"""RPT-4, CLI-1: the summary on the command line."""

	def test_preview(self) -> None:
		result = self.invoke("weekly-summary", "--preview")
		self.assertEqual(result.exit_code, 0, result.output)
		self.assertRegex(result.output, r"Visitors +0 +0 +–")
		found = json.loads(self.invoke("weekly-summary", "--preview", "--json").output)
		self.assertEqual(set(found), {"subject", "text", "html"})

	def test_nobody_to_send_it_to(self) -> None:
		result = self.invoke("weekly-summary")
		self.assertEqual(result.exit_code, 1)
		self.assertIn("recipient", result.output)


class TestBenchmark(CommandTestCase):
	"""PRF-7: each benchmark is a command of its own, which the site's command starts with its options."""

	def test_options_reach_it(self) -> None:
		self.assertEqual(self.invoke("benchmark", "redirect", "--help").exit_code, 0)
		self.assertEqual(self.invoke("benchmark", "drain", "--repeats", "many").exit_code, 2)

	def test_one_that_there_is_not(self) -> None:
		result = self.invoke("benchmark", "everything")
		self.assertEqual(result.exit_code, 2)
		self.assertIn("redirect", result.output)
