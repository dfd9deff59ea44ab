"""Leads of CRM's lead sync say themselves which ad brought them (CRM-1)."""

import unittest

import frappe

from trackflow.integrations import crm_deal, crm_lead
from trackflow.integrations.lead_ads import LEAD_ID, ad_ids, our_fields
from trackflow.tests.base import TrackFlowTestCase, needs_crm
from trackflow.tests.factories import make_deal, make_lead, make_touch, make_visitor

FIELDS = ["trackflow_source", "trackflow_medium", "trackflow_campaign", "trackflow_touch_count"]


class TestMapping(unittest.TestCase):
	"""What the lead has, as source, medium and campaign."""

	def test_ids_from_campaign_to_ad(self) -> None:
		lead = {
			LEAD_ID: "1",
			"facebook_ad_id": 300,
			"facebook_campaign_id": " 100 ",
			"facebook_adset_id": None,
		}
		self.assertEqual(ad_ids(lead), ("100", "300"))
		self.assertEqual(list(our_fields(("100", "300"), "").values()), ["facebook", "paid_social", "100"])
		self.assertEqual(our_fields(("100",), "Spring Sale")["trackflow_campaign"], "Spring Sale")

	def test_a_form_without_an_ad(self) -> None:
		self.assertEqual(ad_ids({LEAD_ID: "1"}), ())
		self.assertEqual(list(our_fields((), "").values()), ["facebook", "lead_form", None])

	def test_any_other_lead(self) -> None:
		for lead in ({}, {LEAD_ID: ""}, {"facebook_campaign_id": "100"}):
			self.assertIsNone(ad_ids(lead))


@needs_crm
class TestSyncedLead(TrackFlowTestCase):
	"""On the lead, and on the deal that it becomes; a visit that is known says more."""

	def setUp(self) -> None:
		super().setUp()
		if not frappe.get_meta("CRM Lead").has_field(LEAD_ID):
			self.skipTest("This version of CRM has no lead sync")

	def test_without_a_visit(self) -> None:
		lead = make_lead(**{LEAD_ID: "5551"}).name
		crm_lead.attribute(lead)
		expected = ("facebook", "lead_form", None, 0)
		self.assertEqual(frappe.db.get_value("CRM Lead", lead, FIELDS), expected)
		deal = make_deal(lead=lead, deal_value=10, status="Won").name
		crm_deal.attribute(deal)
		self.assertEqual(frappe.db.get_value("CRM Deal", deal, FIELDS), expected)

	def test_with_a_visit(self) -> None:
		visitor = make_visitor()
		make_touch(visitor, frappe.utils.now_datetime(), "Email", source="news", medium="email")
		lead = make_lead(**{LEAD_ID: "5552", "trackflow_visitor_id": visitor}).name
		crm_lead.attribute(lead)
		self.assertEqual(frappe.db.get_value("CRM Lead", lead, "trackflow_source"), "news")
