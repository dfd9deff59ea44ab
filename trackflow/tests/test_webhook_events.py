"""What webhooks are told by each event, along the ways by which it happens (WHK-1)."""

import json
from datetime import timedelta
from io import BytesIO
from typing import Any, ClassVar
from unittest.mock import patch

import frappe
from frappe.utils import now_datetime

from trackflow import bulk
from trackflow.access import stored_keys
from trackflow.constants.roles import TRACKFLOW_MANAGER
from trackflow.integrations import crm_deal, crm_lead
from trackflow.links import bulk_create
from trackflow.privacy import erasure, export, subjects
from trackflow.stream import drain, tally, writer
from trackflow.tests.base import TrackFlowTestCase, counted_statements, needs_crm, work
from trackflow.tests.factories import (
	VISITOR,
	click_record,
	event_record,
	make_campaign,
	make_deal,
	make_lead,
	make_link,
	make_touch,
	make_visitor,
	make_webhook,
)
from trackflow.tests.test_crm import CRMTestCase
from trackflow.tests.test_keyed import KeyedTestCase
from trackflow.tests.test_visitor_api import readable_by
from trackflow.tests.test_waste import DAY, WasteTestCase
from trackflow.tests.users import make_user, remove_user
from trackflow.waste import notices
from trackflow.webhooks import limit_hits, outbox
from trackflow.webhooks.messages import MOST_ITEMS
from trackflow.webhooks.outbox import DELIVERY

URL = "https://hooks.example.com/trackflow"
ADA, BOB = "ada@example.com", "bob@example.com"


def told(event: str) -> list[dict[str, Any]]:
	"""All items of an event, of whatever delivery."""
	frappe.db.commit()
	rows = frappe.get_all(DELIVERY, {"event_type": event}, pluck="payload", order_by="creation, name")
	return [item for row in rows for item in json.loads(row)["items"]]


class TestClicks(TrackFlowTestCase):
	"""Clicks come by the thousand: a batch is a few messages, written by a fixed number of statements."""

	def store(self, number: int, **values: Any) -> int:
		"""Drain so many clicks; the number of statements that it took."""
		link = make_link().name
		frappe.db.commit()
		writer.write([click_record(link, one, **values) for one in range(1, number + 1)])
		with counted_statements() as statements:
			drain.drain()
		return len(statements)

	def test_a_batch_is_a_few_messages(self) -> None:
		make_webhook(URL, "link.clicked")
		self.store(MOST_ITEMS * 2 + 100)
		counts = frappe.get_all(DELIVERY, pluck="item_count", order_by="creation, name")
		self.assertEqual(sorted(counts), [100, MOST_ITEMS, MOST_ITEMS])
		stored = frappe.get_all("Click Event", pluck="name", order_by="name")
		self.assertEqual(sorted(item["click"] for item in told("link.clicked")), stored)

	def test_what_it_costs(self) -> None:
		# What is remembered from then on, and visitors that are new, cost more at first.
		self.store(2)
		self.store(2)
		few = self.store(2)
		make_webhook(URL, "deal.won")
		self.assertEqual(self.store(2), few)
		make_webhook(URL, "link.clicked", key="other")
		with_hook = self.store(2)
		self.assertLessEqual(with_hook - few, 12)
		self.assertLessEqual(self.store(300) - with_hook, 4)

	def test_robots_and_what_is_not_counted(self) -> None:
		make_webhook(URL, "link.clicked")
		self.store(1, counted=False, is_bot=True)
		self.assertEqual(told("link.clicked"), [])

	def test_a_batch_that_comes_twice_is_told_once(self) -> None:
		make_webhook(URL, "link.clicked")
		record = click_record(make_link().name)
		for _again in range(2):
			writer.write([record])
			drain.drain()
		self.assertEqual(len(told("link.clicked")), 1)

	def test_a_drain_that_fails_tells_nothing(self) -> None:
		"""Told in the transaction: what is not stored was not told."""
		make_webhook(URL, "link.clicked")
		writer.write([click_record(make_link().name)])
		with patch("trackflow.tracking.store._queue_credits", side_effect=ValueError):
			drain.drain()
		self.assertEqual((told("link.clicked"), frappe.db.count("Click Event")), ([], 0))

	def test_what_cannot_be_told_fails_no_drain(self) -> None:
		"""WHK-1, RED-8: nor does it leave half a message."""
		frappe.db.delete("Error Log", {"method": ("like", "%link.clicked%")})
		make_webhook(URL, "link.clicked")

		with patch.object(outbox, "queue", side_effect=ValueError("a hook of another app")):
			self.store(3)
		self.assertEqual((told("link.clicked"), frappe.db.count("Click Event")), ([], 3))
		self.assertEqual(frappe.db.count("Click Queue"), 0)
		self.assertEqual(frappe.db.count("Error Log", {"method": ("like", "%link.clicked%")}), 1)

	def test_a_collision_there_is_everybodys(self) -> None:
		"""The database has undone the clicks too: all of it is done again."""
		make_webhook(URL, "link.clicked")
		first = [frappe.QueryDeadlockError]

		def collides_once() -> None:
			if first:
				raise first.pop()

		with patch.object(outbox, "queue", collides_once):
			self.store(3)
		self.assertEqual((len(told("link.clicked")), frappe.db.count("Click Event")), (3, 3))


