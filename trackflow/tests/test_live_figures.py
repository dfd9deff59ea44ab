"""What happens now, the newest events, and visits by domain (RPT-2, ROL-P, COL-7)."""

import json
from datetime import timedelta
from typing import Any

import frappe
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.analytics import live
from trackflow.analytics.scope import Scope
from trackflow.api.analytics import latest_events, realtime, statistics
from trackflow.constants.roles import TRACKFLOW_MANAGER
from trackflow.tests import factories
from trackflow.tests.analytics_case import DAY, MARCH, OTHER, SITE, FiguresTestCase, make_domains
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import VISITOR
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase
from trackflow.tests.test_visitor_api import readable_by

SECRET = "ada@example.com"


class TestRealtime(FiguresTestCase):
	"""RPT-2: the last 30 minutes."""

	def setUp(self) -> None:
		super().setUp()
		self.now = now_datetime()

	def ago(self, minutes: float) -> Any:
		return self.now - timedelta(minutes=minutes)

	def test_who_is_there(self) -> None:
		link = factories.make_link("flyer").name
		email, direct = self.session(self.ago(40), 1), self.session(self.ago(5), 2, channel="Direct")
		self.event(self.ago(2), session=email)
		self.event(self.ago(2), session=email, event_type="CUSTOM")
		self.event(self.ago(2), session=direct, visitor=VISITOR.format(2), page_url=f"https://{SITE}/a?x=1")
		self.click(link, self.ago(4), session=email)
		self.click(link, self.ago(4), event_type="Bot")
		self.event(self.ago(45), visitor=VISITOR.format(3))
		self.event(self.ago(1), visitor=VISITOR.format(4), counted=0)
		found = realtime()
		self.assertEqual(found["active_visitors"], 2)
		self.assertEqual(len(found["by_minute"]), 30)
		self.assertEqual(
			[tuple(line.values())[1:] for line in found["by_minute"] if line["visitors"]],
			[(1, 0, 1), (2, 3, 0)],
		)
		self.assertEqual(
			[tuple(line.values()) for line in found["pages"]["lines"]],
			[(f"https://{SITE}/a", 1, 1), (f"https://{SITE}/products", 1, 1)],
		)
		self.assertEqual([tuple(line.values()) for line in found["channels"]], [("Direct", 1), ("Email", 1)])
		(line,) = found["links"]["lines"]
		self.assertEqual((line["short_code"], line["clicks"]), ("flyer", 1))
		self.assertEqual([one["kind"] for one in found["newest"]], ["event"] * 3 + ["click"])

	def test_nobody(self) -> None:
		found = realtime()
		self.assertEqual((found["active_visitors"], found["newest"], found["channels"]), (0, [], []))
		self.assertEqual({line["visitors"] for line in found["by_minute"]}, {0})

	def test_of_a_domain(self) -> None:
		make_domains()
		for number, domain in enumerate((SITE, OTHER, "else.example.com")):
			self.event(self.ago(1), domain=domain, visitor=VISITOR.format(number))
		for arguments, number in (({}, 3), ({"domain": SITE}, 1), ({"project": "Shops"}, 2)):
			found = realtime(**arguments)
			self.assertEqual((found["active_visitors"], len(found["newest"])), (number, number))

	def test_statements_are_bounded(self) -> None:
		counts = []
		for number in (1, 30):
			for index in range(number):
				self.click(factories.make_link().name, self.ago(index % 20))
				self.event(self.ago(index % 20), page_url=f"https://{SITE}/{index}")
			frappe.db.commit()
			realtime()
			with counted_statements() as statements:
				realtime()
			counts.append(len(statements))
		self.assertEqual(counts[0], counts[1])
		self.assertLessEqual(counts[0], 9, statements)


