"""Costs on their way into the site: preview, import, undoing, rows by API and by hand (CST-1)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import date
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import frappe
from click.testing import CliRunner
from frappe.utils import add_days, getdate

from trackflow import commands
from trackflow.costs import files, imports, store
from trackflow.tests import factories
from trackflow.tests.base import counted_statements, work
from trackflow.tests.properties import given, settings, st
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase

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


class TestPreview(CostTestCase):
	"""CST-1: what will change and which rows are refused, and why; nothing is written."""

	def test_verdicts(self) -> None:
		self.answer("import_costs", csv=FILE)
		text = f"{FILE.replace('20,4', '25,4')}2026-03-03,Meta,Spring,11,1,1,EUR\n2026-03-04,Meta,Spring,11,-1,1,EUR\n"
		before = self.stored()
		answer = self.answer("preview_import", csv=text)
		self.assertEqual(self.counts(answer), [1, 1, 1, 1])
		self.assertEqual(
			[row["verdict"] for row in answer["rows"]], ["unchanged", "changed", "new", "refused"]
		)
		self.assertEqual(answer["rows"][1]["changes"], {"spend": {"old": 20, "new": 25}})
		self.assertEqual((answer["rows"][3]["row"], answer["spend"]), (5, {"EUR": 36.5}))
		self.assertIn("negative", answer["rows"][3]["message"])
		self.assertEqual((answer["from_date"], answer["to_date"]), ("2026-03-01", "2026-03-03"))
		self.assertEqual(self.stored(), before)
		self.assertEqual(frappe.db.count("Cost Import"), 1)

	def test_the_answer_is_bounded(self) -> None:
		rows = "".join(f"2026-03-01,Meta,C,{number},{number},1,EUR\n" for number in range(8))
		with patch.object(imports, "SHOWN", 3):
			answer = self.answer("preview_import", csv=f"{HEADER}\n{rows}2026-03-09,Meta,C,9,x,1,EUR\n")
		self.assertEqual(self.counts(answer), [8, 0, 0, 1])
		self.assertEqual(
			[row["row"] for row in answer["rows"]], [2, 3, 10], "those that are refused come first"
		)

	def test_a_file_that_cannot_be_read(self) -> None:
		for text, words in (
			("", "Send the file"),
			("a,b\n1,2\n", "No row of the file names the columns"),
			(HEADER, "no rows of costs"),
			(f'{HEADER}\n2026-03-01,Meta,A,1,"1,234",1,EUR\n', "decimal_mark"),
		):
			self.assert_refused(self.call("preview_import", csv=text), words)
		for option, words in (
			({"format": "Excel"}, "format must be one of"),
			({"decimal_mark": ";"}, "decimal_mark must be one of"),
			({"day_order": "YMD"}, "day_order must be one of"),
			({"currency": "QQQ"}, "no currency QQQ"),
			({"mapping": {"spend": "Cost"}}, "columns of spend and of the day"),
			({"mapping": {"money": "Cost"}}, "knows no field money"),
			({"mapping": {"spend": 3, "day": "Date"}}, "needs a header"),
		):
			self.assert_refused(self.call("preview_import", csv=FILE, **option), words)

	def test_an_uploaded_file(self) -> None:
		for content, words in (
			(FILE.encode("utf-16"), ""),
			(b"PK\x03\x04 a workbook", "Save it as CSV"),
			(FILE.encode("utf-16")[:-1], "cut off"),
		):
			data = {"file": (BytesIO(content), "costs.csv")}
			answer = self.request(
				"POST", METHOD + "preview_import", headers=self.authorization(MANAGER), data=data
			)
			if words:
				self.assert_refused(answer, words)
			else:
				self.assertEqual(answer.json["message"]["new"], 2)

	@settings(max_examples=25)
	@given(st.binary(max_size=300))
	def test_any_bytes_are_answered(self, content: bytes) -> None:
		"""SEC-4"""
		frappe.set_user("Administrator")
		try:
			imports.preview(content, files.options_of({"platform": "X", "currency": "EUR"}, None))
		except frappe.ValidationError as error:
			self.assertTrue(str(error))


class TestImport(CostTestCase):
	"""CST-1: rows are upserted on their key, in one transaction."""

	def test_new_changed_and_the_same_again(self) -> None:
		with marked() as days:
			answer = self.in_process(FILE)
		self.assertEqual((self.counts(answer), answer["status"]), ([2, 0, 0, 0], "Imported"))
		self.assertEqual(days, {date(2026, 3, 1), date(2026, 3, 2)})
		self.assertEqual(self.stored(), [("2026-03-01", 10.5, 3, "CSV"), ("2026-03-02", 20, 4, "CSV")])
		with marked() as days:
			self.assertEqual(self.counts(self.in_process(FILE)), [0, 0, 2, 0])
		self.assertEqual(days, set())
		with marked() as days:
			self.assertEqual(self.counts(self.in_process(FILE.replace("20,4", "25,4"))), [0, 1, 1, 0])
		self.assertEqual(days, {date(2026, 3, 2)})
		self.assertEqual(self.stored()[1], ("2026-03-02", 25, 4, "CSV"))

	def in_process(self, text: str) -> dict[str, Any]:
		return imports.import_content(text, {}, None, "costs.csv")

	def test_the_record(self) -> None:
		answer = self.answer("import_costs", csv=f"{FILE}2026-03-04,Meta,Spring,11,-1,1,EUR\n")
		doc = frappe.get_doc("Cost Import", answer["name"])
		self.assertEqual((doc.status, doc.detected_format), ("Imported", "Generic"))
		self.assertEqual((str(doc.first_day), str(doc.last_day)), ("2026-03-01", "2026-03-02"))
		self.assertEqual((doc.new_count, doc.refused_count, doc.imported_by), (2, 1, MANAGER))
		self.assertEqual(json.loads(doc.report)["rows"][-1]["row"], 4)
		file = frappe.get_doc("File", {"attached_to_name": doc.name})
		self.assertEqual((file.is_private, doc.file), (1, file.file_url))

	def test_the_files_name_is_only_a_name(self) -> None:
		data = {"file": (BytesIO(FILE.encode()), "..\\../private/é <b>.csv")}
		headers = self.authorization(MANAGER)
		answer = self.request("POST", METHOD + "import_costs", headers=headers, data=data).json["message"]
		url = frappe.db.get_value("Cost Import", answer["name"], "file")
		self.assertRegex(url, r"^/private/files/é -b-[^/<>]*\.csv$")

	def test_every_row_refused(self) -> None:
		answer = self.answer("import_costs", csv=f"{HEADER}\n2026-03-04,Meta,Spring,11,-1,1,EUR\n")
		self.assertEqual((answer["status"], self.stored()), ("Failed", []))

	def test_figures_that_are_not_in_the_file_stay(self) -> None:
		self.answer("import_costs", csv=FILE)
		self.answer(
			"import_costs", csv="Date,Campaign ID,Cost\n2026-03-01,11,99\n", platform="Meta", currency="EUR"
		)
		self.assertEqual(self.stored()[0], ("2026-03-01", 99, 3, "CSV"))
		self.assertEqual(frappe.get_all(METRIC, pluck="campaign_name", distinct=True), ["Spring"])

	def test_nothing_is_counted_twice(self) -> None:
		self.answer("import_costs", csv=FILE)
		header = HEADER.replace("Cost", "Ad Set ID,Cost")
		for text, words in (
			(f"{header}\n2026-03-01,Meta,Spring,11,5,10,3,EUR\n", "as a whole, and by ad set"),
			(f"{HEADER}\n2026-03-01,Meta,spring,,10,3,EUR\n", "by its id, and by its name alone"),
			(f"{HEADER}\n2026-03-01,Meta,,,10,3,EUR\n", "as a whole and by campaign"),
		):
			answer = self.answer("preview_import", csv=text)
			self.assertEqual(self.counts(answer), [0, 0, 0, 1], words)
			self.assertIn(words, answer["rows"][0]["message"])
		others = f"{header}\n2026-03-03,Meta,Spring,11,5,10,3,EUR\n2026-03-01,X,Spring,11,5,10,3,EUR\n"
		self.assertEqual(self.counts(self.answer("preview_import", csv=others)), [2, 0, 0, 0])

	def test_a_long_file_is_a_jobs(self) -> None:
		with patch.object(imports, "AT_ONCE", 1):
			frappe.set_user("Administrator")
			answer = imports.import_content(FILE, {}, None, "costs.csv")
		self.assertEqual((answer["status"], self.stored()), ("Queued", []))
		work()
		self.assertEqual(frappe.db.get_value("Cost Import", answer["name"], "status"), "Imported")
		self.assertEqual(len(self.stored()), 2)
		imports.run(answer["name"])
		self.assertEqual(frappe.db.get_value("Cost Import", answer["name"], "new_count"), 2)

	def test_a_job_that_cannot_go_on_says_so(self) -> None:
		with patch.object(imports, "AT_ONCE", 1):
			name = imports.import_content(FILE, {}, None, "costs.csv")["name"]
		with (
			patch.object(store, "PORTION", 1),
			patch.object(store, "_changed", side_effect=RuntimeError("full")),
		):
			with self.assertRaises(RuntimeError):
				imports.run(name)
		self.assertEqual(self.stored(), [], "all or nothing")
		self.assertEqual(frappe.db.get_value("Cost Import", name, "status"), "Failed")
		self.assertEqual(frappe.db.count("Cost Import Row"), 0)
		self.assertEqual(imports.import_document(name)["status"], "Imported")

	def test_statements_do_not_grow_with_rows(self) -> None:
		def statements(rows: int) -> int:
			lines = "".join(f"2026-03-0{1 + row % 5},X,C,{rows}-{row},1,1,EUR\n" for row in range(rows))
			with counted_statements() as found:
				imports.import_content(f"{HEADER}\n{lines}", {}, None, "costs.csv")
			return len(found)

		statements(2)
		self.assertEqual(statements(10), statements(300))

	def test_portions_keep_days_together(self) -> None:
		lines = "".join(f"2026-03-{1 + row // 3:02},X,C,{row},1,1,EUR\n" for row in range(30))
		with patch.object(store, "PORTION", 4):
			answer = imports.import_content(f"{HEADER}\n{lines}", {}, None, "costs.csv")
		self.assertEqual(self.counts(answer), [30, 0, 0, 0])

	def test_a_saved_mapping(self) -> None:
		rows = [
			{"field": field, "header": header}
			for field, header in (("day", "wann"), ("campaign", "was"), ("spend", "#3"))
		]
		values = {"platform": "Reddit", "currency": "EUR", "day_order": "DMY", "columns": rows}
		mapping = {"doctype": "Cost Import Mapping", "mapping_name": "Agency", **values}
		frappe.get_doc(mapping).insert()
		answer = self.answer("import_costs", csv="wann;was;teuer\n01/02/2026;A;12,5\n", mapping="Agency")
		self.assertEqual(self.counts(answer), [1, 0, 0, 0])
		self.assertEqual(self.stored()[0][:2], ("2026-02-01", 12.5))
		for columns in (rows[:2], [*rows, rows[0]]):
			with self.assertRaises(frappe.ValidationError):
				frappe.get_doc({**mapping, "mapping_name": "Other", "columns": columns}).insert()

	def test_a_mapping_of_a_program(self) -> None:
		columns = {"day": "when", "spend": "price", "campaign": "what"}
		values = {"platform": "X", "currency": "EUR", "mapping": columns}
		answer = self.answer("import_costs", csv="when,what,price\n2026-02-01,A,5\n", **values)
		self.assertEqual(self.counts(answer), [1, 0, 0, 0])
		self.assertEqual(json.loads(frappe.db.get_value("Cost Import", answer["name"], "columns")), columns)


class TestCampaigns(CostTestCase):
	"""CST-1: costs find their campaign by the platform's ids, else by name."""

	def campaigns(self, text: str) -> list[str | None]:
		self.answer("import_costs", csv=text)
		return frappe.get_all(METRIC, pluck="link_campaign", order_by="date, external_ad_id")

	def test_by_id_before_name_and_the_finest_first(self) -> None:
		factories.make_campaign("Whole", external_campaign_id="11")
		factories.make_campaign("One Ad", external_campaign_id="11", external_ad_id="7", platform="Meta")
		factories.make_campaign("Spring")
		header = "Date,Platform,Campaign,Campaign ID,Ad ID,Cost,Currency"
		found = self.campaigns(
			f"{header}\n2026-03-01,Meta,Spring,11,7,1,EUR\n2026-03-01,Meta,Spring,11,8,1,EUR\n"
		)
		self.assertEqual(found, ["One Ad", "Whole"])

	def test_by_name_or_slug(self) -> None:
		factories.make_campaign("Spring Sale")
		found = self.campaigns(
			f"{HEADER}\n2026-03-01,X,SPRING SALE,,1,1,EUR\n2026-03-02,X,spring-sale,,1,1,EUR\n2026-03-03,X,Other,,1,1,EUR\n"
		)
		self.assertEqual(found, ["Spring Sale", "Spring Sale", None])

	def test_a_campaign_of_another_platform(self) -> None:
		factories.make_campaign("Spring", platform="LinkedIn Ads", external_campaign_id="11")
		self.assertEqual(self.campaigns(FILE), [None, None])

	def test_what_was_chosen_stays(self) -> None:
		self.answer("import_costs", csv=FILE)
		chosen = factories.make_campaign("Chosen").name
		name = frappe.get_all(METRIC, {"date": "2026-03-01"}, pluck="name")[0]
		frappe.db.set_value(METRIC, name, "link_campaign", chosen)
		factories.make_campaign("Spring")
		self.assertEqual(self.campaigns(FILE), ["Chosen", "Spring"])

	def test_a_campaign_that_is_made_or_told_its_id_later(self) -> None:
		self.answer("import_costs", csv=f"{FILE}2026-03-01,X,Other,12,1,1,EUR\n")
		factories.make_campaign("Spring")
		other = factories.make_campaign("Elsewhere")
		work()
		self.assertEqual(frappe.db.count(METRIC, {"link_campaign": "Spring"}), 2)
		other.reload().update({"external_campaign_id": "12"}).save()
		work()
		self.assertEqual(frappe.db.get_value(METRIC, {"platform": "X"}, "link_campaign"), "Elsewhere")


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


