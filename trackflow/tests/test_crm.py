"""Leads and deals: their visitor, their conversions, their fields (CRM-1 to CRM-5, CRM-8)."""

import json
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import get_datetime, now_datetime
from redis.exceptions import RedisError

from trackflow import bulk
from trackflow.attribution import run
from trackflow.constants.models import MODELS
from trackflow.integrations import crm_deal, crm_lead, waiting
from trackflow.integrations.crm_lead import (
	get_lead_tracking_data,
	link_visitor_to_lead,
	unlink_visitor_from_lead,
)
from trackflow.integrations.sweep import sweep
from trackflow.patches import fill_status_changes, name_currencies
from trackflow.stream import writer
from trackflow.stream.connection import connect, key
from trackflow.tests.base import TrackFlowTestCase, needs_crm, work
from trackflow.tests.factories import (
	click_record,
	event_record,
	make_campaign,
	make_conversion,
	make_deal,
	make_lead,
	make_link,
	make_touch,
	make_visitor,
	set_settings,
)
from trackflow.tests.users import make_user, remove_user
from trackflow.tracking.conversions import name_of

VISITOR = "v_00000000000000aa"
OTHER = "v_00000000000000bb"


def lead_fields(lead: str) -> Any:
	return frappe.db.get_value(
		"CRM Lead",
		lead,
		[
			"trackflow_visitor_id", "trackflow_source", "trackflow_medium", "trackflow_campaign", "trackflow_touch_count",
			"trackflow_first_touch_date", "trackflow_last_touch_date",
		],
		as_dict=True,
	)  # fmt: skip


def default_credits(conversion: str) -> list[tuple[str, float]]:
	rows = frappe.get_all(
		"Attribution Link",
		filters={"conversion": conversion, "attribution_model": "Last Touch"},
		fields=["channel", "credited_value"],
		order_by="position",
	)
	return [(row.channel, row.credited_value) for row in rows]


class CRMTestCase(TrackFlowTestCase):
	def setUp(self) -> None:
		super().setUp()
		hour = timedelta(hours=1)
		self.campaign = make_campaign("Spring Sale").name
		make_visitor(VISITOR)
		make_touch(VISITOR, now_datetime() - 3 * hour, "Paid Search", source="google", medium="cpc")
		make_touch(
			VISITOR,
			now_datetime() - hour,
			"Email",
			source="news",
			medium="email",
			link_campaign=self.campaign,
		)


