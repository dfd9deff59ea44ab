"""Visitors and journeys over HTTP, as everybody who might ask: ROL-P, SEC-1, and SEC-2 for what is answered."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar

import frappe
from frappe.utils import now_datetime
from werkzeug.test import TestResponse

from trackflow import bulk
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.stream import writer
from trackflow.stream.drain import drain
from trackflow.tests.base import HAS_CRM, TrackFlowTestCase, counted_statements, needs_crm
from trackflow.tests.factories import (
	SHOP,
	batch,
	event,
	make_conversion,
	make_deal,
	make_domain,
	make_lead,
	make_link,
	make_touch,
	make_visitor,
)
from trackflow.tests.users import PeopleTestCase
from trackflow.tracking import timeline

DATA = "/api/method/trackflow.api.visitor.get_visitor_data"
JOURNEY = "/api/method/trackflow.api.visitor.get_journey"
MANAGER, CAMPAIGNER, SELLER, NOBODY = (
	f"visitors.{who}@example.com" for who in ("manager", "campaigns", "sales", "nobody")
)
ROLES = {
	MANAGER: (TRACKFLOW_MANAGER, *(("Sales User",) if HAS_CRM else ())),
	CAMPAIGNER: (CAMPAIGN_MANAGER,),
	SELLER: ("Sales User",) if HAS_CRM else (),
	NOBODY: (),
}
PHONE, LAPTOP, STRANGER = "v_00000000000000aa", "v_00000000000000bb", "v_00000000000000cc"
MARKUP = "<img src=x onerror=alert(1)>"


def verdict(answer: TestResponse) -> tuple[str, list[str]]:
	"""An error without its own id and the traceback that a site in development shows."""
	messages = [json.loads(one)["message"] for one in json.loads(answer.json["_server_messages"])]
	return answer.json["exc_type"], messages


@contextmanager
def readable_by(role: str, *doctypes: str) -> Iterator[None]:
	"""These DocTypes for one role alone, as the Role Permissions Manager would have it."""
	rows = [
		frappe.get_doc(
			{"doctype": "Custom DocPerm", "parent": one, "role": role, "read": 1, "write": 1, "export": 0}
		).insert()
		for one in doctypes
	]
	try:
		for one in doctypes:
			frappe.clear_cache(doctype=one)
		frappe.db.commit()
		yield
	finally:
		for row in rows:
			frappe.delete_doc("Custom DocPerm", row.name)
		frappe.db.commit()
		for one in doctypes:
			frappe.clear_cache(doctype=one)


class VisitorTestCase(PeopleTestCase):
	"""Somebody who clicked on the phone, came back on the laptop, and said an e-mail address on both."""

	roles = ROLES

	def setUp(self) -> None:
		super().setUp()
		self.key = make_domain(SHOP).public_key

	def ask(
		self, user: str | None, path: str, cookie: str = "", consent: str = "", **query: Any
	) -> TestResponse:
		headers = self.authorization(user)
		cookies = {"trackflow_visitor": cookie, "trackflow_consent": consent}
		cookies = {name: value for name, value in cookies.items() if value}
		return self.get(path, query_string=query, headers=headers, cookies=cookies)

	def told(self, user: str | None, path: str, **query: Any) -> dict[str, Any]:
		answer = self.ask(user, path, **query)
		self.assertEqual(answer.status_code, 200, answer.text)
		return answer.json["message"]

	def track(self, *events: dict[str, Any]) -> None:
		path = "/api/method/trackflow.api.tracking.track_event"
		headers = {"Content-Type": "text/plain", "Origin": f"https://{SHOP}"}
		answer = self.request("POST", path, data=batch(self.key, *events), headers=headers)
		self.assertEqual(answer.status_code, 202, answer.text)
		drain()

	def journey(self) -> None:
		make_link("spring")
		self.get("/r/spring", cookies={"trackflow_visitor": PHONE, "trackflow_consent": "granted"})
		ago = lambda hours: (datetime.now().astimezone() - timedelta(hours=hours)).isoformat()  # noqa: E731
		named = {"type": "IDENTIFY", "properties": {"email": "ada@example.com", "name": "Ada"}}
		self.track(
			event("p1", visitorId=PHONE, title=MARKUP, timestamp=ago(5)),
			event("p2", visitorId=PHONE, timestamp=ago(4.9), **named),
			event("l1", visitorId=LAPTOP, timestamp=ago(3)),
			event("l2", visitorId=LAPTOP, timestamp=ago(3), **named),
			event("s1", visitorId=STRANGER, timestamp=ago(2)),
		)
		make_conversion(PHONE, now_datetime() - timedelta(hours=1))
		frappe.db.commit()


class TestGuests(VisitorTestCase):
	"""ROL-P: a guest learns its own id and consent state, and nothing of anybody else."""

	def test_the_own_cookie(self) -> None:
		self.journey()
		for asked in ({}, {"visitor_id": PHONE}):
			own = self.told(None, DATA, cookie=PHONE, consent="granted", **asked)
			self.assertEqual(own, {"visitor_id": PHONE, "consent": "granted"})
		self.assertEqual(self.told(None, DATA, cookie=PHONE)["consent"], "")

	def test_anybody_else_is_nobody(self) -> None:
		self.journey()
		unknown = self.ask(None, DATA, visitor_id="v_ffffffffffffffff")
		self.assertEqual((unknown.status_code, unknown.json["exc_type"]), (404, "UnknownVisitorError"))
		for user in (None, NOBODY, SELLER):
			for visitor, cookie in (
				(PHONE, ""),
				(PHONE, STRANGER),
				("", ""),
				("nonsense", PHONE),
				("", "nonsense"),
				("'", ""),
			):
				with self.subTest(user, visitor=visitor, cookie=cookie):
					answer = self.ask(user, DATA, visitor_id=visitor, cookie=cookie)
					self.assertEqual((answer.status_code, verdict(answer)), (404, verdict(unknown)))

	def test_no_journey(self) -> None:
		self.journey()
		for cookie in ("", PHONE):
			answer = self.ask(None, JOURNEY, visitor_id=PHONE, cookie=cookie)
			self.assertEqual(answer.status_code, 403)
			self.assertNotIn(PHONE, answer.text)

	def test_only_get(self) -> None:
		for path in (DATA, JOURNEY):
			self.assertEqual(self.request("POST", path).status_code, 403)


class TestPeople(VisitorTestCase):
	"""ROL-P: people with permission on visitors see them, contact and CRM data as far as their roles go."""

	def test_who_sees_what_of_a_visitor(self) -> None:
		self.journey()
		told = self.told(CAMPAIGNER, DATA, visitor_id=PHONE)
		self.assertEqual((told["name"], told["page_views"], told["has_converted"]), (PHONE, 1, 0))
		self.assertFalse(
			{"contact_email", "contact_name", "crm_lead", "ip_address", "user_agent"} & told.keys()
		)
		told = self.told(MANAGER, DATA, visitor_id=PHONE)
		self.assertEqual((told["contact_email"], told["contact_name"]), ("ada@example.com", "Ada"))
		self.assertRegex(told["first_seen"], r"T.*[+-]\d\d:\d\d$")
		self.assertEqual(self.ask(MANAGER, DATA, visitor_id="v_ffffffffffffffff").status_code, 404)

	def test_a_journey_in_the_order_of_time(self) -> None:
		self.journey()
		told = self.told(CAMPAIGNER, JOURNEY, visitor_id=LAPTOP)
		self.assertEqual([one["name"] for one in told["visitors"]], [PHONE, LAPTOP])
		self.assertEqual(
			[one["kind"] for one in told["entries"]], ["session"] * 2 + ["conversion", "session"]
		)
		self.assertEqual(sorted(told["entries"], key=lambda one: one["at"]), told["entries"])
		phone, laptop, conversion, clicked = told["entries"]
		self.assertEqual([one["event_type"] for one in phone["events"]], ["PAGE_VIEW", "IDENTIFY"])
		self.assertEqual(phone["events"][0]["page_title"], MARKUP.replace("<", "‹"), "SEC-2")
		self.assertEqual((laptop["visitor_id"], laptop["touch_point"]["channel"]), (LAPTOP, "Direct"))
		self.assertEqual([one["short_code"] for one in clicked["clicks"]], ["spring"])
		self.assertEqual(conversion["conversion_type"], "Purchase")
		self.assertIsNone(told["next_start"])
		self.assertNotIn(STRANGER, str(told))
		self.assertNotIn("ada@", str(told))

	def test_page_by_page(self) -> None:
		self.journey()
		whole = self.told(MANAGER, JOURNEY, visitor_id=PHONE)["entries"]
		found, start = [], 0
		while start is not None:
			page = self.told(MANAGER, JOURNEY, visitor_id=PHONE, start=start, limit=1)
			self.assertEqual(len(page["entries"]), 1)
			found += page["entries"]
			start = page["next_start"]
		self.assertEqual(found, whole)
		self.assertEqual(self.told(MANAGER, JOURNEY, visitor_id=PHONE, start=99)["entries"], [])

	def test_what_cannot_be_asked(self) -> None:
		self.journey()
		for query, status in (
			({}, 417), ({"visitor_id": PHONE, "lead": "x"}, 417), ({"visitor_id": PHONE, "limit": 101}, 417),
			({"visitor_id": PHONE, "limit": 0}, 417), ({"visitor_id": PHONE, "start": -1}, 417),
			({"visitor_id": PHONE, "start": "x"}, 417), ({"visitor_id": "nonsense"}, 404),
			({"visitor_id": "v_ffffffffffffffff"}, 404),
		):  # fmt: skip
			answer = self.ask(MANAGER, JOURNEY, **query)
			self.assertEqual(answer.status_code, status, (query, answer.text))
		self.assertEqual(self.ask(NOBODY, JOURNEY, visitor_id=PHONE).status_code, 403)

	def test_its_size_is_bounded(self) -> None:
		"""PRF-6: statements do not grow with the journey, and a session shows its first hits alone."""
		make_visitor(PHONE)
		start = datetime.now().timestamp() - 3600
		page = {
			"kind": "event",
			"received": start,
			"domain": SHOP,
			"event_type": "PAGE_VIEW",
			"event_name": "",
		}
		rest = dict.fromkeys(
			(
				"title",
				"referrer",
				"currency",
				"screen",
				"viewport",
				"click_ref",
				"address",
				"user_agent",
				"bot_reason",
			),
			"",
		)
		for number in range(timeline.MOST_HITS + 5):
			record = {
				**page, **rest, "id": f"e{number:03}", "event_id": str(number), "at": start + number, "url": f"https://{SHOP}/",
				"value": "0", "properties": None, "form": None, "click_ids": {}, "utm": {}, "counted": True, "person": {},
				"visitor": PHONE, "cookieless": False, "is_bot": False, "is_internal": False,
			}  # fmt: skip
			writer.write([record])
		drain()
		with counted_statements() as statements:
			entries, _more = timeline.entries([PHONE], 0, 20)
		self.assertEqual(len(entries), 1)
		self.assertEqual((entries[0]["event_count"], len(entries[0]["events"])), (105, timeline.MOST_HITS))
		self.assertLessEqual(len(statements), 8)


@needs_crm
class TestLeadsAndDeals(VisitorTestCase):
	"""ROL-P, CRM-3: a lead's journey is for who may read the lead; others learn nothing of leads from journeys."""

	def setUp(self) -> None:
		super().setUp()
		self.journey()
		self.lead = make_lead(email="ada@example.com").name
		frappe.db.set_value("Visitor", PHONE, "crm_lead", self.lead)
		frappe.db.set_value("Conversion", {"visitor": PHONE}, "crm_lead", self.lead)
		self.deal = make_deal(lead=self.lead).name

	def test_who_may_read_the_lead(self) -> None:
		for reference in ({"lead": self.lead}, {"deal": self.deal}):
			for user in (SELLER, MANAGER):
				told = self.told(user, JOURNEY, **reference)
				self.assertEqual([one["name"] for one in told["visitors"]], [PHONE, LAPTOP])
				self.assertIn(self.lead, str(told))
			answer = self.ask(NOBODY, JOURNEY, **reference)
			self.assertEqual(answer.status_code, 403)
			self.assertNotIn(PHONE, answer.text)

	def test_campaign_managers_see_as_much_of_leads_as_crm_shows_them(self) -> None:
		self.assertEqual(self.told(CAMPAIGNER, DATA, visitor_id=PHONE)["crm_lead"], self.lead)
		with readable_by("Sales User", "CRM Lead", "CRM Deal"):
			told = self.told(CAMPAIGNER, JOURNEY, visitor_id=PHONE)
			self.assertIn("conversion", [one["kind"] for one in told["entries"]])
			self.assertNotIn(self.lead, str(told))
			self.assertNotIn("crm_lead", self.told(CAMPAIGNER, DATA, visitor_id=PHONE))
			self.assertEqual(self.told(MANAGER, DATA, visitor_id=PHONE)["crm_lead"], self.lead)
			for reference in ({"lead": self.lead}, {"deal": self.deal}):
				answer = self.ask(CAMPAIGNER, JOURNEY, **reference)
				self.assertEqual(answer.status_code, 403)
				self.assertNotIn(PHONE, answer.text)

	def test_who_is_not_known_has_no_journey(self) -> None:
		"""What nobody's browser did is not theirs either."""
		strange = make_lead(email="typed.in@example.com").name
		make_conversion("", now_datetime())
		row = {"name": "robot", "event_type": "Bot", "click_timestamp": now_datetime()}
		bulk.insert("Click Event", [row])
		make_touch("", now_datetime())
		frappe.db.commit()
		told = self.told(MANAGER, JOURNEY, lead=strange)
		self.assertEqual((told["visitors"], told["entries"], told["next_start"]), ([], [], None))
		data = self.told(
			MANAGER, "/api/method/trackflow.integrations.crm_lead.get_lead_tracking_data", lead=strange
		)
		self.assertEqual((data["visitors"], data["touch_points"]), ([], []))

	def test_unknown_ones(self) -> None:
		for reference in ({"lead": "nobody"}, {"deal": "nobody"}):
			self.assertEqual(self.ask(SELLER, JOURNEY, **reference).status_code, 404)
