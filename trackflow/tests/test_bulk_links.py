"""Many links at once: create, preview, import, export; each row as a whole or not at all (LNK-4)."""

import csv
import json
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import frappe
from click.testing import CliRunner

from trackflow import commands, jobs
from trackflow.links import bulk_create, csv_export, csv_import
from trackflow.tests import factories
from trackflow.tests.base import TrackFlowTestCase, counted_statements, is_bench, work
from trackflow.tests.properties import given, settings, st
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase

METHOD = "/api/method/trackflow.api.links."
URL = "https://shop.example.com/products"
# What an export and an import must agree on.
SAME = (
	"title", "target_url", "short_code", "status", "campaign", "domain", "source", "medium", "campaign_id", "content",
	"term", "additional_parameters", "forward_query", "starts_on", "expiry_date", "max_clicks", "expired_url",
	"redirect_status", "tags", "ios_url", "android_url", "destination_url", "qr_code",
)  # fmt: skip


class BulkTestCase(PermissionTestCase):
	def call(self, method: str, user: str | None = CAMPAIGNER, verb: str = "POST", **values: Any) -> Any:
		headers = self.authorization(user)
		options = {"query_string": values} if verb == "GET" else {"json": values}
		return self.request(verb, METHOD + method, headers=headers, **options)

	def upload(self, method: str, content: bytes) -> Any:
		headers = self.authorization(CAMPAIGNER)
		data = {"file": (BytesIO(content), "links.csv")}
		return self.request("POST", METHOD + method, headers=headers, data=data)

	def answer(self, method: str, **values: Any) -> Any:
		answer = self.call(method, **values)
		self.assertEqual(answer.status_code, 200, answer.text)
		return answer.json["message"]

	def assert_refused(self, answer: Any, words: str, status: int = 417) -> None:
		self.assertEqual(answer.status_code, status, answer.text)
		self.assertIn(words, answer.text)
		self.assertIn(answer.json["exc_type"], ("ValidationError", "PermissionError", "DoesNotExistError"))


