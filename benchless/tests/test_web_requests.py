"""HOST-2: requests are answered in Frappe's order, with its status codes and JSON shapes."""

import json

import pytest
from benchless.server import Server
from client import Client, wait_until


@pytest.fixture
def client(server: Server) -> Client:
	return Client(server.url)


@pytest.fixture
def admin(client: Client) -> Client:
	assert client.login().status == 200
	return client


class TestMethods:
	def test_answer_is_in_message(self, client: Client) -> None:
		answer = client.get("/api/method/probe.api.echo", text="hello", number=3)
		assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
		assert answer.json == {"message": {"text": "hello", "number": 3, "user": "Guest"}}
		assert client.get("/api/v1/method/ping").json == {"message": "pong"}
		assert client.get("/", cmd="probe.api.echo", text="x").json["message"]["text"] == "x"

	def test_arguments_by_form_or_json(self, client: Client) -> None:
		for answer in (
			client.post("/api/method/probe.api.echo", text="a", number=1),
			client.post("/api/method/probe.api.echo", {"text": "a", "number": 1}),
		):
			assert answer.json["message"] == {"text": "a", "number": 1, "user": "Guest"}

	def test_wrong_types_are_refused(self, client: Client) -> None:
		answer = client.get("/api/method/probe.api.echo", number="many")
		assert (answer.status, answer.json["exc_type"]) == (417, "FrappeTypeError")

	def test_guest_text_is_sanitised_unless_declared_safe(self, client: Client) -> None:
		attack = "<script>alert(1)</script>x"
		assert "<script>" not in client.get("/api/method/probe.api.echo", text=attack).json["message"]["text"]
		assert client.get("/api/method/probe.api.echo_raw", text=attack).json["message"] == attack

	def test_declared_json_that_does_not_parse_fails_before_the_app(self, client: Client) -> None:
		answer = client.post("/api/method/probe.api.body", "{", headers={"Content-Type": "application/json"})
		assert (answer.status, answer.json["exc_type"]) == (500, "JSONDecodeError")

	def test_text_body_is_left_to_the_app(self, client: Client) -> None:
		answer = client.post("/api/method/probe.api.body", '{"a":', headers={"Content-Type": "text/plain"})
		assert answer.json["message"]["body"] == '{"a":'

	def test_only_whitelisted_only_for_whom_only_by_method(self, client: Client) -> None:
		for method in ("not_whitelisted", "for_users"):
			answer = client.get(f"/api/method/probe.api.{method}")
			assert (answer.status, answer.json["exc_type"]) == (403, "PermissionError")
		assert client.get("/api/method/probe.api.only_post").status == 403
		assert client.post("/api/method/probe.api.only_post").json == {"message": "posted"}
		assert client.get("/api/method/probe.api.no_such_method").status == 417
		assert client.get("/api/nothing").status == 404

	def test_response_objects_pass_as_they_are(self, client: Client) -> None:
		answer = client.get("/api/method/probe.api.whole_response")
		assert (answer.status, answer.text, answer.headers["X-Probe"]) == (202, "as it is", "1")

	def test_frappe_response_and_status(self, client: Client) -> None:
		answer = client.get("/api/method/probe.api.with_status")
		assert answer.status == 207
		assert answer.json == {"message": "partly", "extra": {"at": "2026-01-02", "sum": 1.5}}

	def test_download(self, client: Client) -> None:
		answer = client.get("/api/method/probe.api.download")
		assert answer.text == "a,b\n1,2\n"
		assert answer.headers["Content-Disposition"] == "attachment; filename=figures.csv"

	def test_cookies_are_quoted(self, client: Client) -> None:
		cookie = client.get("/api/method/probe.api.set_cookie").cookies["probe"]
		assert (cookie.value, cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (
			"%C3%A4%20b",
			True,
			"Lax",
			"60",
		)


class TestErrors:
	def test_thrown_messages_travel_as_json_in_json(self, client: Client) -> None:
		answer = client.get("/api/method/probe.api.refuse")
		assert (answer.status, answer.json["exc_type"]) == (417, "ValidationError")
		message = json.loads(json.loads(answer.json["_server_messages"])[0])
		assert (message["message"], message["title"]) == ("That is <b>wrong</b>", "No")

	def test_missing_document(self, client: Client) -> None:
		answer = client.get("/api/method/probe.api.missing")
		assert (answer.status, answer.json["exc_type"]) == (404, "DoesNotExistError")

	def test_unexpected_errors_are_logged_and_hide_their_traceback(
		self, client: Client, admin: Client
	) -> None:
		answer = client.get("/api/method/probe.api.fail")
		assert (answer.status, answer.json["exc_type"]) == (500, "RuntimeError")
		found = admin.get(
			"/api/resource/Error Log".replace(" ", "%20"),
			filters='{"method": "nobody expected this"}',
			fields='["error"]',
		)
		assert "RuntimeError" in found.json["data"][0]["error"]

	def test_browsers_get_pages(self, client: Client) -> None:
		answer = client.get("/api/method/probe.api.for_users", headers={"Accept": "text/html"})
		assert (answer.status, answer.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
		assert "Not Permitted" in answer.text
		assert (
			"Traceback" not in client.get("/api/method/probe.api.fail", headers={"Accept": "text/html"}).text
		)

	def test_unknown_site(self, client: Client) -> None:
		assert client.get("/api/method/ping", headers={"X-Frappe-Site-Name": "nowhere.example"}).status == 404
		assert client.get("/api/method/ping", headers={"X-Frappe-Site-Name": ".."}).status == 404
		assert client.get("/api/method/ping", headers={"Host": "anything.example"}).status == 200


class TestTransactions:
	def test_post_commits_get_rolls_back(self, admin: Client) -> None:
		admin.get("/api/method/probe.api.add_source", name="sent by get")
		admin.post("/api/method/probe.api.add_source", {"name": "sent by post"}, headers=token(admin))
		names = admin.get(
			"/api/resource/CRM%20Lead%20Source", filters='{"name": ["like", "sent by %"]}'
		).json["data"]
		assert names == [{"name": "sent by post"}]


class TestHooks:
	def test_before_request_answers_at_once(self, client: Client) -> None:
		import probe.web

		probe.web.seen.clear()
		answer = client.get("/early?a=1&_=2")
		assert (answer.status, answer.json) == (
			202,
			{"user": "Guest", "form": {"a": "1"}, "connected": False},
		)
		assert not answer.cookies, "no cookies on an early answer"
		wait_until(lambda: probe.web.seen == ["/early None", "after response"])

	def test_after_request_sees_the_response(self, client: Client) -> None:
		import probe.web

		client.get("/api/method/ping")
		assert probe.web.seen[-1] == "/api/method/ping 200"

	def test_override_whitelisted_methods(self, admin: Client) -> None:
		assert admin.get("/api/method/probe.api.old_name").json == {"message": "new"}

	def test_auth_hooks(self, client: Client) -> None:
		answer = client.get("/api/method/probe.api.for_users", headers={"Authorization": "Probe let-me-in"})
		assert answer.json == {"message": "Administrator"}


class TestLogin:
	def test_login_and_logout(self, client: Client) -> None:
		answer = client.login()
		assert answer.json["message"] == "Logged In"
		assert {"sid", "user_id", "system_user", "full_name"} <= set(answer.cookies)
		assert client.get("/api/method/frappe.auth.get_logged_user").json == {"message": "Administrator"}
		client.get("/api/method/logout")
		assert client.get("/api/method/frappe.auth.get_logged_user").status == 403

	def test_wrong_password(self, client: Client) -> None:
		answer = client.login(pwd="wrong")
		assert (answer.status, answer.json["message"]) == (401, "Invalid login credentials")

	def test_sid_of_the_address_is_a_session_too(self, admin: Client, server: Server) -> None:
		path = f"/api/method/probe.api.for_users?sid={admin.cookies['sid']}"
		assert Client(server.url).get(path).json == {"message": "Administrator"}
		assert (
			Client(server.url).get("/api/method/probe.api.echo?sid=made-up").json["message"]["user"]
			== "Guest"
		)

	def test_csrf_token_is_asked_for_once_it_was_given_out(self, admin: Client) -> None:
		assert admin.post("/api/method/probe.api.only_post").status == 200, "no token was given out yet"
		headers = token(admin)
		answer = admin.post("/api/method/probe.api.only_post")
		assert (answer.status, answer.json["exc_type"]) == (400, "CSRFTokenError")
		assert admin.post("/api/method/probe.api.only_post", headers=headers).status == 200

	def test_api_keys(self, admin: Client, client: Client, server: Server) -> None:
		from base64 import b64encode

		admin.request(
			"PUT",
			"/api/resource/User/Administrator",
			{"api_key": "key", "api_secret": "s3cret"},
			token(admin),
		)
		pair = b64encode(b"key:s3cret").decode()
		for header in ("token key:s3cret", f"Basic {pair}"):
			answer = Client(server.url).get(
				"/api/method/probe.api.for_users", headers={"Authorization": header}
			)
			assert answer.json == {"message": "Administrator"}
		for header in ("token key:wrong", "token nobody:s3cret", "Basic !", "token malformed"):
			answer = Client(server.url).get("/api/method/ping", headers={"Authorization": header})
			assert answer.status == 401


class TestResources:
	def test_create_read_update_delete(self, admin: Client) -> None:
		headers = token(admin)
		created = admin.post(
			"/api/resource/CRM%20Organization", {"organization_name": "Example Ltd"}, headers=headers
		)
		assert created.json["data"]["name"] == "Example Ltd"
		path = "/api/resource/CRM%20Organization/Example%20Ltd"
		changed = admin.request("PUT", path, {"website": "https://example.com"}, headers)
		assert changed.json["data"]["website"] == "https://example.com"
		assert admin.get(path).json["data"]["website"] == "https://example.com"
		deleted = admin.request("DELETE", path, headers=headers)
		assert (deleted.status, deleted.json) == (202, {"data": "ok"})
		assert admin.get(path).status == 404

	def test_lists(self, admin: Client) -> None:
		answer = admin.get(
			"/api/resource/CRM%20Deal%20Status",
			fields='["name", "type"]',
			filters='[["type", "in", ["Won", "Lost"]]]',
			order_by="position asc",
		)
		assert answer.json == {"data": [{"name": "Won", "type": "Won"}, {"name": "Lost", "type": "Lost"}]}
		assert len(admin.get("/api/resource/CRM%20Deal%20Status", limit_page_length=3).json["data"]) == 3

	def test_version_2(self, admin: Client) -> None:
		headers = token(admin)
		path = "/api/v2/document/CRM%20Organization"
		created = admin.post(path, {"organization_name": "Example Two Ltd"}, headers=headers)
		assert created.json["data"]["name"] == "Example Two Ltd"
		one = f"{path}/Example%20Two%20Ltd"
		changed = admin.request("PATCH", one, {"website": "https://example.com"}, headers)
		assert changed.json["data"]["website"] == "https://example.com"
		assert admin.get(one).json["data"]["website"] == "https://example.com"
		found = admin.get(path, filters='[["name", "=", "Example Two Ltd"]]').json["data"]
		assert found == [{"name": "Example Two Ltd"}]
		assert admin.request("DELETE", one, headers=headers).status == 202
		assert admin.get(one).status == 404
		assert admin.get("/api/v2/method/frappe.ping").json == {"data": "pong"}

	def test_guests_see_nothing(self, client: Client) -> None:
		assert client.get("/api/resource/CRM%20Lead").status == 403
		assert client.get("/api/v2/document/CRM%20Lead").status == 403
		assert client.post("/api/resource/CRM%20Lead", {"first_name": "Ada"}).status == 403


class TestWebsite:
	def test_dynamic_route_with_context(self, client: Client) -> None:
		answer = client.get("/things/a%20%3Cb%3E")
		assert answer.status == 200
		assert "a &lt;b&gt; for Guest in English" in answer.text
		assert "{{ nothing_of_that_name }}" in answer.text, "undefined names stay visible, as in Frappe"

	def test_refusals_redirects_and_errors_of_pages(self, client: Client) -> None:
		assert client.get("/things/secret").status == 403
		answer = client.get("/things/elsewhere")
		assert (answer.status, answer.headers["Location"]) == (301, "/probe-page")
		answer = client.get("/things/broken")
		assert (answer.status, "boom" in answer.text) == (500, False)

	def test_page_renderers_and_redirects_of_hooks(self, client: Client) -> None:
		assert client.get("/probe-page").text == "rendered probe-page"
		answer = client.get("/old/thing")
		assert (answer.status, answer.headers["Location"]) == (302, "/new/thing")

	def test_plain_pages_and_unknown_ones(self, client: Client) -> None:
		assert client.get("/plain").text.strip() == "<h1>Plain</h1>"
		assert client.get("/no-such-page").status == 404
		assert client.get("/../modules.txt").status == 404

	def test_own_pages(self, admin: Client, server: Server) -> None:
		start = Client(server.url).get("/")
		assert (start.status, "Log in" in start.text, "CRM Lead" in start.text) == (200, True, False)
		assert "CRM Lead" in admin.get("/").text
		assert Client(server.url).get("/login").status == 200
		assert Client(server.url).get("/crm").status == 403
		assert 'href="/crm/call-logs"' in admin.get("/crm/leads").text

	def test_lists_at_the_desks_addresses(self, admin: Client, server: Server) -> None:
		answer = Client(server.url).get("/app/crm-lead")
		assert (answer.status, answer.headers["Location"]) == (302, "/login?redirect-to=/app/crm-lead")
		assert admin.get("/app").headers["Location"] == "/index"
		page = admin.get("/app/crm-deal-status/view/report")
		assert (page.status, "<h1>CRM Deal Status</h1>" in page.text, ">Won<" in page.text) == (
			200,
			True,
			True,
		)
		for nothing in ("/app/nothing-of-that-name", "/app/fcrm-settings"):
			assert admin.get(nothing).status == 404

	def test_assets(self, client: Client) -> None:
		assert "probe" in client.get("/assets/probe/probe.js").text
		assert client.get("/assets/probe/../hooks.py").status == 404
		assert client.get("/assets/os/path.py").status == 404
		assert client.get("/assets/frappe/benchless.css").status == 200


def token(client: Client) -> dict[str, str]:
	return {"X-Frappe-CSRF-Token": client.get("/api/method/probe.api.csrf_token").json["message"]}


# Asked of Frappe 15.55.1 on a bench: method, path, headers, body → status, exc_type
ASKED_OF_A_BENCH = (
	("GET", "/api/method/ping", {}, None, 200, None),
	("HEAD", "/api/method/ping", {}, None, 403, None),
	("PATCH", "/api/method/ping", {}, None, 403, "PermissionError"),
	("OPTIONS", "/api/method/ping", {}, None, 200, None),
	("GET", "/api/method/frappe.nope.x", {}, None, 417, "ValidationError"),
	("GET", "/api/nothing", {}, None, 404, "DoesNotExistError"),
	("GET", "/api/resource/Nope", {}, None, 404, "DoesNotExistError"),
	("GET", "/api/resource/User/Nope", {}, None, 404, "DoesNotExistError"),
	("GET", "/api/resource/User", {}, None, 403, "PermissionError"),
	("GET", "/api/method/ping", {"Authorization": "Basic !"}, None, 401, "AuthenticationError"),
	("GET", "/api/method/ping", {"Authorization": "token malformed"}, None, 401, "AuthenticationError"),
	("GET", "/api/method/ping", {"Authorization": "token a:b"}, None, 401, "AuthenticationError"),
	("GET", "/api/method/ping", {"Authorization": "Bearer zzz"}, None, 401, "AuthenticationError"),
	("GET", "/?cmd=ping", {}, None, 200, None),
	("GET", "/?cmd=nope", {}, None, 417, None),
	("GET", "/no-such-page", {}, None, 404, None),
	("DELETE", "/no-such-page", {}, None, 404, None),
	("POST", "/api/method/ping", {"Content-Type": "application/json"}, "{", 500, "JSONDecodeError"),
	("POST", "/api/method/ping", {"Content-Type": "application/json"}, '"x"', 417, "ValidationError"),
	("POST", "/api/method/ping", {"Content-Type": "application/json"}, "[1]", 200, None),
)


@pytest.mark.parametrize(("method", "path", "headers", "body", "status", "exc_type"), ASKED_OF_A_BENCH)
def test_answers_as_a_bench_does(
	client: Client, method: str, path: str, headers: dict, body: str | None, status: int, exc_type: str | None
) -> None:
	answer = client.request(method, path, body, headers)
	assert answer.status == status
	if exc_type:
		assert answer.json["exc_type"] == exc_type
