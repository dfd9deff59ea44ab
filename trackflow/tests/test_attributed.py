"""Leads and deals with what brought them, over HTTP, as everybody who might ask: UI-1, CRM-1, CRM-4, ROL-P."""

from datetime import timedelta
from typing import Any

import frappe
from frappe.utils import now_datetime

from trackflow.analytics.scope import period_of
from trackflow.integrations import attributed
from trackflow.paging import page_of
from trackflow.privacy import erasure, subjects
from trackflow.tests.base import HAS_CRM, counted_statements, needs_crm, work
from trackflow.tests.factories import make_deal, make_lead, make_touch, make_visitor
from trackflow.tests.test_visitor_api import (
	CAMPAIGNER,
	MANAGER,
	NOBODY,
	PHONE,
	SELLER,
	VisitorTestCase,
	readable_by,
)

PATH = "/api/method/trackflow.api.crm."
LEADS, DEALS, LEAD, DEAL = (PATH + name for name in ("get_leads", "get_deals", "get_lead", "get_deal"))
DAY = timedelta(days=1)


@needs_crm
class AttributedTestCase(VisitorTestCase):
	"""Ada came by an e-mail and an advertisement, became a lead and a deal that was won; Bob's lead was typed in."""

	def setUp(self) -> None:
		super().setUp()
		now = now_datetime()
		make_visitor(PHONE, contact_email="ada@example.com")
		make_touch(PHONE, now - 2 * DAY, "Email", source="news", medium="email", campaign="spring")
		make_touch(PHONE, now - DAY, "Paid Search", source="google", medium="cpc", campaign="brand")
		self.ada = make_lead().name
		self.bob = make_lead(first_name="Bob", email="bob@example.com", status="Contacted").name
		work()
		# In the currency of the site: CRM asks a server on the internet for the rate of any other.
		self.deal = make_deal(lead=self.ada, deal_value=800, annual_revenue=800, currency="USD")
		self.deal.status = "Won"
		self.deal.save()
		self.other = make_deal(deal_value=50, annual_revenue=50).name
		work()

	def names(self, path: str, user: str = MANAGER, **query: Any) -> list[str]:
		told = self.told(user, path, **query)
		return [row["name"] for row in told["leads" if path == LEADS else "deals"]]


class TestLists(AttributedTestCase):
	"""UI-1: which leads and deals came of what."""

	def test_leads(self) -> None:
		told = self.told(MANAGER, LEADS)
		bob, ada = told["leads"]
		expected = {
			"name": self.ada, "lead_name": "Ada", "source": "google", "medium": "cpc", "campaign": "brand", "touch_count": 2,
			"is_erased": False,
		}  # fmt: skip
		self.assertEqual(ada | expected, ada)
		for field in ("creation", "first_touch_date", "last_touch_date"):
			self.assertRegex(ada[field], r"T.*[+-]\d\d:\d\d$")
		self.assertEqual(
			(bob["name"], bob["status"], bob["source"], bob["touch_count"]), (self.bob, "Contacted", None, 0)
		)
		self.assertIn("New", [one["name"] for one in told["statuses"]])
		self.assertNotIn(PHONE, str(told), "whose browser it was, says the journey")

	def test_deals(self) -> None:
		told = self.told(MANAGER, DEALS)
		won = told["deals"][1]
		expected = {
			"name": self.deal.name, "organization": "Example Works", "lead": self.ada, "status": "Won", "value": 800,
			"currency": "USD", "campaign": "brand", "first_touch_source": "news", "last_touch_source": "google", "touch_count": 2,
			"attribution_model": "Last Touch", "marketing_influenced": True,
		}  # fmt: skip
		self.assertEqual(won | expected, won)
		self.assertEqual([one["type"] for one in told["statuses"] if one["name"] == "Won"], ["Won"])

	def test_filters_and_orders(self) -> None:
		for path, query, names in (
			(LEADS, {"status": "Contacted"}, [self.bob]),
			(LEADS, {"source": "google"}, [self.ada]),
			(LEADS, {"campaign": "brand"}, [self.ada]),
			(LEADS, {"touched": 1}, [self.ada]),
			(LEADS, {"touched": 0}, [self.bob]),
			(LEADS, {"search": "bob@"}, [self.bob]),
			(LEADS, {"search": self.ada}, [self.ada]),
			(LEADS, {"sort": "touch_count desc"}, [self.ada, self.bob]),
			(LEADS, {"sort": "creation asc", "limit": 1}, [self.ada]),
			(DEALS, {"influenced": 1}, [self.deal.name]),
			(DEALS, {"influenced": 0}, [self.other]),
			(DEALS, {"status": "Won"}, [self.deal.name]),
			(DEALS, {"sort": "value asc"}, [self.other, self.deal.name]),
			(DEALS, {"search": "example wor", "limit": 1, "start": 1}, [self.deal.name]),
			(DEALS, {"from_date": "2020-01-01", "to_date": "2020-01-31"}, []),
		):
			self.assertEqual(self.names(path, **query), names, (path, query))

	def test_pages(self) -> None:
		told = self.told(MANAGER, LEADS, limit=1)
		self.assertEqual(([one["name"] for one in told["leads"]], told["next_start"]), ([self.bob], 1))
		self.assertIsNone(self.told(MANAGER, LEADS, limit=1, start=1)["next_start"])

	def test_what_cannot_be_asked(self) -> None:
		for path in (LEADS, DEALS):
			for query in (
				{"sort": "email"},
				{"sort": "creation desc, email"},
				{"touched": "x"},
				{"limit": 0},
				{"to_date": "x"},
			):
				answer = self.ask(MANAGER, path, **query)
				self.assertEqual(
					(answer.status_code, answer.json["exc_type"]), (417, "ValidationError"), query
				)

	def test_statements(self) -> None:
		page = page_of(0, 20, "", attributed.DEAL.sorted_by)
		attributed.listed(attributed.DEAL, attributed.Wanted(), period_of(), page)
		with counted_statements() as statements:
			attributed.listed(attributed.DEAL, attributed.Wanted(), period_of(), page)
		# The host may look up the DocType once more, as its cache has it.
		of_deals = [one for one in statements if "tabDocType" not in one]
		self.assertLessEqual(len(of_deals), 1, statements)