class TestCreating(BulkTestCase):
	"""LNK-4: up to 1,000 links by one call, a verdict for each."""

	def test_names_and_short_urls(self) -> None:
		answer = self.answer(
			"create_links", links=[{"target_url": URL, "short_code": "Flyer"}, {"target_url": URL}]
		)
		self.assertEqual((answer["created"], answer["failed"]), (2, 0))
		first = answer["rows"][0]
		link = frappe.get_doc("Tracked Link", first["name"])
		self.assertEqual((link.short_code, link.owner, link.created_by), ("flyer", CAMPAIGNER, CAMPAIGNER))
		self.assertTrue(first["short_url"].endswith("/r/flyer"))

	def test_errors_name_row_and_field(self) -> None:
		factories.make_link("taken")
		rows = [
			({"target_url": URL}, None),
			({}, "target_url"),
			({"target_url": "ftp://example.com/"}, "target_url"),
			({"target_url": URL, "short_code": "TAKEN"}, "short_code"),
			({"target_url": URL, "short_code": "a/b"}, "short_code"),
			({"target_url": URL, "campaign": "Nobody's"}, "campaign"),
			({"target_url": URL, "domain": "nowhere.example.com"}, "domain"),
			({"target_url": URL, "status": "active"}, None),
			({"target_url": URL, "status": "On"}, "status"),
			({"target_url": URL, "clicks": 5}, "clicks"),
			({"target_url": URL, "click_count": 5}, "click_count"),
			({"target_url": URL, "max_clicks": "many"}, "max_clicks"),
			({"target_url": URL, "max_clicks": -1}, "max_clicks"),
			({"target_url": URL, "expiry_date": "soon"}, "expiry_date"),
			({"target_url": URL, "expiry_date": 5}, "expiry_date"),
			({"target_url": URL, "title": "x" * 141}, "title"),
			({"target_url": URL, "title": ["x"]}, "title"),
			({"target_url": URL, "tags": "x" * 10_001}, "tags"),
			({"target_url": URL, "additional_parameters": "[1]"}, "additional_parameters"),
			({"target_url": URL, "expired_url": "x"}, "expired_url"),
			({"target_url": URL, "variants": "x"}, "variants"),
			({"target_url": URL, "variants": [{"clicks": 5}]}, "variants"),
			({"target_url": URL, "title": "\ud800"}, ""),
			({"target_url": URL, "campaign": "\ud800"}, ""),
		]
		answer = self.answer("create_links", links=[values for values, _field in rows])
		for (values, field), verdict in zip(rows, answer["rows"], strict=True):
			with self.subTest(values):
				found = [error["field"] for error in verdict.get("errors", ())]
				self.assertEqual(found, [] if field is None else [field], verdict)
				self.assertTrue(all(error["message"] for error in verdict.get("errors", ())))
		self.assertEqual(frappe.db.count("Tracked Link"), 1 + answer["created"])

	def test_nothing_half_made(self) -> None:
		"""A row whose second variant cannot be stored leaves neither link nor first variant."""
		variants = [{"variant_name": name, "destination_url": URL, "weight": 1} for name in "AB"]
		good = {"target_url": URL, "variants": variants}
		bad = {"target_url": URL, "variants": [variants[0], {**variants[1], "destination_url": "x"}]}
		answer = self.answer("create_links", links=[good, bad, good])
		self.assertEqual((answer["created"], answer["failed"]), (2, 1))
		self.assertEqual(frappe.db.count("Campaign Link Variant"), 4)

	def test_failures_while_storing_leave_nothing(self) -> None:
		insert = frappe.model.base_document.BaseDocument.db_insert

		def failing(doc: Any, *args: Any, **kwargs: Any) -> None:
			insert(doc, *args, **kwargs)
			if doc.doctype == "Campaign Link Variant":
				raise frappe.ValidationError("No room")

		row = {"target_url": URL, "variants": [{"variant_name": "A", "destination_url": URL}]}
		with patch.object(frappe.model.base_document.BaseDocument, "db_insert", failing):
			answer = bulk_create.create_links([row, {"target_url": URL}])
		self.assertEqual((answer["created"], answer["failed"]), (1, 1))
		self.assertEqual(answer["rows"][0]["errors"][0]["message"], "No room")
		self.assertEqual((frappe.db.count("Tracked Link"), frappe.db.count("Campaign Link Variant")), (1, 0))

	def test_rows_of_tables_are_checked_like_the_link(self) -> None:
		"""SEC-4: a cell of a rule or variant that is none is that row's error, with labels; the others are made."""
		rule = {"condition_type": "Country", "condition_value": "DE", "destination_url": URL}
		variant = {"variant_name": "A", "destination_url": URL}
		rows = [
			(
				{"variants": [{**variant, "destination_url": ["x"]}]},
				"row 1: Destination URL must be a single",
			),
			({"variants": [variant, {"destination_url": URL}]}, "row 2: Variant Name is missing"),
			({"variants": [{**variant, "weight": "many"}]}, "Weight must be a whole number"),
			({"variants": [{**variant, "variant_name": "x" * 141}]}, "Variant Name is longer than 140"),
			({"rules": [{**rule, "condition_value": ["a"]}]}, "row 1: Is must be a single value"),
			({"rules": [{**rule, "destination_url": ""}]}, "row 1: Destination URL is missing"),
			({"rules": [{**rule, "condition_type": "Moon"}]}, "Condition must be one of Device"),
			({"rules": [{**rule, "condition_type": "Date", "from_date": "9999999"}]}, "9999999 is no date"),
			({"rules": [{**rule, "condition_type": "Date", "from_date": 9999999}]}, "must be a date such as"),
			(
				{"rules": [{**rule, "condition_type": "Date", "from_date": {"a": 1}}]},
				"must be a single value",
			),
		]
		good = [
			{"rules": [{**rule, "condition_type": "Query", "query_parameter": 7, "condition_value": 5}]},
			{"rules": [{**rule, "condition_type": "Date", "from_date": "2026-03-31T18:00:00Z"}]},
			{"variants": [{**variant, "weight": 5, "active": True}], "rules": None},
		]
		answer = self.answer(
			"create_links", links=[{"target_url": URL, **row} for row in [row for row, _ in rows] + good]
		)
		self.assertEqual((answer["created"], answer["failed"]), (len(good), len(rows)), answer)
		for (values, words), verdict in zip(rows, answer["rows"], strict=False):
			with self.subTest(values):
				(error,) = verdict["errors"]
				self.assertEqual(error["field"], next(iter(values)))
				self.assertIn(words, error["message"])

	def test_an_error_that_nobody_foresaw_is_its_rows(self) -> None:
		"""No row stops the others, and none tells what it was that broke."""
		good, bad = {"target_url": URL}, {"target_url": URL, "title": "Odd one"}
		with failing_at("Odd one", RuntimeError("secret in /srv")):
			answer = bulk_create.create_links([good, bad, good])
		self.assertEqual((answer["created"], answer["failed"]), (2, 1))
		(error,) = answer["rows"][1]["errors"]
		self.assertIn("could not be made", error["message"])
		self.assertNotIn("secret", error["message"])
		for stop in (jobs.TimeIsUp("over"), frappe.QueryDeadlockError("again")):
			with self.subTest(stop), failing_at("Odd one", stop), self.assertRaises(type(stop)):
				bulk_create.create_links([bad])
			frappe.db.rollback()

	def test_words_of_a_table_are_not_put_on_a_field(self) -> None:
		for text, field in (
			("Campaign Link Variant, Row 1: too long", "variants"),
			("Tracked Link Rule Row #2: too long", "rules"),
			("Campaign Nobody does not exist", "campaign"),
		):
			with self.subTest(text), failing_at("Odd one", frappe.ValidationError(text)):
				(row,) = bulk_create.create_links([{"target_url": URL, "title": "Odd one"}])["rows"]
				self.assertEqual(row["errors"][0]["field"], field)

	def test_limits_and_permissions(self) -> None:
		for links, words in (
			([], "between 1 and 1000"),
			([{}] * 1001, "between 1 and"),
			([1], "list of objects"),
		):
			self.assert_refused(self.call("create_links", links=links), words)
		self.assert_refused(self.call("create_links", links="{"), "not valid JSON")
		for user in (None, NOBODY):
			for method in ("create_links", "preview_import", "import_links", "export_links"):
				self.assertEqual(self.call(method, user, links=[{}], csv="x").status_code, 403, method)
		for method in ("create_links", "preview_import", "import_links", "make_link", "make_links"):
			self.assertEqual(self.call(method, verb="GET").status_code, 403, method)

	def test_statements_per_row_are_few_and_fixed(self) -> None:
		"""Campaigns and domains are looked up once, not for each row."""
		factories.make_campaign("Spring Sale", source="news")
		factories.make_domain(factories.SHORT_HOST)
		row = {"target_url": URL, "campaign": "Spring Sale", "domain": factories.SHORT_HOST}
		bulk_create.create_links([row])
		counts, looked_up = [], []
		for number in (10, 40):
			frappe.db.commit()
			with counted_statements() as statements:
				answer = bulk_create.create_links([row] * number)
			self.assertEqual(answer["created"], number)
			counts.append(len(statements))
			names = ("tabLink Campaign", "tabDomain Configuration")
			looked_up.append(sum(any(name in statement for name in names) for statement in statements))
		self.assertLessEqual((counts[1] - counts[0]) / 30, 10, counts)
		self.assertLessEqual(looked_up[1], looked_up[0])
		self.assertEqual(
			frappe.get_all("Tracked Link", pluck="destination_url")[0].count("utm_source=news"), 1
		)

	@settings(max_examples=40)
	@given(
		st.lists(
			st.dictionaries(
				st.sampled_from(sorted(bulk_create.FIELDS)),
				st.one_of(
					st.text(max_size=30),
					st.integers(),
					st.floats(),
					st.booleans(),
					st.none(),
					st.lists(st.none()),
					st.just(URL),
				),
				max_size=6,
			),
			min_size=1,
			max_size=3,
		)
	)
	def test_any_rows_get_a_verdict(self, rows: list[dict[str, Any]]) -> None:
		"""SEC-4: whatever is sent, no error but in words."""
		answer = bulk_create.create_links(rows)
		self.assertEqual(answer["created"] + answer["failed"], len(rows))
		frappe.db.rollback()


