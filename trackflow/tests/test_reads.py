"""Reads of visitors' data are logged at level HIPAA: COL-7."""

import json
import unittest
from importlib.util import find_spec
from typing import Any

import frappe

from trackflow import bulk
from trackflow.constants.roles import TRACKFLOW_MANAGER
from trackflow.tests.base import TrackFlowTestCase, needs_crm
from trackflow.tests.factories import SHOP, make_domain, make_lead, make_visitor
from trackflow.tests.users import make_user, remove_user

READER, SECRET = "reader@example.com", "s3cr3t"
VISITOR = "v_00000000000000aa"
METHOD = "/api/method/trackflow.api.visitor"


class TestReads(TrackFlowTestCase):
	"""COL-7: who read whom, by whatever way, and nothing where no domain is of that level."""

	def setUp(self) -> None:
		super().setUp()
		user = make_user(
			READER, TRACKFLOW_MANAGER, *(["Sales User"] if frappe.db.exists("Role", "Sales User") else [])
		)
		user.api_key, user.api_secret = frappe.generate_hash(length=15), SECRET
		user.save(ignore_permissions=True)
		self.headers = {"Authorization": f"token {user.api_key}:{SECRET}"}
		self.addCleanup(remove_user, READER)
		frappe.db.delete("Access Log", {"user": READER})
		self.addCleanup(lambda: frappe.db.delete("Access Log", {"user": READER}))
		make_visitor(VISITOR)
		bulk.insert(
			"Visitor Session",
			[{"name": "session", "visitor_id": VISITOR, "session_start": "2026-03-01 10:00:00"}],
		)

	def read(self, path: str, status: int = 200, **query: Any) -> list[tuple[str, str, dict[str, Any]]]:
		"""What is logged of a request: DocType, document, filters."""
		before = set(frappe.get_all("Access Log", {"user": READER}, pluck="name"))
		answer = self.get(path, query_string=query, headers=self.headers)
		self.assertEqual(answer.status_code, status, answer.text)
		rows = frappe.get_all(
			"Access Log",
			{"user": READER},
			["name", "export_from", "reference_document", "method", "filters"],
			order_by="name",
		)
		new = [row for row in rows if row.name not in before]
		self.assertTrue(all(row.method == path.replace("%20", " ") for row in new))
		return [(row.export_from, row.reference_document or "", json.loads(row.filters)) for row in new]

	def test_every_way(self) -> None:
		make_domain(SHOP, privacy_level="HIPAA")
		one = {"documents": [VISITOR], "count": 1}
		self.assertEqual(self.read(f"/api/resource/Visitor/{VISITOR}"), [("Visitor", VISITOR, one)])
		self.assertEqual(
			self.read(f"{METHOD}.get_visitor_data", visitor_id=VISITOR), [("Visitor", VISITOR, one)]
		)
		self.assertEqual(self.read(f"{METHOD}.get_journey", visitor_id=VISITOR), [("Visitor", VISITOR, one)])
		filters = json.dumps([["visitor_id", "=", VISITOR]])
		((doctype, _name, asked),) = self.read("/api/resource/Visitor%20Session", filters=filters, sid="x")
		self.assertEqual((doctype, asked["filters"]), ("Visitor Session", filters))
		self.assertNotIn("sid", asked)
		((doctype, _name, _asked),) = self.read(
			"/api/method/frappe.client.get_value", doctype="Visitor", fieldname="country", filters=VISITOR
		)
		self.assertEqual(doctype, "Visitor")

	def test_the_click_queue(self) -> None:
		"""It holds whole records."""
		make_domain(SHOP, privacy_level="HIPAA")
		bulk.insert("Click Queue", [{"name": "kept", "status": "Failed", "payload": "{}"}])
		one = {"documents": ["kept"], "count": 1}
		self.assertEqual(self.read("/api/resource/Click%20Queue/kept"), [("Click Queue", "kept", one)])
		((doctype, _name, _asked),) = self.read("/api/resource/Click%20Queue")
		self.assertEqual(doctype, "Click Queue")

	def test_printing(self) -> None:
		"""Frappe calls `before_print` by whatever way it prints, in a request or in a job."""
		frappe.set_user(READER)
		self.addCleanup(frappe.set_user, "Administrator")
		for level, printed in (
			("GDPR", []),
			("HIPAA", [("Visitor", VISITOR), ("Visitor Session", "session")]),
		):
			domain = make_domain(f"{level.lower()}.example.com", privacy_level=level)
			self.assertTrue(domain.name)
			for doctype, name in (("Visitor", VISITOR), ("Visitor Session", "session")):
				frappe.get_doc(doctype, name).run_method("before_print", {})
			for hook in frappe.get_hooks("after_job"):
				frappe.call(hook, method="print", kwargs={}, result=None)
			rows = frappe.get_all(
				"Access Log", {"user": READER}, ["export_from", "reference_document"], order_by="export_from"
			)
			self.assertEqual([(row.export_from, row.reference_document) for row in rows], printed)

	@unittest.skipUnless(find_spec("frappe.www.printview"), "This host does not print.")
	def test_printing_over_http(self) -> None:
		make_domain(SHOP, privacy_level="HIPAA")
		path = "/api/method/frappe.www.printview.get_html_and_style"
		self.assertEqual(
			self.read(path, doc="Visitor", name=VISITOR),
			[("Visitor", VISITOR, {"documents": [VISITOR], "count": 1})],
		)

	def test_what_is_no_read(self) -> None:
		make_domain(SHOP, privacy_level="HIPAA")
		self.assertEqual(self.read(f"{METHOD}.get_visitor_data", 404, visitor_id="v_ffffffffffffffff"), [])
		self.assertEqual(self.read("/api/resource/Tracked%20Link"), [])
		self.get(f"{METHOD}.get_visitor_data", cookies={"trackflow_visitor": VISITOR})
		self.assertFalse(frappe.db.exists("Access Log", {"user": "Guest"}))

	def test_other_levels(self) -> None:
		make_domain(SHOP, privacy_level="GDPR")
		self.assertEqual(self.read(f"/api/resource/Visitor/{VISITOR}"), [])
		self.assertEqual(self.read("/api/resource/Visitor%20Session"), [])

	@needs_crm
	def test_a_leads_visitors(self) -> None:
		make_domain(SHOP, privacy_level="HIPAA")
		lead = make_lead().name
		frappe.db.set_value("Visitor", VISITOR, "crm_lead", lead)
		for path in (
			"/api/method/trackflow.integrations.crm_lead.get_lead_tracking_data", f"{METHOD}.get_journey",
		):  # fmt: skip
			self.assertIn(VISITOR, [name for _doctype, name, _filters in self.read(path, lead=lead)])
