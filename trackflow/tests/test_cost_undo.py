"""Imports of costs taken back, their record and its form, who may (CST-1)."""

import json
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from trackflow.costs import files, imports, store
from trackflow.privacy import retention
from trackflow.tests import factories
from trackflow.tests.base import counted_statements
from trackflow.tests.cost_cases import FILE, HEADER, METHOD, METRIC, CostCommandTestCase, CostTestCase, marked
from trackflow.tests.factories import set_settings
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY


class TestUndo(CostTestCase):
	"""CST-1: undoing restores exactly, and leaves alone what was changed since."""

	def test_rows_are_what_they_were(self) -> None:
		factories.make_campaign("Spring")
		first = self.answer("import_costs", csv=FILE)["name"]
		before = frappe.get_all(METRIC, fields=["name", "spend", "clicks", "campaign_name"], order_by="name")
		text = FILE.replace("20,4", "25,9").replace("Spring", "Renamed")
		second = self.answer("import_costs", csv=f"{text}2026-03-03,Meta,Spring,11,1,1,EUR\n")["name"]
		frappe.set_user("Administrator")
		with marked() as days:
			answer = imports.undo(second)
		self.assertEqual((answer["removed"], answer["restored"], answer["skipped"]), (1, 2, 0))
		self.assertEqual((answer["status"], len(days)), ("Undone", 3))
		after = frappe.get_all(METRIC, fields=["name", "spend", "clicks", "campaign_name"], order_by="name")
		self.assertEqual(after, before)
		self.assert_refused(self.call("undo_import", cost_import=second), "nothing to undo")
		self.assertEqual(self.answer("undo_import", cost_import=first)["removed"], 2)
		self.assertEqual((self.stored(), frappe.db.count("Cost Import Row")), ([], 0))

	def test_what_was_changed_since_stays(self) -> None:
		name = self.answer("import_costs", csv=FILE)["name"]
		metric = frappe.get_doc(METRIC, {"date": "2026-03-01"})
		metric.update({"spend": 77}).save()
		answer = self.answer("undo_import", cost_import=name)
		self.assertEqual((answer["removed"], answer["skipped"], answer["status"]), (1, 1, "Partly Undone"))
		self.assertIn("changed since", answer["rows"][0]["message"])
		self.assertEqual(self.stored(), [("2026-03-01", 77, 3, "CSV")])
		metric.reload()
		metric.update({"spend": 10.5}).save()
		self.assertEqual(self.answer("undo_import", cost_import=name)["status"], "Undone")
		self.assertEqual(self.stored(), [])

	def test_a_later_import_is_undone_first(self) -> None:
		first = self.answer("import_costs", csv=FILE)["name"]
		second = self.answer("import_costs", csv=FILE.replace("20,4", "25,4"))["name"]
		self.assertEqual(self.answer("undo_import", cost_import=first)["skipped"], 1)
		self.assertEqual(self.answer("undo_import", cost_import=second)["restored"], 1)
		self.assertEqual(self.answer("undo_import", cost_import=first)["removed"], 1)
		self.assertEqual(self.stored(), [])

	def test_what_is_deleted_by_age_cannot_be_undone(self) -> None:
		"""RET-1: the costs stay; the form says so, and others that are younger can be undone."""
		set_settings(retention_cost_import_row=30)
		old = self.answer("import_costs", csv=FILE)["name"]
		young = self.answer("import_costs", csv=FILE.replace("20,4", "25,4"))["name"]
		metric = frappe.get_doc(METRIC, {"date": "2026-03-01"}).as_dict()
		moment = now_datetime() - timedelta(days=31)
		frappe.db.set_value("Cost Import", old, "imported_on", moment)
		frappe.db.set_value("Cost Import Row", {"cost_import": old}, "creation", moment)
		self.assertEqual(self.told(old), None)
		self.assertEqual(retention.run().deleted["Cost Import Row"], 2)
		self.assertEqual(frappe.get_all("Cost Import Row", pluck="cost_import", distinct=True), [young])
		self.assertIn("no longer be undone", self.told(old))
		self.assert_refused(self.call("undo_import", cost_import=old), "no longer be undone")
		self.assertEqual(frappe.get_doc(METRIC, metric.name).as_dict(), metric)
		self.assertEqual(self.told(young), None)
		self.assertEqual(self.answer("undo_import", cost_import=young)["restored"], 1)

	def test_all_of_an_import_are_of_one_time(self) -> None:
		with patch.object(store, "PORTION", 1):
			name = self.answer("import_costs", csv=FILE)["name"]
		times = frappe.get_all("Cost Import Row", {"cost_import": name}, pluck="creation", order_by="name")
		self.assertEqual(len(times), 2)
		self.assertEqual(set(times), {frappe.db.get_value("Cost Import", name, "imported_on")})

	def told(self, name: str) -> str | None:
		doc = frappe.get_doc("Cost Import", name)
		doc.run_method("onload")
		return (doc.get("__onload") or {}).get("undo_is_gone")

	def test_rows_that_are_gone(self) -> None:
		name = self.answer("import_costs", csv=FILE)["name"]
		changed = self.answer("import_costs", csv=FILE.replace("20,4", "25,4"))["name"]
		frappe.db.delete(METRIC)
		answer = self.answer("undo_import", cost_import=changed)
		self.assertIn("deleted since", answer["rows"][0]["message"])
		self.assertEqual(self.answer("undo_import", cost_import=name)["status"], "Undone")

	def test_statements_do_not_grow_with_rows(self) -> None:
		def statements(rows: int) -> int:
			lines = "".join(f"2026-03-01,X,C,{rows}-{row},1,1,EUR\n" for row in range(rows))
			name = imports.import_content(f"{HEADER}\n{lines}", {}, None, "costs.csv")["name"]
			with counted_statements() as found:
				imports.undo(name)
			return len(found)

		statements(2)
		self.assertEqual(statements(10), statements(300))


