"""Models side by side, and paths, as they are asked for (ATT-7): report, command, API; who may ask, and what is asked wrongly."""

import json
import re
from collections import Counter
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from click.testing import CliRunner
from frappe.desk import query_report

from trackflow import commands
from trackflow.attribution import comparing, run, telling_paths
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import make_conversion, make_link, make_touch
from trackflow.tests.test_comparison import END, MARCH, ComparisonTestCase
from trackflow.tests.test_credits import everything
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase

REPORT = "Attribution Model Comparison"


class TestReport(ComparisonTestCase):
	"""ATT-7, RPT-1: Attribution Model Comparison, as the desk gets it."""

	def report(self, **filters: Any) -> dict[str, Any]:
		return query_report.run(
			REPORT, filters={"from_date": "2026-03-01", "to_date": "2026-03-31", **filters}
		)

	def lines(self, found: dict[str, Any], *models: str) -> list[tuple[Any, ...]]:
		"""Group, currency and what these models credit."""
		fields = {column["label"]: column["fieldname"] for column in found["columns"]}
		return [
			(row["group"], row.get("currency"), *(row[fields[model]] for model in models))
			for row in found["result"]
		]

	def test_conversions(self) -> None:
		self.story()
		found = self.report()
		self.assertEqual(
			self.lines(found, "First Touch", "Last Touch", "Linear"),
			[
				("Email", None, 2, 1, 1.333333334),
				("Direct", None, 0, 1, 0.333333333),
				("Paid Search", None, 0, 0, 0.333333333),
				("Unattributed", None, 0, 0, 0),
				("Total", None, 2, 2, 2),
			],
		)
		chart = found["chart"]["data"]
		self.assertEqual(chart["labels"], ["Email", "Direct", "Paid Search", "Unattributed"])
		self.assertEqual(chart["datasets"][0], {"name": "Last Touch", "values": [1, 1, 0, 0]})

	def test_value_by_currency(self) -> None:
		self.story()
		self.person("Email", value=5, currency="EUR")
		run.credit_pending()
		found = self.report(figure="Value")
		self.assertEqual(
			self.lines(found, "First Touch", "Linear"),
			[
				("Direct", "USD", 0, 33.33),
				("Email", "EUR", 5, 5),
				("Email", "USD", 150.01, 83.35),
				("Paid Search", "USD", 0, 33.33),
				("Total", "EUR", 5, 5),
				("Total", "USD", 150.01, 150.01),
			],
		)
		self.assertIsNone(found["chart"])

	def test_by_position(self) -> None:
		self.story()
		found = self.report(by_position=1)
		self.assertEqual([column["fieldname"] for column in found["columns"]][:2], ["group", "position"])
		self.assertEqual(
			[(row["group"], row.get("position"), *line[2:]) for row, line in zip(
				found["result"], self.lines(found, "First Touch", "Linear"), strict=True
			)],
			[
				("Email", "Only", 1, 1),
				("Email", "First", 1, 0.333333334),
				("Direct", "Last", 0, 0.333333333),
				("Paid Search", "Middle", 0, 0.333333333),
				("Unattributed", None, 0, 0),
				("Total", None, 2, 2),
			],
		)  # fmt: skip
		self.assertIsNone(found["chart"])
		values = self.lines(self.report(by_position=1, figure="Value"), "Linear")
		self.assertEqual(values[:2], [("Direct", "USD", 33.33), ("Email", "USD", 50.01)])

	def test_links_by_their_codes(self) -> None:
		link, visitor = make_link("flyer"), self.visitor()
		make_touch(visitor, END, tracked_link=link.name)
		make_touch(visitor, END, "Direct")
		make_conversion(visitor, END)
		run.credit_pending()
		groups = [line[0] for line in self.lines(self.report(group_by="Link"))]
		self.assertEqual(sorted(groups[:2]), ["None", "flyer"])

	def test_a_type_alone(self) -> None:
		self.story()
		self.assertEqual(self.lines(self.report(conversion_type="Call"), "Linear")[-1], ("Total", None, 0))

	def test_wrong_filters_are_answered(self) -> None:
		for filters in ({"group_by": "Visitor"}, {"figure": "<b>"}, {"to_date": "2026-01-01"}):
			found = self.report(**filters)
			self.assertEqual((found["result"], found["columns"]), ([], []))
			self.assertNotIn("<", found["message"])

	def test_filters_of_the_desk_are_those_that_are_read(self) -> None:
		scrubbed = frappe.scrub(REPORT)
		script = Path(
			frappe.get_app_path("trackflow", "trackflow", "report", scrubbed, f"{scrubbed}.js")
		).read_text()
		self.assertIn(f'frappe.query_reports["{REPORT}"]', script)
		names = {"from_date", "to_date", "group_by", "figure", "by_position", "conversion_type"}
		self.assertEqual(set(re.findall(r'fieldname: "(\w+)"', script)), names)
		values = set(re.findall(r'value: "(\w+)"', script))
		groups = {group.title() for group in comparing.GROUPS}
		self.assertEqual(values, groups | {"Conversions", "Value", "CPA", "ROAS"})