class TestPreviewAndImport(BulkTestCase):
	"""LNK-4: what a preview says is what an import does."""

	def setUp(self) -> None:
		super().setUp()
		factories.make_link("taken")
		factories.make_campaign("Spring Sale")
		frappe.db.commit()

	file = (
		"Target URL,Short Code,Campaign,Owner\n"
		f"{URL},one,Spring Sale,me\n"
		f"{URL},taken,,me\n"
		f"{URL},ONE,,me\n"
		",two,,me\n"
		f"{URL},three,Autumn,me\n"
		f"{URL},,,me\n"
	)

	def test_preview(self) -> None:
		answer = self.answer("preview_import", csv=self.file)
		self.assertEqual((answer["format"], answer["ignored_columns"]), ("TrackFlow", ["Owner"]))
		self.assertEqual((answer["new"], answer["failed"]), (2, 4))
		errors = {row["row"]: row["errors"][0]["message"] for row in answer["rows"] if row["errors"]}
		self.assertEqual(
			errors,
			{
				3: "The short code taken is already in use.",
				4: "The short code one is in row 2 already.",
				5: "Target URL is missing.",
				6: "Campaign Autumn does not exist.",
			},
		)
		self.assertEqual(frappe.get_all("Tracked Link", pluck="short_code"), ["taken"])

	def test_a_long_file_is_looked_over(self) -> None:
		"""Beyond the rows that are tried out, all the same errors that values show."""
		tried = self.answer("preview_import", csv=self.file)
		with patch.object(csv_import, "TRIED", 0):
			looked_over = csv_import.preview(self.file)
		self.assertEqual(looked_over["tried"], 0)
		self.assertEqual(looked_over["rows"], tried["rows"])

	def test_import(self) -> None:
		answer = self.answer("import_links", csv=self.file)
		self.assertEqual((answer["status"], answer["created"], answer["failed"]), ("done", 2, 4))
		self.assertEqual([row["row"] for row in answer["rows"] if "errors" in row], [3, 4, 5, 6])
		self.assertEqual(frappe.db.count("Tracked Link", {"campaign": "Spring Sale"}), 1)
		self.assertEqual(frappe.db.count("Tracked Link"), 3)

	def test_uploads_in_any_encoding(self) -> None:
		for number, encoding in enumerate(("utf-8-sig", "utf-16", "cp1252")):
			text = f"Title;Target URL;Short Code\r\nGrün;{URL};code{number}\r\n"
			answer = self.upload("import_links", text.encode(encoding))
			self.assertEqual(answer.json["message"]["created"], 1, answer.text)
			self.assertEqual(
				frappe.db.get_value("Tracked Link", {"short_code": f"code{number}"}, "title"), "Grün"
			)

	def test_tags_that_are_nearly_json(self) -> None:
		csv = f"Link,Long URL,Tags\nbit.ly/one,{URL},{'[' * 50_000}\n"
		self.assertEqual(self.answer("preview_import", csv=csv)["failed"], 1)

	def test_files_that_cannot_be(self) -> None:
		for text, words in (
			("", "empty"),
			("a,b\n", "No column"),
			("URL\n", "no rows"),
			(f"URL,Title\n{URL},\ud800\n" + f"{URL},\n" * 200, "no text can hold"),
			("x" * (5 << 20 | 1), "5 MB"),
		):
			for method in ("preview_import", "import_links"):
				self.assert_refused(self.call(method, csv=text), words)

	@settings(max_examples=30)
	@given(
		st.one_of(
			st.binary(max_size=200),
			st.text(max_size=200).map(
				lambda text: f"Target URL,Title,Short Code,Rules\n{text}".encode("utf-8", "replace")
			),
			st.lists(
				st.sampled_from([URL, "x", '"', ",", "\n", "\0", "=1", "'", "[{}]", '"[{}]"', ";"]),
				max_size=30,
			).map(lambda parts: f"URL,Variants\n{''.join(parts)}".encode()),
		)
	)
	def test_any_file_is_previewed_or_refused(self, content: bytes) -> None:
		"""SEC-4: whatever is in a file, no error but in words."""
		try:
			found = csv_import.preview(content)
		except frappe.ValidationError as error:
			self.assertTrue(str(error))
			return
		self.assertEqual(found["new"] + found["failed"], len(found["rows"]))

	def test_a_large_file_is_a_job(self) -> None:
		rows = "".join(f"{URL},code-{number}\n" for number in range(1, 251))
		told: list[Any] = []
		state = self.answer("import_links", csv=f"Target URL,Short Code\n{rows}{URL},code-7\n")
		self.assertEqual((state["status"], state["total"], state["done"]), ("queued", 251, 0))
		self.assertEqual(frappe.db.count("Tracked Link"), 1)
		with listening(told.append):
			work()
		state = self.answer("get_import_progress", verb="GET", import_id=state["import_id"])
		self.assertEqual(
			(state["status"], state["done"], state["created"], state["failed"]), ("done", 251, 250, 1)
		)
		self.assertEqual([row["row"] for row in state["rows"] if "errors" in row], [252])
		self.assertEqual(frappe.db.count("Tracked Link", {"owner": CAMPAIGNER}), 250)
		self.assertEqual(frappe.db.count("File", {"file_name": ("like", f"links-{state['import_id']}%")}), 0)
		if not is_bench():
			self.assertEqual([one["done"] for one in told], [100, 200, 251, 251])
			self.assertFalse(any("rows" in one for one in told))

	def test_what_became_of_a_small_import_can_be_asked_for_again(self) -> None:
		"""UI-1: the address of an import in the app leads back to it."""
		state = self.answer("import_links", csv=f"URL\n{URL}\nx\n")
		self.assertEqual((state["status"], state["created"], state["failed"]), ("done", 1, 1))
		again = self.answer("get_import_progress", verb="GET", import_id=state["import_id"])
		self.assertEqual(again, state)

	def test_a_bad_row_is_no_end_of_an_import(self) -> None:
		rows = [f"{URL}\t" for _number in range(250)]
		rows[149] = f'{URL}\t[{{"variant_name": "A", "destination_url": ["x"]}}]'
		text = "Target URL\tVariants\n" + "\n".join(rows)
		self.assertEqual(self.answer("preview_import", csv=text)["failed"], 1)
		state = self.answer("import_links", csv=text)
		work()
		state = self.answer("get_import_progress", verb="GET", import_id=state["import_id"])
		self.assertEqual((state["status"], state["created"], state["failed"]), ("done", 249, 1))
		self.assertEqual([row["row"] for row in state["rows"] if "errors" in row], [151])

	def test_a_job_that_dies_says_so(self) -> None:
		"""What was made stays, the file goes, and who looks for its state finds words."""
		state = self.answer("import_links", csv="URL\n" + f"{URL}\n" * 250)
		file = frappe.db.get_value("File", {"file_name": ("like", f"links-{state['import_id']}%")})
		tell = csv_import._tell

		def dying(state: dict[str, Any]) -> None:
			tell(state)
			if state["done"] == 200 and state["status"] == "running":
				raise RuntimeError("no room in /srv")

		with patch.object(csv_import, "_tell", dying), self.assertRaises(RuntimeError):
			frappe.set_user(CAMPAIGNER)
			csv_import.run(state["import_id"], file)
		told = csv_import.progress(state["import_id"])
		self.assertEqual((told["status"], told["done"]), ("failed", 200))
		self.assertIn("stopped after 200 rows", told["message"])
		self.assertNotIn("/srv", told["message"])
		self.assertFalse(frappe.db.exists("File", file))
		self.assertEqual(frappe.db.count("Tracked Link"), 201)
		frappe.set_user("Administrator")
		# The job itself finds no file, and changes nothing.
		work()
		self.assertEqual(frappe.db.count("Tracked Link"), 201)

	def test_progress_is_for_who_began(self) -> None:
		rows = f"{URL}\n" * 201
		state = self.answer("import_links", csv=f"URL\n{rows}")
		for user in (MANAGER, NOBODY):
			self.assertEqual(
				self.call("get_import_progress", user, "GET", import_id=state["import_id"]).status_code, 404
			)
		self.assertEqual(self.call("get_import_progress", verb="GET", import_id="x").status_code, 404)
		work()

	def test_a_job_that_runs_twice_makes_nothing_twice(self) -> None:
		"""A worker died after the second piece: what it made is found, the rest is made."""
		sheet = csv_import.read("URL\n" + f"{URL}\n" * 250).sheet

		def dying(done: int, of: int) -> None:
			if done == 200:
				raise RuntimeError("killed")

		with self.assertRaises(RuntimeError):
			csv_import.make(sheet, "an-import", dying)
		self.assertEqual(frappe.db.count("Tracked Link"), 201)
		verdicts = csv_import.make(sheet, "an-import")
		self.assertEqual([verdict.row for verdict in verdicts], list(range(2, 252)))
		self.assertFalse(any(verdict.errors for verdict in verdicts))
		self.assertEqual(frappe.db.count("Tracked Link"), 251)


