"""What TrackFlow relies on of its host, part five: whitelisted methods and the earliest hook (HOST-2, RED-9).

The methods at the end of this module are whitelisted only while these tests run: no site offers them.
"""

import json
from typing import Any

import frappe
from frappe import _
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response

from trackflow.tests.base import TrackFlowTestCase
from trackflow.tests.factories import make_web_form
from trackflow.tests.whitelisting import offer

try:
	from frappe.tests.utils import patch_hooks
except ImportError:
	from frappe.tests import patch_hooks

HERE = "trackflow.tests.test_host_contract_web"
JSON = "application/json"


class WebTestCase(TrackFlowTestCase):
	"""With the methods of this module whitelisted meanwhile."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		offer(cls, METHODS)

	def call(self, name: str, method: str = "GET", **options: Any) -> TestResponse:
		"""Call a method of this module as a guest."""
		return self.request(method, f"/api/method/{HERE}.{name}", **options)


class TestMethods(WebTestCase):
	"""HOST-2: calling, arguments, verbs, types."""

	def test_answer(self) -> None:
		answer = self.call("echo", query_string={"text": "hello", "number": "3"})
		self.assertEqual((answer.status_code, answer.headers["Content-Type"]), (200, JSON))
		self.assertEqual(answer.json, {"message": {"text": "hello", "number": 3, "user": "Guest"}})
		self.assertEqual(self.get("/api/method/ping").json, {"message": "pong"})
		self.assertEqual(self.get("/api/method/frappe.ping").json, {"message": "pong"})

	def test_ways_to_send_arguments(self) -> None:
		expected = {"text": "a", "number": 1, "user": "Guest"}
		for options in (
			{"data": {"text": "a", "number": "1"}},
			{"json": {"text": "a", "number": 1}},
			{"query_string": {"text": "a", "number": "1"}},
		):
			self.assertEqual(self.call("echo", "POST", **options).json["message"], expected)

	def test_answer_of_nothing(self) -> None:
		self.assertEqual(self.call("nothing").json, {})
		self.assertEqual(self.call("empty_list").json, {"message": []})

	def test_values_that_json_does_not_know(self) -> None:
		message = self.call("values").json["message"]
		expected = {"moment": "2026-02-03 04:05:06", "day": "2026-02-03", "sum": 1.5, "none": None}
		self.assertEqual(message, expected)

	def test_verbs(self) -> None:
		self.assertEqual(self.call("only_post", "POST").json, {"message": "posted"})
		for method in ("GET", "PUT", "DELETE"):
			answer = self.call("only_post", method)
			self.assertEqual((answer.status_code, answer.json["exc_type"]), (403, "PermissionError"))
		self.assertEqual(self.call("only_get", "POST").status_code, 403)
		self.assertEqual(self.call("only_get", "HEAD").status_code, 403)

	def test_types(self) -> None:
		for number in ("many", "1.5", ""):
			with self.subTest(number):
				answer = self.call("echo", query_string={"number": number})
				self.assertEqual((answer.status_code, answer.json["exc_type"]), (417, "FrappeTypeError"))
		answer = self.call("echo", "POST", json={"text": {"a": 1}})
		self.assertEqual((answer.status_code, answer.json["exc_type"]), (417, "FrappeTypeError"))
		self.assertEqual(self.call("flag", query_string={"on": "1"}).json, {"message": True})
		self.assertEqual(self.call("echo", "POST", json={"number": "7"}).json["message"]["number"], 7)

	def test_missing_and_unknown_arguments(self) -> None:
		answer = self.call("needy")
		self.assertEqual((answer.status_code, answer.json["exc_type"]), (500, "TypeError"))
		answer = self.call("needy", query_string={"wanted": "x", "unknown": "y"})
		self.assertEqual(answer.json, {"message": "x"})

	def test_guests_text_is_sanitised_unless_declared_safe(self) -> None:
		attack = "<script>alert(1)</script><b>x</b>"
		echoed = self.call("echo", query_string={"text": attack}).json["message"]["text"]
		self.assertNotIn("<script", echoed)
		self.assertIn("x", echoed)
		self.assertEqual(self.call("echo_raw", query_string={"text": attack}).json, {"message": attack})
		plain = "a & b, ü 漢 😀, 1 > 0"
		self.assertIn("ü 漢 😀", self.call("echo", query_string={"text": plain}).json["message"]["text"])

	def test_the_body_is_the_methods_own(self) -> None:
		body = b'{"a": '
		answer = self.call("body", "POST", data=body, content_type="text/plain")
		self.assertEqual(answer.json, {"message": '{"a": '})
		answer = self.call("body", "POST", data=b'{"text": "x"}', content_type="text/plain;charset=UTF-8")
		self.assertEqual(answer.json, {"message": '{"text": "x"}'})

	def test_declared_json_that_does_not_parse_never_reaches_the_method(self) -> None:
		answer = self.call("body", "POST", data=b'{"a": ', content_type=JSON)
		self.assertEqual(answer.status_code, 500)

	def test_who_may_call(self) -> None:
		for name in ("for_users", "not_whitelisted"):
			answer = self.call(name)
			self.assertEqual((answer.status_code, answer.json["exc_type"]), (403, "PermissionError"))
		for missing in (f"{HERE}.no_such_method", "no.such.module", "nonsense"):
			answer = self.get(f"/api/method/{missing}")
			self.assertEqual((answer.status_code, answer.json["exc_type"]), (417, "ValidationError"))


class TestAnswers(WebTestCase):
	"""HOST-2: statuses, errors and whole responses."""

	def test_errors(self) -> None:
		expected = {
			"ValidationError": 417, "PermissionError": 403, "DoesNotExistError": 404, "DuplicateEntryError": 409,
			"AuthenticationError": 401,
		}  # fmt: skip
		for name, status in expected.items():
			with self.subTest(name):
				answer = self.call("fail", "POST", data={"name": name})
				self.assertEqual((answer.status_code, answer.json["exc_type"]), (status, name))
				self.assertEqual(answer.headers["Content-Type"], JSON)
				(message,) = json.loads(answer.json["_server_messages"])
				self.assertEqual(json.loads(message)["message"], "It is so.")
				self.assertNotIn("message", answer.json)

	def test_own_errors_have_their_own_status(self) -> None:
		answer = self.call("teapot")
		self.assertEqual((answer.status_code, answer.json["exc_type"]), (418, "Teapot"))

	def test_crash(self) -> None:
		answer = self.call("crash")
		self.assertEqual((answer.status_code, answer.json["exc_type"]), (500, "ZeroDivisionError"))

	def test_chosen_status(self) -> None:
		answer = self.call("with_status")
		self.assertEqual((answer.status_code, answer.json), (202, {"message": "partly", "extra": [1]}))

	def test_response_objects_pass_untouched(self) -> None:
		answer = self.call("whole_response")
		self.assertEqual((answer.status_code, answer.data), (429, b"as it is"))
		self.assertEqual(
			(answer.headers["Retry-After"], answer.headers["Content-Type"]),
			("7", "text/plain; charset=utf-8"),
		)

	def test_redirects_in_response_objects_pass_untouched(self) -> None:
		answer = self.call("away")
		location = "https://shop.example.com/a?b=%C3%BC&c=d+e#f"
		self.assertEqual((answer.status_code, answer.headers["Location"]), (302, location))

	def test_unknown_addresses_of_the_api(self) -> None:
		self.assertEqual(self.get("/api/nonsense").status_code, 404)

	def test_transactions(self) -> None:
		self.call("write", "GET")
		self.assertFalse(frappe.db.exists("Link Campaign", "Written"))
		self.assertEqual(self.call("write_and_fail", "POST").status_code, 417)
		self.assertFalse(frappe.db.exists("Link Campaign", "Written"))
		self.assertEqual(self.call("write", "POST").status_code, 200)
		self.assertTrue(frappe.db.exists("Link Campaign", "Written"))

	def test_work_after_the_answer(self) -> None:
		self.assertEqual(self.call("write_later").json, {"message": "soon"})
		frappe.db.rollback()
		self.assertTrue(frappe.db.exists("Link Campaign", "Written"))

	def test_cookies(self) -> None:
		answer = self.call("cookies")
		found = {one.partition("=")[0]: one for one in answer.headers.getlist("Set-Cookie")}
		self.assertIn("Max-Age=60", found["contract"])
		self.assertIn("HttpOnly", found["contract"])
		self.assertIn("SameSite=Lax", found["contract"])
		self.assertNotIn("HttpOnly", found["contract_open"])
		self.assertRegex(found["contract_gone"], "Expires=.* (1970|2025|2026|20[0-9]{2}) ")

	def test_method_sees_the_request(self) -> None:
		answer = self.call(
			"headers", headers={"X-Contract": "yes", "X-Forwarded-For": "198.51.100.7, 10.0.0.1"}
		)
		expected = {
			"contract": "yes",
			"peer": "203.0.113.7",
			"first": "198.51.100.7",
			"path": f"/api/method/{HERE}.headers",
		}
		self.assertEqual(answer.json["message"], expected)


class TestEarliestHook(WebTestCase):
	"""HOST-2, RED-9: a before_request hook that raises a response answers, whatever else the request says."""

	def answer(self, path: str = "/contract-early", **options: Any) -> TestResponse:
		with patch_hooks({"before_request": [f"{HERE}.answer_early"]}):
			return self.request(options.pop("method", "GET"), path, **options)

	def test_answers(self) -> None:
		answer = self.answer()
		self.assertEqual(
			(answer.status_code, answer.data, answer.headers["X-Contract"]), (410, b"early", "yes")
		)
		self.assertEqual(answer.headers.getlist("Set-Cookie"), [])

	def test_all_verbs(self) -> None:
		for method in ("POST", "PUT", "DELETE"):
			self.assertEqual(self.answer(method=method).status_code, 410)
		head = self.answer(method="HEAD")
		self.assertEqual((head.status_code, head.data), (410, b""))

	def test_whatever_the_query_says(self) -> None:
		# "cmd=login" is not among them: Frappe logs in before any hook of an app can run.
		for query in ("sid=x", "cmd=frappe.ping", "sid=Guest", "cmd=logout", "_lang=de", "csrf_token=1"):
			with self.subTest(query):
				answer = self.answer(f"/contract-early?{query}")
				self.assertEqual((answer.status_code, answer.headers.getlist("Set-Cookie")), (410, []))

	def test_stale_cookies_are_left_alone(self) -> None:
		answer = self.answer(cookies={"sid": "stale", "user_id": "someone@example.com"})
		self.assertEqual((answer.status_code, answer.headers.getlist("Set-Cookie")), (410, []))

	def test_sees_path_and_host(self) -> None:
		answer = self.answer("/contract-early/a%2Fb?x=1", host="go.example.com")
		self.assertEqual(answer.headers["X-Seen"], "go.example.com /contract-early/a/b x=1")

	def test_lets_other_addresses_pass(self) -> None:
		with patch_hooks({"before_request": [f"{HERE}.answer_early"]}):
			self.assertEqual(self.get("/api/method/ping").json, {"message": "pong"})

	def test_command_in_the_query_of_any_page(self) -> None:
		self.assertEqual(self.get("/?cmd=frappe.ping").json, {"message": "pong"})


class TestLatestHook(WebTestCase):
	"""HOST-2, COL-5, COL-7: an after_request hook sees each request with its response, and may change it."""

	def get_watched(self, path: str) -> TestResponse:
		with patch_hooks(
			{"after_request": [f"{HERE}.answer_late"], "before_request": [f"{HERE}.answer_early"]}
		):
			return self.get(path)

	def test_pages_and_methods(self) -> None:
		for path in ("/index", "/api/method/ping"):
			answer = self.get_watched(path)
			self.assertEqual((answer.headers["X-Contract-Late"], answer.status_code), (f"{path} Guest", 200))
			self.assertTrue(answer.data.endswith(b"late"))

	def test_there_is_no_response_where_the_earliest_hook_answered(self) -> None:
		self.assertNotIn("X-Contract-Late", self.get_watched("/contract-early").headers)


class TestWebForms(WebTestCase):
	"""CRM-7: what a document's hook can know of the Web Form that makes it."""

	def test_what_reaches_a_hook(self) -> None:
		form = make_web_form("ToDo", "description", anonymous=1).name
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "Web Form", form, force=True)
		self.addCleanup(frappe.db.delete, "ToDo", {"description": ("like", "%Call me%")})
		body = {
			"web_form": form,
			"data": json.dumps({"description": "Call me", "x": 1}),
			"beside": "the form",
		}
		seen.clear()
		with patch_hooks({"doc_events": {"ToDo": {"after_insert": f"{HERE}.look"}}}):
			answer = self.request(
				"POST", "/api/method/frappe.website.doctype.web_form.web_form.accept", data=body
			)
		self.assertEqual(answer.status_code, 200, answer.text)
		self.assertEqual(seen, [(True, form, "the form", "Guest", "Guest", None)])


