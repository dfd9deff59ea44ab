"""The report Visitor Journey: steps of a person, or of those who came in a period, for who may read them (RPT-1, ROL-P, SEC-2)."""

import json
import re
import unittest
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from frappe.desk import query_report
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.naming import key_name
from trackflow.reports import journey, steps
from trackflow.tests.base import HAS_CRM, TrackFlowTestCase, counted_statements, needs_crm
from trackflow.tests.factories import (
	VISITOR,
	make_conversion,
	make_deal,
	make_domain,
	make_lead,
	make_visitor,
)
from trackflow.tests.test_visitor_api import CAMPAIGNER, MANAGER, NOBODY, ROLES, SELLER, readable_by
from trackflow.tests.users import PeopleTestCase
from trackflow.trackflow.report.visitor_journey import visitor_journey
from trackflow.tracking import timeline

REPORT = "Visitor Journey"
PHONE, LAPTOP, STRANGER = (VISITOR.format(number) for number in (1, 2, 3))
AT = "2026-03-01T10:00:00+01:00"


def entry(kind: str, **values: Any) -> dict[str, Any]:
	"""An entry as the timeline gives it."""
	fields = {
		"session": timeline.SESSION_FIELDS,
		"click": timeline.CLICK_FIELDS,
		"conversion": timeline.CONVERSION_FIELDS,
	}
	return {
		"kind": kind,
		"at": AT,
		**dict.fromkeys(fields[kind]),
		"visitor_id": PHONE,
		"visitor": PHONE,
		**values,
	}


class TestSteps(unittest.TestCase):
	"""RPT-1: a line for each step, in the order of time."""

	def test_a_visit_with_what_was_done(self) -> None:
		at = lambda minute: f"2026-03-01T10:{minute:02}:00+01:00"  # noqa: E731
		event = dict.fromkeys(timeline.EVENT_FIELDS)
		click = dict.fromkeys(timeline.CLICK_FIELDS)
		visit = entry(
			"session", entry_page="https://a/", channel="Email", link_campaign="Spring", campaign="spring-2026",
			clicks=[{**click, "click_timestamp": at(0), "event_type": "QR Scan", "short_code": "k3", "campaign": "Spring"}],
			events=[
				{**event, "timestamp": at(5), "event_type": "CONVERSION", "event_name": "Purchase", "value": 9, "currency": "EUR"},
				{**event, "timestamp": at(1), "event_type": "PAGE_VIEW", "page_title": "Home", "page_url": "https://a/"},
				{**event, "timestamp": at(2), "event_type": "CUSTOM", "event_name": "Play", "value": 2, "currency": "EUR"},
			],
		)  # fmt: skip
		bought = entry(
			"conversion", at=at(5), conversion_type="Purchase", value=9, currency="EUR", crm_lead="L-1"
		)
		found = steps.lines([visit, bought])
		self.assertEqual(
			[(one["step"], one["what"], one["campaign"], one["value"]) for one in found],
			[
				("Visit", "", "Spring", None),
				("QR Scan", "k3", "Spring", None),
				("Page View", "Home", "", None),
				("Event", "Play", "", 2),
				("Conversion Event", "Purchase", "", None),
				("Conversion", "Purchase", "", 9),
			],
		)
		self.assertEqual(found[0]["at"], datetime(2026, 3, 1, 10))
		self.assertEqual(
			(found[0]["channel"], found[0]["page"], found[-1]["lead"]), ("Email", "https://a/", "L-1")
		)

	def test_the_channel_is_that_which_attribution_counts(self) -> None:
		(line,) = steps.lines([entry("session", channel="Direct", touch_point={"channel": "Paid Search"})])
		self.assertEqual(line["channel"], "Paid Search")

	def test_person_after_person(self) -> None:
		visits = [entry("session", visitor_id=one) for one in (STRANGER, PHONE, STRANGER, LAPTOP)]
		found = steps.by_person(steps.lines(visits), {PHONE: PHONE, LAPTOP: PHONE, STRANGER: STRANGER})
		self.assertEqual([one["visitor"] for one in found], [STRANGER, STRANGER, PHONE, LAPTOP])

	def test_nothing_of_visitors_is_a_formula(self) -> None:
		evil = "=HYPERLINK(1)"
		visit = entry(
			"session",
			**dict.fromkeys(("domain", "entry_page", "channel", "source", "medium", "campaign"), evil),
		)
		bought = entry("conversion", conversion_type=evil, currency=evil)
		for line in steps.lines([visit, bought]):
			for value in line.values():
				self.assertFalse(str(value).startswith("="), line)

	def test_what_is_left_out_is_known(self) -> None:
		self.assertFalse(
			steps.is_shortened([entry("session", event_count=1, events=[{}]), entry("conversion")])
		)
		self.assertTrue(steps.is_shortened([entry("session", event_count=2, events=[{}])]))