@contextmanager
def failing_at(title: str, error: Exception) -> Any:
	"""Storing a link of this title fails with an error, once its row is written."""
	insert = frappe.model.base_document.BaseDocument.db_insert

	def failing(doc: Any, *args: Any, **kwargs: Any) -> None:
		insert(doc, *args, **kwargs)
		if doc.get("title") == title:
			raise error

	with patch.object(frappe.model.base_document.BaseDocument, "db_insert", failing):
		yield


@contextmanager
def listening(hear: Callable[[Any], None]) -> Any:
	"""Hear what is published of imports; a bench publishes it from another process."""
	if is_bench():
		yield
		return
	from frappe import realtime

	def listener(event: str | None, message: Any, _kwargs: Any) -> None:
		if event == csv_import.EVENT:
			hear(message)

	realtime.listeners.append(listener)
	try:
		yield
	finally:
		realtime.listeners.remove(listener)


class TestExport(BulkTestCase):
	"""LNK-4: what is exported makes the same links elsewhere, and no formula."""

	def setUp(self) -> None:
		super().setUp()
		factories.make_campaign("Spring Sale", source="news")
		factories.make_domain(factories.SHORT_HOST)

	def test_search(self) -> None:
		"""UI-1: what the list of the app shows is what its file holds."""
		factories.make_link("spring", title="A", target_url="https://shop.example.com/a")
		factories.make_link("x2", title="Spring flyer", target_url="https://shop.example.com/b")
		factories.make_link("x3", title="B", target_url="https://shop.example.com/spring", status="Paused")
		factories.make_link("x4", title="C", target_url="https://shop.example.com/c")
		for values, codes in (
			({"search": " SPRING "}, ["spring", "x2", "x3"]),
			({"search": "spring", "filters": '[["status","=","Active"]]'}, ["spring", "x2"]),
			({"search": "nothing"}, []),
			({"search": ""}, ["spring", "x2", "x3", "x4"]),
		):
			exported = self.call("export_links", verb="GET", **values)
			rows = csv.DictReader(StringIO(exported.get_data(as_text=True).lstrip("\ufeff")))
			self.assertEqual(sorted(row["Short Code"] for row in rows), codes)

	def test_round_trip(self) -> None:
		factories.make_link(
			"full",
			title='=HYPERLINK("https://evil.example";"x")',
			target_url="https://shop.example.com/ä?a=1,2;3&b=%20#new",
			campaign="Spring Sale",
			domain=factories.SHORT_HOST,
			content="+1",
			term="two\nlines",
			additional_parameters={"ref": "flyer", "n": 1},
			forward_query=1,
			starts_on="2026-03-01 10:00:00",
			expiry_date="2026-04-01 10:00:00",
			max_clicks=5,
			expired_url=URL,
			redirect_status="307",
			status="Paused",
			tags="a, b",
			ios_url="shop://product/7",
			android_url="https://play.example.com/app",
			rules=[
				{"condition_type": "Country", "condition_value": "DE", "destination_url": f"{URL}/de"},
				{
					"condition_type": "Date",
					"from_date": "2026-03-02 00:00:00",
					"destination_url": f"{URL}/later",
				},
			],
			variants=[
				{"variant_name": "A", "destination_url": URL, "weight": 3, "active": 1},
				{"variant_name": "B", "destination_url": f"{URL}/b", "weight": 1, "active": 0},
			],
		)
		factories.make_link("bare", source=None, medium=None)
		factories.make_link("quoted", title="'=1")
		before = self.stored()
		exported = self.call("export_links", verb="GET")
		self.assertEqual((exported.status_code, exported.mimetype), (200, "text/csv"))
		self.assertTrue(exported.data.startswith(b"\xef\xbb\xbf"))
		for link in frappe.get_all("Tracked Link", pluck="name"):
			frappe.delete_doc("Tracked Link", link, force=True)
		frappe.db.commit()
		answer = self.upload("import_links", exported.data).json["message"]
		self.assertEqual((answer["created"], answer["failed"]), (3, 0), answer)
		self.assertEqual(self.stored(), before)

	def test_passwords_stay_behind(self) -> None:
		"""A protected link is not imported as an open one."""
		factories.make_link("secret", password="Open, Sesame")
		exported = self.call("export_links", verb="GET")
		self.assertNotIn("Sesame", exported.text)
		frappe.delete_doc("Tracked Link", frappe.get_all("Tracked Link", pluck="name")[0], force=True)
		frappe.db.commit()
		answer = self.upload("import_links", exported.data).json["message"]
		self.assertEqual(answer["rows"][0]["errors"][0]["field"], "password")
		given = exported.data.replace(b",,,,,,,1,http", b",Sesame,,,,,,1,http")
		self.assertNotEqual(given, exported.data)
		self.assertEqual(self.upload("import_links", given).json["message"]["created"], 1)
		link = frappe.get_doc("Tracked Link", {"short_code": "secret"})
		self.assertEqual(link.get_password("password"), "Sesame")

	def stored(self) -> list[Any]:
		links = []
		for name in frappe.get_all("Tracked Link", pluck="name", order_by="short_code"):
			doc = frappe.get_doc("Tracked Link", name)
			variants = [(v.variant_name, v.destination_url, v.weight, v.active) for v in doc.variants]
			rules = [(r.condition_type, r.condition_value, r.from_date, r.destination_url) for r in doc.rules]
			links.append([{field: doc.get(field) for field in SAME}, variants, rules])
		return links

	def rows(self, **query: Any) -> list[dict[str, str]]:
		answer = self.call("export_links", verb="GET", **query)
		self.assertEqual(answer.status_code, 200, answer.text)
		return list(csv.DictReader(StringIO(answer.data.decode("utf-8-sig"), newline="")))

	def test_no_cell_is_a_formula(self) -> None:
		for number, title in enumerate(("=1+1", "+1", "-1", "@SUM(A1)", "\t=1")):
			factories.make_link(f"code{number}", title=title)
		for row in self.rows():
			for cell in row.values():
				self.assertNotRegex(cell, r"^[=+\-@\t\r]")

	def test_filters_and_names(self) -> None:
		one, two = factories.make_link("one"), factories.make_link("two", status="Paused")
		for query, codes in (
			({}, ["one", "two"]),
			({"filters": json.dumps([["Tracked Link", "status", "=", "Paused", False]])}, ["two"]),
			({"filters": json.dumps({"status": "Active"})}, ["one"]),
			({"names": json.dumps([one.name])}, ["one"]),
			({"names": json.dumps([one.name, two.name]), "filters": '[["status", "=", "Paused"]]'}, ["two"]),
		):
			with self.subTest(query):
				self.assertEqual([row["Short Code"] for row in self.rows(**query)], codes)

	def test_filters_that_cannot_be(self) -> None:
		for filters in (
			'[["x"]]',
			'[["nothing", "=", 1]]',
			'[["status", "; drop", 1]]',
			"[1]",
			"5",
			"{",
			'[["User", "name", "=", "x"]]',
		):
			with self.subTest(filters):
				self.assert_refused(self.call("export_links", verb="GET", filters=filters), "filter")

	def test_values_that_a_filter_cannot_compare(self) -> None:
		"""SEC-4: a filter that the database would refuse is refused in words."""
		for condition in (
			["name", "between", "x"],
			["name", "between", ["a", "b"]],
			["creation", "between", ["2026-01-01"]],
			["creation", "between", ["2026-01-01", "soon"]],
			["expiry_date", ">", "notadate"],
			["expiry_date", "=", "2026-W01-1"],
			["name", "like", {"a": 1}],
			["name", "=", ["a"]],
			["name", "in", [["a"]]],
			["name", "in", {"a": 1}],
			["name", "is", "there"],
			["name", "timespan", "today"],
			["click_count", ">", 10**400],
			["name", "=", "\ud800"],
			["name", 5, "x"],
		):
			with self.subTest(condition):
				self.assert_refused(self.call("export_links", filters=[condition]), "filter")
				with self.assertRaises(frappe.ValidationError):
					csv_export.export({condition[0]: condition[1:]})

	def test_filters_of_every_form(self) -> None:
		factories.make_link("one", expiry_date="2030-01-01 10:00:00")
		for filters in (
			{"short_code": ["like", "o%"]},
			{"short_code": "one"},
			[["short_code", "in", ["one", "two"]]],
			[["short_code", "in", "one,two"]],
			[["expiry_date", "between", ["2029-12-31", "2030-01-01"]]],
			[["expiry_date", ">", "2029-12-31 00:00:00"]],
			[["expiry_date", "is", "set"]],
			# benchless knows no spans.
			*([[["creation", "timespan", "this year"]]] if is_bench() else []),
			[["click_count", "=", 0]],
			[["_user_tags", "=", None]],
		):
			with self.subTest(filters):
				self.assertEqual(
					[row["Short Code"] for row in self.rows(filters=json.dumps(filters))], ["one"]
				)

	def test_names_that_are_none(self) -> None:
		for names in ("x", "5", "[5]", '{"a": 1}', '["\\ud800"]'):
			with self.subTest(names):
				self.assert_refused(self.call("export_links", names=names), "names")

	def test_pieces(self) -> None:
		links = [factories.make_link() for _number in range(7)]
		with patch.object(csv_export, "PIECE", 3):
			response = csv_export.export()
		content = b"".join(response.response).decode("utf-8-sig")
		response.close()
		found = [row["Short Code"] for row in csv.DictReader(StringIO(content))]
		self.assertEqual(sorted(found), sorted(link.short_code for link in links))