class TestUpsert(CostTestCase):
	"""CST-1: rows by API, a verdict for each, the same call again changes nothing."""

	row = {
		"date": "2026-03-01",
		"platform": "facebook",
		"external_campaign_id": 11,
		"spend": 10.5,
		"currency": "EUR",
	}

	def test_again_and_changed(self) -> None:
		answer = self.answer("upsert", rows=[{**self.row, "clicks": 3}])
		self.assertEqual((self.counts(answer), answer["rows"][0]["verdict"]), ([1, 0, 0, 0], "new"))
		self.assertEqual(self.stored(), [("2026-03-01", 10.5, 3, "API")])
		self.assertEqual(self.counts(self.answer("upsert", rows=json.dumps([self.row]))), [0, 0, 1, 0])
		self.assertEqual(self.counts(self.answer("upsert", rows=[{**self.row, "spend": "11"}])), [0, 1, 0, 0])
		self.assertEqual(self.stored(), [("2026-03-01", 11, 3, "API")], "what is not told stays")

	def test_the_others_are_written(self) -> None:
		bad = (
			({"spend": -1}, "negative"),
			({"spend": None}, "needs spend"),
			({"spend": "much"}, "spend must be a number"),
			({"spend": True}, "spend must be a number"),
			({"clicks": 1.5}, "whole number"),
			({"date": "1.3.2026"}, "no date such as"),
			({"date": None}, "needs a date"),
			({"date": add_days(str(getdate()), 5)}, "lies ahead"),
			({"currency": None}, "no currency"),
			({"currency": "QQQ"}, "no currency QQQ"),
			({"platform": " "}, "no platform"),
			({"external_ad_id": ["7"]}, "must be a text"),
			({"cost": 5}, "no field cost"),
		)
		rows = [
			{**self.row, "external_campaign_id": f"c{number}", **values}
			for number, (values, _w) in enumerate(bad)
		]
		answer = self.answer("upsert", rows=[self.row, *rows, self.row])
		self.assertEqual(self.counts(answer), [1, 0, 0, len(bad) + 1])
		for (_values, words), row in zip(bad, answer["rows"][1:], strict=False):
			self.assertIn(words, row["message"])
		self.assertIn("key of row 1", answer["rows"][-1]["message"])

	def test_what_is_no_list_of_rows(self) -> None:
		for rows, words in (
			("{", "not valid JSON"),
			('{"a": 1}', "list of objects"),
			([], "between 1 and 1000"),
			([5], "list of"),
		):
			self.assert_refused(self.call("upsert", rows=rows), words)
		self.assert_refused(self.call("upsert", rows=[self.row] * 1001), "between 1 and 1000")


