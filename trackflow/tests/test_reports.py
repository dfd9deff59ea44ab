"""The reports on leads and deals: Conversion Funnel, Velocity and Lead Attribution (RPT-1, CRM-5, CRM-8, ROL-P)."""

import json
import re
import unittest
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import frappe
from frappe.desk import query_report
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.constants.roles import CAMPAIGN_MANAGER
from trackflow.integrations.status_changes import DEALS, LEADS
from trackflow.privacy import erasure
from trackflow.tests.base import HAS_CRM, TrackFlowTestCase, counted_statements, needs_crm, work
from trackflow.tests.factories import VISITOR, make_campaign, make_deal, make_lead, make_touch, make_visitor
from trackflow.tests.test_permissions import CAMPAIGNER, NOBODY, ROLES, PermissionTestCase
from trackflow.tests.test_visitor_api import readable_by
from trackflow.trackflow.report.lead_attribution import lead_attribution

FUNNEL, VELOCITY, LEADS_REPORT = "Conversion Funnel", "Velocity", "Lead Attribution"
SELLER = "permissions.sales@example.com"
FIRST, LAST = datetime(2026, 3, 1), datetime(2026, 3, 31, 23, 59, 59, 999999)
DAY = timedelta(days=1)
MARCH = {"from_date": "2026-03-01", "to_date": "2026-03-31"}


def run(report: str, **filters: Any) -> dict[str, Any]:
	"""The report as the desk gets it."""
	return query_report.run(report, filters={**MARCH, **filters})


def steps(found: dict[str, Any], part: str = "Leads", group: str | None = None) -> dict[str, int]:
	"""How many reached each step of a part."""
	return {
		row["step"]: row["count"]
		for row in found["result"]
		if row["part"] == part and (group is None or row["group"] == group)
	}


def line(found: dict[str, Any], part: str, name: str) -> dict[str, Any]:
	"""The line of a step, or of a stage."""
	(row,) = (
		row for row in found["result"] if row["part"] == part and name in (row.get("step"), row.get("stage"))
	)
	return row


class ReportTestCase(TrackFlowTestCase):
	"""With leads and deals as far as changes of their status are kept."""

	def lead(
		self, name: str, *statuses: str, at: datetime = FIRST, every: timedelta = DAY, **values: Any
	) -> str:
		"""A lead made `at`, a status each `every`. Its first status comes from nothing, unless `former` is one."""
		self.kept(LEADS, "lead_id from_status to_status", name, statuses, at, every, values)
		return name

	def deal(
		self, name: str, *stages: str, at: datetime = FIRST, every: timedelta = DAY, **values: Any
	) -> str:
		self.kept(DEALS, "deal_id from_stage to_stage", name, stages, at, every, values)
		return name

	def kept(
		self,
		doctype: str,
		columns: str,
		name: str,
		statuses: tuple[str, ...],
		at: datetime,
		every: timedelta,
		values: dict[str, Any],
	) -> None:
		former, rows = values.pop("former", None), []
		for number, status in enumerate(statuses):
			row = dict(zip(columns.split(), (name, former, status), strict=True))
			rows.append({"name": f"{name} {number}", "change_date": at + number * every, **row, **values})
			former = status
		bulk.insert(doctype, rows)


