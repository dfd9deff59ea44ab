"""What TrackFlow relies on of its host, part six: REST resources, logins, API keys (HOST-2, SEC-1, KEY-1)."""

import base64
import json
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import frappe
from frappe.core.doctype.access_log.access_log import make_access_log
from frappe.desk import query_report
from werkzeug.test import TestResponse

from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.factories import make_campaign, make_link, make_visitor
from trackflow.tests.users import make_user, remove_user
from trackflow.tests.whitelisting import offer

try:
	from frappe.tests.utils import patch_hooks
except ImportError:
	from frappe.tests import patch_hooks

HERE = "trackflow.tests.test_host_contract_rest"
USER, PASSWORD, SECRET = "contract.rest@example.com", "Contract-7-words", "s3cr3t"
CAMPAIGNS = "/api/resource/Link Campaign"


class RestTestCase(TrackFlowTestCase):
	"""With a user who has the role Campaign Manager, a password and an API key."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		user = make_user(USER, "Campaign Manager", new_password=PASSWORD)
		user.api_key = cls.key = frappe.generate_hash(length=15)
		user.api_secret = SECRET
		user.save(ignore_permissions=True)
		frappe.db.commit()

	@classmethod
	def tearDownClass(cls) -> None:
		remove_user(USER)
		super().tearDownClass()

	def api(self, method: str, path: str = CAMPAIGNS, **options: Any) -> TestResponse:
		"""A request with the user's API key."""
		headers = {"Authorization": f"token {self.key}:{SECRET}", **options.pop("headers", {})}
		return self.request(method, quote(path), headers=headers, **options)


class TestReading(RestTestCase):
	"""HOST-2, COL-7: what is asked when documents and lists are given out, and the log of reads."""

	def test_the_hook_for_lists_is_asked_and_may_narrow_nothing(self) -> None:
		make_campaign("Spring Sale")
		for says, number in (("", 1), ("1=0", 0)):
			with (
				patch_hooks({"permission_query_conditions": {"Link Campaign": [f"{HERE}.narrow"]}}),
				patch(f"{HERE}.narrow", return_value=says) as narrow,
			):
				self.assertEqual(len(self.api("GET").json["data"]), number)
			self.assertTrue(narrow.called)

	def test_documents_are_given_out_by_one_method(self) -> None:
		name = make_campaign("Spring Sale").name
		seen = "frappe.model.document.Document.apply_fieldlevel_read_permissions"
		for path in (
			f"{CAMPAIGNS}/{name}",
			f"/api/method/frappe.client.get?doctype=Link Campaign&name={name}",
		):
			with patch(seen) as given:
				self.request("GET", path, headers={"Authorization": f"token {self.key}:{SECRET}"})
			self.assertTrue(given.called, path)

	def test_the_access_log(self) -> None:
		frappe.db.delete("Access Log", {"user": USER})
		frappe.set_user(USER)
		make_access_log(doctype="Visitor", document="v", method="/path", filters='{"a": 1}')
		frappe.set_user("Administrator")
		fields = ["export_from", "reference_document", "method", "filters"]
		(row,) = frappe.get_all("Access Log", {"user": USER}, fields)
		self.assertEqual(tuple(row.values()), ("Visitor", "v", "/path", '{"a": 1}'))
		frappe.db.delete("Access Log", {"user": USER})