@needs_crm
class TestLead(CRMTestCase):
	"""CRM-2: a new lead finds its visitor and gets its fields and a Lead conversion."""

	def test_by_its_field(self) -> None:
		lead = make_lead(trackflow_visitor_id=VISITOR)
		crm_lead.attribute(lead.name)
		fields = lead_fields(lead.name)
		self.assertEqual(
			(
				fields.trackflow_source,
				fields.trackflow_medium,
				fields.trackflow_campaign,
				fields.trackflow_touch_count,
			),
			("news", "email", "Spring Sale", 2),
		)
		self.assertLess(fields.trackflow_first_touch_date, fields.trackflow_last_touch_date)
		self.assertEqual(frappe.db.get_value("Visitor", VISITOR, "crm_lead"), lead.name)
		conversion = frappe.get_doc("Conversion", name_of("Lead", lead.name))
		self.assertEqual(conversion.conversion_date, get_datetime(lead.creation))
		self.assertEqual(default_credits(conversion.name), [("Email", 0)])

	def test_by_a_form_value_and_over_http(self) -> None:
		key, secret = api_keys()
		answer = self.request(
			"POST",
			"/api/resource/CRM Lead",
			json={"first_name": "Ada", "status": "New", "trackflow_visitor_id": VISITOR},
			headers={"Authorization": f"token {key}:{secret}"},
		)
		self.assertEqual(answer.status_code, 200, answer.get_data(as_text=True))
		lead = json.loads(answer.get_data())["data"]["name"]
		work()
		self.assertEqual(lead_fields(lead).trackflow_source, "news")

	def test_by_a_click_id(self) -> None:
		from trackflow.keys import click_secret
		from trackflow.tracking.identity import sign_click

		click = click_record(make_link("spring").name, 0xAA)
		writer.write([click])
		lead = make_lead()
		crm_lead.attribute(lead.name, sign_click(click["id"], click_secret()))
		self.assertEqual(lead_fields(lead.name).trackflow_visitor_id, VISITOR)

	def test_by_an_email_address_that_a_visitor_gave(self) -> None:
		make_visitor(OTHER, contact_email="ada@example.com")
		lead = make_lead(email="Ada@example.com")
		crm_lead.attribute(lead.name)
		self.assertEqual(lead_fields(lead.name).trackflow_visitor_id, OTHER)

	def test_never_by_the_cookie_of_whoever_saves_it(self) -> None:
		key, secret = api_keys()
		answer = self.request(
			"POST",
			"/api/resource/CRM Lead",
			json={"first_name": "Ada", "status": "New"},
			headers={"Authorization": f"token {key}:{secret}"},
			cookies={"trackflow_visitor": VISITOR},
		)
		lead = json.loads(answer.get_data())["data"]["name"]
		work()
		self.assertFalse(lead_fields(lead).trackflow_visitor_id)

	def test_a_visit_that_is_still_on_the_stream(self) -> None:
		writer.write([event_record(0xCC, utm={"utm_source": "fresh", "utm_medium": "email"})])
		lead = make_lead(trackflow_visitor_id="v_00000000000000cc")
		crm_lead.attribute(lead.name)
		self.assertEqual(lead_fields(lead.name).trackflow_source, "fresh")

	def test_unknown_and_long_gone_visitors_are_ignored(self) -> None:
		long_ago = now_datetime() - timedelta(days=31)
		make_visitor(OTHER, last_seen=long_ago)
		for reference in (OTHER, "v_ffffffffffffffff"):
			lead = make_lead(trackflow_visitor_id=reference)
			crm_lead.attribute(lead.name)
			conversion = name_of("Lead", lead.name)
			self.assertFalse(frappe.db.get_value("Conversion", conversion, "visitor"))
			self.assertEqual(default_credits(conversion), [("Unattributed", 0)])

	def test_a_lead_always_saves(self) -> None:
		for reference in ("nonsense", "x" * 500, "<script>alert(1)</script>", "v_", "v_00000000000000AA'--"):
			lead = make_lead(trackflow_visitor_id=reference)
			crm_lead.attribute(lead.name)
			self.assertFalse(lead_fields(lead.name).trackflow_visitor_id)
		with patch("trackflow.integrations.crm_lead.waiting.add", side_effect=RuntimeError("no queue")):
			make_lead(first_name="Grace")
		with patch("trackflow.integrations.status_changes.bulk.insert", side_effect=frappe.db.SQLError):
			make_lead(first_name="Edsger")
		self.assertEqual(frappe.db.count("CRM Lead"), 7)

	def test_saving_it_again_changes_nothing(self) -> None:
		lead = make_lead(trackflow_visitor_id=VISITOR)
		for _again in range(2):
			crm_lead.attribute(lead.name)
		self.assertEqual(frappe.db.count("Conversion"), 1)
		lead.reload()
		lead.last_name = "Lovelace"
		lead.save()

	def test_a_form_that_is_open_stays_savable(self) -> None:
		lead = make_lead(trackflow_visitor_id=VISITOR)
		crm_lead.attribute(lead.name)
		lead.last_name = "Lovelace"
		lead.save()