seen: list[Any] = []


def look(doc: Any, method: str | None = None) -> None:
	form = frappe.form_dict
	session = frappe.session
	seen.append(
		(frappe.flags.in_web_form, form.web_form, form.beside, session.user, session.sid, doc.get("x"))
	)


class Teapot(frappe.ValidationError):
	"""An error with a status of its own."""

	http_status_code = 418


def answer_early() -> None:
	"""Hook: answer the addresses below /contract-early."""
	request = frappe.request
	if request.path.startswith("/contract-early"):
		seen = f"{request.host} {request.path} {request.query_string.decode()}"
		raise HTTPException(
			response=Response("early", status=410, headers={"X-Contract": "yes", "X-Seen": seen})
		)


def echo(text: str = "", number: int = 0) -> dict[str, Any]:
	return {"text": text, "number": number, "user": frappe.session.user}


def echo_raw(text: str) -> str:
	return text


def nothing() -> None:
	return None


def empty_list() -> list[str]:
	return []


def values() -> dict[str, Any]:
	from datetime import date, datetime
	from decimal import Decimal

	moment = datetime(2026, 2, 3, 4, 5, 6)
	return {"moment": moment, "day": date(2026, 2, 3), "sum": Decimal("1.5"), "none": None}


def only_post() -> str:
	return "posted"