@needs_crm
class TestFunnel(ReportTestCase):
	"""RPT-1: who came in during the period, and how far until now."""

	def test_of_documents(self) -> None:
		"""What CRM's documents leave behind is what is counted."""
		lead = make_lead(organization="Example Works")
		lead.update({"status": "Contacted"}).save()
		deal = frappe.get_doc("CRM Deal", lead.convert_to_deal())
		deal.update({"status": "Won"}).save()
		make_lead(email="bob@example.com", status="Contacted").update({"status": "Junk"}).save()
		make_lead(email="eve@example.com")
		make_deal()
		found = query_report.run(FUNNEL)
		self.assertEqual(
			steps(found),
			{
				"Leads": 3,
				"New": 3,
				"Contacted": 2,
				"Nurture": 1,
				"Qualified": 1,
				"Deals": 1,
				**dict.fromkeys(("Qualification", "Demo/Making", "Proposal/Quotation", "Negotiation"), 1),
				"Ready to Close": 1,
				"Won": 1,
			},
		)
		contacted = line(found, "Leads", "Contacted")
		self.assertEqual(
			(contacted["of_step_before"], contacted["of_entry"], contacted["lost"], contacted["open"]),
			(66.67, 66.67, 1, 0),
		)
		self.assertEqual(line(found, "Leads", "New")["open"], 1)
		# A share that is not there at all would be shown as 0 %.
		visits = line(found, "Visits", "Sessions")
		self.assertEqual((visits["of_step_before"], visits["of_entry"]), (None, None))
		alone = steps(found, "Deals Without a Lead")
		self.assertEqual((alone["Deals"], alone["Qualification"], alone["Won"]), (1, 1, 0))
		self.assertEqual(found["chart"]["data"]["labels"][:3], ["Visitors", "Leads", "New"])
		self.assertEqual(found["chart"]["data"]["datasets"][0]["values"][:4], [0, 3, 3, 2])

	def test_the_worked_example(self) -> None:
		"""That of docs/reports.md; CRM has more statuses, which are passed too."""
		self.lead("1", "New", "Contacted", "Qualified")
		self.deal("1", "Qualification", "Won", lead_id="1")
		self.lead("2", "New", "Qualified")
		self.deal("2", "Qualification", "Proposal/Quotation", "Lost", lead_id="2")
		self.lead("3", "New", "Contacted", "Junk")
		self.lead("4", "New", "Junk", "Contacted")
		self.lead("5", "New")
		found = run(FUNNEL)
		for step, *figures in (
			("Leads", 5, None, 100, 0, 0),
			("New", 5, 100, 100, 0, 1),
			("Contacted", 4, 80, 80, 1, 1),
			("Qualified", 2, 100, 40, 0, 0),
			("Deals", 2, 100, 40, 0, 0),
			("Qualification", 2, 100, 40, 0, 0),
			("Proposal/Quotation", 2, 100, 40, 1, 0),
			("Won", 1, 100, 20, 0, 0),
		):
			row = line(found, "Leads", step)
			columns = ("count", "of_step_before", "of_entry", "lost", "open")
			self.assertEqual([row[column] for column in columns], figures, step)

	def test_both_days_belong_to_the_period(self) -> None:
		self.lead("before", "New", at=FIRST - timedelta(microseconds=1))
		self.lead("first", "New", at=FIRST)
		self.lead("last", "New", at=LAST)
		self.lead("after", "New", at=LAST + timedelta(microseconds=1))
		for name, at in (("early", FIRST - DAY), ("in time", LAST), ("late", LAST + DAY)):
			self.deal(name, "Qualification", at=at)
		found = run(FUNNEL)
		self.assertEqual(steps(found)["Leads"], 2)
		self.assertEqual(steps(found, "Deals Without a Lead")["Deals"], 1)

	def test_what_became_of_them_later_counts(self) -> None:
		self.lead("lead", "New", "Contacted", at=LAST, every=100 * DAY)
		self.assertEqual(steps(run(FUNNEL))["Contacted"], 1)

	def test_who_skips_a_stage_has_passed_it(self) -> None:
		self.lead("lead", "New", "Qualified")
		self.lead("deal's", "New", at=FIRST)
		self.deal("deal", "Negotiation", at=FIRST + DAY, lead_id="deal's")
		found = steps(run(FUNNEL))
		self.assertEqual((found["Contacted"], found["Qualified"]), (2, 2))
		self.assertEqual((found["Deals"], found["Proposal/Quotation"], found["Ready to Close"]), (1, 1, 0))

	def test_back_again_stays_reached(self) -> None:
		self.lead("lead", "New", "Nurture", "Contacted")
		row = line(run(FUNNEL), "Leads", "Nurture")
		self.assertEqual((row["count"], row["open"]), (1, 1))

	def test_lost_is_who_is_lost_now(self) -> None:
		self.lead("lost", "New", "Contacted", "Junk")
		self.lead("back", "New", "Junk", "Contacted")
		self.lead("at once", "Unqualified")
		self.lead("with a deal", "New", "Junk")
		self.deal("deal", "Qualification", "Lost", lead_id="with a deal")
		found = run(FUNNEL)
		self.assertEqual(
			[line(found, "Leads", step)["lost"] for step in ("Leads", "New", "Contacted", "Qualification")],
			[1, 0, 1, 1],
		)
		self.assertEqual(line(found, "Leads", "Contacted")["open"], 1)

	def test_of_several_deals_the_furthest_counts(self) -> None:
		self.lead("lead", "New")
		self.deal("lost", "Negotiation", "Lost", lead_id="lead")
		self.deal("open", "Demo/Making", lead_id="lead")
		row = line(run(FUNNEL), "Leads", "Negotiation")
		self.assertEqual((row["count"], row["lost"], row["open"]), (1, 0, 1))
		self.deal("won", "Won", lead_id="lead")
		found = steps(run(FUNNEL))
		self.assertEqual((found["Deals"], found["Won"]), (1, 1))

	def test_won_is_who_is_won_now(self) -> None:
		"""As the conversion Deal Won, which another stage takes back."""
		self.deal("won", "Qualification", "Won")
		self.deal("back", "Qualification", "Won", "Demo/Making")
		found = steps(run(FUNNEL), "Deals Without a Lead")
		self.assertEqual((found["Demo/Making"], found["Proposal/Quotation"], found["Won"]), (2, 1, 1))

	def test_statuses_of_ones_own(self) -> None:
		frappe.get_doc({"doctype": "CRM Lead Status", "lead_status": "Tasting", "position": 2}).insert()
		self.lead("lead", "New", "Tasting", "No More")
		found = steps(run(FUNNEL))
		order = list(found)
		self.assertTrue(order.index("New") < order.index("Tasting") < order.index("Nurture"))
		self.assertEqual((found["Tasting"], found["Nurture"]), (1, 0))
		self.assertNotIn("No More", found)

	def test_on_hold_is_no_step(self) -> None:
		if not frappe.get_meta("CRM Deal Status").has_field("type"):
			self.skipTest("This version's statuses have no type")
		row = {"doctype": "CRM Deal Status", "deal_status": "Waiting", "type": "On Hold", "position": 2}
		frappe.get_doc(row).insert()
		self.deal("deal", "Qualification", "Waiting")
		found = run(FUNNEL)
		self.assertNotIn("Waiting", steps(found))
		self.assertEqual(line(found, "Deals Without a Lead", "Qualification")["open"], 1)

	def test_leads_from_before_trackflow(self) -> None:
		"""Their beginning is not kept: they are in no period, and their deals are without a lead."""
		self.lead("old", "Contacted", former="New")
		self.deal("deal", "Qualification", lead_id="old")
		found = run(FUNNEL)
		self.assertEqual(steps(found)["Leads"], 0)
		self.assertEqual(steps(found, "Deals Without a Lead")["Deals"], 1)

	def test_by_group_and_of_one_alone(self) -> None:
		spring = {"source_campaign": "Spring", "source_source": "news", "source_medium": "email"}
		self.lead("a", "New", "Contacted", **spring)
		self.lead("b", "New", source_campaign="Autumn", source_source="news", source_medium="cpc")
		self.lead("c", "New")
		self.deal("d", "Qualification", campaign="Spring", source="news", medium="email")
		session = {"session_start": FIRST, "source": "news", "medium": "email"}
		for number, more in enumerate(
			({"campaign": "Spring"}, {"campaign": "other", "link_campaign": "Spring"})
		):
			row = {"name": f"s{number}", "visitor_id": VISITOR.format(1), **session, **more}
			bulk.insert("Visitor Session", [row])
		found = run(FUNNEL, group_by="Campaign")
		self.assertEqual(
			{group: steps(found, group=group)["Leads"] for group in ("Spring", "Autumn", "None")},
			{"Spring": 1, "Autumn": 1, "None": 1},
		)
		self.assertEqual(steps(found, "Visits", "Spring"), {"Sessions": 2, "Visitors": 1})
		self.assertEqual(steps(found, "Deals Without a Lead", "Spring")["Deals"], 1)
		self.assertEqual(steps(found, "Deals Without a Lead", "Autumn"), {})
		self.assertEqual(found["chart"]["data"]["datasets"][0]["name"], "Spring")
		self.assertEqual(steps(run(FUNNEL, group_by="Source"), group="news")["Leads"], 2)
		for filters, numbers in (
			({"campaign": "Spring"}, (1, 1, 2)),
			({"campaign": "Autumn"}, (1, 0, 0)),
			({"source": "news"}, (2, 1, 2)),
			({"source": "news", "medium": "cpc"}, (1, 0, 0)),
			({"campaign": "nothing"}, (0, 0, 0)),
		):
			with self.subTest(filters):
				found = run(FUNNEL, **filters)
				self.assertEqual(
					(
						steps(found)["Leads"],
						steps(found, "Deals Without a Lead")["Deals"],
						steps(found, "Visits")["Sessions"],
					),
					numbers,
				)

	def test_visits(self) -> None:
		for number, (visitor, more) in enumerate(
			(
				(1, {}),
				(1, {}),
				(2, {}),
				(3, {"is_internal": 1}),
				(4, {"session_start": FIRST - DAY}),
			)
		):
			row = {"name": f"s{number}", "visitor_id": VISITOR.format(visitor), "session_start": LAST, **more}
			bulk.insert("Visitor Session", [row])
		self.lead("lead", "New")
		found = run(FUNNEL)
		# Internal sessions are there only where the settings count them; then their people's leads count too.
		self.assertEqual(steps(found, "Visits"), {"Sessions": 4, "Visitors": 3})
		self.assertEqual(line(found, "Leads", "Leads")["of_step_before"], 33.33)

	def test_no_name_of_a_visitors_choice_is_a_formula(self) -> None:
		"""SEC-2: a report may be opened in a spreadsheet."""
		formula = '=HYPERLINK("https://example.com","x")'
		row = {"name": "s", "visitor_id": VISITOR.format(1), "session_start": LAST, "campaign": formula}
		bulk.insert("Visitor Session", [row])
		found = run(FUNNEL, group_by="Campaign")
		self.assertEqual(steps(found, "Visits", f"'{formula}"), {"Sessions": 1, "Visitors": 1})