@needs_crm
class TestLinking(CRMTestCase):
	"""CRM-3: visitors are linked and unlinked by people who may write the lead."""

	def test_linked_while_the_queue_is_away(self) -> None:
		"""The hourly run credits what no job comes for."""
		lead = make_lead()
		crm_lead.attribute(lead.name)
		conversion = name_of("Lead", lead.name)
		self.assertEqual(default_credits(conversion), [("Unattributed", 0)])
		with patch.object(waiting._ADD, "run", side_effect=RedisError("away")):
			link_visitor_to_lead(lead.name, VISITOR)
			frappe.db.commit()
		run.repair()
		self.assertNotEqual(default_credits(conversion), [("Unattributed", 0)])

	def test_a_second_device(self) -> None:
		lead = make_lead(trackflow_visitor_id=VISITOR)
		crm_lead.attribute(lead.name)
		make_visitor(OTHER)
		make_touch(OTHER, now_datetime() - timedelta(minutes=5), "Referral", source="blog")
		answer = link_visitor_to_lead(lead.name, OTHER)
		self.assertEqual(answer["visitors"], [VISITOR, OTHER])
		crm_lead.attribute(lead.name)
		data = get_lead_tracking_data(lead.name)
		self.assertEqual([touch["source"] for touch in data["touch_points"]], ["google", "news", "blog"])
		self.assertEqual(data["visitors"], [VISITOR, OTHER])
		unlink_visitor_from_lead(lead.name, OTHER)
		self.assertEqual(get_lead_tracking_data(lead.name)["visitors"], [VISITOR])

	def test_who_does_not_exist(self) -> None:
		lead = make_lead()
		with self.assertRaises(frappe.DoesNotExistError):
			link_visitor_to_lead(lead.name, "v_ffffffffffffffff")
		with self.assertRaises(frappe.DoesNotExistError):
			link_visitor_to_lead("CRM-LEAD-NONE", VISITOR)

	def test_who_may_not(self) -> None:
		lead = make_lead()
		frappe.db.commit()
		path = "/api/method/trackflow.integrations.crm_lead."
		for method, verb in (("get_lead_tracking_data", "GET"), ("link_visitor_to_lead", "POST")):
			answer = self.request(
				verb, path + method, query_string={"lead": lead.name, "visitor_id": VISITOR}
			)
			self.assertEqual(answer.status_code, 403, method)
		# ROL-P: CRM may let everybody who is logged in read leads; what their persons did is not theirs to see.
		nobody = make_user("crm.nobody@example.com").name
		self.addCleanup(remove_user, nobody)
		self.addCleanup(frappe.set_user, "Administrator")
		for user in ("Guest", nobody):
			frappe.set_user(user)
			with self.assertRaises(frappe.PermissionError):
				get_lead_tracking_data(lead.name)