class TestOne(AttributedTestCase):
	"""UI-1: a lead's page, a deal's page."""

	def test_a_lead(self) -> None:
		told = self.told(MANAGER, LEAD, lead=self.ada)
		self.assertEqual((told["lead_name"], told["campaign"]), ("Ada", "brand"))
		self.assertEqual([one["name"] for one in told["deals"]], [self.deal.name])
		self.assertEqual([(one["from"], one["to"]) for one in told["steps"]], [(None, "New")])

	def test_a_deal(self) -> None:
		told = self.told(MANAGER, DEAL, deal=self.deal.name)
		self.assertEqual((told["value"], told["status"]), (800, "Won"))
		self.assertEqual(
			[(one["from"], one["to"]) for one in told["steps"]],
			[(None, "Qualification"), ("Qualification", "Won")],
		)
		self.assertRegex(told["steps"][0]["at"], r"T.*[+-]\d\d:\d\d$")

	def test_one_that_was_erased(self) -> None:
		erasure.erase(subjects.read("ada@example.com"))
		told = self.told(MANAGER, LEAD, lead=self.ada)
		self.assertEqual((told["is_erased"], told["campaign"], told["touch_count"]), (True, None, 0))

	def test_unknown_ones(self) -> None:
		for path, query in ((LEAD, {"lead": "nobody"}), (DEAL, {"deal": "nobody"})):
			self.assertEqual(self.ask(MANAGER, path, **query).status_code, 404)


class TestWhoMayAsk(AttributedTestCase):
	"""ROL-P: as far as the user's own CRM roles go, and nobody who neither works with leads nor may read visitors."""

	def test_nobody(self) -> None:
		for path, query in (
			(LEADS, {}),
			(DEALS, {}),
			(LEAD, {"lead": self.ada}),
			(DEAL, {"deal": self.deal.name}),
		):
			for user in (None, NOBODY):
				answer = self.ask(user, path, **query)
				self.assertEqual(answer.status_code, 403, (path, user))
				self.assertNotIn("brand", answer.text)

	def test_people_who_sell(self) -> None:
		self.assertEqual(self.names(LEADS, SELLER), [self.bob, self.ada])
		self.assertEqual(self.names(DEALS, SELLER), [self.other, self.deal.name])
		self.assertEqual(self.told(SELLER, DEAL, deal=self.deal.name)["value"], 800)

	def test_campaign_managers_see_as_much_as_crm_shows_them(self) -> None:
		self.assertEqual(self.names(LEADS, CAMPAIGNER), [self.bob, self.ada])
		self.assertEqual(self.ask(CAMPAIGNER, DEALS).status_code, 403)
		# Everybody may read leads, not everybody deals.
		self.assertEqual(self.told(CAMPAIGNER, LEAD, lead=self.ada)["deals"], [])
		with readable_by("Sales User", "CRM Lead"):
			for path, query in ((LEADS, {}), (LEAD, {"lead": self.ada})):
				answer = self.ask(CAMPAIGNER, path, **query)
				self.assertEqual(answer.status_code, 403)
				self.assertNotIn("Ada", answer.text)

	def test_only_the_leads_that_crm_gives(self) -> None:
		"""What narrows CRM's lists narrows these."""
		if not frappe.db.exists("DocType", "User Permission"):
			self.skipTest("This host has no user permissions.")
		permission = frappe.get_doc(
			{"doctype": "User Permission", "user": SELLER, "allow": "CRM Lead", "for_value": self.bob}
		).insert()
		frappe.db.commit()
		try:
			self.assertEqual(self.names(LEADS, SELLER), [self.bob])
			self.assertEqual(self.ask(SELLER, LEAD, lead=self.ada).status_code, 403)
		finally:
			permission.delete()
			frappe.db.commit()


class TestWithoutCrm(VisitorTestCase):
	"""HOST-1: without CRM there are none, and it says so."""

	def test_there_are_none(self) -> None:
		if HAS_CRM:
			self.skipTest("Frappe CRM is installed on this site.")
		for path in (LEADS, DEALS):
			self.assertEqual(self.ask(MANAGER, path).status_code, 404)