class JourneyTestCase(TrackFlowTestCase):
	"""Ada came by mail on her phone and bought on her laptop; a stranger came by an ad."""

	def setUp(self) -> None:
		super().setUp()
		self.now = now_datetime().replace(microsecond=0)
		make_visitor(PHONE, contact_email="ada@example.com")
		make_visitor(LAPTOP, contact_email="ada@example.com")
		make_visitor(STRANGER)
		self.came(PHONE, 5, "Email", link_campaign="Spring")
		self.came(LAPTOP, 3, "Direct")
		self.came(STRANGER, 4, "Paid Search", campaign="+ads")
		self.bought = make_conversion(LAPTOP, self.now - timedelta(days=3, minutes=-1), crm_lead="LEAD-1")
		frappe.db.commit()

	def came(self, visitor: str, ago: float, channel: str, **values: Any) -> str:
		at = self.now - timedelta(days=ago)
		name = key_name(visitor, str(at))
		where = {"channel": channel, "source": "x", "medium": "y", **values}
		row = {
			"session_start": at,
			"session_end": at,
			"event_count": 1,
			"entry_page": "https://shop.example.com/",
		}
		bulk.insert("Visitor Session", [{"name": name, "visitor_id": visitor, **row, **where}])
		bulk.insert(
			"Touch Point",
			[{"name": name, "visitor_id": visitor, "occurred_at": at, "session": name, **where}],
		)
		event = {
			"name": name,
			"visitor": visitor,
			"session": name,
			"timestamp": at,
			"event_type": "PAGE_VIEW",
		}
		bulk.insert(
			"Visitor Event", [{**event, "page_title": "‹b>Home", "page_url": "https://shop.example.com/"}]
		)
		return name

	def run_report(self, **filters: Any) -> dict[str, Any]:
		return query_report.run(REPORT, filters=filters)

	def steps(self, **filters: Any) -> list[tuple[str, str]]:
		return [(row["visitor"], row["step"]) for row in self.run_report(**filters)["result"]]


ADAS = [
	(PHONE, "Visit"),
	(PHONE, "Page View"),
	(LAPTOP, "Visit"),
	(LAPTOP, "Page View"),
	(LAPTOP, "Conversion"),
]
STRANGERS = [(STRANGER, "Visit"), (STRANGER, "Page View")]