def only_get() -> str:
	return "got"


def flag(on: bool = False) -> bool:
	return on


def needy(wanted: str) -> str:
	return wanted


def body() -> str:
	return frappe.request.get_data(as_text=True)


def for_users() -> str:
	return frappe.session.user


def answer_late(response: Response | None = None, request: Any = None) -> None:
	if response is not None:
		response.headers["X-Contract-Late"] = f"{request.path} {frappe.session.user}"
		response.set_data(response.get_data() + b"late")


def not_whitelisted() -> str:
	return "never"


def fail(name: str) -> None:
	frappe.throw(_("It is so."), getattr(frappe, name))


def teapot() -> None:
	raise Teapot("I am one.")


def crash() -> float:
	return 1 / 0


def with_status() -> str:
	frappe.response["extra"] = [1]
	frappe.local.response.http_status_code = 202
	return "partly"


def whole_response() -> Response:
	return Response("as it is", status=429, headers={"Retry-After": "7"}, mimetype="text/plain")


def away() -> Response:
	response = Response(status=302, headers={"Location": "https://shop.example.com/a?b=%C3%BC&c=d+e#f"})
	response.autocorrect_location_header = False
	return response


def write() -> str:
	frappe.get_doc({"doctype": "Link Campaign", "campaign_name": "Written", "status": "Planned"}).insert(
		ignore_permissions=True
	)
	return "written"


