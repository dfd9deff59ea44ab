"""What tests of costs share: people who may and may not, files, marks, commands."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import frappe
from click.testing import CliRunner
from frappe.utils import getdate

from trackflow import commands
from trackflow.tests.test_permissions import MANAGER, PermissionTestCase

METHOD = "/api/method/trackflow.api.costs."
METRIC = "Daily Campaign Metric"
HEADER = "Date,Platform,Campaign,Campaign ID,Cost,Clicks,Currency"
FILE = f"{HEADER}\n2026-03-01,Meta,Spring,11,10.50,3,EUR\n2026-03-02,Meta,Spring,11,20,4,EUR\n"


class CostTestCase(PermissionTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		for currency in ("EUR", "USD"):
			if not frappe.db.exists("Currency", currency):
				frappe.get_doc({"doctype": "Currency", "currency_name": currency}).insert()
		frappe.db.commit()

	def call(self, method: str, user: str | None = MANAGER, **values: Any) -> Any:
		return self.request("POST", METHOD + method, headers=self.authorization(user), json=values)

	def answer(self, method: str, **values: Any) -> Any:
		answer = self.call(method, **values)
		self.assertEqual(answer.status_code, 200, answer.text)
		return answer.json["message"]

	def assert_refused(self, answer: Any, words: str, status: int = 417) -> None:
		self.assertEqual(answer.status_code, status, answer.text)
		self.assertIn(words, answer.text)
		self.assertNotIn("Traceback", answer.json.get("exception", ""))

	def counts(self, answer: dict[str, Any]) -> list[int]:
		return [answer[verdict] for verdict in ("new", "changed", "unchanged", "refused")]

	def stored(self) -> list[tuple[Any, ...]]:
		rows = frappe.get_all(
			METRIC, fields=["date", "spend", "clicks", "entered_by"], order_by="date, spend"
		)
		return [(str(row.date), row.spend, row.clicks, row.entered_by) for row in rows]


@contextmanager
def marked() -> Iterator[set[date]]:
	"""The days that are marked meanwhile as changed, to be worked out again."""
	frappe.db.delete("Rollup Day")
	days: set[date] = set()
	yield days
	days.update(getdate(day) for day in frappe.get_all("Rollup Day", pluck="date"))


class CostCommandTestCase(CostTestCase):
	"""Commands that read a file."""

	def invoke(self, *arguments: str, text: str = FILE) -> Any:
		frappe.db.commit()
		context = frappe._dict(sites=[frappe.local.site], profile=False)
		with (
			TemporaryDirectory() as folder,
			patch.object(commands.shell, "connected", lambda _context: nullcontext()),
		):
			path = Path(folder) / "costs.csv"
			path.write_text(text, encoding="utf-8")
			given = [argument.replace("FILE", str(path)) for argument in arguments]
			return CliRunner().invoke(commands.trackflow, given, obj=context)
