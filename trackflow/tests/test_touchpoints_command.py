"""The command `touchpoints`: touch points derived again, and shown (CLI-1, TCH-1)."""

import json
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe

from trackflow.integrations import crm_lead
from trackflow.stream import drain, writer
from trackflow.tests.base import counted_statements, needs_crm
from trackflow.tests.factories import VISITOR, make_journey, make_lead, make_link, make_touch, make_visitor
from trackflow.tests.factories import click_record as click
from trackflow.tests.test_commands import CommandTestCase
from trackflow.tracking import repair

END = datetime(2026, 3, 20, 12)
DAY = timedelta(days=1)


def touches() -> list[Any]:
	return frappe.get_all("Touch Point", fields=["*"], order_by="name")


class TestDeriving(CommandTestCase):
	"""CLI-1, TCH-1: touch points that are missing or wrong are derived again; right ones change no row."""

	def setUp(self) -> None:
		super().setUp()
		link = make_link("spring")
		writer.write([click(link.name, number) for number in (1, 2, 3)])
		drain.drain()
		self.before = touches()

	def derived(self, *options: str) -> dict[str, int]:
		result = self.invoke("touchpoints", *options, "--json")
		self.assertEqual(result.exit_code, 0, result.output)
		return json.loads(result.output)

	def test_right_ones_stay(self) -> None:
		self.assertEqual(len(self.before), 3)
		self.assertEqual(self.derived(), {"visitors": 3, "rows_written": 0, "visitors_failed": 0})
		self.assertEqual(touches(), self.before)

	def test_missing_and_wrong_ones(self) -> None:
		first, second, _third = (one.name for one in self.before)
		frappe.db.delete("Touch Point", {"name": first})
		frappe.db.set_value("Touch Point", second, "channel", "Nonsense", update_modified=False)
		self.assertEqual(self.derived()["rows_written"], 2)
		# Who wrote a row, and when, is not derived.
		shown = [(one.name, one.channel, one.occurred_at, one.tracked_link) for one in touches()]
		self.assertEqual(
			shown, [(one.name, one.channel, one.occurred_at, one.tracked_link) for one in self.before]
		)

	def test_of_some_days(self) -> None:
		visitor = self.before[0].visitor_id
		frappe.db.set_value("Visitor", visitor, {"first_seen": END, "last_seen": END})
		frappe.db.delete("Touch Point")
		self.assertEqual(self.derived("--to", "2026-03-19")["visitors"], 0)
		found = self.derived("--from", "2026-03-20", "--to", "2026-03-20")
		self.assertEqual((found["visitors"], [one.visitor_id for one in touches()]), (1, [visitor]))
		self.assertEqual(self.derived("--from", "2026-03-21")["visitors"], 2)
		self.assertEqual(len(touches()), 3)

	def test_progress_and_words(self) -> None:
		with patch.object(repair, "AT_ONCE", 2):
			output = self.invoke("touchpoints").output
		self.assertIn("2 visitors, 0 rows\n3 visitors, 0 rows\n", output)
		self.assertIn("3 visitors, 0 rows written.", output)

	def test_a_portion_that_fails(self) -> None:
		"""The others go on; the command says so and exits with 1."""
		frappe.db.delete("Touch Point")
		names = sorted(one.visitor_id for one in self.before)
		rebuild = repair.rebuild

		def broken(visitors: list[str]) -> int:
			if names[0] in visitors:
				raise RuntimeError("no such luck")
			return rebuild(visitors)

		with patch.object(repair, "rebuild", broken), patch.object(repair, "AT_ONCE", 1):
			result = self.invoke("touchpoints")
		self.assertEqual(result.exit_code, 1)
		self.assertIn("It failed with up to 1 visitors: see the Error Log.", result.output)
		self.assertEqual(len(touches()), 2)
		self.assertEqual(frappe.db.count("Error Log", {"method": ("like", "%touch points of visitors%")}), 1)

	def test_what_is_asked_wrongly(self) -> None:
		for options in (
			("--from", "2026-03-02", "--to", "2026-03-01"),
			("--from", "soon"),
			("--to", "9999-12-31"),
			("--limit", "3"),
			("",),
		):
			self.assertEqual(self.invoke("touchpoints", *options).exit_code, 2, options)


class TestShowing(CommandTestCase):
	"""CLI-1: the touch points of a visitor's, a lead's or a deal's person as a table."""

	def setUp(self) -> None:
		super().setUp()
		self.phone, self.laptop = (
			make_visitor(VISITOR.format(number), contact_email="ada@example.com") for number in (1, 2)
		)
		make_touch(self.phone, END - 2 * DAY, "Email", source="news", medium="email", campaign="spring")
		make_touch(
			self.laptop, END - DAY, "Paid Search", source="google", medium="cpc", platform="Google Ads"
		)
		make_touch(self.phone, END, "Direct", source="\x1b[2J", medium="")

	def shown(self, name: str, *options: str) -> list[str]:
		result = self.invoke("touchpoints", name, *options)
		self.assertEqual(result.exit_code, 0, result.output)
		return result.output.splitlines()

	def test_a_table(self) -> None:
		head, _rule, *lines = self.shown(self.laptop)
		self.assertEqual(head.split()[:3], ["Occurred", "at", "Channel"])
		self.assertEqual([line.split()[1] for line in lines], ["Email", "Paid", "Direct"])
		self.assertIn("spring", lines[0])
		self.assertIn("Google Ads", lines[1])
		self.assertNotIn("\x1b", "".join(lines))

	def test_as_json(self) -> None:
		found = json.loads(self.invoke("touchpoints", self.phone, "--json").output)
		self.assertEqual((found["visitors"], found["count"]), (2, 3))
		self.assertEqual(found["touch_points"][1]["platform"], "Google Ads")
		self.assertNotIn("ada@", json.dumps(found))

	def test_some_of_them(self) -> None:
		self.assertEqual(self.shown(self.phone, "--limit", "1")[-1], "The last 1 of 3.")
		lines = self.shown(self.phone, "--from", "2026-03-19", "--to", "2026-03-19")
		self.assertEqual([line.split()[1] for line in lines[2:]], ["Paid"])
		self.assertEqual(self.shown(self.phone, "--to", "2026-03-01"), ["No touch points."])

	def test_nothing_is_derived(self) -> None:
		before = touches()
		self.shown(self.phone)
		self.assertEqual(touches(), before)

	def test_nobody(self) -> None:
		result = self.invoke("touchpoints", "nobody")
		self.assertEqual(result.exit_code, 1)
		self.assertIn("There is no visitor, lead or deal nobody.", result.output)

	def test_bytes_that_are_no_text(self) -> None:
		result = self.invoke("touchpoints", "\udcff")
		self.assertEqual(result.exit_code, 1)
		self.assertIn("no text can hold", result.output)

	@needs_crm
	def test_a_lead(self) -> None:
		lead = make_lead(email="grace@example.com").name
		self.assertEqual(self.shown(lead), ["No visitor is known."])
		lead = make_lead(email="ada@example.com", trackflow_visitor_id=self.phone).name
		crm_lead.attribute(lead)
		self.assertEqual(len(self.shown(lead)), 5)

	def test_statements_do_not_grow(self) -> None:
		"""PRF-6"""
		self.shown(self.phone)
		with counted_statements() as few:
			self.shown(self.phone)
		make_journey(self.phone, *["Email"] * 20, end=END - 5 * DAY)
		with counted_statements() as many:
			self.shown(self.phone)
		self.assertEqual(len(few), len(many))