class TestCommand(TrackFlowTestCase):
	"""CLI-1: `import-links`, tried and done, in words and as JSON."""

	def invoke(self, text: str, *options: str) -> Any:
		frappe.db.commit()
		with TemporaryDirectory() as folder:
			path = Path(folder, "links.csv")
			path.write_text(text, encoding="utf-8")
			with patch.object(commands.shell, "connected", lambda _context: nullcontext()):
				context = frappe._dict(sites=[frappe.local.site], profile=False)
				return CliRunner().invoke(commands.links.import_links, [str(path), *options], obj=context)

	def test_dry_run(self) -> None:
		result = self.invoke(f"URL,Short Code\n{URL},one\n{URL},a/b\n", "--dry-run")
		self.assertEqual(result.exit_code, 1, result.output)
		self.assertIn("links that would be made: 1; rows refused: 1", result.output)
		self.assertIn("letters (a to z)", result.output)
		self.assertEqual(frappe.db.count("Tracked Link"), 0)

	def test_import_as_json(self) -> None:
		result = self.invoke(f"Link,Long URL\nbit.ly/one,{URL}\n", "--json")
		self.assertEqual(result.exit_code, 0, result.output)
		answer = json.loads(result.output)
		self.assertEqual((answer["format"], answer["created"]), ("Bitly", 1))
		self.assertTrue(frappe.db.exists("Tracked Link", {"short_code": "one"}))
