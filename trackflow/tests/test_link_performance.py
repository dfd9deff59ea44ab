"""The report Link Performance, as the desk gets it (RPT-1)."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from frappe.desk import query_report

from trackflow.analytics import link_performance
from trackflow.api.links import get_link_analytics
from trackflow.click_rollups import reading, run
from trackflow.tests import factories
from trackflow.tests.analytics_case import DAY, MARCH, FiguresTestCase
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import VISITOR
from trackflow.tests.test_permissions import CAMPAIGNER, NOBODY, PermissionTestCase

REPORT = "Link Performance"
RANGE = dict(zip(("from_date", "to_date"), MARCH, strict=True))


def report(**filters: Any) -> dict[str, Any]:
	return query_report.run(REPORT, filters={**RANGE, **filters})


class TestLinks(FiguresTestCase):
	"""RPT-1: clicks, people, robots, visits and what became of them, by link."""

	def setUp(self) -> None:
		super().setUp()
		factories.make_campaign("Spring Sale")
		factories.make_domain("go.example.com")
		self.flyer = factories.make_link("flyer", campaign="Spring Sale", tags="print, spring", title="Flyer")
		self.letter = factories.make_link(
			"letter", domain="go.example.com", tags="mail,spring", title="=Letter"
		)

	def test_figures(self) -> None:
		for number in (1, 1, 2):
			self.click(self.flyer.name, visitor_id=VISITOR.format(number))
		self.click(self.flyer.name, event_type="QR Scan")
		self.click(self.flyer.name, event_type="Bot")
		self.click(self.flyer.name, event_type="Blocked")
		self.click(self.flyer.name, DAY + timedelta(days=9))
		self.click(self.letter.name)
		session = self.session(tracked_link=self.flyer.name, is_bounce=1)
		self.session(tracked_link=self.flyer.name, page_views=2)
		self.session(tracked_link=self.flyer.name, page_views=0)
		self.credit(session, tracked_link=self.flyer.name, weight=0.5)
		self.credit(session, tracked_link=self.flyer.name, conversion_type="Deal Won", credited_value=80)
		found = report()
		flyer, letter = found["result"]
		self.assertEqual(
			flyer,
			{
				"link": self.flyer.name,
				"title": "Flyer",
				"short_code": "flyer",
				"campaign": "Spring Sale",
				"domain": None,
				"clicks": 3,
				"scans": 1,
				"robots": 1,
				"unique_visitors": 2,
				"sessions": 3,
				"bounce_rate": 50.0,
				"conversions": 0.5,
				"value_0": 80.0,
			},
		)
		self.assertEqual((letter["title"], letter["sessions"], letter["bounce_rate"]), ("'=Letter", 0, None))
		self.assertEqual(found["columns"][-1]["label"], "Value (USD)")
		chart = found["chart"]["data"]
		self.assertEqual((chart["labels"], chart["datasets"][0]["values"]), (["flyer", "letter"], [3, 1]))
		totals = get_link_analytics(self.flyer.name, *MARCH)["totals"]
		self.assertEqual([totals[name] for name in ("clicks", "scans", "unique_visitors")], [3, 1, 2])

	def test_filters(self) -> None:
		for link in (self.flyer, self.letter):
			self.click(link.name)
		for filters, codes in (
			({}, ["flyer", "letter"]),
			({"campaign": "Spring Sale"}, ["flyer"]),
			({"domain": "go.example.com"}, ["letter"]),
			({"tag": "spring"}, ["flyer", "letter"]),
			({"tag": "mail"}, ["letter"]),
			({"tag": "spr"}, []),
			({"tag": "%"}, []),
			({"from_date": "2026-03-03"}, []),
		):
			with self.subTest(filters):
				self.assertEqual(sorted(row["short_code"] for row in report(**filters)["result"]), codes)

	def test_wrong_filters_are_answered(self) -> None:
		found = report(to_date="2026-01-01")
		self.assertEqual((found["result"], found["columns"]), ([], []))
		self.assertIn("before it begins", found["message"])

	def test_estimated_visitors_are_said_to_be(self) -> None:
		"""ROL-2: of many clicks of several days, visitors are merged from sketches."""
		for number in range(20):
			for day in range(2):
				at = DAY + timedelta(days=day)
				self.click(self.flyer.name, at, visitor_id=VISITOR.format(number))
		run.run(*map(date.fromisoformat, MARCH))
		exact = report()
		with patch.object(reading, "COUNTED", 10):
			estimated = report()
		labels = [
			next(one["label"] for one in found["columns"] if one["fieldname"] == "unique_visitors")
			for found in (exact, estimated)
		]
		self.assertEqual(labels, ["Unique Visitors", "Unique Visitors (≈)"])
		self.assertIsNone(exact["message"])
		self.assertIn("estimated", estimated["message"])
		visitors = [found["result"][0]["unique_visitors"] for found in (exact, estimated)]
		self.assertEqual(visitors[0], 20)
		self.assertAlmostEqual(visitors[1], 20, delta=1)
		self.assertEqual([found["result"][0]["clicks"] for found in (exact, estimated)], [40, 40])

	def test_more_links_than_are_told_apart(self) -> None:
		for number in range(3):
			link = factories.make_link().name
			for _each in range(number + 1):
				self.click(link)
		with patch.object(link_performance, "MOST_LINKS", 2):
			rows = report()["result"]
		self.assertEqual([row["clicks"] for row in rows], [3, 2, 1])
		self.assertEqual(rows[-1], {"title": "Others", "clicks": 1, "scans": 0, "robots": 0})

	def test_statements_are_bounded(self) -> None:
		counts = []
		for number in (1, 20):
			for _each in range(number):
				link = factories.make_link().name
				self.click(link)
				self.credit(self.session(tracked_link=link), tracked_link=link)
			frappe.db.commit()
			report()
			with counted_statements() as statements:
				report()
			counts.append(len(statements))
		self.assertEqual(counts[0], counts[1])

	def test_filters_of_the_desk_are_those_that_are_read(self) -> None:
		path = frappe.get_app_path(
			"trackflow", "trackflow", "report", "link_performance", "link_performance.js"
		)
		script = Path(path).read_text()
		self.assertIn(f'frappe.query_reports["{REPORT}"]', script)
		names = {"from_date", "to_date", "campaign", "domain", "tag"}
		self.assertEqual(set(re.findall(r'fieldname: "(\w+)"', script)), names)


class TestAccess(PermissionTestCase):
	"""ROL-P: for the report's roles."""

	def test_over_http(self) -> None:
		query = {"report_name": REPORT, "filters": frappe.as_json(RANGE, indent=None)}
		for user, status in ((CAMPAIGNER, 200), (NOBODY, 403), (None, 403)):
			answer = self.get(
				"/api/method/frappe.desk.query_report.run",
				query_string=query,
				headers=self.authorization(user),
			)
			self.assertEqual(answer.status_code, status, answer.text)