class TestJourney(JourneyTestCase):
	"""RPT-1: what it shows."""

	def test_a_person_by_any_browser(self) -> None:
		for visitor in (PHONE, LAPTOP):
			self.assertEqual(self.steps(visitor=visitor), ADAS)
		found = self.run_report(visitor=PHONE)
		self.assertEqual(found["chart"]["data"]["labels"], ["Direct", "Email"])
		bought = found["result"][-1]
		self.assertEqual((bought["what"], bought["value"], bought["currency"]), ("Purchase", 100, "USD"))
		self.assertFalse(found["message"])

	def test_a_period(self) -> None:
		self.assertEqual(self.steps(), ADAS + STRANGERS)
		yesterday = str((self.now - timedelta(days=1)).date())
		self.assertEqual(self.steps(from_date=yesterday), [])
		middle = str((self.now - timedelta(days=4)).date())
		self.assertEqual(self.steps(from_date=middle), STRANGERS + ADAS[2:])
		self.assertEqual(self.steps(visitor=PHONE, from_date=middle), ADAS[2:])

	def test_by_channel_and_campaign(self) -> None:
		"""They choose people; of these everything in the period is shown."""
		for filters in (
			{"channel": "Email"},
			{"campaign": "Spring"},
			{"channel": "Email", "campaign": "Spring"},
		):
			self.assertEqual(self.steps(**filters), ADAS)
		self.assertEqual(self.steps(campaign="+ads"), STRANGERS)
		self.assertEqual(self.steps(channel="Email", campaign="+ads"), [])

	@needs_crm
	def test_by_lead_and_deal(self) -> None:
		lead = make_lead(email="ada@example.com").name
		frappe.db.set_value("Visitor", PHONE, "crm_lead", lead)
		frappe.db.set_value("Conversion", self.bought, "crm_lead", lead)
		deal = make_deal(lead=lead).name
		for filters in ({"lead": lead}, {"deal": deal}):
			self.assertEqual(self.steps(**filters), ADAS)
		self.assertEqual(self.run_report(lead=lead)["result"][-1]["lead"], lead)

	@unittest.skipIf(HAS_CRM, "Frappe CRM is installed on this site")
	def test_without_crm(self) -> None:
		found = self.run_report(lead="LEAD-1")
		self.assertEqual(found["result"], [])
		self.assertIn("CRM is not installed", found["message"])

	def test_texts_of_visitors_are_inert(self) -> None:
		"""SEC-2"""
		(visit, _page) = self.run_report(campaign="+ads")["result"]
		self.assertEqual(visit["campaign"], "'+ads")
		self.assertNotIn("<", frappe.as_json(self.run_report()["result"]))

	def test_it_is_bounded_and_says_so(self) -> None:
		with patch.object(journey, "MOST_PEOPLE", 1):
			found = self.run_report()
			self.assertIn("More people came", found["message"])
			self.assertEqual({row["visitor"] for row in found["result"]}, {PHONE, LAPTOP})
		with patch.object(visitor_journey, "MOST_ENTRIES", 1):
			found = self.run_report(visitor=PHONE)
			self.assertEqual((len(found["result"]), "There is more" in found["message"]), (2, True))
		frappe.db.set_value("Visitor Session", {"visitor_id": PHONE}, "event_count", 500)
		self.assertIn("first 100 events", self.run_report(visitor=PHONE)["message"])

	def test_statements_do_not_grow(self) -> None:
		def statements() -> int:
			with counted_statements() as found:
				visitor_journey.execute({})
			return len(found)

		statements()
		few = statements()
		for number in range(10, 30):
			visitor = make_visitor(VISITOR.format(number))
			for ago in range(1, 4):
				self.came(visitor, ago, "Email")
		self.assertEqual(statements(), few)

	def test_wrong_filters_are_answered(self) -> None:
		for filters in (
			{"visitor": "nonsense"},
			{"visitor": "v_ffffffffffffffff"},
			{
				"visitor": PHONE,
				"lead": "x" if HAS_CRM else "",
				"deal": "y" if HAS_CRM else "",
				"from_date": "soon",
			},
			{"visitor": ["like", "%"]},
			{"from_date": "<b>"},
			{"channel": {"like": "%"}},
		):
			with self.subTest(filters):
				found = self.run_report(**filters)
				self.assertEqual(found["result"], [])
				self.assertTrue(found["message"])
				self.assertNotIn("<", found["message"])

	def test_filters_of_the_desk_are_those_that_are_read(self) -> None:
		path = frappe.get_app_path(
			"trackflow", "trackflow", "report", "visitor_journey", "visitor_journey.js"
		)
		text = Path(path).read_text()
		self.assertIn(f'frappe.query_reports["{REPORT}"]', text)
		names = {"visitor", "lead", "deal", "from_date", "to_date", "channel", "campaign"}
		self.assertEqual(set(re.findall(r'fieldname: "(\w+)"', text)), names)
		self.assertEqual(re.findall(r"label: (?!__\()", text), [])