@needs_crm
class TestDeal(CRMTestCase):
	"""CRM-4: won makes a conversion with value, lost and reopened take it back, a changed value is credited anew."""

	def setUp(self) -> None:
		super().setUp()
		self.lead = make_lead(trackflow_visitor_id=VISITOR)
		crm_lead.attribute(self.lead.name)

	def deal(self, **values: Any) -> Any:
		deal = make_deal(lead=self.lead.name, deal_value=1000, currency="USD", **values)
		crm_deal.attribute(deal.name)
		return deal

	def set(self, deal: Any, **values: Any) -> None:
		deal.reload()
		deal.update(values)
		deal.save()
		crm_deal.attribute(deal.name)

	def test_an_open_deal_knows_its_marketing(self) -> None:
		deal = self.deal()
		deal.reload()
		self.assertEqual(
			(
				deal.trackflow_attribution_model,
				deal.trackflow_first_touch_source,
				deal.trackflow_last_touch_source,
				deal.trackflow_marketing_influenced,
			),
			("Last Touch", "google", "news", 1),
		)
		self.assertEqual(frappe.db.count("Conversion", {"conversion_type": "Deal Won"}), 0)

	def test_won(self) -> None:
		deal = self.deal()
		self.set(deal, status="Won")
		conversion = frappe.get_doc("Conversion", name_of("Deal Won", deal.name))
		self.assertEqual(
			(conversion.value, conversion.currency, conversion.crm_lead), (1000, "USD", self.lead.name)
		)
		self.assertEqual(default_credits(conversion.name), [("Email", 1000)])
		rows = frappe.get_all(
			"Deal Attribution", filters={"deal_id": deal.name}, fields=["*"], order_by="name"
		)
		self.assertEqual(len(rows), len(MODELS))
		linear = next(row for row in rows if row.attribution_model == "Linear")
		self.assertEqual((linear.last_touch_campaign, linear.attribution_value), ("Spring Sale", 1000))
		self.assertEqual([touch["value"] for touch in json.loads(linear.touch_points)], ["500.00", "500.00"])

	def test_links_that_took_part(self) -> None:
		link = make_link("spring")
		make_touch(
			VISITOR, now_datetime() - timedelta(hours=2), "Email", tracked_link=link.name, click_event="c1"
		)
		deal = self.deal()
		self.set(deal, status="Won")
		(row,) = frappe.get_all("Deal Link Association", fields=["*"])
		self.assertEqual(
			(row.tracked_link, row.association_type, row.attribution_weight), (link.name, "Assist", 0)
		)

	def test_lost_and_reopened(self) -> None:
		deal = self.deal()
		for status in ("Qualification", "Lost"):
			self.set(deal, status="Won")
			self.assertEqual(frappe.db.count("Conversion", {"conversion_type": "Deal Won"}), 1)
			values = {"lost_reason": lost_reason()} if status == "Lost" else {}
			self.set(deal, status=status, **values)
			for doctype in ("Deal Attribution", "Deal Link Association"):
				self.assertEqual(frappe.db.count(doctype), 0, status)
			self.assertEqual(frappe.db.count("Conversion", {"conversion_type": "Deal Won"}), 0, status)
			self.assertEqual(frappe.db.count("Attribution Link", {"conversion_type": "Deal Won"}), 0, status)

	def test_the_value_changes_later(self) -> None:
		deal = self.deal()
		self.set(deal, status="Won")
		self.set(deal, deal_value=1500)
		self.assertEqual(default_credits(name_of("Deal Won", deal.name)), [("Email", 1500)])
		self.assertEqual(frappe.db.count("Conversion", {"conversion_type": "Deal Won"}), 1)

	def test_a_rebuild_changes_nothing(self) -> None:
		from trackflow.attribution import run
		from trackflow.tests.test_credits import everything

		deal = self.deal()
		self.set(deal, status="Won")
		before = everything()
		self.assertEqual(run.rebuild()[1], 0)
		crm_deal.attribute(deal.name)
		self.assertEqual(everything(), before)

	def test_fields_are_carried_over_on_conversion(self) -> None:
		"""CRM-1: Frappe CRM copies fields of the same name from lead to deal."""
		from crm.fcrm.doctype.crm_lead.crm_lead import convert_to_deal

		self.lead.reload()
		frappe.db.set_value("CRM Lead", self.lead.name, "organization", "Example Works")
		deal = convert_to_deal(self.lead.name)
		self.assertEqual(
			frappe.db.get_value("CRM Deal", deal, ["trackflow_visitor_id", "trackflow_source"]),
			(VISITOR, "news"),
		)

	def test_the_organization(self) -> None:
		frappe.db.set_value("Visitor", VISITOR, "engagement_score", 12.345)
		deal = self.deal()
		found = frappe.db.get_value(
			"CRM Organization",
			deal.organization,
			["trackflow_visitor_id", "trackflow_engagement_score", "trackflow_last_campaign"],
		)
		self.assertEqual(found[0], VISITOR)
		self.assertAlmostEqual(float(found[1]), 12.35, places=1)
		self.assertEqual(found[2], "Spring Sale")

	def test_a_deal_without_a_lead_and_without_a_visitor(self) -> None:
		deal = make_deal(deal_value=10, status="Won")
		crm_deal.attribute(deal.name)
		self.assertEqual(default_credits(name_of("Deal Won", deal.name)), [("Unattributed", 10)])


