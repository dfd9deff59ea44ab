"""Links with a password, over HTTP (RED-3, SEC-2, SEC-3, SEC-4)."""

import pickle
import re
import unittest
from typing import Any
from unittest.mock import patch

import frappe
from frappe.sessions import get_csrf_token
from werkzeug.test import TestResponse

from trackflow.exceptions import StreamUnavailable
from trackflow.incoming import CONSENT_COOKIE, VISITOR_COOKIE
from trackflow.redirect import limits, links, passwords
from trackflow.redirect.answer import MayTry
from trackflow.redirect.decision import Link
from trackflow.stream import connection
from trackflow.stream.connection import connect as queue_redis
from trackflow.stream.drain import drain
from trackflow.tests.base import GOOGLEBOT, IPHONE, TrackFlowTestCase, counted_statements, fork, is_shared
from trackflow.tests.factories import make_domain, make_link, set_settings
from trackflow.tests.properties import given, st
from trackflow.tests.users import make_user, remove_user
from trackflow.tests.whitelisting import offer
from trackflow.trackflow.doctype.tracked_link.tracked_link import TrackedLink

PASSWORD = "öpen sesame"
TARGET = "https://shop.example.com/secret-place"
USER, USER_PASSWORD = "protected.link@example.com", "Contract-7-password"


def clicks() -> list[tuple[str, int]]:
	drain()
	rows = frappe.get_all("Click Event", fields=["event_type", "counted"], order_by="click_timestamp, name")
	return [(row.event_type, row.counted) for row in rows]