class TestByHand(CostTestCase):
	"""CST-1: costs by the form."""

	values = {
		"doctype": METRIC,
		"date": "2026-03-01",
		"platform": "facebook ads",
		"campaign_name": "Spring ",
		"spend": 5,
		"currency": "EUR",
	}

	def test_a_row(self) -> None:
		factories.make_campaign("Spring")
		with marked() as days:
			doc = frappe.get_doc(self.values).insert()
			self.assertEqual((doc.platform, doc.link_campaign, doc.entered_by), ("Meta", "Spring", "Hand"))
			doc.update({"spend": 6}).save()
			doc.delete()
		self.assertEqual(days, {date(2026, 3, 1)})

	def test_what_cannot_be(self) -> None:
		for values in (
			{"spend": -1},
			{"clicks": -1},
			{"impressions": -1},
			{"currency": None},
			{"platform": None},
			{"platform": " "},
			{"date": None},
			{"date": add_days(str(getdate()), 5)},
			{"spend": 10**12},
		):
			with self.subTest(values=values), self.assertRaises(frappe.ValidationError):
				frappe.get_doc({**self.values, **values}).insert()
		self.assertEqual(self.stored(), [])

	def test_the_key_stays(self) -> None:
		doc = frappe.get_doc({**self.values, "external_campaign_id": "1"}).insert()
		doc.update({"campaign_name": "Other"}).save()
		for values in ({"date": "2026-03-02"}, {"platform": "X"}, {"external_campaign_id": "2"}):
			with self.subTest(values=values), self.assertRaises(frappe.ValidationError):
				frappe.get_doc(METRIC, doc.name).update(values).save()
		named = frappe.get_doc({**self.values, "date": "2026-03-05"}).insert()
		with self.assertRaisesRegex(frappe.ValidationError, "name is part of that"):
			named.update({"campaign_name": "Other"}).save()

	def test_nothing_is_counted_twice(self) -> None:
		frappe.get_doc(self.values).insert()
		with self.assertRaisesRegex(frappe.ValidationError, "counted twice"):
			frappe.get_doc({**self.values, "adset_name": "Set"}).insert()


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