class TestCostImportForm(CostTestCase):
	"""CST-1: an import by the form of its record."""

	def make(self, content: str = FILE, **values: Any) -> Any:
		doc = frappe.get_doc({"doctype": "Cost Import", **values}).insert()
		files.attach(doc, content, "costs.csv")
		frappe.db.commit()
		return doc.reload()

	def test_preview_import_undo(self) -> None:
		doc = self.make()
		self.assertEqual(self.answer("preview_import", cost_import=doc.name)["new"], 2)
		self.assertEqual(self.answer("import_costs", cost_import=doc.name)["status"], "Imported")
		self.assert_refused(self.call("import_costs", cost_import=doc.name), "carried out already")
		self.assertEqual(self.answer("undo_import", cost_import=doc.name)["status"], "Undone")

	def test_results_are_codes(self) -> None:
		doc = self.make()
		doc.update({"status": "Imported", "new_count": 7}).save()
		self.assertEqual((doc.reload().status, doc.new_count), ("Draft", 0))

	def test_what_was_imported_stays_as_it_was(self) -> None:
		doc = self.make()
		imports.import_document(doc.name)
		doc.reload()
		with self.assertRaises(frappe.ValidationError):
			doc.update({"currency": "USD"}).save()

	def test_a_file_that_nobody_may_read(self) -> None:
		doc = self.make()
		for url in ("https://example.com/costs.csv", "/private/files/none.csv", ""):
			frappe.db.set_value("Cost Import", doc.name, "file", url)
			self.assert_refused(self.call("preview_import", cost_import=doc.name), "Attach a file")
		secret = frappe.get_doc(
			{
				"doctype": "File",
				"file_name": "secret.csv",
				"is_private": 1,
				"content": FILE.replace("11", "12"),
			}
		).insert()
		frappe.db.set_value("Cost Import", doc.name, "file", secret.file_url)
		self.assert_refused(self.call("preview_import", cost_import=doc.name), "that you may read")

	def test_deleting_the_record_keeps_the_rows(self) -> None:
		name = self.answer("import_costs", csv=FILE)["name"]
		frappe.delete_doc("Cost Import", name)
		self.assertEqual((len(self.stored()), frappe.db.count("Cost Import Row")), (2, 0))


class TestPermissions(CostTestCase):
	"""ROL-P, SEC-1: who may not write costs imports none."""

	def test_others_are_refused(self) -> None:
		doc = frappe.get_doc({"doctype": "Cost Import"}).insert()
		calls = {
			"preview_import": {"csv": FILE},
			"import_costs": {"csv": FILE},
			"undo_import": {"cost_import": doc.name},
			"upsert": {"rows": [{"date": "2026-03-01"}]},
			"import_rates": {"csv": "Date,From,To,Rate\n2026-03-01,EUR,USD,1.1\n"},
		}
		for method, values in calls.items():
			for user in (CAMPAIGNER, NOBODY, None):
				with self.subTest(method, user=user):
					self.assertEqual(self.call(method, user, **values).status_code, 403)
		self.assertEqual((self.stored(), frappe.db.count("TrackFlow Exchange Rate")), ([], 0))

	def test_only_by_post(self) -> None:
		for method in ("preview_import", "import_costs", "undo_import", "upsert", "import_rates"):
			answer = self.get(METHOD + method, headers=self.authorization(MANAGER))
			self.assertEqual(answer.status_code, 403, method)


class TestCommands(CostCommandTestCase):
	"""CLI-1: costs from a file, by command."""

	def test_import_and_undo(self) -> None:
		result = self.invoke("import-costs", "FILE", "--dry-run")
		self.assertEqual((result.exit_code, self.stored()), (0, []), result.output)
		self.assertIn("Rows that would be new: 2", result.output)
		result = self.invoke("import-costs", "FILE", "--json")
		self.assertEqual(result.exit_code, 0, result.output)
		answer = json.loads(result.output)
		self.assertEqual((answer["new"], len(self.stored())), (2, 2))
		result = self.invoke("undo-costs", answer["name"])
		self.assertEqual((result.exit_code, self.stored()), (0, []), result.output)
		self.assertIn("Rows removed: 2", result.output)

	def test_options(self) -> None:
		text = "d;c;s\n03/04/2026;A;1,234\n"
		options = ["--platform", "X", "--currency", "EUR", "--day-order", "DMY", "--decimal-mark", ","]
		mapping = ["--mapping", json.dumps({"day": "d", "campaign": "c", "spend": "s"})]
		result = self.invoke("import-costs", "FILE", *options, *mapping, text=text)
		self.assertEqual(result.exit_code, 0, result.output)
		self.assertEqual(self.stored(), [("2026-04-03", 1.234, 0, "CSV")])

	def test_refusals(self) -> None:
		result = self.invoke("import-costs", "FILE", text=f"{FILE}2026-03-03,Meta,Spring,11,-1,1,EUR\n")
		self.assertEqual((result.exit_code, len(self.stored())), (1, 2))
		self.assertRegex(result.output, r"4 +The spend is negative")
		result = self.invoke("import-costs", "FILE", text="a,b\n1,2\n")
		self.assertEqual(result.exit_code, 1)
		self.assertIn("Error: No row of the file", result.output)