class PasswordTestCase(TrackFlowTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.link = self.protected("vault")

	def protected(self, code: str, **values: Any) -> TrackedLink:
		return make_link(code, **{"target_url": TARGET, "password": PASSWORD, **values})

	def send(self, password: str | None = PASSWORD, path: str = "/r/vault", **options: Any) -> TestResponse:
		data = {} if password is None else {"password": password}
		return self.request("POST", path, data=data, **options)


class TestForm(PasswordTestCase):
	"""RED-3: a password link shows a form, which works without a script and tells nothing."""

	def test_the_form(self) -> None:
		answer = self.get("/r/vault")
		self.assertEqual((answer.status_code, answer.mimetype), (200, "text/html"))
		self.assertEqual(answer.headers["Cache-Control"], "private, no-store")
		page = answer.get_data(as_text=True)
		self.assertIn('<form method="post" action="/r/vault" autocomplete="off">', page)
		self.assertRegex(
			page, r'<label for="password">Password</label>\s*<input id="password" name="password" '
		)
		self.assertIn('type="password"', page)
		self.assertNotIn("<script", page)
		self.assertNotIn("csrf_token", page)
		self.assertEqual(clicks(), [])

	def test_its_policy_lets_the_way_on_pass(self) -> None:
		"""Chromium holds the redirect after a form to form-action."""
		policy = self.get("/r/vault").headers["Content-Security-Policy"]
		self.assertIn("default-src 'none'", policy)
		self.assertIn("form-action 'self' http: https:;", policy)
		self.protected("shoe", ios_url="shop://product/7")
		self.assertIn("'self' http: https: shop:;", self.get("/r/shoe").headers["Content-Security-Policy"])

	def test_nothing_says_where_it_leads(self) -> None:
		make_domain("shop.example.com")
		self.protected(
			"maze",
			ios_url="shop://secret-place",
			variants=[{"variant_name": "A", "destination_url": TARGET}],
			rules=[{"condition_type": "OS", "condition_value": "iOS", "destination_url": TARGET}],
		)
		for path in ("/r/vault", "/r/maze"):
			for agent in (IPHONE, GOOGLEBOT, ""):
				for method, options in (
					("GET", {}),
					("HEAD", {}),
					("GET", {"headers": {"Sec-Purpose": "prefetch"}}),
					("POST", {"data": {"password": "wrong"}}),
					("POST", {}),
				):
					answer = self.request(method, path, agent=agent, **options)
					self.assertIn(answer.status_code, (200, 403, 429))
					self.assertNotIn("Location", answer.headers)
					self.assertNotIn("secret-place", str(answer.headers) + answer.get_data(as_text=True))
					self.assertEqual(answer.headers.getlist("Set-Cookie"), [])

	def test_head_answers_the_same_without_a_body(self) -> None:
		got, head = self.get("/r/vault"), self.request("HEAD", "/r/vault")
		self.assertEqual((head.status_code, head.data), (200, b""))
		self.assertEqual(head.headers["Content-Length"], got.headers["Content-Length"])
		self.assertEqual(clicks(), [])

	def test_what_the_visitor_asked_comes_back_harmless(self) -> None:
		answer = self.get('/r/vault?qr=1&sid=x&cmd=y&a="><script>alert(1)</script>&b=%22%3E')
		(action,) = re.findall(r'action="([^"]*)"', answer.get_data(as_text=True))
		self.assertTrue(action.startswith("/r/vault?qr=1&amp;a=&quot;&gt;&lt;script"), action)
		self.assertNotIn("<script", answer.get_data(as_text=True))
		self.assertNotIn("sid", action)

	def test_the_name_that_integrations_know_shows_the_form_of_the_short_link(self) -> None:
		answer = self.get("/api/method/trackflow.www.redirect.handle_redirect?tracking_id=vault&x=1")
		self.assertIn('action="/r/vault?x=1"', answer.get_data(as_text=True))

	def test_in_the_domains_style(self) -> None:
		make_domain("go.example.com", custom_css="h1 { color: teal }")
		page = self.get("/r/vault", host="go.example.com").get_data(as_text=True)
		self.assertIn("color: teal", page)

	def test_ways_to_end_go_first(self) -> None:
		for values, status in (({"status": "Paused"}, 404), ({"status": "Expired"}, 410)):
			self.protected(values["status"], **values)
			for answer in (self.get(f"/r/{values['status']}"), self.send(path=f"/r/{values['status']}")):
				self.assertEqual(answer.status_code, status)
				self.assertNotIn("<form", answer.get_data(as_text=True))

	def test_no_sql_for_a_cached_one(self) -> None:
		self.get("/r/vault")
		with counted_statements() as statements:
			self.assertEqual(self.get("/r/vault").status_code, 200)
		ends = ("rollback", "commit", "start transaction")
		self.assertEqual([one for one in statements if one.strip().lower() not in ends], [])


class TestRightPassword(PasswordTestCase):
	"""RED-3: the click counts after the right password, and only then."""

	def test_the_way_on(self) -> None:
		answer = self.send()
		self.assertEqual(answer.status_code, 303)
		self.assertTrue(answer.headers["Location"].startswith(TARGET))
		self.assertEqual(clicks(), [("Click", 1)])
		self.link.reload()
		self.assertEqual(self.link.click_count, 1)

	def test_the_form_is_never_sent_on(self) -> None:
		"""307 and 308 would take the password to the destination."""
		for status in ("301", "307", "308"):
			self.protected(f"kept-{status}", redirect_status=status)
			self.assertEqual(self.send(path=f"/r/kept-{status}").status_code, 303)

	def test_with_what_the_short_link_was_asked(self) -> None:
		self.protected("more", forward_query=1)
		answer = self.send(path="/r/more?color=red&qr=1")
		self.assertIn("color=red", answer.headers["Location"])
		self.assertNotIn("password", answer.headers["Location"])
		self.assertEqual(clicks(), [("QR Scan", 1)])

	def test_a_cookie_comes_with_the_click(self) -> None:
		answer = self.send(cookies={CONSENT_COOKIE: "granted"})
		self.assertTrue(answer.headers["Set-Cookie"].startswith(VISITOR_COOKIE))

	def test_robots_that_know_it_go_on_uncounted(self) -> None:
		answer = self.send(agent=GOOGLEBOT)
		self.assertEqual(answer.status_code, 303)
		self.assertEqual(clicks(), [("Bot", 0)])

	def test_composed_or_not(self) -> None:
		self.assertEqual(self.send("o\u0308pen sesame").status_code, 303)

	def test_a_changed_password_holds_at_once(self) -> None:
		self.assertEqual(self.send().status_code, 303)
		self.link.reload()
		self.link.password = "other"
		self.link.save()
		self.assertEqual(self.send().status_code, 403)
		self.assertEqual(self.send("other").status_code, 303)
		self.link.reload()
		self.link.title = "Saved with what the form shows"
		self.link.save()
		self.assertEqual(self.send("other").status_code, 303)
		self.link.password = ""
		self.link.save()
		self.assertEqual(self.get("/r/vault").status_code, 302)
		self.assertEqual(self.send("other").status_code, 405)

	def test_with_a_click_limit(self) -> None:
		self.protected("few", max_clicks=1)
		self.assertEqual(self.get("/r/few").status_code, 200)
		self.assertEqual(self.send("wrong", path="/r/few").status_code, 403)
		self.assertEqual(self.send(path="/r/few").status_code, 303)
		self.assertEqual(self.send(path="/r/few").status_code, 410)
		self.assertEqual(self.get("/r/few").status_code, 410)


class TestAttempts(PasswordTestCase):
	"""RED-3: 5 wrong passwords per address and link in 15 minutes, in the queue Redis, for all processes."""

	def lock(self, **options: Any) -> None:
		for _attempt in range(passwords.ATTEMPTS):
			self.assertEqual(self.send("wrong", **options).status_code, 403)

	def test_a_wrong_one(self) -> None:
		answer = self.send("wrong")
		self.assertEqual(answer.status_code, 403)
		page = answer.get_data(as_text=True)
		self.assertIn('role="alert"', page)
		self.assertIn('aria-invalid="true" aria-describedby="error"', page)
		self.assertIn("<form", page)
		self.assertEqual(clicks(), [("Blocked", 0)])
		for password in ("", None, PASSWORD.upper(), PASSWORD + " ", "*" * len(PASSWORD)):
			self.assertEqual(self.send(password, address="203.0.113.9").status_code, 403)

	def test_the_sixth_has_to_wait_even_if_it_is_right(self) -> None:
		self.lock()
		for password in ("wrong", PASSWORD):
			answer = self.send(password)
			self.assertEqual((answer.status_code, answer.headers["Retry-After"]), (429, "900"))
			self.assertNotIn("<form", answer.get_data(as_text=True))
		ttl = queue_redis().ttl(
			next(
				queue_redis().scan_iter(connection.key("attempts:*").replace("{", "[{]").replace("}", "[}]"))
			)
		)
		self.assertTrue(0 < ttl <= passwords.ATTEMPT_SECONDS)

	def test_right_ones_are_not_counted(self) -> None:
		for _time in range(2 * passwords.ATTEMPTS):
			self.assertEqual(self.send().status_code, 303)

	def test_others_are_not_locked_out(self) -> None:
		self.protected("other")
		self.lock()
		self.assertEqual(self.send(address="203.0.113.8").status_code, 303)
		self.assertEqual(self.send(path="/r/other").status_code, 303)

	def test_one_connections_addresses_are_one(self) -> None:
		for number in range(passwords.ATTEMPTS):
			self.assertEqual(self.send("wrong", address=f"2001:db8:1:2::{number}").status_code, 403)
		self.assertEqual(self.send(address="2001:db8:1:2:ffff::1").status_code, 429)
		self.assertEqual(self.send(address="2001:db8:1:3::1").status_code, 303)

	def test_nobody_gets_more_by_a_forged_header(self) -> None:
		for number in range(passwords.ATTEMPTS):
			forged = {"X-Forwarded-For": f"198.51.100.{number}", "X-Real-IP": f"198.51.100.{number}"}
			self.assertEqual(self.send("wrong", headers=forged).status_code, 403)
		self.assertEqual(self.send(headers={"X-Forwarded-For": "198.51.100.77"}).status_code, 429)

	def test_no_address_and_no_password_is_kept_in_redis(self) -> None:
		self.send("wrong-guess")
		redis = queue_redis()
		kept = b"".join(redis.scan_iter("*"))
		self.assertNotIn(b"203.0.113.7", kept)
		snapshot = links.find("vault")
		self.assertTrue(snapshot.password)
		self.assertNotIn(PASSWORD, repr(snapshot))
		self.assertNotIn(PASSWORD.encode(), pickle.dumps(snapshot))
		for _entry, fields in redis.xrange(connection.key("stream")):
			self.assertNotIn(b"wrong-guess", fields[b"records"])

	def test_without_redis_they_are_counted_in_the_process(self) -> None:
		self.get("/r/vault")
		self.addCleanup(limits._local.clear)
		with patch.object(connection, "connect", side_effect=StreamUnavailable("away")):
			self.lock()
			self.assertEqual(self.send().status_code, 429)
			self.assertEqual(self.send(address="203.0.113.8").status_code, 303)

	def test_across_processes(self) -> None:
		if not is_shared():
			self.skipTest("other processes see no in-process Redis: needs the real servers")
		import os

		question = MayTry(Link("l", "c", "Active", TARGET, password="x"), "someone", False)
		frappe.db.commit()

		def guess() -> None:
			allowed = sum(limits.ask(question) for _attempt in range(50))
			queue_redis().rpush(connection.key("allowed"), allowed)

		children = [fork(guess) for _child in range(4)]
		self.assertEqual([os.waitpid(child, 0)[1] for child in children], [0] * 4)
		allowed = queue_redis().lrange(connection.key("allowed"), 0, -1)
		self.assertEqual((len(allowed), sum(map(int, allowed))), (4, passwords.ATTEMPTS))


class TestWhatIsSent(PasswordTestCase):
	"""SEC-4: whatever is posted gets a clear answer."""

	def test_only_links_with_a_password_take_a_form(self) -> None:
		make_link("plain")
		for path in ("/r/plain", "/r/unknown", "/r/"):
			answer = self.send(path=path)
			self.assertEqual((answer.status_code, answer.headers["Allow"]), (405, "GET, HEAD"))
		for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
			self.assertEqual(self.request(method, "/r/vault").status_code, 405)

	def test_a_body_of_more_than_4_kilobytes(self) -> None:
		for body in ({"password": "x" * 5000}, {"password": PASSWORD, "more": "x" * 5000}):
			answer = self.request("POST", "/r/vault", data=body)
			self.assertEqual(answer.status_code, 413)
			self.assertNotIn("Location", answer.headers)
		self.assertEqual(self.send().status_code, 303)

	def test_other_bodies(self) -> None:
		for options in (
			{"data": b"\xff\xfe=\x00", "content_type": "application/x-www-form-urlencoded"},
			{"data": b"password=%FF%00%0D%0A", "content_type": "application/x-www-form-urlencoded"},
			{"data": b"--x\r\nnonsense", "content_type": "multipart/form-data; boundary=x"},
			{"data": b"nonsense", "content_type": "text/plain"},
			{"json": {"password": PASSWORD}},
			{"json": ["password"]},
		):
			with self.subTest(options):
				self.assertEqual(
					self.request("POST", "/r/vault", address="203.0.113.20", **options).status_code, 403
				)
				self.forget_attempts()

	def forget_attempts(self) -> None:
		pattern = connection.key("attempts:*").replace("{", "[{]").replace("}", "[}]")
		for key in queue_redis().scan_iter(pattern):
			queue_redis().delete(key)

	def test_a_multipart_form(self) -> None:
		answer = self.request(
			"POST", "/r/vault", data={"password": PASSWORD}, content_type="multipart/form-data"
		)
		self.assertEqual(answer.status_code, 303)


class TestLoggedIn(PasswordTestCase):
	"""Frappe asks people who are logged in for a token before any hook: the form carries it."""

	def setUp(self) -> None:
		super().setUp()
		offer(type(self), {a_token: {"methods": ["GET"]}})
		make_user(USER, new_password=USER_PASSWORD)
		self.addCleanup(remove_user, USER)
		answer = self.request("POST", "/api/method/login", data={"usr": USER, "pwd": USER_PASSWORD})
		sid = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("sid="))
		self.cookies = {"sid": sid.partition("=")[2].partition(";")[0]}

	def test_the_form_works(self) -> None:
		path = f"/api/method/{__name__}.a_token"
		token = self.get(path, cookies=self.cookies).json["message"]
		page = self.get("/r/vault", cookies=self.cookies).get_data(as_text=True)
		self.assertIn(f'<input type="hidden" name="csrf_token" value="{token}">', page)
		data = {"password": PASSWORD, "csrf_token": token}
		answer = self.request("POST", "/r/vault", cookies=self.cookies, data=data)
		self.assertEqual(answer.status_code, 303)

	def test_a_form_without_it_gets_a_clear_page(self) -> None:
		self.get(f"/api/method/{__name__}.a_token", cookies=self.cookies)
		answer = self.send(cookies=self.cookies)
		self.assertEqual(answer.status_code, 400)
		self.assertNotIn("Traceback", answer.get_data(as_text=True))
		self.assertNotIn("Location", answer.headers)