class TestNewestEvents(FiguresTestCase):
	"""RPT-2, ROL-P: what is told of them, and what never is."""

	def test_in_order_and_no_more(self) -> None:
		link = factories.make_link("flyer").name
		for index in range(5):
			self.event(DAY + timedelta(minutes=2 * index))
			self.click(link, DAY + timedelta(minutes=2 * index + 1))
		self.event(DAY + timedelta(days=5))
		found = latest_events(None, None, *MARCH, limit=3)["events"]
		self.assertEqual([one["kind"] for one in found], ["click", "event", "click"])
		self.assertTrue(found[0]["at"].startswith("2026-03-02T12:09:00"))
		for limit in (0, 101, "x"):
			with self.assertRaises(frappe.ValidationError):
				latest_events(limit=limit)

	def test_nothing_tells_who_it_was(self) -> None:
		"""Addresses of pages may carry names; so do forms, addresses and agents."""
		self.event(
			page_url=f"https://{SITE}/thanks?email={SECRET}#{SECRET}",
			referrer=f"https://mail.example/?to={SECRET}",
			form_data=json.dumps({"email": SECRET}),
			event_data=json.dumps({"email": SECRET}),
			ip_address="203.0.113.9",
			user_agent="Agent",
		)
		text = json.dumps(latest_events(None, None, *MARCH))
		for secret in (SECRET, "203.0.113.9", "Agent"):
			self.assertNotIn(secret, text)

	def test_visitors_are_for_who_may_read_them(self) -> None:
		self.event()
		until = DAY + timedelta(days=1)
		(told,) = live.newest(Scope(), DAY, until, 5, True)
		(hidden,) = live.newest(Scope(), DAY, until, 5, False)
		self.assertEqual(told.pop("visitor_id"), VISITOR.format(1))
		self.assertEqual(told, hidden)


class TestStatistics(FiguresTestCase):
	"""RPT-2: visits per project and per domain."""

	def setUp(self) -> None:
		super().setUp()
		make_domains()
		self.session(number=1, country="DE", device_type="Mobile", is_bounce=1)
		self.session(DAY + timedelta(days=1), number=1, country="DE", page_views=3, duration_seconds=60)
		self.session(number=2, domain=OTHER, country="FR")
		self.session(number=3, domain="else.example.com")

	def test_of_a_project(self) -> None:
		found = statistics(None, "Shops", *MARCH)
		self.assertEqual(
			found["totals"],
			{
				"visitors": 2,
				"sessions": 3,
				"page_views": 5,
				"visits": 3,
				"bounce_rate": 33.33,
				"average_seconds": 20.0,
			},
		)
		self.assertEqual(
			[(line["domain"], line["visitors"], line["sessions"]) for line in found["domains"]],
			[(OTHER, 1, 1), (SITE, 1, 2)],
		)
		self.assertEqual([line["sessions"] for line in found["by_day"]], [0, 2, 1, 0])
		self.assertEqual(
			[tuple(line.values()) for line in found["countries"]["lines"]], [("DE", 2), ("FR", 1)]
		)

	def test_of_a_domain_and_of_the_site(self) -> None:
		self.assertEqual(statistics(SITE, None, *MARCH)["totals"]["sessions"], 2)
		self.assertEqual(statistics(None, None, *MARCH)["totals"]["sessions"], 4)

	def test_statements_are_bounded(self) -> None:
		statistics(None, None, *MARCH)
		with counted_statements() as statements:
			statistics(None, None, *MARCH)
		self.assertLessEqual(len(statements), 16, statements)


class TestAccess(PermissionTestCase):
	"""ROL-P: for who may read clicks, events and sessions."""

	def test_over_http(self) -> None:
		for method in ("realtime", "latest_events", "statistics"):
			path = f"/api/method/trackflow.api.analytics.{method}"
			for user, status in ((CAMPAIGNER, 200), (NOBODY, 403), (None, 403)):
				answer = self.get(path, headers=self.authorization(user))
				self.assertEqual(answer.status_code, status, answer.text)

	def test_visitors_are_told_to_who_may_read_them(self) -> None:
		row = {
			"timestamp": now_datetime(),
			"event_type": "PAGE_VIEW",
			"counted": 1,
			"visitor": VISITOR.format(1),
		}
		bulk.insert("Visitor Event", [{"name": "e", **row}])
		path = "/api/method/trackflow.api.analytics.latest_events"
		with readable_by(TRACKFLOW_MANAGER, "Visitor"):
			for user, tells in ((MANAGER, True), (CAMPAIGNER, False)):
				(event,) = self.get(path, headers=self.authorization(user)).json["message"]["events"]
				self.assertEqual("visitor_id" in event, tells)

	def test_reads_are_noted(self) -> None:
		"""COL-7: at the level HIPAA, reading hits is kept in a log."""
		factories.make_domain(SITE, privacy_level="HIPAA")
		frappe.db.delete("Access Log", {"user": CAMPAIGNER})
		for method in ("realtime", "latest_events"):
			self.get(f"/api/method/trackflow.api.analytics.{method}", headers=self.authorization(CAMPAIGNER))
		rows = frappe.get_all("Access Log", {"user": CAMPAIGNER}, pluck="export_from", order_by="export_from")
		frappe.db.delete("Access Log", {"user": CAMPAIGNER})
		self.assertEqual(rows, ["Click Event"] * 2 + ["Visitor Event"] * 2)