@needs_crm
class TestVelocity(ReportTestCase):
	"""RPT-1: what ended in the period, and what goes on."""

	def test_of_documents(self) -> None:
		lead = make_lead(organization="Example Works")
		frappe.db.set_value(LEADS, {"lead_id": lead.name}, "change_date", now_datetime() - 2 * DAY)
		deal = lead.convert_to_deal()
		found = query_report.run(VELOCITY)
		new = line(found, "Leads", "New")
		self.assertEqual((new["count"], new["waiting"]), (1, 0))
		self.assertAlmostEqual(new["median"], 2, 1)
		self.assertAlmostEqual(line(found, "Overall", "Lead to Deal")["median"], 2, 1)
		stages = {row["stage"] for row in found["result"]}
		self.assertNotIn("Qualified", stages)
		waiting = line(found, "Deals", "Qualification")
		self.assertEqual((waiting["count"], waiting["median"], waiting["waiting"]), (0, None, 1))
		self.assertLess(waiting["oldest"], 0.1)
		waiting = make_lead(email="bob@example.com").name
		self.assertEqual(line(query_report.run(VELOCITY), "Leads", "New")["waiting"], 1)
		frappe.delete_doc("CRM Deal", deal)
		frappe.delete_doc("CRM Lead", waiting)
		found = query_report.run(VELOCITY)
		self.assertEqual(line(found, "Leads", "New")["waiting"], 0)
		self.assertNotIn("Qualification", {row["stage"] for row in found["result"]})

	def test_figures(self) -> None:
		"""The example of docs/reports.md."""
		for number, days in enumerate((1, 2, 9)):
			self.lead(f"lead {number}", "New", "Contacted", every=days * DAY)
		row = line(run(VELOCITY), "Leads", "New")
		self.assertEqual((row["count"], row["median"], row["mean"], row["most"]), (3, 2, 4, 7.6))
		row = line(run(VELOCITY, unit="Hours"), "Leads", "New")
		self.assertEqual((row["median"], row["mean"]), (48, 96))

	def test_of_the_period_is_what_ended_in_it(self) -> None:
		self.lead("in", "New", "Contacted", at=FIRST - 5 * DAY, every=5 * DAY)
		self.lead("out", "New", "Contacted", at=FIRST, every=31 * DAY)
		self.assertEqual(line(run(VELOCITY), "Leads", "New")["count"], 1)

	def test_back_and_forth(self) -> None:
		self.deal("deal", "Qualification", "Demo/Making", "Qualification", "Negotiation")
		row = line(run(VELOCITY), "Deals", "Qualification")
		self.assertEqual((row["count"], row["median"], row["returned"]), (1, 2, 1))

	def test_the_whole_way(self) -> None:
		self.lead("lead", "New", source_campaign="Spring")
		self.deal("deal", "Qualification", "Won", at=FIRST + 4 * DAY, lead_id="lead", campaign="Autumn")
		self.deal("second", "Qualification", "Lost", at=FIRST + 9 * DAY, lead_id="lead", campaign="Autumn")
		self.deal("taken back", "Won", "Qualification", campaign="Autumn")
		found = run(VELOCITY)
		ways = {
			row["stage"]: (row["count"], row["median"]) for row in found["result"] if row["part"] == "Overall"
		}
		self.assertEqual(ways, {"Lead to Deal": (1, 4), "Deal to Won": (1, 1), "Lead to Won": (1, 5)})
		found = run(VELOCITY, group_by="Campaign")
		ways = {(row["group"], row["stage"]) for row in found["result"] if row["part"] == "Overall"}
		self.assertEqual(
			ways, {("Spring", "Lead to Deal"), ("Spring", "Lead to Won"), ("Autumn", "Deal to Won")}
		)

	def test_won_since_the_first_of_several_statuses_of_winning(self) -> None:
		"""CRM may have more than one; a deal that was lost in between is won since it was won again."""
		if not frappe.get_meta("CRM Deal Status").has_field("type"):
			self.skipTest("This CRM has no types of statuses")
		paid = frappe.get_doc(
			{"doctype": "CRM Deal Status", "deal_status": "Paid", "type": "Won", "position": 99}
		)
		paid.insert()
		self.addCleanup(paid.delete)
		self.deal("paid", "Qualification", "Won", "Paid")
		found = run(VELOCITY)
		self.assertEqual(line(found, "Overall", "Deal to Won")["median"], 1)
		self.deal("again", "Qualification", "Won", "Lost", "Paid")
		self.assertEqual(line(run(VELOCITY), "Overall", "Deal to Won")["median"], 2)

	def test_what_ends_the_way_is_no_stage(self) -> None:
		self.deal("deal", "Qualification", "Lost", "Negotiation", "Won")
		stages = [row["stage"] for row in run(VELOCITY)["result"] if row["part"] == "Deals"]
		self.assertEqual(stages, ["Qualification", "Negotiation"])

	def test_filters(self) -> None:
		self.lead("lead", "New", "Contacted", source_campaign="Spring")
		self.lead("other", "New", "Contacted", source_campaign="Autumn")
		self.deal("deal", "Qualification", "Negotiation", campaign="Spring")
		for filters, expected in (
			({}, {("Leads", "New"): 2, ("Deals", "Qualification"): 1}),
			({"document": "Leads"}, {("Leads", "New"): 2}),
			({"document": "Deals"}, {("Deals", "Qualification"): 1}),
			({"campaign": "spring"}, {("Leads", "New"): 1, ("Deals", "Qualification"): 1}),
		):
			with self.subTest(filters):
				found = run(VELOCITY, **filters)["result"]
				self.assertEqual({(row["part"], row["stage"]): row["count"] for row in found}, expected)