def a_token() -> str:
	"""The session's token, as every page of Frappe's gives it out."""
	return get_csrf_token()


class TestChecks(PasswordTestCase):
	"""A password that could never be typed is refused; one that is stored is never shown."""

	def test_it_is_stored_encrypted_and_never_shown(self) -> None:
		stored = frappe.db.get_value("Tracked Link", self.link.name, "password")
		self.assertEqual(stored, "*" * len(PASSWORD))
		self.assertNotIn(PASSWORD, frappe.as_json(frappe.get_doc("Tracked Link", self.link.name).as_dict()))
		# Not every host keeps versions.
		if frappe.db.exists("DocType", "Version"):
			self.assertNotIn(PASSWORD, frappe.as_json(frappe.get_all("Version", fields=["data"])))

	def test_what_cannot_be_one(self) -> None:
		for password in ("x" * 141, "****"):
			with self.assertRaises(frappe.ValidationError):
				self.protected("never", password=password)
		self.protected("longest", password="x" * 140)


class TestDigests(unittest.TestCase):
	"""SEC-3: what stands for a password or an address is keyed, and its own for each link."""

	@given(st.text(), st.text(), st.text())
	def test_right_and_wrong(self, link: str, password: str, other: str) -> None:
		expected = passwords.digest(b"key", link, password)
		self.assertTrue(passwords.is_right(b"key", link, expected, password))
		self.assertNotEqual(expected, passwords.digest(b"another", link, password))
		self.assertNotEqual(expected, passwords.digest(b"key", link + "x", password))
		self.assertNotEqual(expected, passwords.attempts_of(b"key", link, password))
		if passwords.is_right(b"key", link, expected, other):
			self.assertEqual(passwords.digest(b"key", link, other), expected)

	def test_surrogates(self) -> None:
		passwords.digest(b"key", "\ud800", "\udfff")

	def test_without_redis_nobody_may_where_too_many_try(self) -> None:
		self.addCleanup(limits._local.clear)
		link = Link("l", "c", "Active", TARGET, password="x")
		for number in range(limits.MOST_LOCAL):
			self.assertTrue(limits.may_try_here(MayTry(link, str(number), False), 0))
		self.assertFalse(limits.may_try_here(MayTry(link, "new", True), 1))
		self.assertTrue(limits.may_try_here(MayTry(link, "new", True), passwords.ATTEMPT_SECONDS))
		self.assertEqual(len(limits._local), 0)