class TestCommand(ComparisonTestCase):
	"""CLI-1, ATT-7: the comparison by command."""

	def invoke(self, *options: str) -> str:
		frappe.db.commit()
		context = frappe._dict(sites=[frappe.local.site], profile=False)
		arguments = ["attribution", "--compare", *options, "--from", "2026-03-01", "--to", "2026-03-31"]
		with patch.object(commands.shell, "connected", lambda _context: nullcontext()):
			answer = CliRunner().invoke(commands.trackflow, arguments, obj=context)
		self.assertEqual(answer.exit_code, 0, answer.output)
		return answer.output

	def test_it_shows_and_changes_nothing(self) -> None:
		self.story()
		before = everything()
		self.assertEqual(
			json.loads(self.invoke("channel", "--json")), json.loads(frappe.as_json(self.compared()))
		)
		lines = [line.split() for line in self.invoke("channel").splitlines()]
		self.assertEqual(lines[0][:3], ["Channel", "Last", "Touch"])
		self.assertEqual((lines[2][:2], lines[-1][:2]), (["Email", "1.00"], ["Total", "2.00"]))
		self.assertEqual(everything(), before)

	def test_texts_of_visitors_do_not_move_the_cursor(self) -> None:
		"""SEC-2"""
		visitor = self.visitor()
		make_touch(visitor, END, "Email", source="\x1b[2J\x1b]0;x\x07")
		make_conversion(visitor, END)
		run.rebuild()
		shown = self.invoke("source")
		self.assertIn("[2J", shown)
		self.assertNotIn("\x1b", shown)

	def test_by_position(self) -> None:
		self.story()
		lines = [line.split() for line in self.invoke("channel", "--by-position").splitlines()]
		# The second column is the default model's, which comes first.
		self.assertEqual(
			[line[:3] for line in lines[2:4]], [["Email", "only", "1.00"], ["Email", "first", "0.00"]]
		)
		self.assertEqual(lines[4][:2], ["Email", "1.00"])
		context = frappe._dict(sites=[frappe.local.site], profile=False)
		asked = CliRunner().invoke(commands.trackflow, ["attribution", "--by-position"], obj=context)
		self.assertEqual(asked.exit_code, 2)
		self.assertIn("--figure and --by-position go with --compare", asked.output)


class TestCost(ComparisonTestCase):
	"""ATT-7: statements do not grow with conversions."""

	def test_statements(self) -> None:
		counts: Counter[str] = Counter()
		for size in ("few", "many"):
			for _each in range(2 if size == "few" else 20):
				self.person("Email", "Paid Search", f"Channel {self.number}")
			run.credit_pending()
			self.compared("source"), telling_paths.paths_answer(*MARCH, 5)
			with counted_statements() as statements:
				self.compared("source")
				telling_paths.paths_answer(*MARCH, 5)
			counts[size] = len(statements)
		self.assertEqual(counts["few"], counts["many"])
		with counted_statements() as statements:
			comparing.compared(*MARCH, "platform", ["Linear", "Last Touch"])
		# Credits, costs, rates.
		self.assertEqual(len(statements), 3)