@needs_crm
class TestLeads(PermissionTestCase, ReportTestCase):
	"""RPT-1, ROL-P: leads and what brought them, for who may read them."""

	roles: ClassVar[dict[str, tuple[str, ...]]] = {**ROLES, SELLER: (CAMPAIGN_MANAGER, "Sales User")}

	def made(self, email: str, at: datetime, **fields: Any) -> str:
		name = make_lead(email=email, first_name=email.partition("@")[0]).name
		values = {"creation": at, **{f"trackflow_{field}": value for field, value in fields.items()}}
		frappe.db.set_value("CRM Lead", name, values, update_modified=False)
		return name

	def test_what_a_journey_leaves_is_shown(self) -> None:
		now = now_datetime()
		visitor = make_visitor(VISITOR.format(1))
		make_touch(visitor, now - 2 * DAY, source="news", medium="mail", campaign="spring")
		make_touch(visitor, now - DAY, "Paid Search", source="google", medium="cpc", campaign="summer")
		lead = make_lead(trackflow_visitor_id=visitor)
		work()
		(row,) = query_report.run(LEADS_REPORT)["result"]
		self.assertEqual(
			(row["name"], row["lead_name"], row["status"], row["trackflow_touch_count"]),
			(lead.name, "Ada", "New", 2),
		)
		brought = tuple(row[f"trackflow_{field}"] for field in ("source", "medium", "campaign"))
		self.assertEqual(brought, ("google", "cpc", "summer"))
		self.assertEqual(
			(row["trackflow_first_touch_date"], row["trackflow_last_touch_date"]), (now - 2 * DAY, now - DAY)
		)

	def test_the_period_and_the_filters(self) -> None:
		moment = timedelta(microseconds=1)
		self.made("before@example.com", FIRST - moment)
		first = self.made("first@example.com", FIRST, source="news", medium="mail", campaign="spring")
		last = self.made("last@example.com", LAST, source="google", medium="cpc")
		self.made("after@example.com", LAST + moment)
		found = run(LEADS_REPORT)
		self.assertEqual([row["name"] for row in found["result"]], [last, first])
		self.assertEqual(found["chart"]["data"]["labels"], ["google", "news"])
		for name, value in (("source", "news"), ("medium", "mail"), ("campaign", "spring")):
			self.assertEqual([row["name"] for row in run(LEADS_REPORT, **{name: value})["result"]], [first])

	def test_no_text_of_a_visitors_choice_is_a_formula(self) -> None:
		"""SEC-2: a report may be opened in a spreadsheet."""
		self.made("formula@example.com", FIRST, source="=1+1", medium="@SUM(1)", campaign="spring")
		(row,) = run(LEADS_REPORT)["result"]
		brought = [row[f"trackflow_{field}"] for field in ("source", "medium", "campaign")]
		self.assertEqual(brought, ["'=1+1", "'@SUM(1)", "spring"])
		# Whoever sends a web form says what the lead is called.
		frappe.db.set_value("CRM Lead", row["name"], "lead_name", "=HYPERLINK(1)")
		self.assertEqual(run(LEADS_REPORT)["result"][0]["lead_name"], "'=HYPERLINK(1)")

	def test_the_newest_are_shown(self) -> None:
		leads = [self.made(f"{number}@example.com", FIRST + number * DAY) for number in range(3)]
		for most, shown in ((3, leads[::-1]), (2, leads[:0:-1])):
			with patch.object(lead_attribution, "MOST_LEADS", most):
				found = run(LEADS_REPORT)
			self.assertEqual([row["name"] for row in found["result"]], shown)
			self.assertEqual(bool(found["message"]), most == 2)
			self.assertEqual(found["chart"]["data"]["datasets"][0]["values"], [most])

	def test_only_who_may_read_leads(self) -> None:
		"""Frappe CRM lets everybody read them who is logged in; its administrator may not."""
		self.enterContext(readable_by("Sales User", "CRM Lead"))
		self.made("ada@example.com", FIRST)
		path = "/api/method/frappe.desk.query_report.run"
		query = {"report_name": LEADS_REPORT, "filters": json.dumps(MARCH)}
		for user, status, rows in (
			(SELLER, 200, 1),
			(CAMPAIGNER, 200, 0),
			(NOBODY, 403, None),
			(None, 403, None),
		):
			with self.subTest(user=user):
				answer = self.request("GET", path, headers=self.authorization(user), query_string=query)
				self.assertEqual(answer.status_code, status)
				if rows is not None:
					message = answer.json["message"]
					self.assertEqual(len(message["result"]), rows)
					self.assertEqual(message["message"] == "You may not read leads.", not rows)
				if not rows:
					self.assertNotIn("ada", answer.text)