class TestWebsites(TrackFlowTestCase):
	"""Visitors who say who they are, and conversions."""

	def test_identified_once(self) -> None:
		make_webhook(URL, "visitor.identified")
		for _again in range(2):
			writer.write(
				[event_record(1, event_type="IDENTIFY", person={"contact_email": ADA, "contact_name": "Ada"})]
			)
			drain.drain()
		(item,) = told("visitor.identified")
		self.assertEqual((item["visitor"], item["by"]), (VISITOR.format(1), "email"))
		self.assertNotIn("ada", frappe.get_all(DELIVERY, pluck="payload")[0].lower())

	def test_conversions(self) -> None:
		make_webhook(URL, "conversion.created")
		record = event_record(
			1, event_type="CONVERSION", event_name="Purchase", value="49.90", currency="EUR"
		)
		for _again in range(2):
			writer.write([record])
			drain.drain()
		(item,) = told("conversion.created")
		self.assertEqual(
			(item["type"], item["value"], item["currency"], item["visitor"]),
			("Purchase", 49.9, "EUR", VISITOR.format(1)),
		)
		self.assertEqual(item["conversion"], frappe.db.get_value("Conversion", {}, "name"))


class TestDocuments(TrackFlowTestCase):
	"""Links and campaigns."""

	def test_links_of_many_rows(self) -> None:
		make_webhook(URL, "link.created")
		rows = [
			{"target_url": "https://a.example/"},
			{"target_url": "nonsense"},
			{"target_url": "https://b.example/"},
		]
		answer = bulk_create.create_links(rows)
		self.assertEqual((answer["created"], answer["failed"]), (2, 1))
		self.assertEqual(
			[item["target_url"] for item in told("link.created")],
			["https://a.example/", "https://b.example/"],
		)

	def test_campaigns_that_people_change(self) -> None:
		make_webhook(URL, "campaign.updated")
		campaign = make_campaign("Spring Sale", budget=100)
		self.assertEqual(told("campaign.updated"), [])
		campaign.reload()
		campaign.save()
		self.assertEqual(told("campaign.updated"), [])
		campaign.update({"budget": 200, "status": "Paused"})
		campaign.save()
		(item,) = told("campaign.updated")
		self.assertEqual(
			(item["campaign"], item["status"], item["budget"], item["changed"]),
			("Spring Sale", "Paused", 200, ["budget", "status"]),
		)


@needs_crm
class TestCRM(CRMTestCase):
	"""Leads and deals, for those who may read them."""

	def test_a_lead_is_attributed_once(self) -> None:
		make_webhook(URL, "lead.attributed", "visitor.identified", "conversion.created")
		lead = make_lead(trackflow_visitor_id="v_00000000000000aa").name
		work()
		(item,) = told("lead.attributed")
		self.assertEqual((item["lead"], item["campaign"], item["touch_count"]), (lead, self.campaign, 2))
		crm_lead.attribute(lead)
		self.assertEqual(len(told("lead.attributed")), 1)
		(who,) = told("visitor.identified")
		self.assertEqual((who["visitor"], who["by"]), ("v_00000000000000aa", "lead"))
		(conversion,) = told("conversion.created")
		self.assertEqual(conversion["type"], "Lead")
		self.assertNotIn(lead, str(conversion))

	def test_a_deal_is_won_once(self) -> None:
		make_webhook(URL, "deal.won")
		deal = make_deal(deal_value=500, currency="USD")
		work()
		self.assertEqual(told("deal.won"), [])
		deal.status = "Won"
		deal.save()
		work()
		crm_deal.attribute(deal.name)
		(item,) = told("deal.won")
		self.assertEqual((item["deal"], item["value"], item["currency"]), (deal.name, 500, "USD"))

	def test_who_may_not_read_leads_is_told_of_none(self) -> None:
		"""ROL-P: CRM data only as far as the user's own CRM roles go."""
		manager = "hooks.nocrm@example.com"
		make_user(manager, TRACKFLOW_MANAGER)
		self.addCleanup(remove_user, manager)
		make_webhook(URL, "lead.attributed", "conversion.created", key="of a manager", user=manager)
		with readable_by("Sales User", "CRM Lead"):
			make_lead(trackflow_visitor_id="v_00000000000000aa")
			work()
		self.assertEqual((told("lead.attributed"), len(told("conversion.created"))), ([], 1))


