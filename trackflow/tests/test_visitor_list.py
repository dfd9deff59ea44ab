"""The list of visitors over HTTP, as everybody who might ask: UI-1, ROL-P, COL-7."""

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from trackflow.analytics import visitor_list
from trackflow.analytics.scope import period_of
from trackflow.paging import page_of
from trackflow.tests.base import counted_statements
from trackflow.tests.factories import VISITOR, make_conversion, make_domain, make_visitor
from trackflow.tests.test_visitor_api import CAMPAIGNER, MANAGER, NOBODY, SELLER, VisitorTestCase

VISITORS = "/api/method/trackflow.api.visitor.get_visitors"
HOUR = timedelta(hours=1)
ADA, BOB, EVE = (VISITOR.format(number) for number in (1, 2, 3))


class VisitorListTestCase(VisitorTestCase):
	"""Three visitors: one who gave an address and converted, one of whom little is known, one who will be another tomorrow."""

	def setUp(self) -> None:
		super().setUp()
		now = now_datetime()
		make_visitor(
			ADA, last_seen=now - 3 * HOUR, channel="Email", source="news", campaign="spring", country="DE", page_views=7,
			engagement_score=19.5, contact_email="ada@example.com", contact_name="Ada",
		)  # fmt: skip
		make_visitor(BOB, last_seen=now - HOUR, channel="Direct", page_views=1, engagement_score=1)
		make_visitor(
			EVE, last_seen=now - 2 * HOUR, channel="Email", source="news", is_cookieless=1, page_views=9
		)
		make_conversion(ADA, now)
		frappe.db.commit()

	def names(self, user: str = MANAGER, **query: Any) -> list[str]:
		return [row["name"] for row in self.told(user, VISITORS, **query)["visitors"]]


class TestTheList(VisitorListTestCase):
	"""UI-1: who came lately, and how."""

	def test_a_row(self) -> None:
		told = self.told(MANAGER, VISITORS)
		row = {one["name"]: one for one in told["visitors"]}[ADA]
		expected = {
			"channel": "Email", "source": "news", "campaign": "spring", "country": "DE", "page_views": 7, "engagement_score": 19.5,
			"conversions": 1, "is_cookieless": 0, "contact_email": "ada@example.com", "contact_name": "Ada",
		}  # fmt: skip
		self.assertEqual(row | expected, row)
		self.assertRegex(row["last_seen"], r"T.*[+-]\d\d:\d\d$")
		self.assertEqual((told["tells_contacts"], told["next_start"]), (True, None))

	def test_orders(self) -> None:
		for sort, names in (
			("", [BOB, EVE, ADA]),
			("last_seen asc", [ADA, EVE, BOB]),
			("page_views desc", [EVE, ADA, BOB]),
			("engagement_score", [ADA, BOB, EVE]),
		):
			self.assertEqual(self.names(sort=sort), names, sort)

	def test_filters(self) -> None:
		for query, names in (
			({"channel": "Email"}, [EVE, ADA]),
			({"source": "news", "campaign": "spring"}, [ADA]),
			({"country": "DE"}, [ADA]),
			({"converted": 1}, [ADA]),
			({"converted": 0}, [BOB, EVE]),
			({"recognised": 1}, [BOB, ADA]),
			({"recognised": "0"}, [EVE]),
			({"identified": 1}, [ADA]),
			({"identified": 0}, [BOB, EVE]),
			({"search": "ADA@exam"}, [ADA]),
			({"search": "da@"}, []),
		):
			self.assertEqual(self.names(**query), names, query)

	def test_the_period_is_that_of_the_last_visit(self) -> None:
		make_visitor(VISITOR.format(4), last_seen=datetime(2026, 3, 4, 23, 59, 59, 999999))
		make_visitor(VISITOR.format(5), last_seen=datetime(2026, 3, 5))
		frappe.db.commit()
		told = self.told(MANAGER, VISITORS, from_date="2026-03-01", to_date="2026-03-04")
		self.assertEqual([row["name"] for row in told["visitors"]], [VISITOR.format(4)])
		self.assertEqual((told["from_date"], told["to_date"]), ("2026-03-01", "2026-03-04"))

	def test_pages(self) -> None:
		first = self.told(MANAGER, VISITORS, limit=2)
		self.assertEqual(([row["name"] for row in first["visitors"]], first["next_start"]), ([BOB, EVE], 2))
		second = self.told(MANAGER, VISITORS, limit=2, start=2)
		self.assertEqual(([row["name"] for row in second["visitors"]], second["next_start"]), ([ADA], None))

	def test_of_equal_ones_nobody_is_on_two_pages(self) -> None:
		at = now_datetime()
		for number in range(16, 26):
			make_visitor(VISITOR.format(number), last_seen=at)
		frappe.db.commit()
		found = [name for start in range(0, 12, 4) for name in self.names(limit=4, start=start)]
		self.assertEqual(len(set(found)), 12)

	def test_of_very_many_those_seen_last_are_looked_at(self) -> None:
		with patch.object(visitor_list, "MOST_VISITORS", 2):
			told = self.told(MANAGER, VISITORS, sort="page_views desc")
			self.assertEqual(told["looked_at"], 2)
			# Down to the moment of the one after them.
			self.assertEqual([row["name"] for row in told["visitors"]], [EVE, ADA, BOB])
			make_visitor(VISITOR.format(4))
			frappe.db.commit()
			self.assertNotIn(ADA, self.names(sort="page_views desc"))
			self.assertEqual(self.names(search="ada"), [ADA], "addresses are looked up")
		self.assertIsNone(self.told(MANAGER, VISITORS)["looked_at"])

	def test_of_who_was_erased_nothing_is_shown(self) -> None:
		make_visitor("e_00000000000000ee")
		frappe.db.commit()
		self.assertEqual(self.names(), [BOB, EVE, ADA])

	def test_what_cannot_be_asked(self) -> None:
		for query in (
			{"sort": "user_agent"}, {"sort": "last_seen sideways"}, {"sort": "last_seen desc, name"}, {"limit": 0}, {"limit": 101},
			{"start": -1}, {"start": 10_000}, {"converted": "yes"}, {"recognised": 2}, {"from_date": "yesterday"},
			{"from_date": "2026-03-02", "to_date": "2026-03-01"},
		):  # fmt: skip
			answer = self.ask(MANAGER, VISITORS, **query)
			self.assertEqual((answer.status_code, answer.json["exc_type"]), (417, "ValidationError"), query)

	def test_statements(self) -> None:
		wanted = visitor_list.Wanted(channel="Email")
		page = page_of(0, 20, "", visitor_list.SORTED_BY)
		visitor_list.listed(wanted, period_of(), page)
		with counted_statements() as statements:
			visitor_list.listed(wanted, period_of(), page)
		self.assertLessEqual(len(statements), 6, statements)