@needs_crm
class TestTotals(ReportTestCase):
	"""CRM-8: who was erased, or deleted in CRM, stays in the totals."""

	def setUp(self) -> None:
		super().setUp()
		campaign = make_campaign("Spring Sale").name
		for number, email in ((1, "ada@example.com"), (2, "bob@example.com")):
			visitor = make_visitor(VISITOR.format(number))
			make_touch(visitor, now_datetime() - DAY, source="news", medium="email", link_campaign=campaign)
			lead = make_lead(email=email, trackflow_visitor_id=visitor, organization="Example Works")
			self.deal_name = lead.convert_to_deal()
			self.lead_name = lead.name
		frappe.get_doc("CRM Deal", self.deal_name).update({"status": "Negotiation"}).save()
		work()

	def reports(self) -> list[Any]:
		filters = {"group_by": "Campaign"}
		found = [query_report.run(FUNNEL, filters=filters)["result"]]
		finished = query_report.run(VELOCITY, filters=filters)["result"]
		keep = ("group", "part", "stage", "count", "median")
		return [*found, [{key: row[key] for key in keep} for row in finished if row["count"]]]

	def test_erased(self) -> None:
		before = self.reports()
		self.assertEqual(before[0][2]["group"], "Spring Sale")
		self.assertEqual(steps({"result": before[0]}, group="Spring Sale")["Negotiation"], 1)
		erasure.erase("bob@example.com")
		self.assertFalse(frappe.db.exists(LEADS, {"lead_id": self.lead_name}))
		self.assertFalse(frappe.db.exists(DEALS, {"lead_id": self.lead_name}))
		self.assertEqual(self.reports(), before)

	def test_erased_after_the_deal_was_deleted(self) -> None:
		frappe.delete_doc("CRM Deal", self.deal_name)
		before = self.reports()
		erasure.erase("bob@example.com")
		self.assertFalse(frappe.db.exists(DEALS, {"lead_id": self.lead_name}))
		self.assertFalse(frappe.db.exists(DEALS, {"deal_id": self.deal_name}))
		self.assertEqual(self.reports(), before)

	def test_deleted(self) -> None:
		before = self.reports()
		frappe.delete_doc("CRM Deal", self.deal_name)
		frappe.delete_doc("CRM Lead", self.lead_name)
		self.assertEqual(self.reports(), before)

	def test_a_rename_changes_nothing(self) -> None:
		before = self.reports()
		frappe.rename_doc("CRM Lead", self.lead_name, "LEAD-NEW", force=True)
		self.assertEqual(frappe.db.get_value(DEALS, {"deal_id": self.deal_name}, "lead_id"), "LEAD-NEW")
		self.assertEqual(self.reports(), before)

	def test_a_campaign_takes_its_past_along(self) -> None:
		before = self.reports()
		frappe.rename_doc("Link Campaign", "Spring Sale", "Summer Sale", force=True)
		work()
		self.assertEqual(frappe.db.get_value("CRM Lead", self.lead_name, "trackflow_campaign"), "Summer Sale")
		self.assertEqual(frappe.db.get_value("CRM Deal", self.deal_name, "trackflow_campaign"), "Summer Sale")
		after = self.reports()
		for row in (*after[0], *after[1]):
			row["group"] = row["group"].replace("Summer", "Spring")
		self.assertEqual(after, before)