class TestPermissions(TrackFlowTestCase):
	"""A webhook tells what its key's user may read, document by document."""

	user = "hooks.narrowed@example.com"

	def setUp(self) -> None:
		super().setUp()
		make_user(self.user, TRACKFLOW_MANAGER)
		self.addCleanup(remove_user, self.user)

	def test_user_permissions_narrow(self) -> None:
		if not frappe.db.exists("DocType", "User Permission"):
			self.skipTest("This host has no user permissions")
		mine, other = make_campaign("Mine").name, make_campaign("Other").name
		self.addCleanup(frappe.db.delete, "User Permission", {"user": self.user})
		frappe.get_doc(
			{"doctype": "User Permission", "user": self.user, "allow": "Link Campaign", "for_value": mine}
		).insert()
		make_webhook(URL, "campaign.updated", user=self.user)
		for name in (mine, other):
			doc = frappe.get_doc("Link Campaign", name)
			doc.status = "Paused"
			doc.save()
		self.assertEqual([item["campaign"] for item in told("campaign.updated")], [mine])

	def test_without_the_role_nothing_is_told(self) -> None:
		make_webhook(URL, "link.created", user=self.user)
		frappe.get_doc("User", self.user).remove_roles(TRACKFLOW_MANAGER)
		frappe.clear_messages()
		make_link()
		self.assertEqual(told("link.created"), [])
		self.assertEqual(frappe.local.message_log, [])


class TestWaste(WasteTestCase):
	"""Waste is told once a month, whatever managers are told."""

	def test_once(self) -> None:
		make_webhook(URL, "waste.detected")
		self.spent(600)
		with patch("trackflow.waste.notices.yesterday", return_value=DAY):
			for _morning in range(2):
				self.assertEqual(notices.tell_wasted(), 0)
			(item,) = told("waste.detected")
			make_webhook("https://other.example/", "waste.detected", key="other")
			notices.tell_wasted()
		self.assertEqual(
			(item["reason"], item["severity"], item["waste_spend"]), ("no_conversions", "high", 600)
		)
		self.assertEqual(len(told("waste.detected")), 2)


class TestLimits(KeyedTestCase):
	"""Limits that refused requests, in sums."""

	def test_of_a_key_and_of_an_endpoint(self) -> None:
		make_webhook(URL, "limit.exceeded")
		key = self.key_of(name="busy", limit_per_minute=1)
		self.ask(key)
		for _each in range(3):
			self.ask(key, status=429)
		tally.tell()
		with patch("trackflow.webhooks.limit_hits.time.time", return_value=limit_hits.time.time() + 60):
			self.assertEqual((limit_hits.tell_limits(), limit_hits.tell_limits()), (2, 0))
		items = {item["limit"]: item for item in told("limit.exceeded")}
		self.assertEqual(
			{name: (item["key"], item["refused"]) for name, item in items.items()},
			{"api": (None, 3), "key": ("busy", 3)},
		)

	def test_nobody_asks(self) -> None:
		with patch.object(tally, "read", side_effect=AssertionError):
			self.assertEqual(limit_hits.tell_limits(), 0)


class TestErasure(TrackFlowTestCase):
	"""CRM-8: who is erased is taken out of messages; the others' part stays, and is delivered."""

	def test_of_messages_that_wait(self) -> None:
		make_webhook(URL, "visitor.identified")
		writer.write(
			[
				event_record(number, event_type="IDENTIFY", person={"contact_email": email})
				for number, email in ((1, ADA), (2, BOB))
			]
		)
		drain.drain()
		self.assertEqual(len(told("visitor.identified")), 2)
		self.addCleanup(frappe.db.delete, "TrackFlow Erasure")
		copy = BytesIO()
		export.write(subjects.find(ADA), copy)
		(row,) = json.loads(copy.getvalue())["tables"]["Webhook Delivery"]["rows"]
		self.assertEqual([item["visitor"] for item in row["payload"]["items"]], [VISITOR.format(1)])
		done = erasure.erase(ADA)
		self.assertEqual(done["rows"]["Webhook Delivery"], 1)
		self.assertEqual([item["visitor"] for item in told("visitor.identified")], [VISITOR.format(2)])
		self.assertEqual(frappe.get_all(DELIVERY, pluck="status"), ["Pending"])
		erasure.erase(BOB)
		self.assertEqual(frappe.db.count(DELIVERY), 0)
