"""Exports of rows, streamed (RPT-2, ROL-P, SEC-2, COL-7)."""

import csv
import json
from datetime import timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch

import frappe

from trackflow import bulk
from trackflow.analytics import export_text, exporting
from trackflow.analytics.scope import Period, Scope
from trackflow.constants.roles import CAMPAIGN_MANAGER
from trackflow.tests import factories
from trackflow.tests.analytics_case import DAY, MARCH, OTHER, SITE, FiguresTestCase, make_domains, touch_of
from trackflow.tests.base import counted_statements
from trackflow.tests.properties import given, st
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase
from trackflow.tests.test_visitor_api import readable_by

PATH = "/api/method/trackflow.api.analytics.export"
RANGE = dict(zip(("from_date", "to_date"), MARCH, strict=True))
PERIOD = Period(DAY.date() - timedelta(days=1), DAY.date() + timedelta(days=2))


class ExportTestCase(FiguresTestCase):
	def text(self, what: str, format: str = "json", scope: Scope | None = None) -> str:
		return b"".join(exporting.exported(what, format, scope or Scope(), PERIOD)).decode()

	def rows(self, what: str, **arguments: Any) -> list[dict[str, Any]]:
		return json.loads(self.text(what, **arguments))


class TestRows(ExportTestCase):
	"""RPT-2: every row of the range once, in order, whatever the portions."""

	def test_each_kind(self) -> None:
		link = factories.make_link("flyer").name
		frappe.db.set_value("Tracked Link", link, "creation", DAY, update_modified=False)
		session = self.session(country="DE")
		made = {
			"clicks": self.click(link),
			"sessions": session,
			"events": self.event(event_data=json.dumps({"size": 7})),
			"touches": touch_of(session),
			"conversions": factories.make_conversion(factories.VISITOR.format(1), DAY),
			"credits": self.credit(session),
			"links": link,
		}
		self.assertEqual(made.keys(), exporting.KINDS.keys())
		for what, name in made.items():
			with self.subTest(what):
				(row,) = self.rows(what)
				self.assertEqual(row["name"], name)
				((header, line)) = csv.reader(StringIO(self.text(what, "csv").removeprefix("\ufeff")))
				self.assertEqual((header, line[0]), ([*row], name))
				self.assertTrue(row[exporting.KINDS[what].at].startswith("2026-03-02T12:00:00"))
		self.assertEqual(self.rows("events")[0]["event_data"], {"size": 7})
		self.assertNotIn("password", self.rows("links")[0])

	def test_portions(self) -> None:
		"""Moments that many rows share lie on both sides of a border."""
		names = [self.event(DAY + timedelta(minutes=index // 4)) for index in range(23)]
		self.event(DAY - timedelta(days=9))
		for size in (1, 2, 3, 7, 23, 100):
			with self.subTest(size), patch.object(exporting, "PORTION", size):
				self.assertEqual([row["name"] for row in self.rows("events")], names)

	def test_nothing(self) -> None:
		self.assertEqual(self.rows("clicks"), [])
		self.assertEqual(self.text("clicks", "csv").count("\n"), 1)

	def test_a_portion_at_a_time(self) -> None:
		"""Nothing is read before it is taken, and two statements for each portion."""
		for _each in range(30):
			self.event()
		# What the host remembers of the DocType is no part of it.
		self.rows("events")
		with patch.object(exporting, "PORTION", 10), counted_statements() as statements:
			pieces = exporting.exported("events", "json", Scope(), PERIOD)
			next(pieces)
			before = len(statements)
			next(pieces)
			self.assertLessEqual(len(statements) - before, 2, statements)
			next(pieces)
			self.assertLessEqual(len(statements) - before, 4, statements)

	def test_of_a_domain(self) -> None:
		make_domains()
		for domain in (SITE, OTHER, "else.example.com"):
			session, event = self.session(domain=domain), self.event(domain=domain)
			self.credit(session)
			factories.make_conversion(f"v_{domain[:4]:0>16}", DAY, source_name=event)
		for what in ("sessions", "events", "touches", "credits", "conversions"):
			numbers = [
				len(self.rows(what, scope=scope)) for scope in (Scope(), Scope((SITE,)), Scope((SITE, OTHER)))
			]
			self.assertEqual(numbers, [3, 1, 2], what)

	def test_credits_of_all_models(self) -> None:
		session = self.session()
		names = [self.credit(session, attribution_model=model) for model in ("Linear", "Last Touch")]
		self.assertEqual({row["name"] for row in self.rows("credits")}, set(names))

	def test_what_is_refused(self) -> None:
		for arguments, words in (
			(("visitors", "json"), "clicks, sessions"),
			(("clicks", "xml"), "csv, json"),
		):
			with self.assertRaisesRegex(frappe.ValidationError, words):
				exporting.exported(*arguments, Scope(), PERIOD)


class TestText(FiguresTestCase):
	"""SEC-2: texts of visitors are inert in the file too."""

	def test_no_formula(self) -> None:
		for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"):
			self.event(page_title=text, value=-5)
		text = b"".join(exporting.exported("events", "csv", Scope(), PERIOD)).decode("utf-8-sig")
		for row in csv.DictReader(StringIO(text)):
			self.assertTrue(row["page_title"].startswith("'"), row["page_title"])
			self.assertEqual(float(row["value"]), -5)

	@given(
		st.lists(
			st.lists(
				st.fixed_dictionaries({"a": st.text(), "b": st.one_of(st.none(), st.integers(), st.text())}),
				max_size=3,
			),
			max_size=4,
		)
	)
	def test_json_is_one_whatever_the_portions(self, portions: list[list[dict[str, Any]]]) -> None:
		text = b"".join(export_text.written("json", ["a", "b"], portions))
		self.assertEqual(json.loads(text), [row for portion in portions for row in portion])


class TestOverHttp(PermissionTestCase):
	"""RPT-2, ROL-P: a file that leaves while it is read, for who may export, without what may not be read."""

	def export(self, user: str | None, what: str = "events", **query: Any) -> Any:
		return self.get(PATH, query_string={"what": what, **RANGE, **query}, headers=self.authorization(user))

	def setUp(self) -> None:
		super().setUp()
		form = {
			"event_type": "FORM_SUBMIT",
			"form_data": json.dumps({"email": "ada@example.com"}),
			"counted": 1,
		}
		bulk.insert(
			"Visitor Event",
			[
				{"name": f"e{number}", "timestamp": DAY + timedelta(seconds=number), **form}
				for number in range(25)
			],
		)

	def test_streamed_while_the_site_is_still_there(self) -> None:
		with patch.object(exporting, "PORTION", 4):
			for format, mimetype in export_text.MIMETYPES.items():
				answer = self.export(MANAGER, format=format)
				self.assertEqual((answer.status_code, answer.mimetype), (200, mimetype), answer.text)
				self.assertNotIn("Content-Length", answer.headers)
				self.assertIn(f"events-2026-03-01-2026-03-04.{format}", answer.headers["Content-Disposition"])
				self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
				rows = (
					answer.json
					if format == "json"
					else list(csv.DictReader(StringIO(answer.get_data().decode("utf-8-sig"))))
				)
				self.assertEqual([row["name"] for row in rows], [f"e{number}" for number in range(25)])

	def test_fields_of_levels(self) -> None:
		(row, *_rest) = self.export(MANAGER).json
		self.assertEqual(row["form_data"], {"email": "ada@example.com"})
		answer = self.export(CAMPAIGNER)
		self.assertNotIn("form_data", answer.json[0])
		self.assertNotIn("ada@", answer.text)
		conversion = {
			"conversion_date": DAY,
			"crm_lead": "LEAD-1",
			"source_name": "DEAL-1",
			"external_id": "x",
		}
		bulk.insert("Conversion", [{"name": "c", "conversion_type": "Lead", **conversion}])
		for user, number in ((MANAGER, 4), (CAMPAIGNER, 0)):
			(row,) = self.export(user, "conversions").json
			self.assertEqual(len({"crm_lead", "crm_deal", "source_name", "external_id"} & row.keys()), number)

	def test_who_may(self) -> None:
		for user, status in ((NOBODY, 403), (None, 403)):
			self.assertEqual(self.export(user).status_code, status)
			# Nor is such a one told which domains there are.
			self.assertEqual(self.export(user, domain="nowhere.example.com").status_code, status)
		for query in (
			{"what": "visitors"},
			{"format": "xml"},
			{"domain": "nowhere.example.com"},
			{"from_date": "x"},
		):
			answer = self.export(CAMPAIGNER, **query)
			self.assertEqual(answer.status_code, 417, answer.text)

	def test_who_may_read_and_not_export(self) -> None:
		with readable_by(CAMPAIGN_MANAGER, "Visitor Event"):
			rows = self.api(CAMPAIGNER, "GET", "Visitor Event").json["data"]
			self.assertTrue(rows)
			self.assertEqual(self.export(CAMPAIGNER).status_code, 403)

	def test_it_is_noted(self) -> None:
		factories.make_domain(SITE, privacy_level="HIPAA")
		frappe.db.delete("Access Log", {"user": CAMPAIGNER})
		self.export(CAMPAIGNER)
		rows = frappe.get_all("Access Log", {"user": CAMPAIGNER}, ["export_from", "filters"])
		frappe.db.delete("Access Log", {"user": CAMPAIGNER})
		((doctype, asked),) = ((row.export_from, json.loads(row.filters)) for row in rows)
		self.assertEqual((doctype, asked), ("Visitor Event", RANGE))