class TestResources(RestTestCase):
	"""HOST-2: documents over REST."""

	def test_list(self) -> None:
		for number in range(25):
			make_campaign(f"Campaign {number:02}", source="even" if number % 2 == 0 else "odd")
		answer = self.api("GET")
		self.assertEqual((answer.status_code, answer.headers["Content-Type"]), (200, "application/json"))
		self.assertEqual(len(answer.json["data"]), 20)
		self.assertEqual(answer.json["data"][0].keys(), {"name"})
		query = {
			"fields": json.dumps(["name", "source"]),
			"filters": json.dumps([["source", "=", "even"]]),
			"order_by": "name desc",
			"limit_start": 1,
			"limit_page_length": 2,
		}
		expected = [{"name": "Campaign 22", "source": "even"}, {"name": "Campaign 20", "source": "even"}]
		self.assertEqual(self.api("GET", query_string=query).json, {"data": expected})
		by_dict = {"filters": json.dumps({"source": "odd"}), "limit": 100}
		self.assertEqual(len(self.api("GET", query_string=by_dict).json["data"]), 12)

	def test_create_read_update_delete(self) -> None:
		created = self.api("POST", json={"campaign_name": "Spring Sale", "status": "Active"})
		self.assertEqual(created.status_code, 200)
		data = created.json["data"]
		found = (data["doctype"], data["name"], data["campaign_id"], data["owner"])
		self.assertEqual(found, ("Link Campaign", "Spring Sale", "spring-sale", USER))
		one = f"{CAMPAIGNS}/Spring Sale"
		read = self.api("GET", one).json["data"]
		self.assertEqual((read["status"], read["budget"]), ("Active", 0.0))
		# What is empty is not sent.
		self.assertNotIn("start_date", read)
		self.assertRegex(read["creation"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$")
		updated = self.api("PUT", one, json={"source": "news", "start_date": "2026-02-03"})
		self.assertEqual((updated.status_code, updated.json["data"]["source"]), (200, "news"))
		self.assertEqual(self.api("GET", one).json["data"]["start_date"], "2026-02-03")
		deleted = self.api("DELETE", one)
		self.assertEqual((deleted.status_code, deleted.json), (202, {"data": "ok"}))
		self.assertEqual(self.api("GET", one).status_code, 404)

	def test_children(self) -> None:
		row = {"variant_name": "A", "destination_url": "https://shop.example.com/a"}
		body = {"target_url": "https://shop.example.com/", "variants": [row]}
		data = self.api("POST", "/api/resource/Tracked Link", json=body).json["data"]
		(variant,) = data["variants"]
		found = (variant["doctype"], variant["parent"], variant["idx"], variant["weight"])
		self.assertEqual(found, ("Campaign Link Variant", data["name"], 1, 50))

	def test_form_fields_instead_of_json(self) -> None:
		answer = self.api(
			"POST", data={"data": json.dumps({"campaign_name": "By form", "status": "Planned"})}
		)
		self.assertEqual(answer.json["data"]["name"], "By form")

	def test_errors(self) -> None:
		make_campaign(campaign_id="taken")
		make_link("abc", campaign="Spring Sale")
		stale = {"source": "x", "modified": "2020-01-01 00:00:00.000000"}
		cases = {
			"missing": ("GET", f"{CAMPAIGNS}/none", {}, 404, "DoesNotExistError"),
			"update of missing": (
				"PUT",
				f"{CAMPAIGNS}/none",
				{"json": {"source": "x"}},
				404,
				"DoesNotExistError",
			),
			"delete of missing": ("DELETE", f"{CAMPAIGNS}/none", {}, 404, "DoesNotExistError"),
			"mandatory": ("POST", "/api/resource/Tracked Link", {"json": {}}, 417, "MandatoryError"),
			"select": (
				"POST",
				CAMPAIGNS,
				{"json": {"campaign_name": "x", "status": "y"}},
				417,
				"ValidationError",
			),
			"taken name": (
				"POST",
				CAMPAIGNS,
				{"json": {"campaign_name": "Spring Sale"}},
				409,
				"DuplicateEntryError",
			),
			"length": (
				"PUT",
				f"{CAMPAIGNS}/Spring Sale",
				{"json": {"source": "x" * 141}},
				417,
				"CharacterLengthExceededError",
			),
			"linked": ("DELETE", f"{CAMPAIGNS}/Spring Sale", {}, 417, "LinkExistsError"),
			"stale": ("PUT", f"{CAMPAIGNS}/Spring Sale", {"json": stale}, 417, "TimestampMismatchError"),
		}
		for case, (method, path, options, status, kind) in cases.items():
			with self.subTest(case):
				answer = self.api(method, path, **options)
				self.assertEqual((answer.status_code, answer.json.get("exc_type")), (status, kind))
				self.assertNotIn("data", answer.json)

	def test_unknown_fields(self) -> None:
		for query in (
			{"fields": '["nonsense"]'},
			{"filters": '[["nonsense", "=", "1"]]'},
			{"filters": '{"nonsense": "1"}'},
		):
			with self.subTest(query):
				answer = self.api("GET", query_string=query)
				self.assertEqual((answer.status_code, answer.json["exc_type"]), (417, "DataError"))

	def test_text_that_is_no_date(self) -> None:
		make_campaign()
		self.assertEqual(
			self.api("PUT", f"{CAMPAIGNS}/Spring Sale", json={"start_date": "soon"}).status_code, 500
		)
		self.assertIsNone(frappe.db.get_value("Link Campaign", "Spring Sale", "start_date"))

	def test_taken_unique_value(self) -> None:
		make_campaign(campaign_id="taken")
		answer = self.api("POST", json={"campaign_name": "Other", "campaign_id": "taken"})
		self.assertEqual((answer.status_code, answer.json["exc_type"]), (417, "UniqueValidationError"))
		self.assertEqual(frappe.db.count("Link Campaign"), 1)

	def test_what_the_role_may_not(self) -> None:
		make_visitor()
		self.assertEqual(self.api("GET", "/api/resource/Visitor/v_00000000000000aa").status_code, 200)
		for method, path in (
			("POST", "/api/resource/Visitor"),
			("PUT", "/api/resource/Visitor/v_00000000000000aa"),
			("DELETE", "/api/resource/Visitor/v_00000000000000aa"),
			("GET", "/api/resource/TrackFlow API Key"),
			("POST", "/api/resource/Domain Configuration"),
		):
			with self.subTest(method, path=path):
				options = (
					{}
					if method == "GET"
					else {"json": {"visitor_id": "v_00000000000000bb", "domain": "x.example.com"}}
				)
				answer = self.api(method, path, **options)
				self.assertEqual((answer.status_code, answer.json["exc_type"]), (403, "PermissionError"))

	def test_guests(self) -> None:
		make_campaign()
		for method, path in (
			("GET", CAMPAIGNS), ("GET", f"{CAMPAIGNS}/Spring Sale"), ("POST", CAMPAIGNS),
			("PUT", f"{CAMPAIGNS}/Spring Sale"), ("DELETE", f"{CAMPAIGNS}/Spring Sale"),
		):  # fmt: skip
			with self.subTest(method, path=path):
				options = {} if method == "GET" else {"json": {"campaign_name": "x"}}
				answer = self.request(method, quote(path), **options)
				self.assertEqual((answer.status_code, answer.json["exc_type"]), (403, "PermissionError"))
		self.assertEqual(frappe.get_all("Link Campaign", pluck="name"), ["Spring Sale"])


class TestLogins(RestTestCase):
	"""HOST-2: who a request is."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		offer(cls, {who: {"allow_guest": True}, token: {}, manage: {}})

	def who(self, method: str = "GET", **options: Any) -> TestResponse:
		return self.request(method, f"/api/method/{HERE}.who", **options)

	def login(self, **changes: str) -> TestResponse:
		return self.request("POST", "/api/method/login", data={"usr": USER, "pwd": PASSWORD, **changes})

	def test_api_key(self) -> None:
		basic = base64.b64encode(f"{self.key}:{SECRET}".encode()).decode()
		for authorization in (f"token {self.key}:{SECRET}", f"Basic {basic}"):
			with self.subTest(authorization.split()[0]):
				answer = self.who(headers={"Authorization": authorization})
				self.assertEqual(answer.json, {"message": USER})

	def test_wrong_api_key(self) -> None:
		for authorization in (f"token {self.key}:wrong", "token nobody:wrong", "token nonsense"):
			with self.subTest(authorization):
				answer = self.who(headers={"Authorization": authorization})
				self.assertEqual((answer.status_code, answer.json["exc_type"]), (401, "AuthenticationError"))

	def test_login(self) -> None:
		answer = self.login()
		self.assertEqual((answer.status_code, answer.json["message"]), (200, "Logged In"))
		cookies = _cookies(answer)
		self.assertLessEqual({"sid", "full_name", "user_id", "system_user", "user_image"}, cookies.keys())
		raw = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("sid="))
		self.assertIn("HttpOnly", raw)
		self.assertIn("SameSite=Lax", raw)
		self.assertEqual(self.who(cookies={"sid": cookies["sid"]}).json, {"message": USER})

	def test_wrong_login(self) -> None:
		for changes in ({"pwd": "wrong"}, {"usr": "nobody@example.com"}):
			answer = self.login(**changes)
			self.assertEqual((answer.status_code, answer.json["exc_type"]), (401, "AuthenticationError"))

	def test_logout(self) -> None:
		sid = _cookies(self.login())["sid"]
		self.request("POST", "/api/method/logout", cookies={"sid": sid})
		self.assertEqual(self.who(cookies={"sid": sid}).json.get("message", "Guest"), "Guest")

	def test_stale_session(self) -> None:
		answer = self.who(cookies={"sid": "stale"})
		self.assertEqual((answer.status_code, answer.json["message"]), (200, "Guest"))

	def test_csrf(self) -> None:
		cookies = {"sid": _cookies(self.login())["sid"]}
		valid = self.request("GET", f"/api/method/{HERE}.token", cookies=cookies).json["message"]
		self.assertEqual(self.who(cookies=cookies).json, {"message": USER})
		for headers in ({}, {"X-Frappe-CSRF-Token": "wrong"}):
			answer = self.who("POST", cookies=cookies, headers=headers)
			self.assertEqual((answer.status_code, answer.json["exc_type"]), (400, "CSRFTokenError"))
		answer = self.who("POST", cookies=cookies, headers={"X-Frappe-CSRF-Token": valid})
		self.assertEqual(answer.json, {"message": USER})
		answer = self.who("POST", cookies=cookies, data={"csrf_token": valid})
		self.assertEqual(answer.json, {"message": USER})

	def test_roles(self) -> None:
		headers = {"Authorization": f"token {self.key}:{SECRET}"}
		answer = self.get(f"/api/method/{HERE}.manage", headers=headers)
		self.assertEqual((answer.status_code, answer.json["exc_type"]), (403, "PermissionError"))


def _cookies(answer: TestResponse) -> dict[str, str]:
	pairs = (one.partition(";")[0].partition("=") for one in answer.headers.getlist("Set-Cookie"))
	return {name: value for name, _equals, value in pairs}


def who() -> str:
	return frappe.session.user


def token() -> str:
	from frappe.sessions import get_csrf_token

	return get_csrf_token()


def manage() -> str:
	frappe.only_for("TrackFlow Manager")
	return "managed"


def narrow(user: str | None = None, doctype: str | None = None) -> str:
	return ""


class TestReports(RestTestCase):
	"""RPT-1, ROL-P: standard Script Reports, run as the desk runs them."""

	report = "Conversion Funnel"

	def test_it_comes_with_the_app(self) -> None:
		report = frappe.get_doc("Report", self.report)
		self.assertEqual(
			(report.is_standard, report.report_type, report.module, report.disabled),
			("Yes", "Script Report", "TrackFlow", 0),
		)
		self.assertIn("Campaign Manager", [row.role for row in report.roles])

	def test_over_http(self) -> None:
		filters = json.dumps({"from_date": "2026-03-01", "to_date": "2026-03-02", "group_by": "Campaign"})
		query = {"report_name": self.report, "filters": filters}
		answer = self.api("GET", "/api/method/frappe.desk.query_report.run", query_string=query)
		self.assertEqual(answer.status_code, 200, answer.text)
		found = answer.json["message"]
		self.assertEqual(found["columns"][0]["fieldname"], "group")
		self.assertTrue({"result", "message", "chart", "report_summary", "skip_total_row"} <= found.keys())

	def test_only_for_its_roles(self) -> None:
		user = make_user("contract.reports@example.com", "Report Manager")
		self.addCleanup(remove_user, user.name)
		frappe.set_user(user.name)
		with self.assertRaises(frappe.PermissionError):
			query_report.run(self.report)
		frappe.set_user(USER)
		self.assertTrue(query_report.run(self.report)["columns"])

	def test_only_who_may_report_on_its_doctype(self) -> None:
		"""A role of the report alone is not enough."""
		frappe.db.set_value("Report", self.report, "ref_doctype", "Lead Status Change")
		frappe.set_user(USER)
		with self.assertRaises(frappe.PermissionError):
			query_report.run(self.report)

	def test_guests_run_none(self) -> None:
		path = f"/api/method/frappe.desk.query_report.run?report_name={quote(self.report)}"
		self.assertEqual(self.request("GET", path).status_code, 403)