class TestWhoMayAsk(VisitorListTestCase):
	"""ROL-P: who a visitor is, is for who may read it; no filter tells it to others."""

	def test_nobody_without_permission(self) -> None:
		for user in (None, NOBODY, SELLER):
			answer = self.ask(user, VISITORS)
			self.assertEqual(answer.status_code, 403, user)
			self.assertNotIn(ADA, answer.text)

	def test_campaign_managers_see_no_contacts(self) -> None:
		told = self.told(CAMPAIGNER, VISITORS)
		self.assertEqual([row["name"] for row in told["visitors"]], [BOB, EVE, ADA])
		self.assertIs(told["tells_contacts"], False)
		for secret in ("contact", "ada@", "Ada", "crm_lead"):
			self.assertNotIn(secret, str(told["visitors"]))

	def test_nor_do_they_find_visitors_by_them(self) -> None:
		for query in ({"search": "ada"}, {"search": "nobody"}, {"identified": 1}, {"identified": 0}):
			answer = self.ask(CAMPAIGNER, VISITORS, **query)
			self.assertEqual((answer.status_code, answer.json["exc_type"]), (403, "PermissionError"), query)
			self.assertNotIn(ADA, answer.text)
		# An order or a filter that the list does not know is no way either.
		for query in ({"sort": "contact_email"}, {"filters": '{"contact_email": ["like", "a%"]}'}):
			self.assertIn(self.ask(CAMPAIGNER, VISITORS, **query).status_code, (403, 417), query)

	def test_it_is_logged(self) -> None:
		"""COL-7: who was shown whom, on sites with a domain of the level HIPAA."""
		make_domain("clinic.example.com", privacy_level="HIPAA", collect_address=0)
		frappe.db.delete("Access Log")
		frappe.db.commit()
		self.told(CAMPAIGNER, VISITORS, channel="Email")
		(row,) = frappe.get_all(
			"Access Log", {"user": CAMPAIGNER}, ["export_from", "filters"], order_by="name"
		)
		self.assertEqual(row.export_from, "Visitor")
		self.assertEqual(frappe.parse_json(row.filters), {"documents": [EVE, ADA], "count": 2})