@needs_crm
class TestSweep(CRMTestCase):
	"""CRM-2, CRM-4: what a lost job left undone is done within the hour."""

	def test_a_lead_and_a_deal_whose_jobs_were_lost(self) -> None:
		with patch("trackflow.jobs.frappe.enqueue"):
			lead = make_lead(trackflow_visitor_id=VISITOR)
			deal = make_deal(lead=lead.name, deal_value=10, status="Won")
			frappe.db.commit()
		# What says that a job is queued outlives a lost one for two minutes.
		connect().delete(key(waiting.DUE_KEY))
		self.assertEqual(frappe.db.count("Conversion"), 0)
		self.assertEqual(sweep(), 2)
		work()
		self.assertEqual(frappe.db.count("Conversion"), 2)
		self.assertEqual(sweep(), 0)
		with patch("trackflow.jobs.frappe.enqueue"):
			deal.reload()
			deal.status = "Qualification"
			deal.save()
			frappe.db.commit()
		self.assertEqual(sweep(), 1)
		work()
		self.assertEqual(frappe.db.count("Conversion", {"conversion_type": "Deal Won"}), 0)


@needs_crm
class TestRenaming(CRMTestCase):
	"""A document under a new name is the same document: its conversion is not made twice."""

	def test_a_lead_and_its_deal(self) -> None:
		lead = make_lead(trackflow_visitor_id=VISITOR)
		crm_lead.attribute(lead.name)
		deal = make_deal(lead=lead.name, deal_value=10, status="Won")
		crm_deal.attribute(deal.name)
		# What Frappe remembers where it looked before there was a conversion: then it follows no source.
		frappe.cache.set_value("dynamic_link_map::Conversion::source_name", [])
		self.addCleanup(frappe.cache.delete_value, "dynamic_link_map::Conversion::source_name")
		frappe.rename_doc("CRM Lead", lead.name, "LEAD-NEW")
		frappe.rename_doc("CRM Deal", deal.name, "DEAL-NEW")
		self.assertEqual(frappe.db.get_value("Visitor", VISITOR, "crm_lead"), "LEAD-NEW")
		crm_lead.attribute("LEAD-NEW")
		crm_deal.attribute("DEAL-NEW")
		rows = frappe.get_all(
			"Conversion", fields=["source_name", "crm_lead", "crm_deal"], order_by="source_name"
		)
		self.assertEqual(
			[(row.source_name, row.crm_lead, row.crm_deal) for row in rows],
			[("DEAL-NEW", "LEAD-NEW", "DEAL-NEW"), ("LEAD-NEW", "LEAD-NEW", None)],
		)
		self.assertEqual(set(frappe.get_all("Deal Attribution", pluck="deal_id")), {"DEAL-NEW"})

	def test_a_renamed_lead_is_not_credited_each_time(self) -> None:
		lead = make_lead(trackflow_visitor_id=VISITOR)
		crm_lead.attribute(lead.name)
		frappe.rename_doc("CRM Lead", lead.name, "LEAD-NEW")
		former = frappe.db.get_value("Conversion", {}, "attributed_at")
		crm_lead.attribute("LEAD-NEW")
		self.assertEqual(frappe.db.get_value("Conversion", {}, "attributed_at"), former)

	def test_whoever_gets_the_former_name_has_a_conversion_of_its_own(self) -> None:
		first, second, third = (make_lead() for _number in range(3))
		former = first.name
		crm_lead.attribute(former)
		for one, new in ((first, "LEAD-NEW"), (second, "LEAD-NEWER")):
			frappe.rename_doc("CRM Lead", former, new)
			frappe.rename_doc("CRM Lead", (second if one is first else third).name, former)
			crm_lead.attribute(former)
		rows = frappe.get_all("Conversion", fields=["source_name", "crm_lead", "lead_created_at"])
		self.assertEqual(
			sorted((row.source_name, row.crm_lead, row.lead_created_at) for row in rows),
			sorted(
				(name, name, get_datetime(lead.creation))
				for name, lead in (("LEAD-NEW", first), ("LEAD-NEWER", second), (former, third))
			),
		)

	def test_a_lead_that_waits_keeps_what_it_came_with(self) -> None:
		lead = make_lead()
		waiting.add(lead.name, VISITOR)
		frappe.db.commit()
		frappe.rename_doc("CRM Lead", lead.name, "LEAD-NEW")
		work()
		self.assertEqual(lead_fields("LEAD-NEW").trackflow_visitor_id, VISITOR)
		self.assertEqual(frappe.db.count("Conversion"), 1)


