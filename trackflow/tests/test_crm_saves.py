"""What TrackFlow costs the save of a lead, and what goes wrong behind it (CRM-2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import frappe
from frappe.model.document import Document
from redis.exceptions import ConnectionError as RedisIsAway

from trackflow.config import forget_config
from trackflow.integrations import crm_lead, sweep, waiting
from trackflow.stream import connection
from trackflow.tests.bare_saves import without_our_hooks
from trackflow.tests.base import TrackFlowTestCase, counted_statements, needs_crm, work
from trackflow.tests.factories import make_deal, make_lead, make_visitor
from trackflow.tracking.conversions import name_of

VISITOR = "v_00000000000000aa"
MOST_STATEMENTS = 2


def waiting_leads() -> int:
	return connection.connect().llen(connection.key(waiting.LEADS_KEY))


def save(doc: Document, **values: Any) -> int:
	"""Save a document with these values; how many statements that took."""
	doc.update(values)
	with counted_statements() as statements:
		doc.save()
	return len(statements)


def insert(doctype: str, **values: Any) -> int:
	doc = frappe.get_doc({"doctype": doctype, **values})
	with counted_statements() as statements:
		doc.insert()
	return len(statements)


@needs_crm
class TestCost(TrackFlowTestCase):
	"""CRM-2: the save of a lead costs at most two statements more than without TrackFlow."""

	values = {"first_name": "Ada", "email": "ada@example.com", "status": "New"}

	def setUp(self) -> None:
		super().setUp()
		make_visitor(VISITOR)
		# What a worker remembers after its first lead and its first deal.
		save(make_lead(), status="Contacted")
		save(make_deal(), website="https://example.com")

	def assert_costs(self, most: int, cost: Any) -> None:
		with without_our_hooks():
			bare = cost()
		with self.subTest(most=most):
			self.assertEqual(cost() - bare, most)

	def test_a_new_lead(self) -> None:
		self.assert_costs(MOST_STATEMENTS, lambda: insert("CRM Lead", **self.values))
		self.assert_costs(
			MOST_STATEMENTS, lambda: insert("CRM Lead", **self.values, trackflow_visitor_id=VISITOR)
		)
		self.assertEqual(frappe.db.count("Lead Status Change"), 4)

	def test_another_name(self) -> None:
		self.assert_costs(0, lambda: save(make_lead(), last_name="Lovelace"))

	def test_another_status(self) -> None:
		self.assert_costs(MOST_STATEMENTS, lambda: save(make_lead(), status="Contacted"))

	def test_another_address(self) -> None:
		self.assert_costs(1, lambda: save(make_lead(), email="countess@example.com"))

	def test_a_deal_that_changes_nothing_of_ours(self) -> None:
		self.assert_costs(0, lambda: save(make_deal(), website="https://example.com"))


@needs_crm
class TestTrouble(TrackFlowTestCase):
	"""CRM-2: whatever goes wrong in TrackFlow, the lead is stored."""

	def assert_stored(self, lead: Document) -> None:
		frappe.db.commit()
		self.assertTrue(frappe.db.exists("CRM Lead", lead.name))

	def saved(self) -> Document:
		"""A lead that is made, and changed in all that the hooks look at."""
		lead = make_lead(trackflow_visitor_id="nonsense")
		lead.update({"status": "Contacted", "email": "countess@example.com"})
		lead.save()
		return lead

	def test_settings_that_make_no_sense(self) -> None:
		for field, value in (("attribution_window_days", -1), ("custom_attribution_settings", "{")):
			former = frappe.db.get_single_value("TrackFlow Settings", field)
			with self.subTest(field):
				frappe.db.set_single_value("TrackFlow Settings", field, value)
				forget_config()
				try:
					self.assert_stored(self.saved())
					work()
				finally:
					frappe.db.set_single_value("TrackFlow Settings", field, former)
					frappe.db.commit()

	def test_a_table_that_is_missing(self) -> None:
		real = crm_lead.bulk.insert

		def insert(doctype: str, *args: Any, **options: Any) -> None:
			real("No Such Table" if doctype == "Lead Status Change" else doctype, *args, **options)

		with patch("trackflow.integrations.status_changes.bulk.insert", insert):
			lead = self.saved()
		self.assert_stored(lead)
		failed = frappe.get_all("Error Log", {"method": ("like", f"TrackFlow:%{lead.name}")}, pluck="name")
		self.assertTrue(failed)

	def test_no_redis(self) -> None:
		with (
			patch("trackflow.stream.connection.get_redis_conn", side_effect=RedisIsAway("away")),
			patch("trackflow.jobs.frappe.enqueue", side_effect=RedisIsAway("away")),
		):
			lead = self.saved()
			self.assert_stored(lead)
		self.assertFalse(frappe.db.exists("Conversion", name_of("Lead", lead.name)))
		sweep.sweep()
		work()
		self.assertTrue(frappe.db.exists("Conversion", name_of("Lead", lead.name)))

	def test_a_lead_that_is_not_stored_does_not_wait(self) -> None:
		make_lead()
		frappe.db.rollback()
		self.assertEqual(waiting_leads(), 0)


@needs_crm
class TestMany(TrackFlowTestCase):
	"""CRM-2: leads that are imported are attributed many at a time, each as if it were alone."""

	def make(self, number: int) -> list[str]:
		names = []
		for index in range(number):
			visitor = make_visitor(f"v_{index:016x}", contact_email=f"p{index}@example.com")
			given = {"trackflow_visitor_id": visitor} if index % 2 else {"email": f"P{index}@example.com"}
			names.append(make_lead(**given).name)
		frappe.db.commit()
		return names

	def test_each_has_its_visitor_and_conversion(self) -> None:
		names = self.make(7)
		self.assertEqual(waiting_leads(), 7)
		with patch.object(waiting, "AT_ONCE", 3):
			crm_lead.attribute_waiting()
		for index, name in enumerate(names):
			visitor = f"v_{index:016x}"
			self.assertEqual(frappe.db.get_value("CRM Lead", name, "trackflow_visitor_id"), visitor)
			self.assertEqual(frappe.db.get_value("Visitor", visitor, "crm_lead"), name)
			conversion = frappe.db.get_value(
				"Conversion", name_of("Lead", name), ["visitor", "attribution_status"]
			)
			self.assertEqual(conversion, (visitor, "Done"))
		self.assertEqual(waiting_leads(), 0)

	def test_more_leads_take_no_more_statements(self) -> None:
		taken = []
		for number in (2, 12):
			self.make(number)
			with counted_statements() as statements:
				crm_lead.attribute_waiting()
			taken.append(len(statements))
			frappe.db.delete("Visitor")
		self.assertLessEqual(taken[1], taken[0] + 5)

	def test_two_leads_of_one_visitor(self) -> None:
		make_visitor(VISITOR)
		first, second = (make_lead(trackflow_visitor_id=VISITOR).name for _time in range(2))
		crm_lead.attribute_all({second: "", first: ""})
		self.assertEqual(frappe.db.get_value("Visitor", VISITOR, "crm_lead"), first)

	def test_one_that_cannot_be_attributed_keeps_none_back(self) -> None:
		names = self.make(4)
		real = crm_lead.conversions.record_all

		def record_all(kind: str, rows: Any) -> list[str]:
			if names[1] in rows:
				raise ValueError("broken")
			return real(kind, rows)

		with patch("trackflow.integrations.crm_lead.conversions.record_all", record_all):
			crm_lead.attribute_waiting()
		stored = [bool(frappe.db.exists("Conversion", name_of("Lead", name))) for name in names]
		self.assertEqual(stored, [True, False, True, True])
		self.assertEqual(waiting_leads(), 0)
		self.assertEqual(sweep.sweep(), 1)

	def test_one_that_changes_while_the_job_looks_at_it(self) -> None:
		(name,) = self.make(1)
		real = crm_lead.attribute_all
		seen = []

		def attribute_all(references: Any) -> None:
			if not seen:
				waiting.add(name)
				frappe.db.commit()
			seen.append(dict(references))
			real(references)

		with patch("trackflow.integrations.crm_lead.attribute_all", attribute_all):
			crm_lead.attribute_waiting()
		self.assertEqual(seen, [{name: ""}] * 2)

	def test_a_job_that_died_leaves_them_to_the_next_one(self) -> None:
		(name,) = self.make(1)
		with (
			patch("trackflow.integrations.crm_lead.attribute_all", side_effect=waiting.TimeIsUp("over")),
			self.assertRaises(waiting.TimeIsUp),
		):
			crm_lead.attribute_waiting()
		self.assertEqual(waiting_leads(), 1)
		connection.connect().delete(connection.key(waiting.DUE_KEY))
		waiting.resume()
		frappe.db.commit()
		work()
		self.assertTrue(frappe.db.exists("Conversion", name_of("Lead", name)))

	def test_the_sweep_sees_all_pages(self) -> None:
		with patch("trackflow.integrations.waiting._add"):
			self.make(5)
		with patch("trackflow.integrations.sweep.AT_ONCE", 2):
			self.assertEqual(sweep.sweep(), 5)


@needs_crm
class TestErased(TrackFlowTestCase):
	"""CRM-8: a job that comes late brings nothing back, however many it works on."""

	def test_one_of_several(self) -> None:
		make_visitor(VISITOR)
		gone, there = make_lead().name, make_lead(trackflow_visitor_id=VISITOR).name
		frappe.db.set_value("CRM Lead", gone, "trackflow_visitor_id", "erased")
		crm_lead.attribute_all({gone: VISITOR, there: ""})
		crm_lead.after_credits([name_of("Lead", gone), name_of("Lead", there)])
		self.assertFalse(frappe.db.exists("Conversion", name_of("Lead", gone)))
		self.assertEqual(frappe.db.get_value("CRM Lead", gone, "trackflow_visitor_id"), "erased")
		self.assertTrue(frappe.db.exists("Conversion", name_of("Lead", there)))