@needs_crm
class TestCost(ReportTestCase):
	"""RPT-1: the number of statements does not grow with what is counted."""

	def statements(self, report: str) -> int:
		run(report)
		with counted_statements() as statements:
			run(report, group_by="Campaign")
		return len(statements)

	def test_statements(self) -> None:
		for report in (FUNNEL, VELOCITY):
			frappe.db.delete(LEADS)
			frappe.db.delete(DEALS)
			# Frappe asks once more where there is a result.
			self.lead("lead", "New", "Contacted")
			few = self.statements(report)
			for number in range(40):
				self.lead(f"lead {number}", "New", "Contacted", "Qualified", source_campaign=f"c{number}")
				self.deal(
					f"deal {number}", "Qualification", "Won", lead_id=f"lead {number}", campaign=f"c{number}"
				)
			with self.subTest(report):
				self.assertEqual(self.statements(report), few)


class TestAsking(PermissionTestCase, ReportTestCase):
	"""ROL-P, RPT-1: for who may see campaigns; nobody is named; what is asked wrongly is answered."""

	def test_who_may(self) -> None:
		for report in (FUNNEL, VELOCITY):
			for user, is_allowed in ((CAMPAIGNER, True), (NOBODY, False)):
				with self.subTest(report, user=user):
					query = {"report_name": report}
					answer = self.request(
						"GET",
						"/api/method/frappe.desk.query_report.run",
						headers=self.authorization(user),
						query_string=query,
					)
					self.assertEqual(answer.status_code, 200 if is_allowed else 403)

	def test_nobody_is_named(self) -> None:
		self.lead("LEAD-ADA", "New", "Contacted", changed_by=CAMPAIGNER)
		self.deal("DEAL-ADA", "Qualification", "Won", lead_id="LEAD-ADA", changed_by=CAMPAIGNER)
		for report in (FUNNEL, VELOCITY):
			found = frappe.as_json(run(report))
			self.assertNotIn("ADA", found)
			self.assertNotIn(CAMPAIGNER, found)

	def test_wrong_filters_are_answered(self) -> None:
		"""Frappe makes a report that raises one that is prepared in the background, for everybody."""
		for report, filters in (
			(FUNNEL, {"from_date": "soon"}),
			(FUNNEL, {"to_date": "2026-02-01"}),
			(FUNNEL, {"group_by": "Lead"}),
			(FUNNEL, {"campaign": ["Spring"]}),
			(LEADS_REPORT, {"source": {"like": "%"}}),
			(VELOCITY, {"group_by": "Source"}),
			(VELOCITY, {"unit": "<img src=x onerror=alert(1)>"}),
			(VELOCITY, {"document": "Persons"}),
		):
			with self.subTest(report, filters=filters):
				found = run(report, **filters)
				self.assertEqual((found["result"], found["columns"]), ([], []))
				self.assertTrue(found["message"])
				self.assertNotIn("<", found["message"])

	@unittest.skipIf(HAS_CRM, "Frappe CRM is installed on this site")
	def test_without_crm(self) -> None:
		for report in (FUNNEL, VELOCITY, LEADS_REPORT):
			found = run(report)
			self.assertEqual((found["result"], found["chart"]), ([], None))
			self.assertIn("CRM is not installed", found["message"])
			self.assertTrue(found["columns"])

	def test_filters_of_the_desk_are_those_that_are_read(self) -> None:
		for report, names in (
			(FUNNEL, {"from_date", "to_date", "group_by", "campaign", "source", "medium"}),
			(VELOCITY, {"from_date", "to_date", "group_by", "campaign", "document", "unit"}),
			(LEADS_REPORT, {"from_date", "to_date", "campaign", "source", "medium"}),
		):
			scrubbed = frappe.scrub(report)
			script = Path(frappe.get_app_path("trackflow", "trackflow", "report", scrubbed, f"{scrubbed}.js"))
			text = script.read_text()
			self.assertIn(f'frappe.query_reports["{report}"]', text)
			self.assertEqual(set(re.findall(r'fieldname: "(\w+)"', text)), names)
			for value in re.findall(r'value: "(\w+)"', text):
				name = {"Leads": "document", "Deals": "document", "Days": "unit", "Hours": "unit"}.get(
					value, "group_by"
				)
				with self.subTest(report, value=value):
					message = run(report, **{name: value})["message"]
					self.assertFalse(message and "none of" in message)
			self.assertEqual(re.findall(r"label: (?!__\()", text), [])
