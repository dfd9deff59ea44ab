"""Files of costs on their way into the site: preview, import, several at once (CST-1)."""

import json
import os
from datetime import date
from io import BytesIO
from typing import Any
from unittest.mock import patch

import frappe

from trackflow.costs import files, imports, rate_import, store, upserts
from trackflow.tests.base import counted_statements, fork, is_shared, work
from trackflow.tests.cost_cases import FILE, HEADER, METHOD, METRIC, CostTestCase, marked
from trackflow.tests.properties import given, settings, st
from trackflow.tests.test_permissions import MANAGER


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
		# Versions of Werkzeug read a name with a backslash differently.
		self.assertRegex(url, r"^/private/files/[^/\\<>]+\.csv$")

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

	def test_a_job_that_comes_too_late_leaves_the_import_as_it_is(self) -> None:
		with patch.object(imports, "AT_ONCE", 1):
			name = imports.import_content(FILE, {}, None, "costs.csv")["name"]
		read = files.read

		def meanwhile(*given: Any) -> Any:
			"""Somebody else is done with it while the job reads the file."""
			with patch.object(files, "read", read):
				self.assertEqual(imports.import_document(name)["status"], "Imported")
			return read(*given)

		with patch.object(files, "read", meanwhile), self.assertRaises(frappe.ValidationError):
			imports.run(name)
		self.assertEqual(frappe.db.get_value("Cost Import", name, "status"), "Imported")
		self.assertEqual(imports.undo(name)["removed"], 2)

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


class TestAtOnce(CostTestCase):
	"""SCL-1: imports by several workers write each row once."""

	def test_the_same_rows_and_rates_by_several_programs(self) -> None:
		if not is_shared():
			self.skipTest("needs a database that processes share")
		row = {"date": "2026-03-01", "platform": "X", "spend": 1, "currency": "EUR"}
		rates = "Date,From,To,Rate\n" + "".join(f"2026-03-{day:02},EUR,USD,1.5\n" for day in range(1, 28))

		def send() -> None:
			for number in range(10):
				upserts.upsert([{**row, "external_campaign_id": f"{number}-{one}"} for one in range(200)])
				rate_import.import_rates(rate_import.read(rates.replace("2026", str(2010 + number))))

		children = [fork(send) for _number in range(3)]
		self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0, 0, 0])
		frappe.db.rollback()
		self.assertEqual((frappe.db.count(METRIC), frappe.db.count("TrackFlow Exchange Rate")), (2000, 270))

	def test_two_imports_of_the_same_days(self) -> None:
		if not is_shared():
			self.skipTest("needs a database that processes share")
		lines = "".join(f"2026-03-{1 + row % 20:02},X,C,{row},{row}.5,1,EUR\n" for row in range(400))
		children = [
			fork(lambda: imports.import_content(f"{HEADER}\n{lines}", {}, None, "costs.csv"))
			for _number in range(3)
		]
		self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0, 0, 0])
		frappe.db.rollback()
		done = frappe.get_all(
			"Cost Import", fields=["status", "new_count", "unchanged_count"], order_by="new_count desc"
		)
		self.assertEqual([row.status for row in done], ["Imported"] * 3)
		self.assertEqual(
			[(row.new_count, row.unchanged_count) for row in done], [(400, 0), (0, 400), (0, 400)]
		)
		self.assertEqual(frappe.db.count(METRIC), 400)