def write_and_fail() -> None:
	write()
	frappe.throw(_("No."))


def write_later() -> str:
	def later() -> None:
		write()
		frappe.db.commit()

	frappe.request.after_response.add(later)
	return "soon"


def cookies() -> str:
	manager = frappe.local.cookie_manager
	manager.set_cookie("contract", "a", max_age=60, httponly=True, samesite="Lax")
	manager.set_cookie("contract_open", "b", httponly=False)
	manager.delete_cookie("contract_gone")
	return "set"


def headers() -> dict[str, Any]:
	request = frappe.request
	return {
		"contract": frappe.get_request_header("X-Contract"),
		"peer": request.environ.get("REMOTE_ADDR"),
		"first": frappe.local.request_ip,
		"path": request.path,
	}


OPEN = (
	echo, nothing, empty_list, values, flag, needy, body, fail, teapot, crash, with_status, whole_response, away,
	write, write_and_fail, write_later, cookies, headers,
)  # fmt: skip
METHODS: dict[Any, dict[str, Any]] = {
	**{function: {"allow_guest": True} for function in OPEN},
	echo_raw: {"allow_guest": True, "xss_safe": True},
	only_post: {"allow_guest": True, "methods": ["POST"]},
	only_get: {"allow_guest": True, "methods": ["GET"]},
	for_users: {},
}