@needs_crm
class TestCurrency(CRMTestCase):
	"""CRM-4, ROL-1: a deal that names no currency is in the one that CRM shows it in, so that its value can be converted."""

	def test_a_deal_without_one(self) -> None:
		set_settings(reporting_currency="EUR")
		deal = make_deal(deal_value=10, status="Won", currency=None)
		frappe.db.set_value("CRM Deal", deal.name, "currency", None)
		crm_deal.attribute(deal.name)
		self.assertEqual(
			frappe.db.get_value("Conversion", {"source_name": deal.name}, "currency"),
			frappe.db.get_single_value("FCRM Settings", "currency")
			or frappe.db.get_default("currency")
			or "EUR",
		)

	def test_what_was_stored_without_one(self) -> None:
		set_settings(reporting_currency="EUR")
		for value, currency in ((5, None), (0, None), (7, "USD")):
			name = make_conversion(VISITOR, now_datetime(), value=value, currency=currency)
			frappe.db.set_value("Conversion", name, "attribution_status", "Done")
		name_currencies.execute()
		rows = frappe.get_all(
			"Conversion", fields=["value", "currency", "attribution_status"], order_by="value", as_list=True
		)
		self.assertEqual([*map(tuple, rows)], [(0, None, "Done"), (5, "EUR", "Pending"), (7, "USD", "Done")])


@needs_crm
class TestChanges(CRMTestCase):
	"""CRM-5: status and stage changes with who, when, from, to, and the campaign."""

	def test_of_a_lead(self) -> None:
		lead = make_lead(trackflow_visitor_id=VISITOR)
		crm_lead.attribute(lead.name)
		lead.reload()
		lead.status = "Contacted"
		lead.save()
		lead.save()
		rows = frappe.get_all(
			"Lead Status Change", filters={"lead_id": lead.name}, fields=["*"], order_by="change_date"
		)
		self.assertEqual(
			[(row.from_status, row.to_status) for row in rows], [(None, "New"), ("New", "Contacted")]
		)
		self.assertEqual((rows[1].changed_by, rows[1].source_campaign), ("Administrator", "Spring Sale"))

	def test_of_a_deal(self) -> None:
		deal = make_deal()
		deal.status = "Won"
		deal.save()
		rows = frappe.get_all(
			"Deal Stage Change", filters={"deal_id": deal.name}, fields=["*"], order_by="change_date"
		)
		self.assertEqual(
			[(row.from_stage, row.to_stage) for row in rows],
			[(None, "Qualification"), ("Qualification", "Won")],
		)

	def test_the_entry_says_what_is_known_of_the_document(self) -> None:
		"""RPT-1: what brought a lead or deal is known by a job after it was made, and its entry follows."""
		lead = make_lead(trackflow_visitor_id=VISITOR)
		deal = make_deal(lead=lead.name)
		work()
		((campaign, source, medium),) = frappe.get_all(
			"Lead Status Change",
			fields=["source_campaign", "source_source", "source_medium"],
			as_list=True,
			order_by="name",
		)
		self.assertEqual((campaign, source, medium), ("Spring Sale", "news", "email"))
		((of, campaign, source, medium),) = frappe.get_all(
			"Deal Stage Change",
			fields=["lead_id", "campaign", "source", "medium"],
			as_list=True,
			order_by="name",
		)
		self.assertEqual((of, campaign, source, medium), (lead.name, "Spring Sale", "news", "email"))
		other = make_lead(email="other@example.com")
		deal.reload()
		deal.update({"lead": other.name, "status": "Negotiation"}).save()
		work()
		self.assertEqual(set(frappe.get_all("Deal Stage Change", pluck="lead_id")), {other.name})

	def test_of_a_lead_that_becomes_a_deal(self) -> None:
		"""CRM sets the lead's status past all hooks."""
		lead = make_lead(status="Contacted", organization="Example Works")
		lead.convert_to_deal()
		rows = frappe.get_all(
			"Lead Status Change",
			filters={"lead_id": lead.name},
			fields=["from_status", "to_status", "change_date"],
			order_by="change_date",
		)
		self.assertEqual(
			[(row.from_status, row.to_status) for row in rows],
			[(None, "Contacted"), ("Contacted", "Qualified")],
		)
		stages = frappe.get_all("Deal Stage Change", fields=["lead_id", "change_date"], order_by="name")
		self.assertEqual(
			[(row.lead_id, row.change_date) for row in stages], [(lead.name, rows[1].change_date)]
		)

	def test_what_older_versions_did_not_keep(self) -> None:
		lead = make_lead(trackflow_visitor_id=VISITOR)
		erased = make_lead(email="eve@example.com")
		deal = make_deal(lead=lead.name)
		work()
		kept = [("Lead Status Change", "source_source"), ("Deal Stage Change", "source")]
		before = [frappe.get_all(doctype, fields=["*"], order_by="name") for doctype, _column in kept]
		for doctype, column in kept:
			frappe.db.set_value(doctype, {"name": ("is", "set")}, column, None, update_modified=False)
		frappe.db.set_value(
			"Deal Stage Change", {"deal_id": deal.name}, "lead_id", None, update_modified=False
		)
		frappe.db.set_value(
			"CRM Lead", erased.name, {"trackflow_visitor_id": "erased", "trackflow_source": "x"}
		)
		with patch.object(fill_status_changes, "AT_ONCE", 1):
			fill_status_changes.execute()
		after = [frappe.get_all(doctype, fields=["*"], order_by="name") for doctype, _column in kept]
		self.assertEqual(after, before)

	def test_a_renamed_status(self) -> None:
		for doctype, holder, columns in (
			("CRM Lead Status", "Lead Status Change", ("from_status", "to_status")),
			("CRM Deal Status", "Deal Stage Change", ("from_stage", "to_stage")),
		):
			with self.subTest(doctype):
				self.addCleanup(remove_statuses, doctype, "Tasting", "Trying")
				frappe.get_doc(make_status(doctype, "Tasting")).insert()
				row = {"name": f"{holder} 1", "change_date": now_datetime()}
				bulk.insert(holder, [row | dict.fromkeys(columns, "Tasting")])
				frappe.rename_doc(doctype, "Tasting", "Trying", force=True)
				kept = frappe.db.get_value(holder, row["name"], columns)
				self.assertEqual(kept, ("Trying", "Trying"))