class TestAsking(PermissionTestCase, ComparisonTestCase):
	"""ROL-P, ATT-7: for who may read credits; what is asked wrongly is answered in words."""

	def ask(self, user: str | None, method: str, verb: str = "GET", **query: Any) -> Any:
		path = f"/api/method/trackflow.api.attribution.{method}"
		query = {"from_date": "2026-03-01", "to_date": "2026-03-31", **query}
		return self.request(verb, path, headers=self.authorization(user), query_string=query)

	def test_who_may(self) -> None:
		self.story()
		for method in ("compare_models", "get_paths"):
			for user in (None, NOBODY):
				answer = self.ask(user, method)
				self.assertEqual(answer.status_code, 403, (method, user))
				self.assertNotIn("Email", answer.text)
			for user in (MANAGER, CAMPAIGNER):
				answer = self.ask(user, method)
				self.assertEqual(answer.status_code, 200, answer.text)
				message = answer.json["message"]
				self.assertIn("Email", json.dumps(message))
				self.assertNotIn("v_0000", json.dumps(message))
			self.assertEqual(self.ask(CAMPAIGNER, method, "POST").status_code, 403, method)

	def test_who_may_see_the_report(self) -> None:
		path = "/api/method/frappe.desk.query_report.run"
		for user, status in ((CAMPAIGNER, 200), (NOBODY, 403), (None, 403)):
			headers = self.authorization(user)
			answer = self.request("GET", path, headers=headers, query_string={"report_name": REPORT})
			self.assertEqual(answer.status_code, status, user)

	def test_what_is_asked_wrongly(self) -> None:
		self.story()
		both, first, second = ("compare_models", "get_paths"), ("compare_models",), ("get_paths",)
		for methods, query in (
			(first, {"group_by": "visitor_id"}),
			(first, {"group_by": ""}),
			(first, {"group_by": "Channel"}),
			(first, {"figure": "cost"}),
			(first, {"by_position": "2"}),
			(first, {"by_position": "yes"}),
			(both, {"to_date": "2026-02-28"}),
			(both, {"from_date": "1999-01-01"}),
			(both, {"from_date": "yesterday"}),
			(second, {"limit": "0"}),
			(second, {"limit": "101"}),
			(second, {"limit": "many"}),
			(second, {"model": "Astrology"}),
		):
			for method in methods:
				answer = self.ask(CAMPAIGNER, method, **query)
				self.assertEqual(
					(answer.status_code, answer.json["exc_type"]), (417, "ValidationError"), query
				)

	def test_by_position(self) -> None:
		self.story()
		answer = self.ask(CAMPAIGNER, "compare_models", group_by="channel", by_position=1).json["message"]
		email = answer["groups"][0]["figures"]["Linear"]["positions"]
		self.assertEqual((email["only"]["conversions"], email["first"]["conversions"]), (1, 0.333333334))

	def test_odd_texts_are_values(self) -> None:
		for text in ("'; --", "%", "é\u202e", "x" * 500):
			answer = self.ask(CAMPAIGNER, "compare_models", conversion_type=text)
			self.assertEqual((answer.status_code, answer.json["message"]["groups"]), (200, []), text)

	def test_thirty_days_by_default(self) -> None:
		path = "/api/method/trackflow.api.attribution.compare_models"
		answer = self.get(path, headers=self.authorization(CAMPAIGNER)).json["message"]
		days = date.fromisoformat(answer["to_date"]) - date.fromisoformat(answer["from_date"])
		self.assertEqual((days.days, answer["group_by"]), (29, "channel"))
