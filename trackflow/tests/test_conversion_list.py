"""The list of conversions over HTTP, with what they are credited to: UI-1, ATT-3, ATT-6, ROL-P, COL-7."""

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.analytics import conversion_list
from trackflow.analytics.scope import period_of
from trackflow.attribution import run
from trackflow.constants.roles import TRACKFLOW_MANAGER
from trackflow.paging import page_of
from trackflow.tests.base import HAS_CRM, counted_statements
from trackflow.tests.factories import (
	VISITOR,
	make_campaign,
	make_conversion,
	make_domain,
	make_lead,
	make_link,
	make_touch,
	make_visitor,
)
from trackflow.tests.test_visitor_api import CAMPAIGNER, MANAGER, NOBODY, SELLER, VisitorTestCase, readable_by

PATH = "/api/method/trackflow.api.conversion."
LIST, ONE, SUMMARY = (PATH + name for name in ("get_conversions", "get_conversion", "get_summary"))
DAY = timedelta(days=1)
ADA, BOB = VISITOR.format(1), VISITOR.format(2)


class ConversionListTestCase(VisitorTestCase):
	"""A purchase after an e-mail of a campaign of ours and an advertisement of somebody's; one of a visitor who was never there
	in time; one of nobody."""

	def setUp(self) -> None:
		super().setUp()
		now = now_datetime()
		make_campaign("Spring Sale")
		self.link = make_link("spring", campaign="Spring Sale").name
		make_visitor(ADA)
		make_visitor(BOB)
		make_touch(ADA, now - 3 * DAY, "Email", link_campaign="Spring Sale", tracked_link=self.link)
		make_touch(ADA, now - 2 * DAY, "Paid Search", campaign="brand")
		self.bought = make_conversion(ADA, now - DAY, value=100)
		self.late = make_conversion(BOB, now - 2 * DAY, "Demo", value=30, currency="EUR")
		self.nobodys = make_conversion("", now - 3 * DAY, value=5)
		run.credit([self.bought, self.late, self.nobodys])
		frappe.db.commit()

	def names(self, **query: Any) -> list[str]:
		return [row["name"] for row in self.told(MANAGER, LIST, **query)["conversions"]]


class TestTheList(ConversionListTestCase):
	"""UI-1: what came of it, and what it is credited to."""

	def test_a_row(self) -> None:
		told = self.told(MANAGER, LIST, model="Linear")
		self.assertEqual((told["model"], told["next_start"]), ("Linear", None))
		row = told["conversions"][0]
		expected = {
			"name": self.bought, "conversion_type": "Purchase", "value": 100, "currency": "USD", "visitor": ADA,
			"attribution_status": "Done", "touches": 2, "more_credits": 0,
			"credits": [
				{"channel": "Email", "campaign": "Spring Sale", "share": 0.5, "value": 50},
				{"channel": "Paid Search", "campaign": "brand", "share": 0.5, "value": 50},
			],
		}  # fmt: skip
		self.assertEqual(row | expected, row)
		self.assertRegex(row["at"], r"T.*[+-]\d\d:\d\d$")

	def test_by_the_default_model(self) -> None:
		told = self.told(MANAGER, LIST)
		self.assertEqual(told["model"], "Last Touch")
		self.assertEqual([one["channel"] for one in told["conversions"][0]["credits"]], ["Paid Search"])

	def test_unattributed(self) -> None:
		"""ATT-3: never silence."""
		for row in self.told(MANAGER, LIST)["conversions"][1:]:
			self.assertEqual((row["touches"], row["credits"][0]["channel"]), (0, "Unattributed"))

	def test_one_that_waits(self) -> None:
		name = make_conversion(ADA, now_datetime())
		frappe.db.commit()
		row = self.told(MANAGER, LIST, status="Pending")["conversions"][0]
		self.assertEqual((row["name"], row["credits"], row["touches"]), (name, [], 0))

	def test_many_campaigns(self) -> None:
		for number in range(8):
			make_touch(BOB, now_datetime() - 3 * DAY, f"Channel {number}", campaign=f"c{number}")
		run.credit([self.late])
		row = self.told(MANAGER, LIST, model="Linear", conversion_type="Demo")["conversions"][0]
		self.assertEqual((len(row["credits"]), row["more_credits"], row["touches"]), (5, 3, 8))

	def test_filters(self) -> None:
		for query, names in (
			({}, [self.bought, self.late, self.nobodys]),
			({"conversion_type": "Demo"}, [self.late]),
			({"status": "Done"}, [self.bought, self.late, self.nobodys]),
			({"status": "Failed"}, []),
			({"channel": "Unattributed"}, [self.late, self.nobodys]),
			({"channel": "Email"}, []),
			({"channel": "Email", "model": "First Touch"}, [self.bought]),
			({"campaign": "Spring Sale", "model": "Linear"}, [self.bought]),
			({"campaign": "brand", "model": "Linear"}, [self.bought]),
			({"campaign": "Spring Sale", "channel": "Paid Search", "model": "Linear"}, []),
			({"tracked_link": self.link, "model": "Linear"}, [self.bought]),
			({"sort": "value desc"}, [self.bought, self.late, self.nobodys]),
			({"sort": "value asc", "limit": 1}, [self.nobodys]),
			({"start": 1, "limit": 1}, [self.late]),
		):
			self.assertEqual(self.names(**query), names, query)

	def test_the_period(self) -> None:
		make_conversion(ADA, datetime(2026, 3, 4, 23, 59, 59))
		make_conversion(ADA, datetime(2026, 3, 5))
		frappe.db.commit()
		told = self.told(MANAGER, LIST, from_date="2026-03-01", to_date="2026-03-04")
		self.assertEqual([row["at"][:19] for row in told["conversions"]], ["2026-03-04T23:59:59"])

	def test_of_very_many_the_newest_are_looked_at(self) -> None:
		self.assertIsNone(self.told(MANAGER, LIST)["looked_at"])
		with patch.object(conversion_list, "MOST_CONVERSIONS", 1):
			told = self.told(MANAGER, LIST, channel="Unattributed")
			self.assertEqual(told["looked_at"], 1)
			# Down to the moment of the one after it.
			self.assertEqual([row["name"] for row in told["conversions"]], [self.late])

	def test_what_cannot_be_asked(self) -> None:
		for query in (
			{"status": "Lost"}, {"model": "Nonsense"}, {"sort": "crm_lead"}, {"limit": 0}, {"from_date": "x"},
		):  # fmt: skip
			answer = self.ask(MANAGER, LIST, **query)
			self.assertEqual((answer.status_code, answer.json["exc_type"]), (417, "ValidationError"), query)

	def test_statements(self) -> None:
		wanted = conversion_list.Wanted("Linear", channel="Email", campaign="Spring Sale")
		page = page_of(0, 20, "", conversion_list.SORTED_BY)
		conversion_list.listed(wanted, period_of(), page)
		with counted_statements() as statements:
			conversion_list.listed(wanted, period_of(), page)
		self.assertLessEqual(len(statements), 4, statements)


