"""The redirect without a host: requests as plain values in, answers ready to send out (RED-1 to RED-6, SEC-4)."""

from __future__ import annotations

import tracemalloc
import unittest
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import ClassVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from trackflow.incoming import MAX_FORM, VISITOR_COOKIE, Incoming
from trackflow.policy import Config, Domain
from trackflow.redirect import passwords
from trackflow.redirect.answer import (
	Answer,
	ClickLeft,
	Keys,
	MayTry,
	Question,
	claims,
	code_in,
	unavailable,
	valid_code,
	visit,
)
from trackflow.redirect.decision import Link, Variant
from trackflow.redirect.page import Words
from trackflow.redirect.rules import Rule
from trackflow.tests.properties import given, st
from trackflow.tracking.identity import Ranges

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
TARGET = "https://shop.example/landing"
SECRET = b"password secret"
NOW = 1_772_366_400.0
ZONE = ZoneInfo("Europe/Vienna")
NAMES = ("not_found", "gone", "unavailable", "password", "wrong_password", "locked")
WORDS = Words("de", {name: (f"<{name}>", "Text & mehr") for name in NAMES}, "Passwort", "Weiter")
DOMAIN = Domain(
	name="go.example", public_key="pk", primary=True, enabled=True, ssl=True, privacy_level="Standard", consent_required=False,
	consent_default="Opt-in", collect_address=True, hash_address=False, allowed_origins=(), not_found_url="", custom_css="",
	headers=(("X-Campaigns-By", "us"),),
)  # fmt: skip
CONFIG = Config(
	enabled=True, cookie_days=10, consent_required=False, gdpr=False, honour_do_not_track=True, mask_addresses=False,
	exclude_internal=False, add_click_id=True, session_timeout=timedelta(minutes=30), attribution_window_days=30,
	default_model="", primary_domain="go.example", engagement_points={}, engagement_half_life_days=30,
	consent_policy_version="", internal_networks=(), trusted_proxies=(), time_zone="Europe/Vienna",
	domains={"go.example": DOMAIN}, keys={},
)  # fmt: skip
# Nobody has consented, and whoever asks stands behind a proxy.
CONSENT = replace(
	CONFIG, consent_required=True, domains={}, trusted_proxies=Ranges([ip_network("198.51.100.0/24")])
)
LINK = Link("link-1", "k3x9p2", "Active", TARGET)
LOCKED = Link("link-2", "vault", "Active", TARGET, password=passwords.digest(SECRET, "link-2", "sesame"))


def request(
	method: str = "GET", query: str = "", form: dict[str, str] | None = None, **values: object
) -> Incoming:
	defaults = {
		"scheme": "https", "host": "go.example", "path": "/r/k3x9p2", "headers": {"user-agent": BROWSER}, "cookies": {},
		"peer": "198.51.100.7",
	}  # fmt: skip
	return Incoming(method=method, query=query, form=form or {}, **{**defaults, **values})


def run(
	incoming: Incoming, link: Link | None, *said: bool, config: Config = CONFIG, now: float = NOW
) -> tuple[list[Question], Answer]:
	"""What a visit asks, and its answer, where its questions are answered by `said`."""
	steps = visit(
		incoming,
		link,
		config,
		Keys(lambda: b"day", b"click", SECRET),
		now,
		ZONE,
		lambda: WORDS,
		lambda: "to<ken",
	)
	asked: list[Question] = []
	answers = iter(said)
	try:
		question = next(steps)
		while True:
			asked.append(question)
			question = steps.send(next(answers))
	except StopIteration as end:
		return asked, end.value


def header(answer: Answer, name: str) -> str:
	return dict(answer.headers).get(name, "")