@needs_crm
class TestDeleting(CRMTestCase):
	"""CRM-8: deleting a lead or a visitor is never blocked by tracking data; totals stay."""

	def test_a_lead(self) -> None:
		lead = make_lead(trackflow_visitor_id=VISITOR)
		crm_lead.attribute(lead.name)
		lead.reload()
		lead.delete()
		self.assertFalse(frappe.db.get_value("Visitor", VISITOR, "crm_lead"))
		self.assertEqual(frappe.db.count("Conversion"), 1)

	def test_a_visitor(self) -> None:
		lead = make_lead(trackflow_visitor_id=VISITOR)
		crm_lead.attribute(lead.name)
		frappe.delete_doc("Visitor", VISITOR)
		self.assertFalse(frappe.db.exists("Visitor", VISITOR))


def make_status(doctype: str, name: str) -> dict[str, Any]:
	return {"doctype": doctype, frappe.scrub(doctype.removeprefix("CRM ")): name, "position": 9}


def remove_statuses(doctype: str, *names: str) -> None:
	for name in names:
		frappe.delete_doc(doctype, name, force=True)
	frappe.db.commit()


def api_keys() -> tuple[str, str]:
	user = frappe.get_doc("User", "Administrator")
	user.api_key = user.api_key or frappe.generate_hash(length=15)
	secret = frappe.generate_hash(length=15)
	user.api_secret = secret
	user.save()
	frappe.db.commit()
	return user.api_key, secret


def lost_reason() -> str:
	if frappe.db.exists("DocType", "CRM Lost Reason") and not frappe.db.exists("CRM Lost Reason", "Too slow"):
		frappe.get_doc({"doctype": "CRM Lost Reason", "lost_reason": "Too slow"}).insert()
	return "Too slow"