class TestOne(ConversionListTestCase):
	"""UI-1: a conversion's page."""

	def test_it_is_the_row_of_the_list(self) -> None:
		(row,) = self.told(MANAGER, LIST, conversion_type="Demo", model="Linear")["conversions"]
		self.assertEqual(
			self.told(MANAGER, ONE, conversion=self.late, model="Linear"), {"model": "Linear", **row}
		)

	def test_unknown_ones(self) -> None:
		self.assertEqual(self.ask(MANAGER, ONE, conversion="unknown").status_code, 404)
		self.assertEqual(self.ask(NOBODY, ONE, conversion="unknown").status_code, 403)


class TestTheSummary(ConversionListTestCase):
	"""ATT-3, ATT-6: how many of each type, and how many are unattributed, and why."""

	def test_types(self) -> None:
		make_conversion(ADA, now_datetime(), value=20, currency="EUR")
		frappe.db.commit()
		told = self.told(MANAGER, SUMMARY)
		purchases, demos = told["types"]
		expected = {
			"conversion_type": "Purchase", "conversions": 3, "value": {"EUR": 20, "USD": 105}, "pending": 1, "failed": 0,
			"no_visitor": 1, "no_touch": 0,
		}  # fmt: skip
		self.assertEqual(purchases | expected, purchases)
		self.assertEqual((demos["conversion_type"], demos["no_visitor"], demos["no_touch"]), ("Demo", 0, 1))

	def test_which_count(self) -> None:
		row = {"name": "lead", "conversion_type": "Lead", "conversion_date": now_datetime(), "value": 0}
		bulk.insert("Conversion", [row])
		frappe.db.commit()
		found = {one["conversion_type"]: one for one in self.told(MANAGER, SUMMARY)["types"]}
		self.assertEqual((found["Lead"]["is_counted"], found["Lead"]["is_valued"]), (True, False))
		self.assertEqual((found["Demo"]["is_counted"], found["Demo"]["is_valued"]), (False, False))

	def test_nothing(self) -> None:
		told = self.told(MANAGER, SUMMARY, from_date="2020-01-01", to_date="2020-01-31")
		self.assertEqual(told["types"], [])


class TestWhoMayAsk(ConversionListTestCase):
	"""ROL-P: conversions are for who may read them and credits; whose they are, for who may read that."""

	def test_nobody_without_permission(self) -> None:
		for path, query in ((LIST, {}), (ONE, {"conversion": self.bought}), (SUMMARY, {})):
			for user in (None, NOBODY, SELLER):
				answer = self.ask(user, path, **query)
				self.assertEqual(answer.status_code, 403, (path, user))
				self.assertNotIn("Purchase", answer.text)

	def test_what_campaign_managers_see(self) -> None:
		lead = make_lead().name if HAS_CRM else "CRM-LEAD-1"
		frappe.db.set_value("Conversion", self.bought, "crm_lead", lead)
		frappe.db.commit()
		for path, query in ((LIST, {}), (ONE, {"conversion": self.bought})):
			told = self.told(CAMPAIGNER, path, **query)
			self.assertIn(self.bought, str(told))
			self.assertIn(ADA, str(told))
			for secret in (lead, "crm_lead", "crm_deal", "external_id", "source_name"):
				self.assertNotIn(secret, str(told))
			self.assertEqual(lead in str(self.told(MANAGER, path, **query)), HAS_CRM)

	def test_whoever_may_not_read_visitors(self) -> None:
		with readable_by(TRACKFLOW_MANAGER, "Visitor"):
			told = self.told(CAMPAIGNER, LIST)
			self.assertEqual({row["visitor"] for row in told["conversions"]}, {None})

	def test_it_is_logged(self) -> None:
		make_domain("clinic.example.com", privacy_level="HIPAA", collect_address=0)
		frappe.db.delete("Access Log")
		frappe.db.commit()
		self.told(MANAGER, LIST, channel="Unattributed")
		(row,) = frappe.get_all("Access Log", {"user": MANAGER}, ["export_from", "filters"], order_by="name")
		self.assertEqual(row.export_from, "Conversion")
		self.assertEqual(frappe.parse_json(row.filters)["count"], 2)