class TestWithdrawal(unittest.TestCase):
	"""RED-5: whoever withdrew on this host does not keep a cookie that no script can take away."""

	KEPT: ClassVar = {"trackflow_visitor": "v_0123456789abcdef", "trackflow_consent": "denied"}

	def test_the_cookie_is_taken_away(self) -> None:
		for link, config, method in (
			(LINK, CONFIG, "GET"), (LINK, CONFIG, "HEAD"), (LINK, CONSENT, "GET"), (LOCKED, CONFIG, "GET"),
			(None, CONFIG, "GET"), (LINK, replace(CONFIG, enabled=False), "GET"),
		):  # fmt: skip
			_asked, answer = run(request(method, cookies=self.KEPT), link, config=config)
			(cookie,) = [value for name, value in answer.headers if name == "Set-Cookie"]
			parts = {one.strip() for one in cookie.split(";")}
			self.assertLessEqual(
				{"trackflow_visitor=", "Max-Age=0", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"}, parts
			)
			self.assertTrue(answer.record is None or answer.record.cookieless)

	def test_where_there_is_none_nothing_is_sent(self) -> None:
		for cookies in ({"trackflow_consent": "denied"}, {}):
			self.assertEqual(header(run(request(cookies=cookies), LINK, config=CONSENT)[1], "Set-Cookie"), "")
		http = request(scheme="http", cookies=self.KEPT)
		self.assertNotIn("Secure", header(run(http, LINK)[1], "Set-Cookie"))
		granted = {**self.KEPT, "trackflow_consent": "granted"}
		self.assertIn("v_0123456789abcdef", header(run(request(cookies=granted), LINK)[1], "Set-Cookie"))


class TestQuestions(unittest.TestCase):
	"""RED-7: only links with a limit or a password cost a round trip more."""

	def test_none(self) -> None:
		for incoming in (request(), request("HEAD"), request("POST"), request("PUT"), request(headers={})):
			for link in (None, LINK, LOCKED):
				if incoming.method != "POST":
					self.assertEqual(run(incoming, link)[0], [])
		ended = Link("l", "c", "Active", TARGET, max_clicks=3, clicks=3)
		for link in (ended, Link("l", "c", "Paused", TARGET, max_clicks=3, password="x")):
			self.assertEqual(run(request(), link)[0], [])

	def test_a_click_is_taken_by_who_counts(self) -> None:
		link = Link("l", "c", "Active", TARGET, max_clicks=3)
		for incoming, takes in ((request(), True), (request("HEAD"), False), (request(headers={}), False)):
			for left, status in ((True, 302), (False, 410)):
				asked, answer = run(incoming, link, left)
				self.assertEqual(asked, [ClickLeft(link, takes)])
				self.assertEqual(answer.status, status)
		_asked, answer = run(request(), link, False)
		self.assertEqual((answer.record.event_type, answer.record.counted), ("Expired", False))

	def test_a_password_is_tried_before_a_click_is_taken(self) -> None:
		link = Link("link-2", "vault", "Active", TARGET, max_clicks=3, password=LOCKED.password)
		who = passwords.attempts_of(SECRET, "link-2", "198.51.100.7")
		right, wrong = request("POST", form={"password": "sesame"}), request("POST", form={"password": "x"})
		for incoming, said, questions, status in (
			(right, (True, True), [MayTry(link, who, True), ClickLeft(link, True)], 303),
			(right, (True, False), [MayTry(link, who, True), ClickLeft(link, True)], 410),
			(right, (False, True), [MayTry(link, who, True), ClickLeft(link, False)], 429),
			(wrong, (True, True), [MayTry(link, who, False), ClickLeft(link, False)], 403),
			(request(), (True,), [ClickLeft(link, False)], 200),
			(request(), (False,), [ClickLeft(link, False)], 410),
		):
			asked, answer = run(incoming, link, *said)
			self.assertEqual((asked, answer.status), (questions, status))


class TestAnswers(unittest.TestCase):
	"""RED-1: everything that is sent, ready to send."""

	def test_a_redirect(self) -> None:
		_asked, answer = run(request(), LINK)
		self.assertEqual((answer.status, answer.body), (302, ""))
		self.assertEqual(
			[name for name, _value in answer.headers],
			["Content-Type", "Cache-Control", "Referrer-Policy", "X-Content-Type-Options", "X-Robots-Tag",
				"Strict-Transport-Security", "X-Campaigns-By",
				"Location", "Set-Cookie"],
		)  # fmt: skip
		self.assertEqual(header(answer, "Location"), TARGET)
		cookie = header(answer, "Set-Cookie")
		self.assertTrue(cookie.startswith(f"{VISITOR_COOKIE}={answer.record.visitor};"))
		for part in (
			"Expires=Wed, 11 Mar 2026 12:00:00 GMT",
			"Max-Age=864000",
			"Secure",
			"HttpOnly",
			"Path=/",
			"SameSite=Lax",
		):
			self.assertIn(part, cookie)
		self.assertEqual((answer.record.at, answer.record.link, answer.record.counted), (NOW, "link-1", True))

	def test_https_is_held_on_to_where_it_was_spoken(self) -> None:
		"""SEC-3; over http a browser would not believe it."""
		for incoming, link in ((request(), LINK), (request(), None), (request("PUT"), LINK)):
			self.assertEqual(header(run(incoming, link)[1], "Strict-Transport-Security"), "max-age=31536000")
		self.assertEqual(header(run(request(scheme="http"), LINK)[1], "Strict-Transport-Security"), "")

	def test_pages(self) -> None:
		for answer, name in (
			(run(request(), None)[1], "not_found"),
			(run(request(), Link("l", "c", "Expired", TARGET))[1], "gone"),
			(unavailable(WORDS), "unavailable"),
			(run(request(), LOCKED)[1], "password"),
			(run(request("POST", form={}), LOCKED, True)[1], "wrong_password"),
			(run(request("POST", form={}), LOCKED, False)[1], "locked"),
		):
			self.assertIn(f"<h1>&lt;{name}&gt;</h1>", answer.body)
			self.assertIn('<html lang="de">', answer.body)
			self.assertEqual(header(answer, "Content-Type"), "text/html; charset=utf-8")
			self.assertEqual("<form" in answer.body, "password" in name)
			self.assertEqual('value="to&lt;ken"' in answer.body, "password" in name)

	def test_what_is_refused(self) -> None:
		large = request("POST", form={"password": "sesame"}, body_size=MAX_FORM + 1)
		for incoming, link, status in (
			(request("POST"), None, 405), (request("POST"), LINK, 405), (request("DELETE"), LOCKED, 405),
			(large, LOCKED, 413), (large, LINK, 405),
		):  # fmt: skip
			asked, answer = run(incoming, link)
			self.assertEqual((asked, answer.status, answer.body, answer.record), ([], status, "", None))

	def test_the_site_decides_what_day_it_is(self) -> None:
		link = Link("l", "c", "Active", TARGET, starts_on=datetime(2026, 3, 1, 13, 0))
		self.assertEqual(run(request(), link)[1].status, 302)
		link = Link("l", "c", "Active", TARGET, starts_on=datetime(2026, 3, 1, 13, 0, 1))
		self.assertEqual(run(request(), link)[1].status, 404)

	def test_what_is_over_stays_over_when_the_clock_is_put_back(self) -> None:
		link = Link("l", "c", "Active", TARGET, expires_on=datetime(2026, 10, 25, 2, 30))
		first = datetime.fromisoformat("2026-10-25T00:00:00+00:00").timestamp()
		statuses = [run(request(), link, now=first + 600 * number)[1].status for number in range(15)]
		self.assertEqual(statuses, [302] * 3 + [410] * 12)


class TestAddresses(unittest.TestCase):
	"""RED-9: what is under the prefix is a short link's, and what no link can have is not looked up."""

	def test_the_prefix(self) -> None:
		for path in ("/r", "/R", "/r/", "/r/x", "/R/x/y", "/r//x"):
			self.assertTrue(claims(path), path)
		for path in ("", "/", "/rx", "/robots.txt", "//r/x", "/api/r/x", "r/x"):
			self.assertFalse(claims(path), path)

	def test_codes(self) -> None:
		for path, code in (
			("/r/Spring/", "spring"),
			("/R/a-b_C", "a-b_c"),
			("/r", ""),
			("/r/a/b", ""),
			("/r/admin", ""),
		):
			self.assertEqual(code_in(path), code)

	@given(st.text())
	def test_any_code(self, code: str) -> None:
		found = valid_code(code)
		self.assertEqual(found, valid_code(found))
		self.assertRegex(found, r"\A[a-z0-9_-]{0,64}\Z")


TEXT = st.text(max_size=40)


class TestMemory(unittest.TestCase):
	"""SEC-4: whatever strangers send, and however much of it, nothing long stays behind."""

	def test_long_requests_are_not_remembered(self) -> None:
		link = replace(LINK, forward_query=True)
		asked, length = 300, 8000
		proxy = {**request().headers, "x-real-ip": ""}

		def ask(start: int) -> None:
			for number in range(start, start + asked):
				text = f"{number}" + "x" * length
				code_in(f"/r/{text}")
				headers = {
					"user-agent": text,
					"accept-language": text,
					"referer": text,
					"x-forwarded-for": text[:2000],
				}
				for more in ({"headers": headers}, {"headers": {**proxy, "x-real-ip": text}}):
					run(
						request(query=f"utm_source=a&b={text}", host=text, path=text, **more),
						link,
						config=CONSENT,
					)
				run(request(query=f"b={text}", peer=text), link, config=CONSENT)

		ask(0)
		tracemalloc.start()
		try:
			ask(asked)
			kept, _most = tracemalloc.get_traced_memory()
		finally:
			tracemalloc.stop()
		# Python's urlsplit keeps the last 128 addresses, 2 MB; agents are cut to 512 characters. Ours were 22 MB.
		self.assertLess(kept, 4_000_000)


class TestAnything(unittest.TestCase):
	"""SEC-3, SEC-4: whatever a request says, the answer can be sent, leads to an own address and can be recorded."""

	LINKS = (
		None,
		LINK,
		LOCKED,
		Link(
			"l", "c", "Active", TARGET, forward_query=True, max_clicks=1, ios_url="shop://product/7",
			variants=(Variant("A", TARGET + "/a"),),
			rules=tuple(Rule(kind, TARGET + "/rule", frozenset({"de", "x", "ios"}), "a") for kind in ("Query", "Language", "OS")),
		),
	)  # fmt: skip

	@given(
		st.sampled_from(["GET", "HEAD", "POST", "PUT", "", "\ud800"]),
		st.sampled_from(LINKS),
		st.tuples(st.booleans(), st.booleans()),
		st.builds(
			dict, scheme=st.sampled_from(["http", "https"]), host=TEXT, path=TEXT, query=TEXT, peer=TEXT,
			cookies=st.dictionaries(st.sampled_from([VISITOR_COOKIE, "trackflow_consent", "sid"]), TEXT),
			headers=st.dictionaries(
				st.sampled_from(["user-agent", "referer", "accept-language", "x-forwarded-for", "sec-purpose", "dnt"]), TEXT
			),
			form=st.dictionaries(st.sampled_from(["password", "x"]), TEXT), body_size=st.integers(0, 10_000),
		),
	)  # fmt: skip
	def test_it(self, method: str, link: Link | None, said: tuple[bool, bool], values: dict) -> None:
		_asked, answer = run(request(method, **values), link, *said)
		self.assertIn(answer.status, (200, 302, 303, 403, 404, 405, 410, 413, 429))
		for name, value in answer.headers:
			self.assertTrue((name + value).isprintable(), (name, value))
			value.encode("latin-1")
		if location := header(answer, "Location"):
			self.assertIn(urlsplit(location).netloc, ("shop.example", "product"))
			self.assertTrue(location.isascii())
		if answer.record:
			self.assertIsNotNone(link)
			self.assertIn(method, ("GET", "POST"))
		answer.body.encode("utf-8", "surrogatepass")