class TestAccess(PeopleTestCase, JourneyTestCase):
	"""ROL-P: as `get_journey`, and what is read is noted."""

	roles = ROLES

	def ask(self, user: str, **filters: Any) -> Any:
		query = {"report_name": REPORT, "filters": json.dumps(filters)}
		headers = self.authorization(user)
		return self.get("/api/method/frappe.desk.query_report.run", query_string=query, headers=headers)

	def test_who_may(self) -> None:
		for user in (MANAGER, CAMPAIGNER):
			answer = self.ask(user, visitor=PHONE)
			self.assertEqual(len(answer.json["message"]["result"]), len(ADAS), answer.text)
			self.assertEqual(len(self.ask(user).json["message"]["result"]), 7)
		for user in (NOBODY, SELLER):
			self.assertEqual(self.ask(user, visitor=PHONE).status_code, 403)

	def test_who_may_not_read_visitors_sees_none(self) -> None:
		with readable_by("System Manager", "Visitor"):
			for filters in ({"visitor": PHONE}, {}, {"campaign": "Spring"}):
				answer = self.ask(CAMPAIGNER, **filters)
				self.assertEqual(answer.status_code, 200, answer.text)
				self.assertEqual(answer.json["message"]["result"], [])
				self.assertIn("may not read", answer.json["message"]["message"])
				self.assertNotIn(LAPTOP, answer.text)

	@needs_crm
	def test_leads_as_far_as_crm_shows_them(self) -> None:
		lead = make_lead(email="ada@example.com").name
		frappe.db.set_value("Conversion", self.bought, "crm_lead", lead)
		self.assertIn(lead, self.ask(CAMPAIGNER, visitor=PHONE).text)
		with readable_by("Sales User", "CRM Lead", "CRM Deal"):
			self.assertNotIn(lead, self.ask(CAMPAIGNER, visitor=PHONE).text)
			self.assertIn(lead, self.ask(MANAGER, visitor=PHONE).text)
			answer = self.ask(CAMPAIGNER, lead=lead)
			self.assertEqual(answer.json["message"]["result"], [])
			self.assertNotIn(PHONE, answer.text)

	@needs_crm
	def test_statements_do_not_grow_with_leads(self) -> None:
		"""Whether a lead may be read is asked of all at once."""

		def statements() -> int:
			frappe.set_user(MANAGER)
			with counted_statements() as found:
				rows = visitor_journey.execute({})[1]
			frappe.set_user("Administrator")
			self.assertEqual({row["lead"] for row in rows} - {""}, leads)
			return len(found)

		leads = set()
		for number in range(10, 30):
			lead = make_lead(email=f"lead{number}@example.com").name
			visitor = make_visitor(VISITOR.format(number), crm_lead=lead)
			self.came(visitor, 1, "Email")
			make_conversion(visitor, self.now - timedelta(hours=number), crm_lead=lead)
			leads.add(lead)
			if number == 12:
				statements()
				few = statements()
		self.assertEqual(statements(), few)

	def test_reads_are_noted(self) -> None:
		"""COL-7"""
		make_domain("clinic.example.com", privacy_level="HIPAA")
		frappe.db.delete("Access Log")
		self.addCleanup(frappe.db.delete, "Access Log")
		self.ask(CAMPAIGNER, visitor=PHONE)
		rows = frappe.get_all("Access Log", fields=["user", "export_from", "filters"], order_by="name")
		(row,) = [one for one in rows if one.export_from == "Visitor"]
		self.assertEqual(row.user, CAMPAIGNER)
		self.assertEqual(json.loads(row.filters), {"documents": [PHONE, LAPTOP], "count": 2})
