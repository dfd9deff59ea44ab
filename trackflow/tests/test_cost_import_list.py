"""Imports of costs as the app shows them: columns of a file that nobody knows, progress, the list (CST-1, UI-1)."""

import json
from datetime import timedelta
from io import BytesIO
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import get_datetime, now_datetime

from trackflow.costs import formats, imports, store
from trackflow.privacy import aged
from trackflow.tests.base import counted_statements, work
from trackflow.tests.cost_cases import FILE, HEADER, METHOD, CostTestCase
from trackflow.tests.properties import given, st
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY


class TestColumns(CostTestCase):
	"""CST-1: a file whose format is not recognised is read by what a person says of its columns."""

	def test_the_columns_of_a_file_that_nobody_knows(self) -> None:
		text = "Bericht der Agentur\n\nwann;was;;teuer\n01/02/2026;A;;12,5\n02/02/2026;B\n"
		answer = self.answer("read_columns", csv=text)
		self.assertEqual(
			answer["columns"],
			[
				{"number": 1, "header": "wann", "samples": ["01/02/2026", "02/02/2026"]},
				{"number": 2, "header": "was", "samples": ["A", "B"]},
				{"number": 4, "header": "teuer", "samples": ["12,5"]},
			],
		)
		self.assertIn({"name": "spend", "label": "Spend"}, answer["fields"])

	def test_what_was_read_of_it_is_said(self) -> None:
		answer = self.answer("preview_import", csv=FILE)
		self.assertEqual(answer["columns"]["spend"], "Cost")
		self.assertEqual(answer["columns"]["campaign_id"], "Campaign ID")
		said = {
			"platform": "X",
			"currency": "EUR",
			"mapping": {"day": "#1", "spend": "#2", "campaign": "wer"},
		}
		answer = self.answer("preview_import", csv="wann,teuer,wer\n2026-03-01,5,A\n", **said)
		self.assertEqual(answer["columns"], {"day": "wann", "spend": "teuer", "campaign": "wer"})

	def test_an_uploaded_file_and_one_that_is_none(self) -> None:
		headers = self.authorization(MANAGER)
		for content, status in ((FILE.encode("utf-16"), 200), (b"PK\x03\x04", 417), (b"", 417)):
			data = {"file": (BytesIO(content), "costs.csv")}
			answer = self.request("POST", METHOD + "read_columns", headers=headers, data=data)
			self.assertEqual(answer.status_code, status)
		self.assertEqual(self.call("read_columns").status_code, 417)

	@given(st.text(max_size=200))
	def test_any_text_has_columns_or_none(self, text: str) -> None:
		"""SEC-4"""
		for column in formats.columns(text):
			self.assertLessEqual(len(column.samples), 3)


class TestList(CostTestCase):
	"""UI-1: what was imported, the newest first, and what can still be undone."""

	def listed(self, user: str = MANAGER, **values: Any) -> dict[str, Any]:
		headers = self.authorization(user)
		answer = self.get(METHOD + "get_imports", headers=headers, query_string=values)
		self.assertEqual(answer.status_code, 200, answer.text)
		return answer.json["message"]

	def one(self, name: str, user: str = MANAGER) -> dict[str, Any]:
		path = METHOD + "get_import"
		answer = self.get(path, headers=self.authorization(user), query_string={"cost_import": name})
		self.assertEqual(answer.status_code, 200, answer.text)
		return answer.json["message"]

	def test_the_newest_first(self) -> None:
		refused = f"{FILE}2026-03-04,Meta,Spring,11,-1,1,EUR\n"
		first = self.answer("import_costs", csv=refused)["name"]
		frappe.db.set_value("Cost Import", first, "creation", now_datetime() - timedelta(days=1))
		second = self.answer("import_costs", csv=FILE.replace("20,4", "25,4"))["name"]
		answer = self.listed()
		self.assertEqual(([one["name"] for one in answer["imports"]], answer["total"]), ([second, first], 2))
		last, former = answer["imports"]
		self.assertEqual((former["new"], former["refused"], former["status"]), (2, 1, "Imported"))
		self.assertEqual((last["changed"], last["unchanged"], last["by"]), (1, 1, MANAGER))
		self.assertEqual((former["from_date"], former["to_date"]), ("2026-03-01", "2026-03-02"))
		self.assertRegex(former["file_name"], r"^costs.*\.csv$")
		self.assertIsNotNone(get_datetime(former["at"]).tzinfo)
		self.assertEqual([one["name"] for one in self.listed(start=1, limit=1)["imports"]], [first])
		self.assertEqual(self.one(first)["report"]["rows"][-1]["verdict"], "refused")

	def test_what_can_be_undone(self) -> None:
		name = self.answer("import_costs", csv=FILE)["name"]
		self.assertTrue(self.one(name)["can_undo"])
		# Who may read imports and not costs' rows changed.
		self.assertFalse(self.one(name, CAMPAIGNER)["can_undo"])
		self.assertFalse(self.listed(CAMPAIGNER)["imports"][0]["can_undo"])
		with patch.object(aged, "deleted_until", return_value=now_datetime() + timedelta(days=1)):
			self.assertFalse(self.one(name)["can_undo"])
		self.answer("undo_import", cost_import=name)
		told = self.one(name)
		self.assertEqual((told["can_undo"], told["status"], told["undone_by"]), (False, "Undone", MANAGER))

	def test_how_far_a_long_one_is(self) -> None:
		"""Seen while the job writes: what it wrote is in its transaction alone."""
		lines = "".join(f"2026-03-{1 + row:02},X,C,{row},1,1,EUR\n" for row in range(6))
		frappe.set_user("Administrator")
		with patch.object(imports, "AT_ONCE", 1):
			name = imports.import_content(f"{HEADER}\n{lines}", {}, None, "costs.csv")["name"]
		told = self.one(name)
		self.assertEqual((told["status"], told["progress"], told["report"]), ("Queued", None, None))
		seen: list[tuple[int, int] | None] = []
		write = store.write

		def watched(*given: Any) -> None:
			seen.append(imports.reached(name))
			write(*given)

		with patch.object(store, "PORTION", 2), patch.object(store, "write", watched):
			imports.run(name)
		self.assertEqual(seen, [None, (2, 6), (4, 6)])
		work()
		told = self.one(name)
		self.assertEqual((told["status"], told["progress"], told["new"]), ("Imported", None, 6))
		self.assertEqual(json.dumps(told["report"]["spend"]), '{"EUR": 6.0}')

	def test_statements_do_not_grow_with_imports(self) -> None:
		frappe.set_user("Administrator")
		taken = []
		for number in (1, 5):
			for one in range(number):
				imports.import_content(FILE.replace("Spring", f"{number}-{one}"), {}, None, "costs.csv")
			with counted_statements() as statements:
				self.listed()
			# The host may read a DocType or a user anew in between, as its cache has it.
			taken.append(len(statements))
		self.assertLess(taken[1] - taken[0], 4, taken)

	def test_who_may(self) -> None:
		name = self.answer("import_costs", csv=FILE)["name"]
		for method, values in (("get_imports", {}), ("get_import", {"cost_import": name})):
			for user, status in ((MANAGER, 200), (CAMPAIGNER, 200), (NOBODY, 403), (None, 403)):
				answer = self.get(METHOD + method, headers=self.authorization(user), query_string=values)
				self.assertEqual(answer.status_code, status, (method, user))
		self.assertEqual(self.call("read_columns", CAMPAIGNER, csv=FILE).status_code, 403)
