"""Who may do what over REST, by role: every DocType, contact and CRM data, figures that nobody sets (ROL-P, DATA-3)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import quote

import frappe
from frappe.model.base_document import get_controller
from frappe.utils import now_datetime
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request

from trackflow import bulk
from trackflow.constants.app import MODULE
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.privacy.guarded import refuse_guesses
from trackflow.records import TableRow
from trackflow.tests import factories
from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.users import PeopleTestCase
from trackflow.trackflow.doctype.figures import FIGURES

MANAGER, CAMPAIGNER, NOBODY = (f"permissions.{who}@example.com" for who in ("manager", "campaigns", "nobody"))
ROLES = {MANAGER: (TRACKFLOW_MANAGER,), CAMPAIGNER: (CAMPAIGN_MANAGER,), NOBODY: ()}
VISITOR = "v_00000000000000aa"
# What tells who a visitor is, and which document of the CRM.
GUARDED = {
	"Visitor Event": {"form_data": '{"values": {"email": "ada@example.com"}}'},
	"Visitor": {"contact_email": "ada@example.com", "contact_name": "Ada", "crm_lead": "LEAD-1"},
	"Conversion": {
		"crm_lead": "LEAD-1",
		"crm_deal": "DEAL-1",
		"source_name": "DEAL-1",
		"external_id": "deal:DEAL-1",
	},
}
OF_CRM = ("Deal Attribution", "Deal Link Association", "Deal Stage Change", "Lead Status Change")


class PermissionTestCase(PeopleTestCase):
	"""Three users with an API key each: one who manages TrackFlow, one who manages campaigns, one without a role."""

	roles = ROLES

	def api(self, user: str | None, method: str, *parts: str, **options: Any) -> TestResponse:
		"""A request for /api/resource/… as a user; None is a guest."""
		headers = self.authorization(user)
		return self.request(method, quote("/".join(("/api/resource", *parts))), headers=headers, **options)

	def rows(self, user: str, doctype: str, *fields: str, **query: Any) -> list[dict[str, Any]]:
		answer = self.api(user, "GET", doctype, query_string={"fields": json.dumps(fields or ["*"]), **query})
		self.assertEqual(answer.status_code, 200, answer.text)
		return answer.json["data"]

	def assert_refused(self, answer: TestResponse) -> None:
		self.assertEqual((answer.status_code, answer.json.get("exc_type")), (403, "PermissionError"))
		self.assertNotIn("data", answer.json)


@contextmanager
def asking(**arguments: str) -> Iterator[None]:
	"""While a request with these arguments is under way."""
	former = frappe.local.form_dict, getattr(frappe.local, "request", None)
	frappe.local.form_dict, frappe.local.request = frappe._dict(arguments), Request({"REQUEST_METHOD": "GET"})
	try:
		yield
	finally:
		frappe.local.form_dict, frappe.local.request = former


class TestContactsAndCrm(PermissionTestCase):
	"""ROL-P: analytics are for Campaign Managers too, contact and CRM data are not."""

	def setUp(self) -> None:
		super().setUp()
		factories.make_visitor(VISITOR, source="news", **GUARDED["Visitor"])
		form = {"name": "form", "visitor": VISITOR, "event_type": "FORM_SUBMIT", "timestamp": now_datetime()}
		bulk.insert("Visitor Event", [{**form, **GUARDED["Visitor Event"]}])
		row = {
			"name": "deal-won",
			"visitor": VISITOR,
			"conversion_type": "Deal Won",
			"conversion_date": now_datetime(),
			"value": 100,
			"source_doctype": "ToDo",
			**GUARDED["Conversion"],
		}
		bulk.insert("Conversion", [row])
		credit = {"name": "credit", "conversion": "deal-won", "visitor_id": VISITOR}
		bulk.insert("Attribution Link", [credit])

	def test_lists(self) -> None:
		for doctype, guarded in GUARDED.items():
			for fields in ((), ("name", *guarded)):
				with self.subTest(doctype, fields=fields):
					(row,) = self.rows(CAMPAIGNER, doctype, *fields)
					self.assertIn("name", row)
					self.assertFalse(guarded.keys() & row.keys())
					(row,) = self.rows(MANAGER, doctype, *fields)
					self.assertEqual({field: row[field] for field in guarded}, guarded)

	def test_analytics_are_read(self) -> None:
		(row,) = self.rows(CAMPAIGNER, "Visitor", "visitor_id", "source")
		self.assertEqual(row, {"visitor_id": VISITOR, "source": "news"})
		(row,) = self.rows(CAMPAIGNER, "Conversion", "conversion_type", "value", "visitor")
		self.assertEqual(row, {"conversion_type": "Deal Won", "value": 100, "visitor": VISITOR})

	def test_documents(self) -> None:
		for doctype, guarded in GUARDED.items():
			name = frappe.get_all(doctype, pluck="name")[0]
			with self.subTest(doctype):
				document = self.api(CAMPAIGNER, "GET", doctype, name).json["data"]
				self.assertEqual(document["name"], name)
				self.assertFalse(guarded.keys() & document.keys())
				document = self.api(MANAGER, "GET", doctype, name).json["data"]
				self.assertEqual({field: document[field] for field in guarded}, guarded)

	def test_no_way_round_by_a_link_or_a_function(self) -> None:
		(row,) = self.rows(CAMPAIGNER, "Attribution Link", "name", "conversion.crm_deal", "conversion.value")
		self.assertEqual(row, {"name": "credit", "value": 100})
		# Some hosts leave out what is computed before any hook is asked.
		query = {"fields": json.dumps(["name", "max(contact_email) as most"]), "group_by": "name"}
		answer = self.api(CAMPAIGNER, "GET", "Visitor", query_string=query)
		self.assertIn(answer.json.get("data"), (None, [{"name": VISITOR}]))
		self.assertIn(answer.status_code, (200, 403))
		value = {"doctype": "Visitor", "fieldname": '["name", "contact_email"]', "filters": VISITOR}
		headers = self.authorization(CAMPAIGNER)
		answer = self.get("/api/method/frappe.client.get_value", query_string=value, headers=headers)
		self.assertEqual(answer.json["message"], {"name": VISITOR})

	def test_nothing_is_guessed_by_filters_and_orders(self) -> None:
		"""What may not be read chooses, groups and orders no rows, however its name is spelled."""
		escaped = '[["contact\\u005femail", "like", "a%"]]'
		self.assertEqual(json.loads(escaped), [["contact_email", "like", "a%"]])
		for doctype, query in (
			("Visitor", {"filters": '[["contact_email", "like", "a%"]]'}),
			("Visitor", {"filters": escaped}),
			("Visitor", {"or_filters": '[["crm_lead", "=", "LEAD-1"], ["source", "=", "x"]]'}),
			("Visitor", {"order_by": "`tabVisitor`.`contact_email` desc"}),
			("Visitor", {"group_by": "contact_email"}),
			("Visitor Event", {"filters": '[["form_data", "like", "%ada%"]]'}),
			("Visitor Session", {"filters": '{"visitor_id.contact_email": ["like", "a%"]}'}),
			("Conversion", {"filters": '[["crm_deal", "=", "DEAL-1"]]'}),
			("Attribution Link", {"filters": '{"conversion.crm_deal": "DEAL-1"}'}),
		):
			with self.subTest(doctype, query=query):
				self.assert_refused(self.api(CAMPAIGNER, "GET", doctype, query_string=query))
		# What a database would take for the same name; some hosts refuse it as no field.
		for spelled in ("CONTACT_Email", "contáct_email"):
			filters = json.dumps([[spelled, "like", "a%"]], ensure_ascii=False)
			answer = self.api(CAMPAIGNER, "GET", "Visitor", query_string={"filters": filters})
			self.assertIn(answer.status_code, (403, 417))
			with self.assertRaises(frappe.PermissionError), asking(filters=filters):
				refuse_guesses(CAMPAIGNER, "Visitor")
		computed = '["name", "count(contact_email) as n"]'
		with self.assertRaises(frappe.PermissionError), asking(fields=computed):
			refuse_guesses(CAMPAIGNER, "Visitor")
		for query in (
			{"filters": '[["source", "=", "news"]]', "order_by": "last_seen desc"},
			{
				"filters": '[["source", "!=", "my_contact_email\\n"]]',
				"fields": '["name", "contact_email", "source"]',
			},
		):
			(row,) = self.api(CAMPAIGNER, "GET", "Visitor", query_string=query).json["data"]
			self.assertEqual(row["name"], VISITOR)
		filters = '[["contact_email", "like", "ada%"]]'
		for order in ("contact_email desc", "name asc"):
			(row,) = self.rows(MANAGER, "Visitor", "contact_email", filters=filters, order_by=order)
			self.assertEqual(row["contact_email"], "ada@example.com")

	def test_nobody_is_counted_by_what_is_guarded(self) -> None:
		headers = self.authorization(CAMPAIGNER)
		for method, query in (
			("frappe.client.get", {"doctype": "Visitor", "filters": '{"contact_email": ["like", "a%"]}'}),
			("frappe.client.get", {"doctype": "Visitor", "filters": '{"contact_email": ["like", "b%"]}'}),
			(
				"frappe.client.get_count",
				{"doctype": "Visitor", "filters": '{"contact_email": ["like", "a%"]}'},
			),
			(
				"frappe.client.get_value",
				{"doctype": "Visitor", "fieldname": "name", "filters": '{"crm_lead": "LEAD-1"}'},
			),
			("frappe.client.get_list", {"doctype": "Visitor", "filters": '{"contact_name": ["like", "a%"]}'}),
		):
			with self.subTest(method):
				answer = self.get(f"/api/method/{method}", query_string=query, headers=headers)
				self.assert_refused(answer)

	def test_nobody_is_found_by_what_is_guarded(self) -> None:
		"""What a link field searches and shows heeds no permission level."""
		for doctype, guarded in GUARDED.items():
			self.assertFalse(guarded.keys() & set(frappe.get_meta(doctype).get_search_fields()))

	def test_deals_and_leads(self) -> None:
		for doctype in OF_CRM:
			bulk.insert(doctype, [{"name": "one"}])
			with self.subTest(doctype):
				self.assert_refused(self.api(CAMPAIGNER, "GET", doctype))
				self.assert_refused(self.api(CAMPAIGNER, "GET", doctype, "one"))
				self.assertEqual(self.rows(MANAGER, doctype, "name"), [{"name": "one"}])
				self.assertEqual(self.api(MANAGER, "GET", doctype, "one").json["data"]["name"], "one")


class TestStrangers(PermissionTestCase):
	"""ROL-P: guests and people without a role get nothing from any DocType."""

	def test_every_doctype(self) -> None:
		doctypes = frappe.get_all("DocType", {"module": MODULE}, pluck="name", order_by="name")
		self.assertGreater(len(doctypes), 30)
		for doctype in doctypes:
			for user in (None, NOBODY):
				with self.subTest(doctype, user=user):
					self.assert_refused(self.api(user, "GET", doctype))
					self.assert_refused(self.api(user, "POST", doctype, json={}))

	def test_documents_that_exist(self) -> None:
		factories.make_visitor(VISITOR)
		factories.make_campaign("Spring Sale")
		link = factories.make_link(
			"flyer", variants=[{"variant_name": "A", "destination_url": "https://a.b"}]
		)
		names = {
			"Visitor": VISITOR,
			"Link Campaign": "Spring Sale",
			"Tracked Link": link.name,
			"Campaign Link Variant": link.variants[0].name,
			"TrackFlow Settings": "TrackFlow Settings",
		}
		for doctype, name in names.items():
			for user in (None, NOBODY):
				for method, options in (("GET", {}), ("PUT", {"json": {"source": "x"}}), ("DELETE", {})):
					with self.subTest(doctype, user=user, method=method):
						self.assert_refused(self.api(user, method, doctype, name, **options))


class TestCampaignManagers(PermissionTestCase):
	"""ROL-P: campaigns and links in full, nothing else."""

	def test_campaigns_and_links_are_theirs(self) -> None:
		created = self.api(CAMPAIGNER, "POST", "Link Campaign", json={"campaign_name": "Spring Sale"})
		self.assertEqual(created.status_code, 200, created.text)
		link = {"short_code": "flyer", "target_url": "https://shop.example.com/", "campaign": "Spring Sale"}
		created = self.api(CAMPAIGNER, "POST", "Tracked Link", json=link)
		self.assertEqual(created.status_code, 200, created.text)
		name = created.json["data"]["name"]
		changed = self.api(CAMPAIGNER, "PUT", "Tracked Link", name, json={"title": "Flyer"})
		self.assertEqual(changed.json["data"]["title"], "Flyer")
		for doctype, one in (("Tracked Link", name), ("Link Campaign", "Spring Sale")):
			self.assertEqual(self.api(CAMPAIGNER, "DELETE", doctype, one).status_code, 202)

	def test_settings_domains_and_records_are_not(self) -> None:
		factories.make_domain("go.example.com")
		factories.make_visitor(VISITOR)
		click = {"name": "click", "visitor_id": VISITOR, "event_type": "Click"}
		bulk.insert("Click Event", [{**click, "click_timestamp": now_datetime()}])
		for doctype, name, change in (
			("TrackFlow Settings", "TrackFlow Settings", {"enable_tracking": 0}),
			("Domain Configuration", "go.example.com", {"enabled": 0}),
			("Click Event", "click", {"counted": 1}),
			("Visitor", VISITOR, {"contact_email": "other@example.com"}),
		):
			with self.subTest(doctype):
				self.assert_refused(self.api(CAMPAIGNER, "PUT", doctype, name, json=change))
				self.assert_refused(self.api(CAMPAIGNER, "POST", doctype, json=change))
				self.assert_refused(self.api(CAMPAIGNER, "DELETE", doctype, name))
		self.assert_refused(self.api(CAMPAIGNER, "GET", "TrackFlow Settings", "TrackFlow Settings"))


class TestForgedFigures(PermissionTestCase):
	"""DATA-3: nobody sets a figure, neither at first nor later, neither on a document nor on a row."""

	def setUp(self) -> None:
		super().setUp()
		factories.make_campaign("Spring Sale")
		row = {"variant_name": "A", "destination_url": "https://shop.example.com/a"}
		self.link = factories.make_link("flyer", variants=[row])
		self.variant = self.link.variants[0].name
		bulk.update("Tracked Link", {self.link.name: {"click_count": 3, "last_click": "2026-03-01 10:00:00"}})
		bulk.update("Campaign Link Variant", {self.variant: {"clicks": 2}})

	def check(self, answer: TestResponse) -> None:
		self.assertEqual(answer.status_code, 200, answer.text)
		self.assertEqual(
			frappe.db.get_value("Tracked Link", self.link.name, ("click_count", "scan_count", "revenue")),
			(3, 0, 0),
		)
		last = frappe.db.get_value("Tracked Link", self.link.name, "last_click")
		self.assertEqual(str(last), "2026-03-01 10:00:00")
		row = frappe.db.get_value("Campaign Link Variant", self.variant, ("clicks", "conversions"))
		self.assertEqual(row, (2, 0))

	def forged(self, doctype: str) -> dict[str, Any]:
		values: dict[str, Any] = dict.fromkeys(FIGURES[doctype], 99)
		return {**values, "last_click": "2026-11-11 11:11:11"} if "last_click" in values else values

	def test_a_link_read_earlier_is_sent_back(self) -> None:
		read = self.api(CAMPAIGNER, "GET", "Tracked Link", self.link.name).json["data"]
		bulk.update("Tracked Link", {self.link.name: {"click_count": 5}})
		bulk.update("Campaign Link Variant", {self.variant: {"clicks": 4}})
		answer = self.api(CAMPAIGNER, "PUT", "Tracked Link", self.link.name, json=read)
		self.assertEqual(answer.json["data"]["click_count"], 5)
		self.assertEqual(frappe.db.get_value("Tracked Link", self.link.name, "click_count"), 5)
		self.assertEqual(frappe.db.get_value("Campaign Link Variant", self.variant, "clicks"), 4)

	def test_a_link_is_changed(self) -> None:
		for user in (CAMPAIGNER, MANAGER):
			body = self.forged("Tracked Link")
			self.check(self.api(user, "PUT", "Tracked Link", self.link.name, json=body))

	def test_a_row_is_changed_with_its_link(self) -> None:
		read = self.api(CAMPAIGNER, "GET", "Tracked Link", self.link.name).json["data"]
		read["variants"][0].update(self.forged("Campaign Link Variant"))
		self.check(self.api(CAMPAIGNER, "PUT", "Tracked Link", self.link.name, json=read))

	def test_a_campaign_is_changed(self) -> None:
		body = self.forged("Link Campaign")
		answer = self.api(CAMPAIGNER, "PUT", "Link Campaign", "Spring Sale", json=body)
		self.assertEqual(answer.status_code, 200, answer.text)
		stored = frappe.db.get_value("Link Campaign", "Spring Sale", FIGURES["Link Campaign"], as_dict=True)
		self.assertFalse(any(stored.values()))

	def test_new_ones(self) -> None:
		row = {"variant_name": "A", "destination_url": "https://shop.example.com/a"}
		body = {
			"target_url": "https://shop.example.com/",
			"variants": [{**row, **self.forged("Campaign Link Variant")}],
			**self.forged("Tracked Link"),
		}
		data = self.api(CAMPAIGNER, "POST", "Tracked Link", json=body).json["data"]
		found = [data.get(field) for field in FIGURES["Tracked Link"]]
		found += [data["variants"][0].get(field) for field in FIGURES["Campaign Link Variant"]]
		self.assertFalse(any(found))


class TestRowsOfTables(PermissionTestCase):
	"""SEC-1: a row is written with its document, which judges it, and never by itself."""

	def test_rows_that_are_there(self) -> None:
		(hook,) = factories.make_webhook("https://hooks.example.com/x", "link.created")
		row = {"variant_name": "A", "destination_url": "https://shop.example.com/a"}
		variant = factories.make_link("flyer", variants=[row]).variants[0].name
		for doctype, name, change in (
			("API Key Webhook Event", hook, {"webhook_url": "https://evil.example.com/"}),
			("Campaign Link Variant", variant, {"destination_url": "https://evil.example.com/"}),
		):
			before = frappe.get_all(doctype, fields=["*"], filters={"name": name})
			with self.subTest(doctype):
				self.assert_refused(self.api(MANAGER, "PUT", doctype, name, json=change))
				self.assert_refused(self.api(MANAGER, "DELETE", doctype, name))
				self.assertEqual(frappe.get_all(doctype, fields=["*"], filters={"name": name}), before)

	def test_rows_beside_their_document(self) -> None:
		factories.make_webhook("https://hooks.example.com/x", "link.created")
		of_key = {"parent": "hooks", "parenttype": "TrackFlow API Key"}
		for doctype, body in (
			("API Key IP Whitelist", {"parentfield": "ip_whitelist", "ip_address": "garbage"}),
			("API Key Permission", {"parentfield": "scopes", "permission_type": "admin:write"}),
			(
				"API Key Webhook Event",
				{"parentfield": "webhook_events", "event_type": "limit.exceeded", "webhook_url": "http://e"},
			),
		):
			with self.subTest(doctype):
				before = frappe.db.count(doctype)
				self.assert_refused(self.api(MANAGER, "POST", doctype, json={**of_key, **body}))
				self.assertEqual(frappe.db.count(doctype), before)

	def test_every_table_has_rows_of_that_kind(self) -> None:
		for doctype in frappe.get_all(
			"DocType", {"module": MODULE, "istable": 1}, pluck="name", order_by="name"
		):
			self.assertTrue(issubclass(get_controller(doctype), TableRow), doctype)
